/* SPDX-License-Identifier: MIT */
#include <avml/kcore.h>

#include <elf.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "check_main.h"

#define SEGMENTS_MAX 8
#define NO_PADDR UINT64_MAX

/* --- headers made up ----------------------------------------------------- */

struct load {
	uint32_t type;
	uint64_t offset, paddr, filesz;
};

struct image {
	bool big;
	unsigned int phentsize;
	unsigned int phnum;
	const struct load *loads;
};

static void put(uint8_t *to, unsigned int size, uint64_t value, bool big)
{
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
}

static size_t image_len(const struct image *image)
{
	return sizeof(Elf64_Ehdr) + (size_t)image->phnum * image->phentsize;
}

/* The bytes of ELF and program headers. The caller frees them. */
static uint8_t *image_bytes(const struct image *image)
{
	uint8_t *bytes = calloc(1, image_len(image));
	uint8_t *ph = bytes + sizeof(Elf64_Ehdr);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = ELFCLASS64;
	bytes[EI_DATA] = image->big ? ELFDATA2MSB : ELFDATA2LSB;
	bytes[EI_VERSION] = EV_CURRENT;
	put(bytes + 16, 2, ET_CORE, image->big);
	put(bytes + 18, 2, image->big ? EM_S390 : EM_X86_64, image->big);
	put(bytes + 20, 4, EV_CURRENT, image->big);
	put(bytes + 32, 8, sizeof(Elf64_Ehdr), image->big);
	put(bytes + 52, 2, sizeof(Elf64_Ehdr), image->big);
	put(bytes + 54, 2, image->phentsize, image->big);
	put(bytes + 56, 2, image->phnum, image->big);
	for (unsigned int i = 0; i < image->phnum; i++) {
		const struct load *load = &image->loads[i];

		put(ph, 4, load->type, image->big);
		put(ph + 4, 4, PF_R | PF_W | PF_X, image->big);
		put(ph + 8, 8, load->offset, image->big);
		/* Nothing reads the virtual address: a value that shows. */
		put(ph + 16, 8, 0x0123456789abcdef, image->big);
		put(ph + 24, 8, load->paddr, image->big);
		put(ph + 32, 8, load->filesz, image->big);
		put(ph + 40, 8, ~load->filesz, image->big);
		ph += image->phentsize;
	}
	return bytes;
}

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("kcore", MFD_CLOEXEC);

	TEST_ASSERT(fd >= 0);
	TEST_ASSERT(write(fd, bytes, len) == (ssize_t)len);
	return fd;
}

static int read_bytes(const void *bytes, size_t len, struct avml_kcore_map *map,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = file_of(bytes, len);

	/* What the storage held before does not matter. */
	memset(map, 0xa5, sizeof(*map));
	return avml_kcore_map_read(fd, "a/kcore", NULL, map, err);
}

static int read_loads(const struct load *loads, unsigned int count,
	struct avml_kcore_map *map, struct avml_error *err)
{
	const struct image image = {
		.phentsize = sizeof(Elf64_Phdr), .phnum = count, .loads = loads
	};
	CLEANUP_FREE uint8_t *bytes = image_bytes(&image);

	return read_bytes(bytes, image_len(&image), map, err);
}

static void assert_segments(const struct avml_kcore_map *map,
	const struct avml_kcore_segment *expected)
{
	size_t count = 0;

	while (count < SEGMENTS_MAX && expected[count].end != 0)
		count++;
	ck_assert_uint_eq(map->count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(map->segments[i].start, expected[i].start);
		ck_assert_uint_eq(map->segments[i].end, expected[i].end);
		ck_assert_uint_eq(map->segments[i].offset, expected[i].offset);
	}
}

/* What every map must be, whatever the file said. */
static void assert_sound(
	int ret, const struct avml_kcore_map *map, const struct avml_error *err)
{
	if (ret < 0) {
		TEST_ASSERT(map->count == 0 && map->segments == NULL);
		TEST_ASSERT(err->code == -ret && err->depth > 0);
		return;
	}
	TEST_ASSERT(ret == 0 && map->count > 0);
	for (size_t i = 0; i < map->count; i++) {
		const struct avml_kcore_segment *seg = &map->segments[i];

		TEST_ASSERT(seg->start < seg->end);
		TEST_ASSERT(seg->offset <= INT64_MAX);
		TEST_ASSERT(seg->end - seg->start <= INT64_MAX - seg->offset);
		TEST_ASSERT(i == 0 || seg[-1].end <= seg->start);
	}
}

static const struct {
	struct load loads[SEGMENTS_MAX];
	unsigned int count;
	struct avml_kcore_segment expected[SEGMENTS_MAX];
} good[] = {
	/* RAM at 0 alone is no sign of an old kernel. */
	{ { { PT_LOAD, 0x4000, 0, 0x1000 } }, 1, { { 0, 0x1000, 0x4000 } } },
	/* Other kinds, virtual memory and empty ones are nothing to us. */
	{ { { PT_NOTE, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX },
		  { PT_LOAD, UINT64_MAX, NO_PADDR, UINT64_MAX },
		  { PT_LOAD, UINT64_MAX, UINT64_MAX - 1, 0 },
		  { PT_LOAD, 0x9000, 0x1000, 0x2000 }, { PT_NULL, 0, 0, 0 } },
		5, { { 0x1000, 0x3000, 0x9000 } } },
	/* Not in order; touching, but not in the file. */
	{ { { PT_LOAD, 0x9000, 0x3000, 0x1000 },
		  { PT_LOAD, 0x4000, 0x1000, 0x2000 } },
		2, { { 0x1000, 0x3000, 0x4000 }, { 0x3000, 0x4000, 0x9000 } } },
	/* Touching in memory and in the file: one. */
	{ { { PT_LOAD, 0x6000, 0x3000, 0x1000 },
		  { PT_LOAD, 0x4000, 0x1000, 0x2000 } },
		2, { { 0x1000, 0x4000, 0x4000 } } },
	/* The kernel's text within the direct map, named first and last. */
	{ { { PT_LOAD, 0x7fff00004000, 0x200000, 0x100000 },
		  { PT_LOAD, 0x80000, 0x100000, 0x900000 } },
		2, { { 0x100000, 0xa00000, 0x80000 } } },
	{ { { PT_LOAD, 0x80000, 0x100000, 0x900000 },
		  { PT_LOAD, 0x7fff00004000, 0x200000, 0x100000 } },
		2, { { 0x100000, 0xa00000, 0x80000 } } },
	/* Text that reaches out of it is used where nothing else is. */
	{ { { PT_LOAD, 0x50000, 0x8000, 0x4000 },
		  { PT_LOAD, 0x10000, 0x1000, 0x8000 } },
		2,
		{ { 0x1000, 0x9000, 0x10000 }, { 0x9000, 0xc000, 0x51000 } } },
	{ { { PT_LOAD, 0x50000, 0x1000, 0x4000 },
		  { PT_LOAD, 0x10000, 0x4000, 0x8000 } },
		2,
		{ { 0x1000, 0x4000, 0x50000 }, { 0x4000, 0xc000, 0x10000 } } },
	/* Of equals, the first. */
	{ { { PT_LOAD, 0x50000, 0x1000, 0x1000 },
		  { PT_LOAD, 0x10000, 0x1000, 0x1000 } },
		2, { { 0x1000, 0x2000, 0x50000 } } },
	/* As far as addresses and offsets go. */
	{ { { PT_LOAD, INT64_MAX - 0xfff, 0x1000, 0xfff },
		  { PT_LOAD, 0x8000, UINT64_MAX - 0x1000, 0x1000 } },
		2,
		{ { 0x1000, 0x1fff, INT64_MAX - 0xfff },
			{ UINT64_MAX - 0x1000, UINT64_MAX, 0x8000 } } },
};

START_TEST(kcore_good_headers_give_segments)
{
	static const unsigned int entry_sizes[] = { 56, 57, 64, 1024 };

	for (int big = 0; big < 2; big++) {
		for (size_t i = 0; i < TEST_COUNT(entry_sizes); i++) {
			const struct image image = { .big = big,
				.phentsize = entry_sizes[i],
				.phnum = good[_i].count,
				.loads = good[_i].loads };
			CLEANUP_FREE uint8_t *bytes = image_bytes(&image);
			struct avml_error err = AVML_ERROR_INIT;
			struct avml_kcore_map map;

			ck_assert_msg(read_bytes(bytes, image_len(&image), &map,
					      &err) == 0,
				"%s", avml_error_message(&err, 0));
			assert_segments(&map, good[_i].expected);
			avml_kcore_map_release(&map);
			ck_assert_uint_eq(map.count, 0);
			ck_assert_ptr_null(map.segments);
		}
	}
}
END_TEST

START_TEST(kcore_bytes_right_behind_the_headers_are_good)
{
	const size_t behind = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	const struct load load = { PT_LOAD, behind, 0x1000, 0x1000 };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_int_eq(read_loads(&load, 1, &map, &err), 0);
	ck_assert_uint_eq(map.segments[0].offset, behind);
	avml_kcore_map_release(&map);
}
END_TEST

/* --- headers that lie ---------------------------------------------------- */

static const struct load honest[] = {
	{ PT_NOTE, 0x200, 0, 0x100 },
	{ PT_LOAD, 0x4000, 0x1000, 0x9e000 },
	{ PT_LOAD, 0x104000, 0x100000, 0x700000 },
};

#define EHDR(field) \
	offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field)
#define PHDR(i, field)                                  \
	sizeof(Elf64_Ehdr) + (i) * sizeof(Elf64_Phdr) + \
		offsetof(Elf64_Phdr, field),            \
		sizeof(((Elf64_Phdr *)0)->field)

static const struct {
	size_t at;
	unsigned int size;
	uint64_t value;
	const char *says;
} lies[] = {
	{ 0, 1, 0, "a/kcore is no ELF file: the magic is wrong" },
	{ 1, 1, 'e', "the magic is wrong" },
	{ 2, 1, 'l', "the magic is wrong" },
	{ 3, 1, 'f', "the magic is wrong" },
	{ EI_CLASS, 1, ELFCLASSNONE, "a/kcore is no 64-bit ELF file: class 0" },
	{ EI_CLASS, 1, ELFCLASS32, "class 1" },
	{ EI_CLASS, 1, 0xff, "class 255" },
	{ EI_DATA, 1, ELFDATANONE, "a/kcore: ELF data encoding 0 is unknown" },
	{ EI_DATA, 1, 3, "encoding 3 is unknown" },
	/* The other order of bytes makes nonsense of the rest. */
	{ EI_DATA, 1, ELFDATA2MSB, "no ELF core file: type 1024" },
	{ EHDR(e_type), ET_NONE, "a/kcore is no ELF core file: type 0" },
	{ EHDR(e_type), ET_EXEC, "no ELF core file: type 2" },
	{ EHDR(e_phentsize), 0, "a/kcore: program headers of 0 bytes" },
	{ EHDR(e_phentsize), 55, "program headers of 55 bytes" },
	{ EHDR(e_phentsize), 1025, "program headers of 1025 bytes" },
	{ EHDR(e_phentsize), 0xffff, "program headers of 65535 bytes" },
	{ EHDR(e_phnum), 0, "a/kcore: a table of 0 program headers" },
	{ EHDR(e_phnum), PN_XNUM, "a table of 65535 program headers" },
	/* More of them than the file holds, and in more room. */
	{ EHDR(e_phnum), 4, "a/kcore ends at offset 0xe8" },
	{ EHDR(e_phnum), 0xfffe, "a/kcore ends at offset 0xe8" },
	{ EHDR(e_phentsize), 57, "a/kcore ends at offset 0xe8" },
	/* A table elsewhere, behind the file, and where no file reaches. */
	{ EHDR(e_phoff), 0x41, "a/kcore ends at offset 0xe8" },
	{ EHDR(e_phoff), 0x10000, "within its ELF headers" },
	{ EHDR(e_phoff), INT64_MAX, "at offset 0x7fffffffffffffff" },
	{ EHDR(e_phoff), INT64_MAX - 168, "make no sense" },
	{ EHDR(e_phoff), UINT64_MAX, "at offset 0xffffffffffffffff" },
	/* A table that would go on in what it speaks of. */
	{ PHDR(1, p_offset), 0xe7, "program headers reach into the memory" },
	/* Sums past the end of what 64 bits can say. */
	{ PHDR(1, p_paddr), UINT64_MAX - 0x9e000 + 1,
		"a/kcore: program header 1: 0x9e000 bytes at physical address "
		"0xfffffffffff62000 reach past 2^64" },
	{ PHDR(2, p_paddr), UINT64_MAX - 1, "program header 2: 0x700000" },
	{ PHDR(1, p_filesz), UINT64_MAX, "reach past 2^64" },
	{ PHDR(1, p_filesz), UINT64_MAX - 0xfff, "reach past 2^64" },
	{ PHDR(1, p_filesz), UINT64_MAX - 0x1000,
		"a/kcore: program header 1: 0xffffffffffffefff bytes at file "
		"offset 0x4000 reach past 2^63" },
	{ PHDR(1, p_filesz), INT64_MAX, "reach past 2^63" },
	{ PHDR(2, p_offset), UINT64_MAX, "reach past 2^63" },
	{ PHDR(2, p_offset), INT64_MAX, "reach past 2^63" },
	{ PHDR(2, p_offset), INT64_MAX - 0x700000 + 1, "reach past 2^63" },
	/* Memory that is said to begin within the headers themselves. */
	{ PHDR(1, p_offset), 0,
		"a/kcore: 3 program headers reach into the memory at file "
		"offset 0x0: too many" },
	{ PHDR(2, p_offset), 0xe7, "at file offset 0xe7: too many" },
};

START_TEST(kcore_lie_is_refused_with_the_reason)
{
	const struct image image = { .phentsize = sizeof(Elf64_Phdr),
		.phnum = TEST_COUNT(honest),
		.loads = honest };
	CLEANUP_FREE uint8_t *bytes = image_bytes(&image);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;
	bool said = false;

	put(bytes + lies[_i].at, lies[_i].size, lies[_i].value, false);
	ck_assert_int_eq(
		read_bytes(bytes, image_len(&image), &map, &err), -EINVAL);
	assert_sound(-EINVAL, &map, &err);
	for (unsigned int i = 0; i < err.depth; i++)
		said |= strstr(avml_error_message(&err, i), lies[_i].says) !=
			NULL;
	ck_assert_msg(said, "\"%s\" does not say \"%s\"",
		avml_error_message(&err, err.depth - 1), lies[_i].says);
}
END_TEST

/*
 * Zeros behind the honest headers are headers of no kind, so only the place
 * where memory begins tells that there are too many. 291 end before it.
 */
START_TEST(kcore_headers_claimed_into_memory_are_refused)
{
	const struct image image = { .phentsize = sizeof(Elf64_Phdr),
		.phnum = TEST_COUNT(honest),
		.loads = honest };
	CLEANUP_FREE uint8_t *bytes = image_bytes(&image);

	for (unsigned int phnum = 290; phnum < 294; phnum++) {
		struct avml_error err = AVML_ERROR_INIT;
		CLEANUP_CLOSE int fd = -1;
		struct avml_kcore_map map;
		int ret;

		put(bytes + 56, 2, phnum, false);
		fd = file_of(bytes, image_len(&image));
		ck_assert_int_eq(ftruncate(fd, 0x804000), 0);
		ret = avml_kcore_map_read(fd, "a/kcore", NULL, &map, &err);
		ck_assert_int_eq(ret, phnum <= 291 ? 0 : -EINVAL);
		assert_sound(ret, &map, &err);
		avml_kcore_map_release(&map);
	}
}
END_TEST

START_TEST(kcore_cut_at_any_byte_is_refused)
{
	const struct image image = { .phentsize = sizeof(Elf64_Phdr),
		.phnum = TEST_COUNT(honest),
		.loads = honest };
	CLEANUP_FREE uint8_t *bytes = image_bytes(&image);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;
	char ends[80];

	for (size_t len = 0; len < image_len(&image); len++) {
		const int ret = read_bytes(bytes, len, &map, &err);

		ck_assert_int_eq(ret, -EINVAL);
		assert_sound(ret, &map, &err);
		snprintf(ends, sizeof(ends),
			"a/kcore ends at offset 0x%zx, within its ELF headers",
			len);
		ck_assert_str_eq(avml_error_message(&err, err.depth - 1), ends);
		ck_assert_uint_eq(err.depth, len < sizeof(Elf64_Ehdr) ? 1 : 2);
	}
	ck_assert_int_eq(read_bytes(bytes, image_len(&image), &map, &err), 0);
	avml_kcore_map_release(&map);
}
END_TEST

START_TEST(kcore_cut_in_the_table_names_the_header)
{
	struct avml_error err = AVML_ERROR_INIT;
	const struct image image = { .phentsize = sizeof(Elf64_Phdr),
		.phnum = TEST_COUNT(honest),
		.loads = honest };
	CLEANUP_FREE uint8_t *bytes = image_bytes(&image);
	struct avml_kcore_map map;

	ck_assert_int_eq(read_bytes(bytes, 64 + 56 + 1, &map, &err), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), "program header 1 of 3");
}
END_TEST

/* What kernels before 4.11 write: p_paddr 0 everywhere. */
START_TEST(kcore_all_at_zero_is_enodata)
{
	static const struct load old[] = {
		{ PT_NOTE, 0x200, 0, 0x100 },
		{ PT_LOAD, 0x7fff81004000, 0, 0x1000000 },
		{ PT_LOAD, 0x490000004000, 0, 0x1fffffffffff },
		{ PT_LOAD, 0x88000005000, 0, 0x9e000 },
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_int_eq(
		read_loads(old, TEST_COUNT(old), &map, &err), -ENODATA);
	assert_sound(-ENODATA, &map, &err);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"a/kcore: its 3 program headers do not tell physical "
		"addresses, as those of kernels before 4.11, and which "
		"ranges are RAM is not known");
}
END_TEST

START_TEST(kcore_without_physical_memory_is_enodata)
{
	static const struct load virtual[] = {
		{ PT_NOTE, 0x200, 0, 0x100 },
		{ PT_LOAD, 0x4000, NO_PADDR, 0x1000 },
		{ PT_LOAD, 0x5000, 0x1000, 0 },
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_int_eq(
		read_loads(virtual, TEST_COUNT(virtual), &map, &err), -ENODATA);
	assert_sound(-ENODATA, &map, &err);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"a/kcore: none of its 3 program headers tells of physical "
		"memory");
}
END_TEST

static void assert_fd_fails(int fd, int code)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_int_eq(
		avml_kcore_map_read(fd, "a/kcore", NULL, &map, &err), -code);
	assert_sound(-code, &map, &err);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, err.depth - 1),
		"cannot read a/kcore at offset 0x0: "));
}

START_TEST(kcore_that_cannot_be_read_is_its_errno)
{
	CLEANUP_CLOSE int directory = open("/", O_RDONLY | O_CLOEXEC);
	int ends[2];

	assert_fd_fails(-1, EBADF);
	assert_fd_fails(directory, EISDIR);
	ck_assert_int_eq(pipe(ends), 0);
	assert_fd_fails(ends[0], ESPIPE);
}
END_TEST

/* As many as a table can hold. */
#define MANY 65534u
/* Behind their headers in the file. */
#define MANY_AT UINT64_C(0x400000)

START_TEST(kcore_of_65534_headers_gives_as_many_segments)
{
	CLEANUP_FREE struct load *loads = calloc(MANY, sizeof(*loads));
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_ptr_nonnull(loads);
	for (uint64_t i = 0; i < MANY; i++)
		loads[i] = (struct load){ PT_LOAD, MANY_AT + 0x2000 * i,
			0x1000 * i, 0x1000 };
	ck_assert_int_eq(read_loads(loads, MANY, &map, &err), 0);
	ck_assert_uint_eq(map.count, MANY);
	for (uint64_t i = 0; i < MANY; i++) {
		const struct avml_kcore_segment *seg =
			avml_kcore_map_find(&map, 0x1000 * i + 5);

		TEST_ASSERT(seg == &map.segments[i]);
		TEST_ASSERT(seg->start == 0x1000 * i);
		TEST_ASSERT(seg->offset == MANY_AT + 0x2000 * i);
	}
	avml_kcore_map_release(&map);
}
END_TEST

/* --- real kernels -------------------------------------------------------- */

static const struct {
	const char *path;
	struct avml_kcore_segment segments[SEGMENTS_MAX];
	uint64_t text; /* physical address of the kernel's text */
} kernels[] = {
	{ "cloud-512M/kcore.head",
		{ { 0x1000, 0x9f000, 0xc1a80005000 },
			{ 0x100000, 0x1ffdd000, 0xc1a80104000 } },
		0xcc00000 },
	{ "cloud-nokaslr/kcore.head",
		{ { 0x1000, 0x9f000, 0x88000005000 },
			{ 0x100000, 0x1ffdd000, 0x88000104000 } },
		0x1000000 },
	{ "cloud-la57/kcore.head",
		{ { 0x1000, 0x9f000, 0x29952ec0005000 },
			{ 0x100000, 0x1ffdd000, 0x29952ec0104000 } },
		0xf400000 },
	{ "cloud-q35-split/kcore.head",
		{ { 0x1000, 0x9f000, 0x8dcc0005000 },
			{ 0x100000, 0xffdd000, 0x8dcc0104000 },
			{ 0x100000000, 0x110000000, 0x8ddc0004000 } },
		0xb400000 },
	{ "full-5G/kcore.head",
		{ { 0x1000, 0x9f000, 0xee740005000 },
			{ 0x100000, 0xbffdd000, 0xee740104000 },
			{ 0x100000000, 0x180000000, 0xee840004000 } },
		0x7b800000 },
	{ "k612-512M/kcore.head",
		{ { 0x1000, 0x9f000, 0xf0400005000 },
			{ 0x100000, 0x1ffdd000, 0xf0400104000 } },
		0x1b800000 },
};

START_TEST(kcore_of_a_real_kernel_is_its_direct_map)
{
	CLEANUP_CLOSE int fd =
		open(test_data(kernels[_i].path), O_RDONLY | O_CLOEXEC);
	const struct avml_kcore_segment *low, *ram, *found;
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(avml_kcore_map_read(fd, "kcore", NULL, &map, &err) == 0,
		"%s", avml_error_message(&err, 0));
	assert_sound(0, &map, &err);
	assert_segments(&map, kernels[_i].segments);
	low = avml_kcore_map_find(&map, 0x1000);
	ram = avml_kcore_map_find(&map, 0x100000);
	/* One direct map: its parts are as far apart in file and memory. */
	for (size_t i = 0; i < map.count; i++)
		ck_assert_uint_eq(map.segments[i].offset - low->offset,
			map.segments[i].start - low->start);
	found = avml_kcore_map_find(&map, kernels[_i].text);
	ck_assert_ptr_eq(found, ram);
	/* Low RAM's last pages and the hole above it are not there. */
	ck_assert_ptr_null(avml_kcore_map_find(&map, 0x9f000));
	ck_assert_ptr_null(avml_kcore_map_find(&map, 0));
	avml_kcore_map_release(&map);
}
END_TEST

START_TEST(kcore_of_a_real_kernel_cut_in_the_headers_is_refused)
{
	size_t len;
	CLEANUP_FREE char *bytes = test_load(test_data(kernels[_i].path), &len);
	const size_t headers = 64 + 56 * (size_t)(uint8_t)bytes[56];
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	for (size_t cut = 0; cut < headers; cut++) {
		const int ret = read_bytes(bytes, cut, &map, &err);

		TEST_ASSERT(ret == -EINVAL);
		assert_sound(ret, &map, &err);
	}
	ck_assert_int_eq(read_bytes(bytes, headers, &map, &err), 0);
	assert_segments(&map, kernels[_i].segments);
	avml_kcore_map_release(&map);
}
END_TEST

/* The same with every p_paddr 0, as these kernels' ancestors had it. */
START_TEST(kcore_of_a_real_kernel_with_no_paddr_is_enodata)
{
	size_t len;
	CLEANUP_FREE char *bytes = test_load(test_data(kernels[_i].path), &len);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_kcore_map map;

	for (size_t i = 0; i < (uint8_t)bytes[56]; i++)
		memset(bytes + 64 + 56 * i + 24, 0, 8);
	ck_assert_int_eq(read_bytes(bytes, len, &map, &err), -ENODATA);
	assert_sound(-ENODATA, &map, &err);
}
END_TEST

START_TEST(kcore_of_a_real_kernel_damaged_at_random_is_sound)
{
	static const uint8_t favourites[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	size_t len;
	CLEANUP_FREE char *bytes = test_load(test_data(kernels[_i].path), &len);
	CLEANUP_FREE char *damaged = malloc(len);
	const size_t headers = 64 + 56 * (size_t)(uint8_t)bytes[56];
	uint64_t state = 0x853c49e6748fea9b;
	unsigned int accepted = 0;

	ck_assert_ptr_nonnull(damaged);
	for (int round = 0; round < 2000; round++) {
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_kcore_map map;
		int ret;

		memcpy(damaged, bytes, len);
		for (uint64_t n = 1 + test_random(&state) % 8; n > 0; n--) {
			char *at = damaged + 16 +
				   test_random(&state) % (headers - 16);

			*at = (char)favourites[test_random(&state) %
					       TEST_COUNT(favourites)];
		}
		ret = read_bytes(damaged, len, &map, &err);
		assert_sound(ret, &map, &err);
		accepted += ret == 0;
		avml_kcore_map_release(&map);
	}
	ck_assert_uint_gt(accepted, 0);
}
END_TEST

/* --- looking up ---------------------------------------------------------- */

START_TEST(kcore_map_find_at_borders)
{
	struct avml_kcore_segment segments[] = {
		{ 0x1000, 0x2000, 0x10 },
		{ 0x2000, 0x3000, 0x90 },
		{ 0x8000, 0x9000, 0x20 },
		{ UINT64_MAX - 1, UINT64_MAX, 0x30 },
	};
	const struct avml_kcore_map map = { segments, TEST_COUNT(segments) };
	const struct avml_kcore_map empty = AVML_KCORE_MAP_INIT;
	static const struct {
		uint64_t addr;
		int found; /* index, or -1 */
	} cases[] = {
		{ 0, -1 },
		{ 0xfff, -1 },
		{ 0x1000, 0 },
		{ 0x1fff, 0 },
		{ 0x2000, 1 },
		{ 0x2fff, 1 },
		{ 0x3000, -1 },
		{ 0x7fff, -1 },
		{ 0x8000, 2 },
		{ 0x8fff, 2 },
		{ 0x9000, -1 },
		{ UINT64_MAX - 2, -1 },
		{ UINT64_MAX - 1, 3 },
		{ UINT64_MAX, -1 },
	};

	for (size_t i = 0; i < TEST_COUNT(cases); i++) {
		ck_assert_ptr_eq(avml_kcore_map_find(&map, cases[i].addr),
			cases[i].found < 0 ? NULL : &segments[cases[i].found]);
		ck_assert_ptr_null(avml_kcore_map_find(&empty, cases[i].addr));
	}
}
END_TEST

START_TEST(kcore_map_ranges_are_merged_and_replace_the_list)
{
	struct avml_kcore_segment segments[] = {
		{ 0x1000, 0x2000, 0x10 },
		{ 0x2000, 0x3000, 0x9000 },
		{ 0x8000, 0x9000, 0x20 },
	};
	const struct avml_kcore_map map = { segments, TEST_COUNT(segments) };
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;

	avml_range_list_add(&ranges, 5, 6);
	ck_assert_int_eq(avml_kcore_map_ranges(&map, &ranges), 0);
	ck_assert_uint_eq(ranges.count, 2);
	ck_assert_uint_eq(ranges.items[0].start, 0x1000);
	ck_assert_uint_eq(ranges.items[0].end, 0x3000);
	ck_assert_uint_eq(ranges.items[1].start, 0x8000);
	ck_assert_uint_eq(ranges.items[1].end, 0x9000);
	avml_range_list_release(&ranges);
}
END_TEST

static TCase *headers_tcase(void)
{
	TCase *tcase = tcase_create("headers");

	tcase_add_loop_test(
		tcase, kcore_good_headers_give_segments, 0, TEST_COUNT(good));
	tcase_add_test(tcase, kcore_bytes_right_behind_the_headers_are_good);
	tcase_add_loop_test(tcase, kcore_lie_is_refused_with_the_reason, 0,
		TEST_COUNT(lies));
	tcase_add_test(tcase, kcore_headers_claimed_into_memory_are_refused);
	tcase_add_test(tcase, kcore_cut_at_any_byte_is_refused);
	tcase_add_test(tcase, kcore_cut_in_the_table_names_the_header);
	tcase_add_test(tcase, kcore_all_at_zero_is_enodata);
	tcase_add_test(tcase, kcore_without_physical_memory_is_enodata);
	tcase_add_test(tcase, kcore_that_cannot_be_read_is_its_errno);
	tcase_add_test(tcase, kcore_of_65534_headers_gives_as_many_segments);
	tcase_add_test(tcase, kcore_map_find_at_borders);
	tcase_add_test(tcase, kcore_map_ranges_are_merged_and_replace_the_list);
	return tcase;
}

static TCase *kernels_tcase(void)
{
	TCase *tcase = tcase_create("kernels");

	tcase_add_loop_test(tcase, kcore_of_a_real_kernel_is_its_direct_map, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		kcore_of_a_real_kernel_cut_in_the_headers_is_refused, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		kcore_of_a_real_kernel_with_no_paddr_is_enodata, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		kcore_of_a_real_kernel_damaged_at_random_is_sound, 0,
		TEST_COUNT(kernels));
	return tcase;
}

static Suite *kcore_suite(void)
{
	Suite *suite = suite_create("kcore");

	suite_add_tcase(suite, headers_tcase());
	suite_add_tcase(suite, kernels_tcase());
	return suite;
}

CHECK_MAIN(kcore_suite)

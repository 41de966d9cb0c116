/* SPDX-License-Identifier: MIT */
/*
 * The sources that are files: a copy of memory, and kcore below a made-up
 * proc. pread() is this program's own, so that reads can fail.
 */
#include "check_kcore_file.h"
#include "check_wrap.h"

#include <stdbool.h>

#include <avml/iomem.h>

#include "source/source_ops.h"

#define PAGE 4096u

/* What is wrong with reading. */
static struct {
	bool interrupted;      /* every other call, by a signal */
	size_t most;	       /* bytes a call; 0: any */
	uint64_t bad_from, to; /* file offsets that give EIO */
	size_t calls;
} trouble;

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	const uint64_t at = (uint64_t)offset;

	trouble.calls++;
	if (trouble.interrupted && trouble.calls % 2 == 1) {
		errno = EINTR;
		return -1;
	}
	if (trouble.most > 0 && len > trouble.most)
		len = trouble.most;
	if (at >= trouble.bad_from && at < trouble.to) {
		errno = EIO;
		return -1;
	}
	if (at < trouble.bad_from && at + len > trouble.bad_from)
		len = trouble.bad_from - at;
	return REAL64(pread)(fd, buf, len, offset);
}

static uint8_t byte_at(uint64_t addr)
{
	return (uint8_t)(1 + (addr ^ addr >> 9) % 251);
}

/* Bytes of memory at `addr`, all changed by `twist`. */
static void put_bytes(
	int fd, uint64_t offset, uint64_t addr, size_t len, uint8_t twist)
{
	uint8_t *bytes = malloc(len);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(addr + i) ^ twist;
	test_pwrite(fd, bytes, len, offset);
	free(bytes);
}

static const char *memory_file(size_t len)
{
	const char *path = test_path("memory");
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	put_bytes(fd, 0, 0, len, 0);
	close(fd);
	return path;
}

/* A proc of nothing: also where none is needed, it is not this machine's. */
static const char *empty_proc(void)
{
	static const char *proc;

	if (!proc)
		proc = test_text("%s", test_dir());
	return proc;
}

/* NULL chooses among what is in the proc. */
static int open_below(const char *what, const char *proc_dir, size_t page_size,
	struct avml_source **source, struct avml_error *err)
{
	const struct avml_source_config config = {
		.proc_dir = proc_dir ? proc_dir : empty_proc(),
		.page_size = page_size,
	};

	return what ? avml_source_open(what, &config, source, err)
		    : avml_source_choose(
			      NULL, &config, NULL, NULL, source, err);
}

static struct avml_source *open_source(
	const char *what, const char *proc_dir, size_t page_size)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source;
	const int ret = open_below(what, proc_dir, page_size, &source, &err);

	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	return source;
}

/* Pages with the status that each must have, and 'T' of twisted bytes. */
static void assert_pages(
	const struct avml_source *source, uint64_t addr, const char *pages)
{
	const size_t page = avml_source_page_size(source);
	const size_t count = strlen(pages);
	uint8_t *bytes = malloc(count * page), *status = malloc(count);
	struct avml_source_reader *reader;
	size_t expected = 0, failed;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	failed = avml_source_read(reader, addr, bytes, count * page, status);
	avml_source_reader_free(reader);
	for (size_t i = 0; i < count; i++) {
		const uint8_t twist = pages[i] == 'T' ? 0x40 : 0;
		const bool good = pages[i] == '.' || pages[i] == 'T';
		const int want = pages[i] == 'e'   ? AVML_PAGE_END
				 : pages[i] == 'x' ? AVML_PAGE_UNCOVERED
				 : pages[i] == 'i' ? EIO
						   : AVML_PAGE_READ;

		ck_assert_msg(status[i] == want, "page %zu: status %u, not %d",
			i, status[i], want);
		expected += !good;
		for (size_t k = 0; k < page; k++) {
			const uint64_t at = addr + i * page + k;
			const uint8_t byte = bytes[i * page + k];

			if (byte != (good ? byte_at(at) ^ twist : 0))
				ck_abort_msg("page %zu, byte %zu", i, k);
		}
	}
	ck_assert_uint_eq(failed, expected);
	free(bytes);
	free(status);
}

static const size_t page_sizes[] = { 4096, 16384, 65536 };

START_TEST(source_file_is_read_by_address)
{
	const size_t page = page_sizes[_i];
	const char *path = memory_file(8 * page);
	struct avml_source *source = open_source(path, NULL, page);

	ck_assert_str_eq(avml_source_path(source), path);
	ck_assert_uint_eq(avml_source_page_size(source), page);
	ck_assert(!avml_source_is_live(source));
	ck_assert_ptr_null(avml_source_coverage(source));
	assert_pages(source, 0, "........");
	assert_pages(source, 3 * page, "..");
	/* The file ends early. */
	assert_pages(source, 6 * page, "..ee");
	assert_pages(source, 64 * page, "eeee");
	avml_source_free(source);
}
END_TEST

START_TEST(source_page_size_by_default_is_the_systems)
{
	struct avml_source *source = open_source(memory_file(PAGE), NULL, 0);

	ck_assert_uint_eq(
		avml_source_page_size(source), (size_t)sysconf(_SC_PAGESIZE));
	avml_source_free(source);
}
END_TEST

START_TEST(source_file_interrupted_reads_go_on)
{
	struct avml_source *source =
		open_source(memory_file(16 * PAGE), NULL, PAGE);

	trouble.interrupted = true;
	assert_pages(source, 0, "................");
	trouble.most = 1000;
	assert_pages(source, 0, "................");
	trouble.interrupted = false;
	assert_pages(source, 0, "................");
	avml_source_free(source);
}
END_TEST

START_TEST(source_file_bad_sectors_cost_their_pages)
{
	struct avml_source *source =
		open_source(memory_file(16 * PAGE), NULL, PAGE);

	trouble.bad_from = 3 * PAGE;
	trouble.to = 5 * PAGE;
	assert_pages(source, 0, "...ii...........");
	trouble.bad_from = 0;
	trouble.to = UINT64_MAX;
	trouble.calls = 0;
	assert_pages(source, 0, "iiiiiiiiiiiiiiii");
	ck_assert_uint_le(trouble.calls, 32);
	avml_source_free(source);
}
END_TEST

/* Addresses that no offset can be. */
START_TEST(source_file_address_past_all_offsets_is_unreadable)
{
	struct avml_source *source = open_source(memory_file(PAGE), NULL, PAGE);
	struct avml_source_reader *reader;
	struct avml_error err;
	uint8_t bytes[2 * PAGE], status[2];

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	ck_assert_uint_eq(avml_source_read(reader, 0xfffffffffffe0000, bytes,
				  sizeof(bytes), status),
		2);
	ck_assert_int_eq(status[0], EINVAL);
	ck_assert_int_eq(status[1], EINVAL);
	avml_source_reader_free(reader);
	avml_source_free(source);
}
END_TEST

/* The error names what was asked for, or the proc that it was looked for in. */
static void assert_refused(
	const char *what, const char *proc_dir, int ret, const char *message)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source;
	int got = open_below(what, proc_dir, PAGE, &source, &err);
	const char *said = avml_error_message(&err, 0);

	ck_assert_msg(got == ret, "%d, not %d: %s", got, ret, said);
	ck_assert_ptr_null(source);
	ck_assert_msg(strstr(said, message) != NULL, "\"%s\" lacks \"%s\"",
		said, message);
	if (proc_dir)
		ck_assert_ptr_nonnull(strstr(said, proc_dir));
	else
		ck_assert_ptr_nonnull(strstr(said, what));
}

START_TEST(source_file_of_a_wrong_kind_is_refused)
{
	const char *fifo = test_path("fifo");
	const char *loop = test_path("loop");

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(symlink(loop, loop), 0);
	assert_refused(test_path("missing"), NULL, -ENOENT, "cannot open");
	assert_refused(test_dir(), NULL, -EISDIR, "directory");
	/* Nobody writes into it: this must not wait. */
	assert_refused(fifo, NULL, -EINVAL, "neither a file nor a device");
	assert_refused(loop, NULL, -ELOOP, "cannot open");
	assert_refused("", NULL, -ENOENT, "cannot open");
}
END_TEST

/* Behind its end there is nothing: no page of it need be asked for. */
START_TEST(source_file_end_is_found_with_few_reads)
{
	struct avml_source *source =
		open_source(memory_file(3 * PAGE), NULL, PAGE);

	trouble.calls = 0;
	assert_pages(source, 0, "...eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
	ck_assert_uint_le(trouble.calls, 4);
	avml_source_free(source);
}
END_TEST

/* Other bytes than memory's would be taken for it. */
START_TEST(source_file_with_headers_is_refused)
{
	static const char *const heads[][2] = {
		{ "\177ELF and more", "ELF" },
		{ "EMiL and more", "image already" },
		{ "AVML and more", "image already" },
	};

	for (size_t i = 0; i < TEST_COUNT(heads); i++)
		assert_refused(test_text("%s", test_file("memory", heads[i][0],
						       strlen(heads[i][0]))),
			NULL, -EINVAL, heads[i][1]);
	/* Too short for any of them, or only like them. */
	avml_source_free(
		open_source(test_file("memory", "EMi", 3), NULL, PAGE));
	avml_source_free(
		open_source(test_file("memory", "EMiM", 4), NULL, PAGE));
}
END_TEST

START_TEST(source_reader_waits_for_its_device)
{
	struct avml_source *source = open_source(memory_file(PAGE), NULL, PAGE);
	struct avml_source_reader *reader;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	ck_assert_int_eq(fcntl(reader->fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(reader->fd, F_GETFD), FD_CLOEXEC);
	avml_source_reader_free(reader);
	avml_source_free(source);
}
END_TEST

START_TEST(source_file_without_permission_is_refused)
{
	const char *path = memory_file(PAGE);

	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_ptr_nonnull(empty_proc());
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	assert_refused(path, NULL, -EACCES, strerror(EACCES));
	/* Back, so that the file can be removed. */
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(source_character_device_is_live)
{
	struct avml_source *source = open_source("/dev/zero", NULL, PAGE);

	ck_assert(avml_source_is_live(source));
	ck_assert_ptr_null(avml_source_coverage(source));
	avml_source_free(source);
}
END_TEST

/* --- kcore ----------------------------------------------------------- */

static const char *const kcore_names[] = { "kcore", "/proc/kcore", NULL };

/*
 * Two stretches of RAM with a page between them, a third far up, and the
 * kernel's text on top of the first, with other bytes.
 */
static const struct test_phdr machine[] = {
	{ 0x104000, 0x4000, 0x20000 },	  /* text: the direct map serves */
	{ UINT64_MAX, 0x10000, 0x30000 }, /* vmalloc: virtual only */
	{ 0x100000, 0x10000, 0x40000 },
	{ 0x111000, 0x5000, 0x60000 },
	{ 0x10f000, 0x2000, 0x80000 }, /* the rest of text, longer than RAM */
	{ 0x100000000, 0x3000, 0x90000 },
};

static const char *machine_proc(void)
{
	const char *proc = test_text("%s", test_dir());
	const int fd = test_kcore_create(
		test_text("%s/kcore", proc), machine, TEST_COUNT(machine));

	for (size_t i = 0; i < TEST_COUNT(machine); i++) {
		const bool ram = i == 2 || i == 3 || i == 5;

		put_bytes(fd, machine[i].offset, machine[i].paddr,
			(size_t)machine[i].len, ram ? 0 : 0x40);
	}
	close(fd);
	return proc;
}

START_TEST(source_kcore_is_found_below_proc)
{
	const char *proc = machine_proc();
	struct avml_source *source = open_source(kcore_names[_i], proc, PAGE);

	ck_assert_str_eq(avml_source_path(source), test_text("%s/kcore", proc));
	ck_assert(avml_source_is_live(source));
	avml_source_free(source);
}
END_TEST

/* The path of one, however it is spelled and wherever it lies. */
START_TEST(source_kcore_is_known_by_its_path)
{
	const char *proc = machine_proc();
	const char *paths[] = { test_text("%s/kcore", proc),
		test_text("%s//kcore", proc), test_text("%s/./kcore", proc) };

	for (size_t i = 0; i < TEST_COUNT(paths); i++) {
		struct avml_source *source =
			open_source(paths[i], test_dir(), PAGE);

		ck_assert_str_eq(avml_source_path(source), paths[i]);
		ck_assert_ptr_nonnull(avml_source_coverage(source));
		assert_pages(source, 0x100000, "................T.....");
		avml_source_free(source);
	}
}
END_TEST

START_TEST(source_kcore_without_permission_says_who_may)
{
	const char *proc = machine_proc();

	ck_assert_int_eq(chmod(test_text("%s/kcore", proc), 0), 0);
	/* To come that far, the folders must let others pass. */
	ck_assert_int_eq(chmod(proc, 0711), 0);
	ck_assert_int_eq(chmod(test_root, 0711), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	assert_refused("kcore", proc, -EACCES, "run as root");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(source_kcore_covers_what_its_headers_say)
{
	struct avml_source *source = open_source("kcore", machine_proc(), PAGE);
	const struct avml_range_list *coverage = avml_source_coverage(source);

	ck_assert_ptr_nonnull(coverage);
	ck_assert_uint_eq(coverage->count, 2);
	ck_assert_uint_eq(coverage->items[0].start, 0x100000);
	ck_assert_uint_eq(coverage->items[0].end, 0x116000);
	ck_assert_uint_eq(coverage->items[1].start, 0x100000000);
	ck_assert_uint_eq(coverage->items[1].end, 0x100003000);
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_coverage_is_whole_pages)
{
	static const struct test_phdr phdrs[] = {
		{ 0x1000, 0x9ec00, 0x10000 },
		{ 0x100800, 0x20000, 0x100000 },
	};
	const char *proc = test_text("%s", test_dir());
	struct avml_source *source;
	const struct avml_range_list *coverage;

	close(test_kcore_create(test_text("%s/kcore", proc), phdrs, 2));
	source = open_source("kcore", proc, 16384);
	coverage = avml_source_coverage(source);
	ck_assert_uint_eq(coverage->count, 2);
	ck_assert_uint_eq(coverage->items[0].start, 0x4000);
	ck_assert_uint_eq(coverage->items[0].end, 0x9c000);
	ck_assert_uint_eq(coverage->items[1].start, 0x104000);
	ck_assert_uint_eq(coverage->items[1].end, 0x120000);
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_reads_across_segments)
{
	struct avml_source *source = open_source("kcore", machine_proc(), PAGE);

	/* 16 pages of RAM, one that only text has, and 5 of RAM. */
	assert_pages(source, 0x100000, "................T.....");
	assert_pages(source, 0x10f000, ".T.");
	/* Where nothing is, before it and behind it. */
	assert_pages(source, 0xfe000, "xx..");
	assert_pages(source, 0x114000, "..xx");
	assert_pages(source, 0xffffe000, "xx...xx");
	assert_pages(source, 0x200000, "xxxxxxxx");
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_truncated_file_ends_early)
{
	const char *proc = machine_proc();
	struct avml_source *source;

	/* In the last segment, which nothing lies behind. */
	ck_assert_int_eq(
		truncate(test_text("%s/kcore", proc), 0x90000 + PAGE), 0);
	source = open_source("kcore", proc, PAGE);
	assert_pages(source, 0x100000000, ".ee");
	assert_pages(source, 0x100000, "................T.....");
	avml_source_free(source);
}
END_TEST

/* Another segment may lie before the end, though its memory comes behind. */
START_TEST(source_kcore_behind_a_missing_segment_reads_on)
{
	static const struct test_phdr phdrs[] = {
		{ 0x100000, 0x4000, 0x80000 },
		{ 0x104000, 0x4000, 0x10000 },
	};
	const char *proc = test_text("%s", test_dir());
	const int fd = test_kcore_create(test_text("%s/kcore", proc), phdrs, 2);
	struct avml_source *source;

	put_bytes(fd, phdrs[1].offset, phdrs[1].paddr, 0x4000, 0);
	close(fd);
	source = open_source("kcore", proc, PAGE);
	assert_pages(source, 0x100000, "eeee....");
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_bad_pages_cost_only_themselves)
{
	struct avml_source *source = open_source("kcore", machine_proc(), PAGE);

	trouble.bad_from = 0x40000 + 14 * PAGE;
	trouble.to = 0x40000 + 16 * PAGE;
	assert_pages(source, 0x100000, "..............iiT.....");
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_readers_have_their_own_descriptors)
{
	struct avml_source *source = open_source("kcore", machine_proc(), PAGE);
	struct avml_source_reader *a, *b;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &a, &err), 0);
	ck_assert_int_eq(avml_source_reader_new(source, &b, &err), 0);
	ck_assert_int_ne(a->fd, b->fd);
	avml_source_reader_free(a);
	avml_source_reader_free(b);
	avml_source_reader_free(NULL);
	avml_source_free(source);
	avml_source_free(NULL);
}
END_TEST

START_TEST(source_kcore_gone_gives_no_reader)
{
	const char *proc = machine_proc();
	struct avml_source *source = open_source("kcore", proc, PAGE);
	struct avml_source_reader *reader;
	struct avml_error err;

	ck_assert_int_eq(unlink(test_text("%s/kcore", proc)), 0);
	ck_assert_int_eq(
		avml_source_reader_new(source, &reader, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), proc));
	avml_source_free(source);
}
END_TEST

START_TEST(source_kcore_masked_or_broken_is_refused)
{
	static const struct {
		const char *text; /* NULL: the null device; "/": a directory */
		int ret;
		const char *message;
	} files[] = {
		{ NULL, -ENODEV, "masked" },
		{ "/", -ENODEV, "masked" },
		{ "", -ENODEV, "masked" },
		{ "no ELF file at all, though it is long enough for one: "
		  "................................",
			-EINVAL, "no ELF file" },
		{ "\177ELF", -EINVAL, "headers" },
	};
	const char *proc = test_text("%s", test_dir());
	const char *path = test_text("%s/kcore", proc);

	if (!files[_i].text)
		ck_assert_int_eq(symlink("/dev/null", path), 0);
	else if (files[_i].text[0] == '/')
		ck_assert_int_eq(mkdir(path, 0700), 0);
	else
		test_make_file(path, files[_i].text, strlen(files[_i].text));
	for (size_t i = 0; i < TEST_COUNT(kcore_names); i++)
		assert_refused(
			kcore_names[i], proc, files[_i].ret, files[_i].message);
}
END_TEST

START_TEST(source_kcore_missing_is_refused)
{
	const char *proc = test_text("%s", test_dir());

	for (size_t i = 0; i < TEST_COUNT(kcore_names); i++)
		assert_refused(kcore_names[i], proc, -ENOENT, "does not exist");
}
END_TEST

/* What real kernels wrote: see tests/data/README.md. */
static const char *const kernels[] = { "cloud-512M", "cloud-nokaslr",
	"cloud-la57", "cloud-q35-split", "full-5G", "k612-512M" };

START_TEST(source_kcore_of_real_kernels_covers_their_ram)
{
	const char *folder = kernels[_i];
	const char *proc = test_text("%s", test_dir());
	char *head =
		realpath(test_data(test_text("%s/kcore.head", folder)), NULL);
	struct avml_range_list rest = AVML_RANGE_LIST_INIT;
	struct avml_iomem iomem = AVML_IOMEM_INIT;
	const struct avml_range_list *coverage;
	struct avml_source *source;
	struct avml_error err;

	ck_assert_ptr_nonnull(head);
	ck_assert_int_eq(symlink(head, test_text("%s/kcore", proc)), 0);
	free(head);
	ck_assert_int_eq(
		avml_iomem_read(
			test_data(test_text("%s/iomem", folder)), &iomem, &err),
		0);
	ck_assert_int_eq(avml_range_list_align(&iomem.ram, PAGE, NULL), 0);
	source = open_source("kcore", proc, PAGE);
	coverage = avml_source_coverage(source);
	ck_assert_uint_ge(iomem.ram.count, 2);
	ck_assert_int_eq(
		avml_range_list_subtract(&iomem.ram, coverage, &rest), 0);
	ck_assert_uint_eq(rest.count, 0);
	ck_assert_int_eq(
		avml_range_list_subtract(coverage, &iomem.ram, &rest), 0);
	ck_assert_uint_eq(rest.count, 0);
	/* The head alone is there, so that nothing can be read. */
	ck_assert_int_eq(avml_source_probe(source, coverage, &err), -EIO);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "ends before"));
	avml_source_free(source);
	avml_range_list_release(&rest);
	avml_iomem_release(&iomem);
}
END_TEST

static Suite *source_files_suite(void)
{
	Suite *suite = suite_create("source_files");
	TCase *tc = tcase_create("file");

	tcase_add_loop_test(
		tc, source_file_is_read_by_address, 0, TEST_COUNT(page_sizes));
	tcase_add_test(tc, source_page_size_by_default_is_the_systems);
	tcase_add_test(tc, source_file_interrupted_reads_go_on);
	tcase_add_test(tc, source_file_bad_sectors_cost_their_pages);
	tcase_add_test(tc, source_file_address_past_all_offsets_is_unreadable);
	tcase_add_test(tc, source_file_of_a_wrong_kind_is_refused);
	tcase_add_test(tc, source_file_end_is_found_with_few_reads);
	tcase_add_test(tc, source_file_with_headers_is_refused);
	tcase_add_test(tc, source_reader_waits_for_its_device);
	tcase_add_test(tc, source_file_without_permission_is_refused);
	tcase_add_test(tc, source_character_device_is_live);
	suite_add_tcase(suite, tc);
	tc = tcase_create("kcore");
	tcase_add_loop_test(tc, source_kcore_is_found_below_proc, 0,
		TEST_COUNT(kcore_names));
	tcase_add_test(tc, source_kcore_is_known_by_its_path);
	tcase_add_test(tc, source_kcore_without_permission_says_who_may);
	tcase_add_test(tc, source_kcore_covers_what_its_headers_say);
	tcase_add_test(tc, source_kcore_coverage_is_whole_pages);
	tcase_add_test(tc, source_kcore_reads_across_segments);
	tcase_add_test(tc, source_kcore_truncated_file_ends_early);
	tcase_add_test(tc, source_kcore_behind_a_missing_segment_reads_on);
	tcase_add_test(tc, source_kcore_bad_pages_cost_only_themselves);
	tcase_add_test(tc, source_kcore_readers_have_their_own_descriptors);
	tcase_add_test(tc, source_kcore_gone_gives_no_reader);
	tcase_add_loop_test(tc, source_kcore_masked_or_broken_is_refused, 0, 5);
	tcase_add_test(tc, source_kcore_missing_is_refused);
	tcase_add_loop_test(tc, source_kcore_of_real_kernels_covers_their_ram,
		0, TEST_COUNT(kernels));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(source_files_suite)

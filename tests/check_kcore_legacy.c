/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses for headers that have none: tables as old kernels
 * write them, tables that could mislead, and the whole through a file.
 */
#include "mem/kcore_legacy.h"

#include <avml/kcore.h>

#include "check_kcore_file.h"

#include "base/cleanup.h"

#define PHDRS_MAX 16
#define RAM_MAX 8
#define GIB (UINT64_C(1) << 30)
/* What is not kept. */
#define DROPPED UINT64_MAX

/* --- tables -------------------------------------------------------------- */

struct table {
	const char *name;
	int ret;
	struct avml_range ram[RAM_MAX];
	/* Where each is mapped, and the address that must come of it. */
	struct {
		uint64_t vaddr, len, paddr;
	} phdrs[PHDRS_MAX];
};

/* What x86-64 has besides RAM; in kernels with 3.10's memory layout. */
#define X86_OTHERS                                               \
	{ 0xffffffffff600000, 0x1000, DROPPED },                 \
		{ 0xffffffff81000000, 0x1c00000, DROPPED },      \
		{ 0xffffc90000000000, 0x1fffffffffff, DROPPED }, \
	{                                                        \
		0xffffffffa0000000, 0x5f000000, DROPPED          \
	}

static const struct table tables[] = {
	{ "RHEL 7 with 2 GiB", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffffea0000000000, 0x3000, DROPPED },
			{ 0xffff880000100000, 0x7fedd000, 0x100000 },
			{ 0xffffea0000004000, 0x1ffc000, DROPPED } } },
	/* Linux 4.8 to 4.10 choose the base at random. */
	{ "KASLR, RAM on both sides of 4 GiB", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0xbffdd000 },
			{ 4 * GIB, 9 * GIB } },
		{ { 0xffff9b8240100000, 0xbfedd000, 0x100000 },
			{ 0xffff9b8240001000, 0x9e000, 0x1000 },
			{ 0xffffb4c280000000, 0x1fffffffffff, DROPPED },
			{ 0xffffffff9c000000, 0x1600000, DROPPED },
			{ 0xffffffffc0000000, 0x3f000000, DROPPED },
			{ 0xfffff1e6c0000000, 0x9000000, DROPPED },
			{ 0xffff9b8340000000, 5 * GIB, 4 * GIB } } },
	/* Little RAM, and a module area larger than half of it. */
	{ "modules as large as RAM", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x60000000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffff880000100000, 0x5ff00000, 0x100000 } } },
	/* The direct map begins where RAM does, above vmalloc and modules. */
	{ "arm64 with vmalloc below", 0,
		{ { 0x40000000, 0x7c000000 }, { 0x7c100000, 0x80000000 } },
		{ { 0xffff000008000000, 0x7dfeffff0000, DROPPED },
			{ 0xffff000000000000, 0x8000000, DROPPED },
			{ 0xffff7e0000000000, 0x1000000, DROPPED },
			{ 0xffff800000000000, 0x3c000000, 0x40000000 },
			{ 0xffff80003c100000, 0x3f00000, 0x7c100000 } } },
	{ "arm64 with 42 bits and RAM above 256 GiB", 0,
		{ { 0x4000000000, 0x43fa000000 },
			{ 0x43fa050000, 0x43fa0b0000 },
			{ 0x43fff00000, 0x4400000000 } },
		{ { 0xfffffc0000000000, 0x1fffffff0000, DROPPED },
			{ 0xfffffdfffc000000, 0x4000000, DROPPED },
			{ 0xfffffe03fff00000, 0x100000, 0x43fff00000 },
			{ 0xfffffe03fa050000, 0x60000, 0x43fa050000 },
			{ 0xfffffe0000000000, 0x3fa000000, 0x4000000000 } } },
	/* Its direct map begins at 0. */
	{ "s390x", 0, { { 0, 4 * GIB } },
		{ { 0x3e000000000, 0x1ffffff000, DROPPED }, { 0, 4 * GIB, 0 },
			{ 0x3ff80000000, 0x80000000, DROPPED } } },
	{ "a single range", 0, { { 0x80000000, 0xc0000000 } },
		{ { 0xffffff8008000000, 0x3d7fff0000, DROPPED },
			{ 0xffffffc000000000, GIB, 0x80000000 } } },
	/* Ends that were no whole pages are the header's as well. */
	{ "a header that ends before its range", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdf000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9d000, 0x1000 },
			{ 0xffff880000100000, 0x7fedd000, 0x100000 } } },
	{ "a header that begins before its range", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffff8800000ff000, 0x7fede000, 0xff000 } } },
	/* Lines of iomem that touch are one range, but a header each. */
	{ "RAM that firmware split within pages", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0xbffdd000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffff880000100000, 0xa5f3000, 0x100000 },
			{ 0xffff88000a6f4000, 0x37000, 0xa6f4000 },
			{ 0xffff88000a72c000, 0xb58b1000, 0xa72c000 } } },
	{ "RAM plugged in by blocks of 128 MiB", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x3ffdd000 },
			{ 0x100000000, 0x140000000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffff880000100000, 0x3fedd000, 0x100000 },
			{ 0xffff880100000000, 0x8000000, 0x100000000 },
			{ 0xffff880108000000, 0x8000000, 0x108000000 },
			{ 0xffff880110000000, 0x8000000, 0x110000000 },
			{ 0xffff880118000000, 0x8000000, 0x118000000 },
			{ 0xffff880120000000, 0x8000000, 0x120000000 },
			{ 0xffff880128000000, 0x8000000, 0x128000000 },
			{ 0xffff880130000000, 0x8000000, 0x130000000 },
			{ 0xffff880138000000, 0x8000000, 0x138000000 } } },
	/* Something within the direct map that is in no range of RAM. */
	{ "a header in a hole", 0,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x40000000 },
			{ 4 * GIB, 5 * GIB } },
		{ { 0xffff880000001000, 0x9e000, 0x1000 },
			{ 0xffff8800000a0000, 0x60000, DROPPED },
			{ 0xffff880000100000, 0x3ff00000, 0x100000 },
			{ 0xffff880050000000, 0x10000000, DROPPED },
			{ 0xffff880100000000, GIB, 4 * GIB } } },
	/* Less than all of RAM: the kernel leaves out odd pages, no more. */
	{ "nearly all of RAM", 0, { { 0x40000000, 0x80000000 } },
		{ { 0xffff800000000000, 0x3f000000, 0x40000000 } } },
	{ "too little of RAM", -ENODATA, { { 0x40000000, 0x80000000 } },
		{ { 0xffff800000000000, 0x3efff000, DROPPED } } },
	/* The larger of two that could be all of RAM. */
	{ "less elsewhere", 0, { { 0x40000000, 0x80000000 } },
		{ { 0xffff000000000000, 0x3f400000, DROPPED },
			{ 0xffff800000000000, 0x40000000, 0x40000000 } } },
	{ "the same header twice", 0, { { 0x40000000, 0x80000000 } },
		{ { 0xffff800000000000, 0x40000000, 0x40000000 },
			{ 0xffff800000000000, 0x40000000, 0x40000000 } } },
	{ "two that could be all of RAM", -ENOTUNIQ,
		{ { 0x40000000, 0x80000000 } },
		{ { 0xffff000000000000, 0x40000000, DROPPED },
			{ 0xffff800000000000, 0x40000000, DROPPED } } },
	{ "two, and a smaller one", -ENOTUNIQ, { { 0x40000000, 0x80000000 } },
		{ { 0xffff000000000000, 0x3f400000, DROPPED },
			{ 0xffff100000000000, 0x40000000, DROPPED },
			{ 0xffff800000000000, 0x40000000, DROPPED } } },
	{ "two that are equal, and a larger one", 0,
		{ { 0x40000000, 0x80000000 } },
		{ { 0xffff000000000000, 0x3f400000, DROPPED },
			{ 0xffff100000000000, 0x3f400000, DROPPED },
			{ 0xffff800000000000, 0x3f800000, 0x40000000 } } },
	{ "no RAM among them", -ENODATA,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 } },
		{ X86_OTHERS } },
	{ "the start of a range is in none", -ENODATA,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 } },
		{ X86_OTHERS, { 0xffff880000002000, 0x9d000, DROPPED },
			{ 0xffff880000100000, 0x7fedd000, DROPPED } } },
	{ "the last range is in none", -ENODATA,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 },
			{ 4 * GIB, 4 * GIB + 0x1000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, DROPPED },
			{ 0xffff880000100000, 0x7fedd000, DROPPED } } },
	/* However little it is. */
	{ "a small range in the middle is in none", -ENODATA,
		{ { 0x1000, 0x9f000 }, { 0xf0000, 0xf1000 },
			{ 0x100000, 0x7ffdd000 } },
		{ X86_OTHERS, { 0xffff880000001000, 0x9e000, DROPPED },
			{ 0xffff880000100000, 0x7fedd000, DROPPED } } },
	/* What is covered twice is so once; and of a range only that part. */
	{ "half of RAM, twice", -ENODATA, { { 0x40000000, 0x80000000 } },
		{ { 0xffff800000000000, 0x20000000, DROPPED },
			{ 0xffff800000000000, 0x20000000, DROPPED } } },
	{ "both ends of RAM", -ENODATA, { { 0x40000000, 0x80000000 } },
		{ { 0xffff800000000000, 0x10000000, DROPPED },
			{ 0xffff800030000000, 0x10000000, DROPPED } } },
	{ "one range elsewhere", -ENODATA,
		{ { 0x1000, 0x9f000 }, { 0x100000, 0x7ffdd000 } },
		{ { 0xffff890000001000, 0x9e000, DROPPED },
			{ 0xffff880000100000, 0x7fedd000, DROPPED } } },
	/* A base below 0 is none. */
	{ "addresses below those of RAM", -ENODATA,
		{ { 0x40000000, 0x80000000 } },
		{ { 0x1000, 0x40000000, DROPPED },
			{ 0x3ffff000, 0x40000000, DROPPED } } },
	/* Sums past 2^64 must not come back as something small. */
	{ "headers that reach past 2^64", 0, { { 0x1000, 0x8000000 } },
		{ { 0xfffffffffffff000, 0x2000, DROPPED },
			{ 0x1000, UINT64_MAX, DROPPED },
			{ 0x2000, UINT64_MAX - 0x1000, DROPPED },
			{ 0x5000000, UINT64_MAX - 0xffffff, DROPPED },
			{ 0x1000, 0x7fff000, 0x1000 } } },
	{ "nothing but headers past 2^64", -ENODATA, { { 0x1000, 0x8000000 } },
		{ { 0xfffffffff0001000, UINT64_MAX, DROPPED },
			{ 0x1000, UINT64_MAX - 0xfff, DROPPED } } },
	{ "RAM at the end of all addresses", 0,
		{ { UINT64_MAX - 0x7fffffff, UINT64_MAX - 0xfff } },
		{ { UINT64_MAX - 0x7fffffff, 0x7ffff000,
			  UINT64_MAX - 0x7fffffff },
			{ 0x1000, 0x7ffff000, DROPPED } } },
};

static struct avml_range_list list_of(const struct avml_range *ranges)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	for (size_t i = 0; i < RAM_MAX && ranges[i].end > 0; i++)
		ck_assert_int_eq(avml_range_list_add(
					 &list, ranges[i].start, ranges[i].end),
			0);
	return list;
}

/* The table's headers from number `first` on, and then those before it. */
static size_t phdrs_of(const struct table *table, size_t first,
	struct kcore_phdr phdrs[PHDRS_MAX])
{
	size_t count = 0;

	while (count < PHDRS_MAX && table->phdrs[count].len > 0)
		count++;
	for (size_t i = 0; i < count; i++) {
		const size_t from = (first + i) % count;

		phdrs[i] = (struct kcore_phdr){
			.number = (unsigned int)from,
			.vaddr = table->phdrs[from].vaddr,
			.filesz = table->phdrs[from].len,
			.offset = table->phdrs[from].vaddr & INT64_MAX,
		};
	}
	return count;
}

/* In any order, and otherwise as they were. */
static void assert_derived(const struct table *table, size_t all,
	const struct kcore_phdr *phdrs, size_t count)
{
	bool seen[PHDRS_MAX] = { false };
	size_t expected = 0;

	for (size_t i = 0; i < all; i++)
		expected += table->phdrs[i].paddr != DROPPED;
	ck_assert_msg(count == expected, "%s: %zu are kept, not %zu",
		table->name, count, expected);
	for (size_t i = 0; i < count; i++) {
		const struct kcore_phdr *ph = &phdrs[i];
		const unsigned int n = ph->number;

		ck_assert_uint_lt(n, all);
		ck_assert_msg(!seen[n] && ph->paddr == table->phdrs[n].paddr,
			"%s: header %u at 0x%llx", table->name, n,
			(unsigned long long)ph->paddr);
		seen[n] = true;
		ck_assert_uint_eq(ph->vaddr, table->phdrs[n].vaddr);
		ck_assert_uint_eq(ph->filesz, table->phdrs[n].len);
		ck_assert_uint_eq(
			ph->offset, table->phdrs[n].vaddr & INT64_MAX);
	}
}

/* In whatever order they come. */
START_TEST(kcore_legacy_table_gives_addresses)
{
	const struct table *table = &tables[_i];
	struct avml_range_list ram = list_of(table->ram);
	size_t all = 1;

	for (size_t first = 0; first < all; first++) {
		struct kcore_phdr phdrs[PHDRS_MAX];
		size_t count;
		int ret;

		all = phdrs_of(table, first, phdrs);
		count = all;
		ret = kcore_legacy_derive(phdrs, &count, &ram);
		ck_assert_msg(ret == table->ret, "%s: %d, not %d", table->name,
			ret, table->ret);
		if (ret == 0)
			assert_derived(table, all, phdrs, count);
	}
	avml_range_list_release(&ram);
}
END_TEST

START_TEST(kcore_legacy_of_no_header_is_enodata)
{
	static const struct avml_range ranges[RAM_MAX] = { { 0x1000, 0x2000 } };
	struct avml_range_list ram = list_of(ranges);
	struct kcore_phdr none = { .number = 0 };
	size_t count = 0;

	ck_assert_int_eq(kcore_legacy_derive(&none, &count, &ram), -ENODATA);
	avml_range_list_release(&ram);
}
END_TEST

/* --- which headers are old ------------------------------------------------ */

#define DIRECT UINT64_C(0xc000000000000000)

static const struct {
	const char *name;
	bool old;
	struct {
		uint64_t vaddr, paddr, len;
	} phdrs[4];
} ages[] = {
	{ "all at 0", true,
		{ { DIRECT, 0, 0x1000 }, { DIRECT + 0x1000, 0, 0x1000 } } },
	{ "two of three at 0", true,
		{ { DIRECT, 0, 0x1000 }, { DIRECT + 0x9000, 0x9000, 0x1000 },
			{ DIRECT + 0x2000, 0, 0x1000 } } },
	{ "one at 0", false, { { DIRECT, 0, 0x1000 } } },
	{ "none at 0", false,
		{ { DIRECT, 0x1000, 0x1000 }, { DIRECT, 0x1000, 0x1000 } } },
	/* As ppc64, s390x and some of arm64 have it: RAM at 0, and text. */
	{ "RAM at 0, and more of it", false,
		{ { DIRECT, 0, 0x40000000 },
			{ DIRECT + 0x80000000, 0x80000000, 0x40000000 } } },
	{ "RAM at 0, and more of it elsewhere", false,
		{ { DIRECT, 0, 0x40000000 },
			{ 0x180000000, 0x80000000, 0x40000000 },
			{ 0x1c0000000, 0xc0000000, 0x40000000 } } },
	{ "RAM at 0, touched", false,
		{ { DIRECT, 0, 0x40000000 },
			{ DIRECT + 0x40000000, 0x40000000, 0x40000000 } } },
	{ "RAM at 0, and text in it", false,
		{ { DIRECT, 0, 0x40000000 },
			{ 0xffff000010080000, 0x80000, 0x1000000 } } },
	{ "RAM at 0, text in it up to its end", false,
		{ { DIRECT, 0, 0x40000000 },
			{ 0xffff000010080000, 0x3f000000, 0x1000000 } } },
	{ "RAM at 0, text in it, in the direct map", false,
		{ { DIRECT, 0, 0x40000000 },
			{ DIRECT + 0x80000, 0x80000, 0x1000000 },
			{ DIRECT + 0x90000, 0x90000, 0x1000 } } },
	{ "text first", false,
		{ { 0xffff000010080000, 0x80000, 0x1000000 },
			{ DIRECT, 0, 0x40000000 } } },
	/* Not of one memory. */
	{ "one across the end of that at 0", true,
		{ { DIRECT, 0, 0x40000000 },
			{ DIRECT, 0x3f000000, 0x1000001 } } },
	{ "across, and first", true,
		{ { DIRECT, 0x3f000000, UINT64_MAX },
			{ DIRECT, 0, 0x40000000 } } },
	{ "two in it that agree on another place", true,
		{ { 0xffffc90000000000, 0, 0x1fffffffffff },
			{ DIRECT + 0x1000, 0x1000, 0x9e000 },
			{ DIRECT + 0x100000, 0x100000, 0x1000000 } } },
	{ "two in it that do not agree", false,
		{ { DIRECT, 0, 0x40000000 }, { 0x5000, 0x1000, 0x9e000 },
			{ 0x900000, 0x100000, 0x1000000 } } },
};

START_TEST(kcore_legacy_is_told_by_its_addresses)
{
	struct kcore_phdr phdrs[4];
	size_t count = 0;

	for (; count < 4 && ages[_i].phdrs[count].len > 0; count++)
		phdrs[count] = (struct kcore_phdr){
			.vaddr = ages[_i].phdrs[count].vaddr,
			.paddr = ages[_i].phdrs[count].paddr,
			.filesz = ages[_i].phdrs[count].len,
		};
	ck_assert_msg(kcore_legacy_is(phdrs, count) == ages[_i].old, "%s",
		ages[_i].name);
	ck_assert(!kcore_legacy_is(phdrs, 0));
}
END_TEST

/* --- through a file ------------------------------------------------------ */

static const struct avml_range file_ram[RAM_MAX] = { { 0x1000, 0x9f000 },
	{ 0x100000, 0x400000 } };

static const struct test_phdr file_phdrs[] = {
	{ UINT64_MAX, 0x1fffffff000, 0x10000000 }, /* vmalloc */
	{ 0x1000, 0x9e000, 0x4000 },
	{ 0x77ff81000000, 0x1c00000, 0x20000000 }, /* text */
	{ 0x100000, 0x300000, 0x200000 },
};

static int read_file(const struct test_phdr *phdrs, size_t count,
	const struct avml_range *ranges, struct avml_kcore_map *map,
	struct avml_error *err)
{
	const char *path = test_path("kcore");
	CLEANUP_CLOSE int fd = test_kcore_create_old(path, phdrs, count);
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;

	if (ranges)
		ram = list_of(ranges);
	*err = (struct avml_error)AVML_ERROR_INIT;
	memset(map, 0xa5, sizeof(*map));
	return avml_kcore_map_read(fd, path, ranges ? &ram : NULL, map, err);
}

static void assert_says(const struct avml_error *err, const char *text)
{
	const char *said = avml_error_message(err, 0);

	ck_assert_msg(
		strstr(said, text) != NULL, "\"%s\" lacks \"%s\"", said, text);
}

START_TEST(kcore_without_paddr_is_read_by_the_ranges_of_ram)
{
	struct avml_kcore_map map;
	struct avml_error err;

	ck_assert_int_eq(read_file(file_phdrs, TEST_COUNT(file_phdrs), file_ram,
				 &map, &err),
		0);
	ck_assert_uint_eq(map.count, 2);
	ck_assert_uint_eq(map.segments[0].start, 0x1000);
	ck_assert_uint_eq(map.segments[0].end, 0x9f000);
	ck_assert_uint_eq(map.segments[0].offset, 0x4000);
	ck_assert_uint_eq(map.segments[1].start, 0x100000);
	ck_assert_uint_eq(map.segments[1].end, 0x400000);
	ck_assert_uint_eq(map.segments[1].offset, 0x200000);
	avml_kcore_map_release(&map);
}
END_TEST

START_TEST(kcore_without_paddr_and_ram_is_refused)
{
	static const struct avml_range none[RAM_MAX] = { { 0 } };
	static const struct avml_range other[RAM_MAX] = { { 0x1000, 0x9f000 },
		{ 0x200000, 0x400000 }, { 0x500000, 0x600000 } };
	static const struct avml_range single[RAM_MAX] = { { 0x1000,
		0x9f000 } };
	static const struct test_phdr twins[] = {
		{ 0x1000, 0x9e000, 0x4000 },
		{ 0x40001000, 0x9e000, 0x200000 },
	};
	struct avml_kcore_map map;
	struct avml_error err;

	ck_assert_int_eq(read_file(file_phdrs, 4, NULL, &map, &err), -ENODATA);
	assert_says(&err, "its 4 program headers do not tell");
	assert_says(&err, "which ranges are RAM is not known");
	ck_assert_uint_eq(map.count, 0);
	ck_assert_int_eq(read_file(file_phdrs, 4, none, &map, &err), -ENODATA);
	assert_says(&err, "which ranges are RAM is not known");
	ck_assert_int_eq(read_file(file_phdrs, 4, other, &map, &err), -ENODATA);
	assert_says(&err, "do not fit the ranges of RAM");
	ck_assert_int_eq(read_file(twins, 2, single, &map, &err), -ENODATA);
	assert_says(&err, "in more than one way");
	ck_assert_uint_eq(map.count, 0);
	ck_assert_ptr_null(map.segments);
}
END_TEST

/* Lies about the file: of what is read they matter, of the rest not. */
START_TEST(kcore_without_paddr_lies_matter_where_memory_is_read)
{
	static const struct {
		size_t phdr;
		uint64_t offset;
		int ret;
		const char *says;
	} lies[] = {
		{ 0, UINT64_MAX, 0, NULL },
		{ 0, 0, 0, NULL },
		{ 2, INT64_MAX, 0, NULL },
		{ 1, UINT64_MAX, -EINVAL, "program header 1: 0x9e000" },
		{ 1, INT64_MAX - 0x9e000 + 1, -EINVAL, "reach past 2^63" },
		{ 1, INT64_MAX - 0x9e000, 0, NULL },
		{ 3, UINT64_MAX - 0x100000, -EINVAL, "program header 3: 0x3" },
		{ 3, 0x40, -EINVAL, "reach into the memory" },
		/* The end of the four headers. */
		{ 3, 0x11f, -EINVAL, "reach into the memory" },
		{ 3, 0x120, 0, NULL },
	};

	for (size_t i = 0; i < TEST_COUNT(lies); i++) {
		struct test_phdr phdrs[TEST_COUNT(file_phdrs)];
		struct avml_kcore_map map;
		struct avml_error err;
		int ret;

		memcpy(phdrs, file_phdrs, sizeof(phdrs));
		phdrs[lies[i].phdr].offset = lies[i].offset;
		ret = read_file(phdrs, TEST_COUNT(phdrs), file_ram, &map, &err);
		ck_assert_msg(ret == lies[i].ret, "lie %zu: %d", i, ret);
		if (ret < 0)
			assert_says(&err, lies[i].says);
		ck_assert_uint_eq(map.count, ret < 0 ? 0 : 2);
		avml_kcore_map_release(&map);
	}
}
END_TEST

/* One that is not 0 makes the others no addresses: several cannot be at 0. */
START_TEST(kcore_with_some_paddr_is_old_still)
{
	const char *path = test_path("kcore");
	CLEANUP_CLOSE int fd =
		test_kcore_create_old(path, file_phdrs, TEST_COUNT(file_phdrs));
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = list_of(file_ram);
	struct avml_error err = AVML_ERROR_INIT;
	const uint64_t paddr = 0x100000;
	struct avml_kcore_map map;

	test_pwrite(fd, &paddr, 8, 64 + 3 * 56 + 24);
	ck_assert_int_eq(avml_kcore_map_read(fd, path, &ram, &map, &err), 0);
	ck_assert_uint_eq(map.count, 2);
	ck_assert_uint_eq(map.segments[0].start, 0x1000);
	ck_assert_uint_eq(map.segments[1].start, 0x100000);
	avml_kcore_map_release(&map);
}
END_TEST

static Suite *kcore_legacy_suite(void)
{
	Suite *suite = suite_create("kcore_legacy");
	TCase *tc = tcase_create("derive");

	tcase_add_loop_test(
		tc, kcore_legacy_table_gives_addresses, 0, TEST_COUNT(tables));
	tcase_add_test(tc, kcore_legacy_of_no_header_is_enodata);
	tcase_add_loop_test(
		tc, kcore_legacy_is_told_by_its_addresses, 0, TEST_COUNT(ages));
	suite_add_tcase(suite, tc);
	tc = tcase_create("file");
	tcase_add_test(tc, kcore_without_paddr_is_read_by_the_ranges_of_ram);
	tcase_add_test(tc, kcore_without_paddr_and_ram_is_refused);
	tcase_add_test(
		tc, kcore_without_paddr_lies_matter_where_memory_is_read);
	tcase_add_test(tc, kcore_with_some_paddr_is_old_still);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(kcore_legacy_suite)

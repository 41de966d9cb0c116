/* SPDX-License-Identifier: MIT */
#include <avml/meminfo.h>

#include "check_paths.h"

#define KIB UINT64_C(1024)

static int read_text(const char *text, size_t len, struct avml_meminfo *meminfo)
{
	struct avml_error err = AVML_ERROR_INIT;

	/* What the storage held before does not matter. */
	memset(meminfo, 0xa5, sizeof(*meminfo));
	return avml_meminfo_read(
		test_file("meminfo", text, len), meminfo, &err);
}

static void assert_meminfo(const char *name, const struct avml_meminfo *got,
	const struct avml_meminfo *want)
{
	ck_assert_msg(got->total == want->total && got->free == want->free &&
			      got->free_huge == want->free_huge &&
			      got->poisoned == want->poisoned &&
			      got->unaccepted == want->unaccepted,
		"%s: %llu %llu %llu %llu %llu", name,
		(unsigned long long)got->total, (unsigned long long)got->free,
		(unsigned long long)got->free_huge,
		(unsigned long long)got->poisoned,
		(unsigned long long)got->unaccepted);
}

/* Of a Linux 6.12 guest with memory that is not accepted yet. */
static const char real[] = "MemTotal:        2014444 kB\n"
			   "MemFree:         1691704 kB\n"
			   "MemAvailable:    1739840 kB\n"
			   "Buffers:            5032 kB\n"
			   "Cached:           162632 kB\n"
			   "SwapCached:            0 kB\n"
			   "Active(anon):      56628 kB\n"
			   "SwapTotal:             0 kB\n"
			   "SwapFree:              0 kB\n"
			   "Committed_AS:     155048 kB\n"
			   "VmallocTotal:   34359738367 kB\n"
			   "Percpu:              860 kB\n"
			   "HardwareCorrupted:    12 kB\n"
			   "AnonHugePages:         0 kB\n"
			   "CmaFree:               0 kB\n"
			   "Unaccepted:       524288 kB\n"
			   "HugePages_Total:      20\n"
			   "HugePages_Free:       16\n"
			   "Hugepagesize:       2048 kB\n"
			   "DirectMap4k:       71552 kB\n";

static const struct {
	const char *name, *text;
	struct avml_meminfo want;
} texts[] = {
	{ "a real one", real,
		{ 2014444 * KIB, 1691704 * KIB, 16 * 2048 * KIB, 12 * KIB,
			524288 * KIB } },
	{ "nothing bad", "HardwareCorrupted:     0 kB\nUnaccepted: 0 kB\n",
		{ .total = 0 } },
	{ "an empty file", "", { .total = 0 } },
	{ "no key that we know", "Cached: 5 kB\nnonsense\n", { .total = 0 } },
	{ "no newline at the end", "HardwareCorrupted: 4 kB",
		{ .poisoned = 4 * KIB } },
	{ "no unit, no blanks", "Unaccepted:7\n", { .unaccepted = 7 * KIB } },
	{ "tabs", "MemFree:\t\t8\tkB\n", { .free = 8 * KIB } },
	{ "empty lines", "\n\n\nMemTotal: 3 kB\n\n", { .total = 3 * KIB } },
	{ "in another order",
		"Unaccepted: 1 kB\nHardwareCorrupted: 2 kB\n"
		"MemFree: 3 kB\nMemTotal: 4 kB\n",
		{ .total = 4 * KIB,
			.free = 3 * KIB,
			.poisoned = 2 * KIB,
			.unaccepted = KIB } },
	/* Names that only have one of ours in them, or lack its colon. */
	{ "other names",
		"SwapMemFree: 1 kB\n MemTotal: 2 kB\nMemTotals: 3 kB\n"
		"XUnaccepted: 4 kB\nHardwareCorrupted 5 kB\n",
		{ .total = 0 } },
	{ "no number", "MemTotal: kB\nMemFree:\n", { .total = 0 } },
	/* The largest number of KiB that bytes can be told of. */
	{ "a number that just fits", "Unaccepted: 18014398509481983 kB\n",
		{ .unaccepted = UINT64_MAX - 1023 } },
	{ "more than 64 bits in bytes", "Unaccepted: 18014398509481984 kB\n",
		{ .unaccepted = UINT64_MAX } },
	{ "more than 64 bits",
		"HardwareCorrupted: 99999999999999999999999999 kB\n",
		{ .poisoned = UINT64_MAX } },
	/* Whatever it means, it is not nothing. */
	{ "a negative number", "HardwareCorrupted: -1 kB\n",
		{ .poisoned = UINT64_MAX } },
	/* A count, of pages of a size. */
	{ "huge pages", "HugePages_Free: 3\nHugepagesize: 1048576 kB\n",
		{ .free_huge = UINT64_C(3) << 30 } },
	{ "huge pages of no size", "HugePages_Free: 3\n", { .total = 0 } },
	{ "no free huge pages", "HugePages_Total: 3\nHugepagesize: 2048 kB\n",
		{ .total = 0 } },
	{ "more huge pages than memory",
		"Hugepagesize: 2048 kB\nHugePages_Free: 9999999999999999\n",
		{ .free_huge = UINT64_MAX } },
	{ "huge pages of too many bytes",
		"HugePages_Free: 1\nHugepagesize: 99999999999999999999 kB\n",
		{ .free_huge = UINT64_MAX } },
	{ "carriage returns", "MemTotal: 9 kB\r\nMemFree: 8 kB\r\n",
		{ .total = 9 * KIB, .free = 8 * KIB } },
};

START_TEST(meminfo_text_gives_numbers)
{
	struct avml_meminfo meminfo;

	ck_assert_int_eq(
		read_text(texts[_i].text, strlen(texts[_i].text), &meminfo), 0);
	assert_meminfo(texts[_i].name, &meminfo, &texts[_i].want);
}
END_TEST

START_TEST(meminfo_cut_anywhere_is_read_as_far_as_it_goes)
{
	struct avml_meminfo meminfo;

	for (size_t len = 0; len < sizeof(real); len += 3) {
		ck_assert_int_eq(read_text(real, len, &meminfo), 0);
		/* Digits may lack, but none come from elsewhere. */
		ck_assert_uint_le(meminfo.total, 2014444 * KIB);
		ck_assert_uint_le(meminfo.free, 1691704 * KIB);
		ck_assert_uint_le(meminfo.poisoned, 12 * KIB);
		ck_assert_uint_le(meminfo.unaccepted, 524288 * KIB);
	}
}
END_TEST

START_TEST(meminfo_of_any_bytes_does_no_harm)
{
	static char bytes[4096];
	struct avml_meminfo meminfo;
	uint64_t seed = 0x6d656d696e66;

	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = "MemTotal:Free HardwareCorrupted\n0\0\xff"
				[test_random(&seed) % 36];
		ck_assert_int_eq(read_text(bytes, sizeof(bytes), &meminfo), 0);
	}
}
END_TEST

static void assert_unread(const char *path, int ret)
{
	static const struct avml_meminfo nothing = { .total = 0 };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_meminfo meminfo;

	memset(&meminfo, 0xa5, sizeof(meminfo));
	ck_assert_int_eq(avml_meminfo_read(path, &meminfo, &err), ret);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	assert_meminfo(path, &meminfo, &nothing);
}

START_TEST(meminfo_that_cannot_be_read_is_all_zero)
{
	static char large[70000];
	const char *fifo = test_path("fifo");

	memset(large, ' ', sizeof(large));
	memcpy(large, "MemTotal: 5 kB\n", 15);
	assert_unread(test_path("missing"), -ENOENT);
	assert_unread(test_text("%s", test_dir()), -ENODEV);
	/* Nobody writes into it: this must not wait. */
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	assert_unread(fifo, -ENODEV);
	assert_unread(
		test_text("%s", test_file("meminfo", large, sizeof(large))),
		-EFBIG);
}
END_TEST

static Suite *meminfo_suite(void)
{
	Suite *suite = suite_create("meminfo");
	TCase *tc = tcase_create("meminfo");

	tcase_add_loop_test(
		tc, meminfo_text_gives_numbers, 0, TEST_COUNT(texts));
	tcase_add_test(tc, meminfo_cut_anywhere_is_read_as_far_as_it_goes);
	tcase_add_test(tc, meminfo_of_any_bytes_does_no_harm);
	tcase_add_test(tc, meminfo_that_cannot_be_read_is_all_zero);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(meminfo_suite)

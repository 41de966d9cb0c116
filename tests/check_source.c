/* SPDX-License-Identifier: MIT */
/*
 * Reading that survives, and the choice of a source that can be read: with
 * a made-up source that fails on purpose and keeps a log.
 */
#include "check_faulty.h"

#include <signal.h>

#include "base/cancel.h"

#define PAGES_MAX 64

/* What one page must have become. Returns whether it failed. */
static bool check_page(
	const struct faulty *f, size_t i, const uint8_t *bytes, uint8_t status)
{
	const size_t page = f->base.page_size;
	const uint64_t addr = f->start + i * page;
	const uint64_t end = f->start + f->len;
	size_t good = addr >= end ? 0 : page;
	uint8_t expected = AVML_PAGE_READ;

	if (addr < end && f->pages[i] != '.') {
		expected = status_of(f->pages[i]);
		good = 0;
	} else if (end < addr + page) {
		/* What the source has of a page is kept. */
		expected = AVML_PAGE_END;
		good = addr < end ? (size_t)(end - addr) : 0;
	}
	ck_assert_msg(status == expected,
		"page %zu of \"%s\": status %u, not %u", i, f->pages, status,
		expected);
	assert_page_bytes(bytes, addr, page, good, 0);
	return status != AVML_PAGE_READ;
}

/* Read `count` pages and check all of them. */
static void read_pages(struct faulty *f, size_t count)
{
	const size_t page = f->base.page_size;
	/* Of their exact size, so that a sanitizer sees what is behind. */
	uint8_t *bytes = malloc(count * page);
	uint8_t *status = malloc(count);
	struct avml_source_reader *reader;
	struct avml_error err;
	size_t failed, expected = 0;

	ck_assert_int_eq(avml_source_reader_new(&f->base, &reader, &err), 0);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(status);
	memset(bytes, 0xdd, count * page);
	memset(status, 0xdd, count);
	failed =
		avml_source_read(reader, f->start, bytes, count * page, status);
	avml_source_reader_free(reader);
	for (size_t i = 0; i < count; i++)
		expected += check_page(f, i, bytes + i * page, status[i]);
	ck_assert_uint_eq(failed, expected);
	free(bytes);
	free(status);
}

/* Halving to a bad page costs two reads a level, and it once. */
static size_t reads_most(size_t bad, size_t count)
{
	size_t levels = 1;

	while (((size_t)1 << levels) < count)
		levels++;
	return 2 * bad * levels + 3 < 2 * count ? 2 * bad * levels + 3
						: 2 * count;
}

static const char *const patterns[] = {
	".",
	"i",
	"..",
	".f",
	"f.",
	"ff",
	"...",
	"..i",
	".i.",
	"i..",
	"i.i",
	"........",
	"i.......",
	".......i",
	"...i....",
	"...if...",
	"..ffff..",
	"iiiiiiii",
	"i.i.i.i.",
	".i.fxp..",
	"xxxxffff",
	"y.z..Z..",
	".....i.......",
	"ii...........",
	"................................................................",
	"i...............................................................",
	"...............................................................i",
	"...............................i................................",
	"................................iiiiiiii........................",
	"...i..........................................................i.",
	"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
	".i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i.i",
	".iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii.",
};

static const size_t page_sizes[] = { 4096, 16384, 65536 };

/* The long ones are for small pages: each byte is looked at. */
static bool is_too_long(size_t page_size, const char *pattern)
{
	return strlen(pattern) * page_size > 1 << 20;
}

START_TEST(source_bad_pages_cost_only_themselves)
{
	for (size_t i = 0; i < TEST_COUNT(patterns); i++) {
		const size_t count = strlen(patterns[i]);
		size_t bad = 0;

		if (is_too_long(page_sizes[_i], patterns[i]))
			continue;
		for (size_t k = 0; k < count; k++)
			bad += patterns[i][k] != '.';
		for (enum manner m = WHOLE; m <= SHORT; m++) {
			struct faulty f = faulty(page_sizes[_i], patterns[i]);

			f.manner = m;
			read_pages(&f, count);
			ck_assert_msg(f.reads <= reads_most(bad, count),
				"\"%s\": %zu reads", patterns[i],
				(size_t)f.reads);
		}
	}
}
END_TEST

START_TEST(source_good_memory_is_one_read)
{
	struct faulty f = faulty(4096, patterns[24]);

	ck_assert_uint_eq(strlen(f.pages), PAGES_MAX);
	read_pages(&f, PAGES_MAX);
	ck_assert_uint_eq(f.reads, 1);
}
END_TEST

/* Reads that end anywhere, though nothing is wrong behind them. */
START_TEST(source_short_reads_are_continued)
{
	static const size_t most[] = { 65536, 65537, 70000, 131072, 200000 };

	for (size_t i = 0; i < TEST_COUNT(patterns); i++) {
		if (is_too_long(page_sizes[_i], patterns[i]))
			continue;
		for (size_t k = 0; k < TEST_COUNT(most); k++) {
			struct faulty f = faulty(page_sizes[_i], patterns[i]);

			f.most = most[k];
			f.manner = SHORT;
			read_pages(&f, strlen(patterns[i]));
		}
	}
}
END_TEST

/* What is read of a good page before a bad one is read again, whole. */
START_TEST(source_read_that_ends_within_a_page_loses_nothing)
{
	for (size_t i = 0; i < TEST_COUNT(patterns); i++) {
		struct faulty f = faulty(page_sizes[_i], patterns[i]);

		if (is_too_long(page_sizes[_i], patterns[i]))
			continue;
		f.manner = RAGGED;
		read_pages(&f, strlen(patterns[i]));
	}
}
END_TEST

START_TEST(source_end_is_told_and_its_last_part_kept)
{
	static const char pages[] = "........i.......";
	const size_t page = page_sizes[_i], count = sizeof(pages) - 1;
	const uint64_t ends[] = { 0, 1, page - 1, page, page + 1, 3 * page / 2,
		5 * page, 8 * page - 1, 8 * page, 9 * page, 12 * page + 7,
		16 * page - 1 };

	for (size_t i = 0; i < TEST_COUNT(ends); i++) {
		for (enum manner m = WHOLE; m <= SHORT; m++) {
			struct faulty f = faulty(page, pages);

			f.manner = m;
			f.len = ends[i];
			read_pages(&f, count);
			ck_assert_uint_le(f.reads, 2 * count);
		}
	}
}
END_TEST

/* The source gives a part of a page, and an error for the rest of it. */
static ssize_t torn_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	const size_t page = reader->source->page_size;
	const uint64_t part = page / 4, at = addr % page;

	memset(buf, 't', len < page ? len : page);
	return at < part ? (ssize_t)(part - at) : -EIO;
}

START_TEST(source_error_within_a_page_is_no_end)
{
	static const struct source_ops torn_ops = {
		.reader_new = faulty_reader_new,
		.reader_free = faulty_reader_free,
		.read = torn_read,
	};
	struct faulty f = faulty(4096, "....");
	struct avml_source_reader *reader;
	struct avml_error err;
	uint8_t bytes[4 * 4096], status[4];

	f.base.ops = &torn_ops;
	ck_assert_int_eq(avml_source_reader_new(&f.base, &reader, &err), 0);
	ck_assert_uint_eq(
		avml_source_read(reader, 0, bytes, sizeof(bytes), status), 4);
	avml_source_reader_free(reader);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(status[i], EIO);
	ck_assert_int_eq(bytes[4095], 0);
}
END_TEST

/* Where a read has to be whole pages, what lacks of one is not asked for. */
START_TEST(source_of_whole_pages_is_never_asked_for_a_part)
{
	const size_t page = page_sizes[_i];
	struct source_ops ops = faulty_ops;

	ops.whole_pages = true;
	for (size_t i = 0; i < TEST_COUNT(patterns); i++) {
		for (enum manner m = WHOLE; m <= RAGGED; m++) {
			struct faulty f = faulty(page, patterns[i]);

			if (is_too_long(page, patterns[i]))
				continue;
			f.base.ops = &ops;
			f.manner = m;
			f.len -= page / 2;
			read_pages(&f, strlen(patterns[i]));
			for (size_t k = 0; k < f.reads && k < FAULTY_LOG; k++) {
				ck_assert_uint_eq(f.asked[k].addr % page, 0);
				ck_assert_uint_eq(f.asked[k].len % page, 0);
			}
		}
	}
}
END_TEST

START_TEST(source_random_faults_cost_only_themselves)
{
	uint64_t seed = 0x736f75726365;

	for (int round = 0; round < 250; round++) {
		char pages[PAGES_MAX + 1] = "";
		const size_t count = 1 + test_random(&seed) % PAGES_MAX;
		const uint64_t odds = 1 + test_random(&seed) % 20;
		struct faulty f;

		for (size_t i = 0; i < count; i++)
			pages[i] = test_random(&seed) % odds
					   ? '.'
					   : "ifpx"[test_random(&seed) % 4];
		f = faulty(4096, pages);
		f.manner = (enum manner)(test_random(&seed) % 3);
		f.most = test_random(&seed) % 4
				 ? 0
				 : 4096 + test_random(&seed) % 99999;
		/* Ends anywhere, or only behind the last page. */
		if (test_random(&seed) % 4 == 0)
			f.len = test_random(&seed) % f.len;
		read_pages(&f, count);
		ck_assert_uint_le(f.reads, 3 * count);
	}
}
END_TEST

START_TEST(source_status_has_a_text)
{
	const struct {
		unsigned int status;
		const char *text;
	} texts[] = {
		{ AVML_PAGE_READ, "read" },
		{ AVML_PAGE_POISONED, "hardware poisoned (kpageflags)" },
		{ AVML_PAGE_OFFLINE, "offline (kpageflags)" },
		{ AVML_PAGE_NO_PAGE, "no page (kpageflags)" },
		{ AVML_PAGE_UNMARKED,
			"kpageflags does not tell whether it may be touched" },
		{ AVML_PAGE_LATE, "it was plugged in after the run had begun" },
		{ AVML_PAGE_UNCOVERED, "in no program header of the source" },
		{ AVML_PAGE_END, "the source ends before it" },
		{ AVML_PAGE_OTHER, "unknown error" },
		{ EIO, strerror(EIO) },
		{ EFAULT, strerror(EFAULT) },
	};

	for (size_t i = 0; i < TEST_COUNT(texts); i++)
		ck_assert_str_eq(
			avml_page_status_text(texts[i].status), texts[i].text);
}
END_TEST

/*
 * Probes of memory at 0 to 8 MiB, in pages of 64 KiB: a letter for the
 * pages of each MiB.
 */
#define PROBE_PAGE 65536u
#define PROBE_MIB 8

static const struct {
	const char *name;
	const char *mib; /* a letter each */
	struct avml_range ranges[3];
	int ret;
	uint64_t asked[9]; /* addresses, 0 ends them */
} probes[] = {
	{ "no ranges", "........", { { 0 } }, -ENODATA, { 0 } },
	{ "the first page reads", "........", { { 2 * MIB, 4 * MIB } }, 0,
		{ 2 * MIB } },
	{ "the middle reads", "iii.....", { { 2 * MIB, 4 * MIB } }, 0,
		{ 2 * MIB, 3 * MIB } },
	{ "the last page reads", "iiiiiii.", { { 2 * MIB, 8 * MIB } }, 0,
		{ 2 * MIB, 5 * MIB, 8 * MIB - PROBE_PAGE } },
	{ "none reads", "iiffiiii", { { 2 * MIB, 4 * MIB } }, -EIO,
		{ 2 * MIB, 3 * MIB, 4 * MIB - PROBE_PAGE } },
	{ "the second range reads", "iiii....",
		{ { 2 * MIB, 4 * MIB }, { 4 * MIB, 5 * MIB } }, 0,
		{ 2 * MIB, 3 * MIB, 4 * MIB - PROBE_PAGE, 4 * MIB } },
	{ "low memory proves nothing", ".iiiiiii",
		{ { 65536, 655360 }, { 2 * MIB, 4 * MIB } }, -EIO,
		{ 2 * MIB, 3 * MIB, 4 * MIB - PROBE_PAGE } },
	{ "a range that begins in low memory", ".iiii...",
		{ { 65536, 5 * MIB } }, -EIO,
		{ MIB, 3 * MIB, 5 * MIB - PROBE_PAGE } },
	{ "a range that ends at low memory's end", ".iii....",
		{ { 65536, MIB }, { 3 * MIB, 4 * MIB } }, -EIO,
		{ 3 * MIB, 3 * MIB + MIB / 2, 4 * MIB - PROBE_PAGE } },
	{ "nothing but low memory", "........", { { 65536, MIB } }, 0,
		{ 65536 } },
	{ "nothing but bad low memory", "iiiiiiii", { { 65536, 262144 } }, -EIO,
		{ 65536, 131072, 196608 } },
	{ "a range of one page", "iiiiiiii",
		{ { 4 * MIB, 4 * MIB + PROBE_PAGE } }, -EIO,
		{ 4 * MIB, 4 * MIB, 4 * MIB } },
};

START_TEST(source_probe_tries_the_promised_pages)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	char pages[PROBE_MIB * MIB / PROBE_PAGE + 1] = "";
	struct faulty f;
	struct avml_error err = AVML_ERROR_INIT;
	size_t asked = 0;

	for (size_t i = 0; i < sizeof(pages) - 1; i++)
		pages[i] = probes[_i].mib[i * PROBE_PAGE / MIB];
	for (size_t i = 0; i < TEST_COUNT(probes[_i].ranges); i++)
		ck_assert_int_eq(
			avml_range_list_add(&ranges, probes[_i].ranges[i].start,
				probes[_i].ranges[i].end),
			0);
	f = faulty(PROBE_PAGE, pages);
	f.start = 0;
	ck_assert_msg(
		avml_source_probe(&f.base, &ranges, &err) == probes[_i].ret,
		"%s", probes[_i].name);
	for (; probes[_i].asked[asked]; asked++)
		ck_assert_msg(f.asked[asked].addr == probes[_i].asked[asked],
			"%s: read %zu is at 0x%llx", probes[_i].name, asked,
			(unsigned long long)f.asked[asked].addr);
	ck_assert_uint_eq(f.reads, asked);
	avml_range_list_release(&ranges);
}
END_TEST

START_TEST(source_probe_failure_names_source_and_reason)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	struct faulty f = faulty(4096, "pppp");
	struct avml_error err;

	ck_assert_int_eq(
		avml_range_list_add(&ranges, f.start, f.start + 4 * 4096), 0);
	ck_assert_int_eq(avml_source_probe(&f.base, &ranges, &err), -EIO);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), "faulty"));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), strerror(EPERM)));
	avml_range_list_release(&ranges);
}
END_TEST

/* What is forbidden once is forbidden: more ranges are not tried. */
START_TEST(source_probe_that_is_forbidden_ends)
{
	const struct {
		const char *pages; /* of three ranges of three pages */
		const char *says;  /* NULL: it reads */
		size_t reads;
	} cases[] = {
		{ "ppp......", strerror(EPERM), 3 },
		{ "iii......", NULL, 4 },
		{ "iiippp...", strerror(EPERM), 6 },
		{ "iiifffxxx", strerror(ENXIO), 9 },
		/* An error says more than that there is no place. */
		{ "fuuuuuuuu", strerror(EFAULT), 9 },
		{ "uuuuuuuui", strerror(EIO), 9 },
		{ "uuuuuuuuu", "no program header", 9 },
	};

	for (size_t i = 0; i < TEST_COUNT(cases); i++) {
		struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
		struct faulty f = faulty(4096, cases[i].pages);
		struct avml_error err = AVML_ERROR_INIT;
		int ret;

		for (uint64_t k = 0; k < 3; k++)
			ck_assert_int_eq(avml_range_list_add(&ranges,
						 f.start + k * 0x3000,
						 f.start + k * 0x3000 + 0x3000),
				0);
		ret = avml_source_probe(&f.base, &ranges, &err);
		ck_assert_int_eq(ret, cases[i].says ? -EIO : 0);
		ck_assert_msg(f.reads == cases[i].reads, "%s: %zu reads",
			cases[i].pages, (size_t)f.reads);
		if (cases[i].says)
			ck_assert_msg(strstr(avml_error_message(&err, 0),
					      cases[i].says) != NULL,
				"%s: %s", cases[i].pages,
				avml_error_message(&err, 0));
		avml_range_list_release(&ranges);
	}
}
END_TEST

START_TEST(source_probe_stopped_says_so)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	struct faulty f = faulty(4096, "....");
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(
		avml_range_list_add(&ranges, f.start, f.start + 4 * 4096), 0);
	cancel_request(SIGTERM);
	ck_assert_int_eq(avml_source_probe(&f.base, &ranges, &err), -EINTR);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), "SIGTERM"));
	ck_assert_uint_eq(f.reads, 0);
	avml_range_list_release(&ranges);
}
END_TEST

START_TEST(source_probe_without_reader_fails)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	struct faulty f = faulty(4096, "....");
	struct avml_error err;

	f.reader_error = EMFILE;
	ck_assert_int_eq(
		avml_range_list_add(&ranges, f.start, f.start + 4 * 4096), 0);
	ck_assert_int_eq(avml_source_probe(&f.base, &ranges, &err), -EMFILE);
	ck_assert_uint_eq(f.reads, 0);
	avml_range_list_release(&ranges);
}
END_TEST

static Suite *source_suite(void)
{
	Suite *suite = suite_create("source");
	TCase *tc = tcase_create("source");
	const int sizes = TEST_COUNT(page_sizes);

	tcase_add_loop_test(
		tc, source_bad_pages_cost_only_themselves, 0, sizes);
	tcase_add_test(tc, source_good_memory_is_one_read);
	tcase_add_loop_test(tc, source_short_reads_are_continued, 0, sizes);
	tcase_add_loop_test(tc,
		source_read_that_ends_within_a_page_loses_nothing, 0, sizes);
	tcase_add_loop_test(
		tc, source_end_is_told_and_its_last_part_kept, 0, sizes);
	tcase_add_test(tc, source_error_within_a_page_is_no_end);
	tcase_add_loop_test(
		tc, source_of_whole_pages_is_never_asked_for_a_part, 0, sizes);
	tcase_add_test(tc, source_random_faults_cost_only_themselves);
	tcase_add_test(tc, source_status_has_a_text);
	tcase_add_loop_test(tc, source_probe_tries_the_promised_pages, 0,
		TEST_COUNT(probes));
	tcase_add_test(tc, source_probe_failure_names_source_and_reason);
	tcase_add_test(tc, source_probe_that_is_forbidden_ends);
	tcase_add_test(tc, source_probe_stopped_says_so);
	tcase_add_test(tc, source_probe_without_reader_fails);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(source_suite)

/* SPDX-License-Identifier: MIT */
/* Unreadable pages joined to ranges. */
#include "check_main.h"

#include <avml/source.h>

#include "job/unreadable.h"

#define PAGE 4096u
#define STEPS_MAX 4
#define TOLD_MAX 5

struct told {
	uint64_t start, end; /* in pages */
	unsigned int status;
};

/*
 * A page a letter: '.' was read, others were not, each letter for another
 * reason. Addresses are counted in pages.
 */
static const struct {
	const char *name;
	struct {
		uint64_t start;
		const char *pages; /* NULL: no more */
	} steps[STEPS_MAX];
	size_t count;
	struct told told[TOLD_MAX];
} walks[] = {
	{ "nothing at all", { { 0, NULL } }, 0, { { 0 } } },
	{ "all read", { { 0, "...." } }, 0, { { 0 } } },
	{ "the first page", { { 0, "a..." } }, 1, { { 0, 1, 'a' } } },
	{ "the last page", { { 7, "...a" } }, 1, { { 10, 11, 'a' } } },
	{ "all of them", { { 2, "aaaa" } }, 1, { { 2, 6, 'a' } } },
	{ "two runs", { { 0, "aa.a" } }, 2, { { 0, 2, 'a' }, { 3, 4, 'a' } } },
	{ "another reason begins another run", { { 0, "aab" } }, 2,
		{ { 0, 2, 'a' }, { 2, 3, 'b' } } },
	{ "joined over calls", { { 0, "..aa" }, { 4, "a..." } }, 1,
		{ { 2, 5, 'a' } } },
	{ "joined over three calls", { { 0, ".a" }, { 2, "aa" }, { 4, "a." } },
		1, { { 1, 5, 'a' } } },
	{ "another reason at the border", { { 0, ".a" }, { 2, "b." } }, 2,
		{ { 1, 2, 'a' }, { 2, 3, 'b' } } },
	/* Pieces without a failure do not come by here. */
	{ "a gap between the calls", { { 0, ".a" }, { 4, "a." } }, 2,
		{ { 1, 2, 'a' }, { 4, 5, 'a' } } },
	{ "read pages at the border", { { 0, "a." }, { 2, "a." } }, 2,
		{ { 0, 1, 'a' }, { 2, 3, 'a' } } },
	{ "each by itself", { { 0, "a.b.a" }, { 5, ".a" } }, 4,
		{ { 0, 1, 'a' }, { 2, 3, 'b' }, { 4, 5, 'a' },
			{ 6, 7, 'a' } } },
	{ "far up", { { UINT64_MAX / PAGE - 2, "aa" } }, 1,
		{ { UINT64_MAX / PAGE - 2, UINT64_MAX / PAGE, 'a' } } },
};

struct log {
	size_t count;
	struct told told[TOLD_MAX];
};

static void tell(void *ctx, struct avml_range range, unsigned int status)
{
	struct log *log = ctx;

	ck_assert_uint_lt(log->count, TOLD_MAX);
	log->told[log->count++] =
		(struct told){ range.start / PAGE, range.end / PAGE, status };
}

static void walk(struct unreadable *u, size_t i)
{
	for (size_t k = 0; k < STEPS_MAX && walks[i].steps[k].pages; k++) {
		const char *pages = walks[i].steps[k].pages;
		const size_t count = strlen(pages);
		struct avml_range range;
		uint8_t status[16];

		for (size_t n = 0; n < count; n++)
			status[n] = pages[n] == '.' ? (uint8_t)AVML_PAGE_READ
						    : (uint8_t)pages[n];
		range.start = walks[i].steps[k].start * PAGE;
		range.end = range.start + count * PAGE;
		unreadable_pages(u, range, PAGE, status);
	}
	unreadable_finish(u);
}

START_TEST(unreadable_pages_are_told_as_ranges)
{
	struct log log = { .count = 0 };
	struct unreadable u = { .ctx = &log, .tell = tell };
	uint64_t bytes = 0;

	walk(&u, (size_t)_i);
	ck_assert_msg(log.count == walks[_i].count, "%s: %zu ranges, not %zu",
		walks[_i].name, log.count, walks[_i].count);
	for (size_t i = 0; i < log.count; i++) {
		const struct told *got = &log.told[i];
		const struct told *want = &walks[_i].told[i];

		ck_assert_msg(got->start == want->start &&
				      got->end == want->end &&
				      got->status == want->status,
			"%s: range %zu is %llu-%llu for %u", walks[_i].name, i,
			(unsigned long long)got->start,
			(unsigned long long)got->end, got->status);
		bytes += (want->end - want->start) * PAGE;
	}
	ck_assert_uint_eq(u.bytes, bytes);
	/* What was told is not told again. */
	unreadable_finish(&u);
	ck_assert_uint_eq(log.count, walks[_i].count);
}
END_TEST

START_TEST(unreadable_nobody_listens_bytes_are_counted)
{
	struct unreadable u = { .ctx = NULL };
	uint64_t bytes = 0;

	walk(&u, (size_t)_i);
	for (size_t i = 0; i < walks[_i].count; i++)
		bytes += (walks[_i].told[i].end - walks[_i].told[i].start) *
			 PAGE;
	ck_assert_uint_eq(u.bytes, bytes);
}
END_TEST

START_TEST(unreadable_page_size_is_the_sources)
{
	static const uint8_t status[] = { EIO, AVML_PAGE_READ, EIO, EIO };
	const size_t page = PAGE << (2 * _i);
	struct log log = { .count = 0 };
	struct unreadable u = { .ctx = &log, .tell = tell };
	const struct avml_range range = { 4 * page, 8 * page };

	unreadable_pages(&u, range, page, status);
	/* The run at the end may go on: it is not told yet. */
	ck_assert_uint_eq(log.count, 1);
	unreadable_finish(&u);
	ck_assert_uint_eq(log.count, 2);
	ck_assert_uint_eq(log.told[0].start, 4 * page / PAGE);
	ck_assert_uint_eq(log.told[0].end, 5 * page / PAGE);
	ck_assert_uint_eq(log.told[1].start, 6 * page / PAGE);
	ck_assert_uint_eq(log.told[1].end, 8 * page / PAGE);
	ck_assert_uint_eq(u.bytes, 3 * page);
}
END_TEST

static Suite *unreadable_suite(void)
{
	Suite *suite = suite_create("unreadable");
	TCase *tc = tcase_create("unreadable");
	const int count = TEST_COUNT(walks);

	tcase_add_loop_test(tc, unreadable_pages_are_told_as_ranges, 0, count);
	tcase_add_loop_test(
		tc, unreadable_nobody_listens_bytes_are_counted, 0, count);
	/* 4, 16 and 64 KiB. */
	tcase_add_loop_test(tc, unreadable_page_size_is_the_sources, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(unreadable_suite)

/* SPDX-License-Identifier: MIT */
/* How ranges are cut into blocks and pieces. */
#include "check_main.h"

#include "job/plan.h"

#define PIECES_MAX 8

static const uint64_t top = UINT64_MAX;

static const struct {
	const char *name;
	uint64_t block_len, piece_len;
	size_t range_count, piece_count;
	struct avml_range ranges[3];
	struct {
		struct avml_range range, block;
	} pieces[PIECES_MAX];
} cuts[] = {
	{ "nothing", 8, 4, 0, 0, { { 0 } }, { { { 0 }, { 0 } } } },
	{ "less than a piece", 8, 4, 1, 1, { { 1, 3 } },
		{ { { 1, 3 }, { 1, 3 } } } },
	{ "one piece", 8, 4, 1, 1, { { 1, 5 } }, { { { 1, 5 }, { 1, 5 } } } },
	{ "a piece and a bit", 8, 4, 1, 2, { { 1, 6 } },
		{ { { 1, 5 }, { 1, 6 } }, { { 5, 6 }, { 1, 6 } } } },
	{ "one block", 8, 4, 1, 2, { { 3, 11 } },
		{ { { 3, 7 }, { 3, 11 } }, { { 7, 11 }, { 3, 11 } } } },
	{ "blocks count from the range's start", 8, 4, 1, 4, { { 3, 17 } },
		{ { { 3, 7 }, { 3, 11 } }, { { 7, 11 }, { 3, 11 } },
			{ { 11, 15 }, { 11, 17 } },
			{ { 15, 17 }, { 11, 17 } } } },
	{ "a block of one byte at the end", 8, 4, 1, 3, { { 0, 9 } },
		{ { { 0, 4 }, { 0, 8 } }, { { 4, 8 }, { 0, 8 } },
			{ { 8, 9 }, { 8, 9 } } } },
	{ "ranges that touch are not joined", 8, 4, 2, 2,
		{ { 0, 3 }, { 3, 5 } },
		{ { { 0, 3 }, { 0, 3 } }, { { 3, 5 }, { 3, 5 } } } },
	{ "three ranges", 8, 4, 3, 4, { { 0, 5 }, { 16, 17 }, { 32, 36 } },
		{ { { 0, 4 }, { 0, 5 } }, { { 4, 5 }, { 0, 5 } },
			{ { 16, 17 }, { 16, 17 } },
			{ { 32, 36 }, { 32, 36 } } } },
	{ "a block that is no multiple of the piece", 6, 4, 1, 4, { { 0, 12 } },
		{ { { 0, 4 }, { 0, 6 } }, { { 4, 6 }, { 0, 6 } },
			{ { 6, 10 }, { 6, 12 } }, { { 10, 12 }, { 6, 12 } } } },
	{ "pieces larger than blocks", 4, 8, 1, 2, { { 0, 6 } },
		{ { { 0, 4 }, { 0, 4 } }, { { 4, 6 }, { 4, 6 } } } },
	{ "the end of the address space", 8, 4, 1, 2, { { top - 5, top } },
		{ { { top - 5, top - 1 }, { top - 5, top } },
			{ { top - 1, top }, { top - 5, top } } } },
	{ "all of it at once", top, top, 1, 1, { { 0, top } },
		{ { { 0, top }, { 0, top } } } },
};

static void assert_range(
	const char *name, struct avml_range got, struct avml_range expected)
{
	ck_assert_msg(got.start == expected.start && got.end == expected.end,
		"%s: 0x%llx-0x%llx, not 0x%llx-0x%llx", name,
		(unsigned long long)got.start, (unsigned long long)got.end,
		(unsigned long long)expected.start,
		(unsigned long long)expected.end);
}

START_TEST(plan_ranges_are_cut)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	struct piece piece;
	struct plan plan;

	for (size_t i = 0; i < cuts[_i].range_count; i++)
		ck_assert_int_eq(
			avml_range_list_add(&ranges, cuts[_i].ranges[i].start,
				cuts[_i].ranges[i].end),
			0);
	plan_init(&plan, &ranges, cuts[_i].block_len, cuts[_i].piece_len);
	for (size_t i = 0; i < cuts[_i].piece_count; i++) {
		ck_assert_msg(plan_next(&plan, &piece), "%s: ends too early",
			cuts[_i].name);
		assert_range(
			cuts[_i].name, piece.range, cuts[_i].pieces[i].range);
		assert_range(
			cuts[_i].name, piece.block, cuts[_i].pieces[i].block);
	}
	/* The end stays the end. */
	for (int i = 0; i < 3; i++)
		ck_assert_msg(!plan_next(&plan, &piece), "%s: does not end",
			cuts[_i].name);
	avml_range_list_release(&ranges);
}
END_TEST

/*
 * Whatever the ranges: pieces follow one another without a gap, the last
 * of a block ends it, and blocks follow one another in a range.
 */
static void check_random(uint64_t *seed)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	const uint64_t block_len = 1 + test_random(seed) % 40;
	const uint64_t piece_len = 1 + test_random(seed) % 20;
	uint64_t at = test_random(seed) % 8;
	struct piece piece;
	struct plan plan;

	for (uint64_t n = test_random(seed) % 6; n > 0; n--) {
		const uint64_t end = at + 1 + test_random(seed) % 120;

		TEST_ASSERT(avml_range_list_add(&ranges, at, end) == 0);
		at = end + test_random(seed) % 3;
	}
	plan_init(&plan, &ranges, block_len, piece_len);
	for (size_t i = 0; i < ranges.count; i++) {
		const struct avml_range range = ranges.items[i];

		for (at = range.start; at < range.end; at = piece.range.end) {
			const uint64_t in = (at - range.start) % block_len;
			const uint64_t block_start = at - in;
			const uint64_t block_end =
				range.end - block_start < block_len
					? range.end
					: block_start + block_len;

			TEST_ASSERT(plan_next(&plan, &piece));
			TEST_ASSERT(piece.range.start == at);
			TEST_ASSERT(piece.block.start == block_start);
			TEST_ASSERT(piece.block.end == block_end);
			TEST_ASSERT(
				piece.range.end ==
				(block_end - at < piece_len ? block_end
							    : at + piece_len));
		}
	}
	TEST_ASSERT(!plan_next(&plan, &piece));
	avml_range_list_release(&ranges);
}

START_TEST(plan_random_ranges_are_covered_once)
{
	uint64_t seed = 0x706c616e;

	for (int i = 0; i < 2000; i++)
		check_random(&seed);
}
END_TEST

static Suite *plan_suite(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc = tcase_create("plan");

	tcase_add_loop_test(tc, plan_ranges_are_cut, 0, TEST_COUNT(cuts));
	tcase_add_test(tc, plan_random_ranges_are_covered_once);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(plan_suite)

/* SPDX-License-Identifier: MIT */
#include "format/zero.h"

#include "base/cleanup.h"
#include "check_main.h"

#define UNIT ZERO_UNIT

/* Lengths around every step the test may take through a buffer. */
static const size_t lengths[] = { 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 255,
	256, 257, 511, 512, 513, 1000, 4095, 4096, 4097 };

/* Every position, every alignment, with bytes that are not zero around. */
START_TEST(zero_test_with_one_byte_set_finds_it_anywhere)
{
	const size_t len = lengths[_i];
	CLEANUP_FREE uint8_t *buf = malloc(len + 16);

	ck_assert_ptr_nonnull(buf);
	for (size_t shift = 0; shift<8; shift += len> 600 ? 5 : 1) {
		uint8_t *const at = buf + 1 + shift;

		memset(buf, 0xff, len + 16);
		memset(at, 0, len);
		TEST_ASSERT(zero_test(at, len));
		for (size_t i = 0; i < len; i++) {
			at[i] = (uint8_t)(1u << i % 8);
			TEST_ASSERT(!zero_test(at, len));
			at[i] = 0;
		}
		TEST_ASSERT(zero_test(at, len));
	}
}
END_TEST

START_TEST(zero_test_of_nothing_is_true)
{
	ck_assert(zero_test("x", 0));
	ck_assert(zero_test(NULL, 0));
}
END_TEST

START_TEST(zero_test_reads_nothing_behind_the_end)
{
	for (size_t len = 0; len < 600; len++) {
		CLEANUP_FREE uint8_t *exact = calloc(1, len ? len : 1);

		TEST_ASSERT(exact != NULL);
		TEST_ASSERT(zero_test(exact, len));
	}
}
END_TEST

/* A buffer of `len` bytes, of which those at `set` are not zero. */
static const struct {
	size_t len, set[3]; /* SIZE_MAX: none */
	uint8_t map[4];	    /* what follows the last unit stays 0xa5 */
	bool all;
} maps[] = {
	{ 0, { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 0xa5, 0xa5, 0xa5, 0xa5 },
		true },
	{ 3 * UNIT, { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 1, 1, 1, 0xa5 }, true },
	{ 3 * UNIT, { 0, UNIT, 2 * UNIT }, { 0, 0, 0, 0xa5 }, false },
	{ 3 * UNIT, { UNIT - 1, SIZE_MAX, SIZE_MAX }, { 0, 1, 1, 0xa5 },
		false },
	{ 3 * UNIT, { UNIT, SIZE_MAX, SIZE_MAX }, { 1, 0, 1, 0xa5 }, false },
	{ 3 * UNIT, { 2 * UNIT - 1, SIZE_MAX, SIZE_MAX }, { 1, 0, 1, 0xa5 },
		false },
	{ 3 * UNIT, { 3 * UNIT - 1, SIZE_MAX, SIZE_MAX }, { 1, 1, 0, 0xa5 },
		false },
	/* The last unit is a part of one: one byte, all but one. */
	{ 1, { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 1, 0xa5, 0xa5, 0xa5 }, true },
	{ 1, { 0, SIZE_MAX, SIZE_MAX }, { 0, 0xa5, 0xa5, 0xa5 }, false },
	{ UNIT + 1, { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 1, 1, 0xa5, 0xa5 },
		true },
	{ UNIT + 1, { UNIT, SIZE_MAX, SIZE_MAX }, { 1, 0, 0xa5, 0xa5 }, false },
	{ 2 * UNIT - 1, { 2 * UNIT - 2, SIZE_MAX, SIZE_MAX },
		{ 1, 0, 0xa5, 0xa5 }, false },
	{ 2 * UNIT - 1, { SIZE_MAX, SIZE_MAX, SIZE_MAX }, { 1, 1, 0xa5, 0xa5 },
		true },
};

START_TEST(zero_map_marks_the_units_that_are_zero)
{
	const size_t len = maps[_i].len;
	CLEANUP_FREE uint8_t *buf = malloc(len + 2);
	uint8_t map[4];

	ck_assert_ptr_nonnull(buf);
	for (size_t shift = 0; shift < 2; shift++) {
		uint8_t *const at = buf + shift;

		memset(buf, 0xff, len + 2);
		memset(at, 0, len);
		for (size_t i = 0; i < TEST_COUNT(maps[_i].set); i++) {
			if (maps[_i].set[i] != SIZE_MAX)
				at[maps[_i].set[i]] = 1;
		}
		memset(map, 0xa5, sizeof(map));
		ck_assert_int_eq(zero_map(at, len, map), maps[_i].all);
		ck_assert_mem_eq(map, maps[_i].map, sizeof(map));
	}
}
END_TEST

static const struct {
	uint8_t map[6];
	size_t count, first, end;
} runs[] = {
	{ { 1 }, 1, 0, 1 },
	{ { 0 }, 1, 0, 1 },
	{ { 1, 1, 1 }, 3, 0, 3 },
	{ { 0, 0, 0 }, 3, 0, 3 },
	{ { 1, 1, 0 }, 3, 0, 2 },
	{ { 1, 1, 0 }, 3, 1, 2 },
	{ { 1, 1, 0 }, 3, 2, 3 },
	{ { 0, 1, 1, 0, 0, 1 }, 6, 1, 3 },
	{ { 0, 1, 1, 0, 0, 1 }, 6, 3, 5 },
	{ { 0, 1, 1, 0, 0, 1 }, 6, 5, 6 },
	/* What stands behind the count is not looked at. */
	{ { 1, 1, 1, 1 }, 2, 0, 2 },
	{ { 0, 0, 0, 0 }, 2, 1, 2 },
};

START_TEST(zero_run_ends_where_the_units_change)
{
	ck_assert_uint_eq(
		zero_run_end(runs[_i].map, runs[_i].count, runs[_i].first),
		runs[_i].end);
}
END_TEST

static Suite *zero_suite(void)
{
	Suite *suite = suite_create("zero");
	TCase *tcase = tcase_create("zero");

	tcase_add_loop_test(tcase,
		zero_test_with_one_byte_set_finds_it_anywhere, 0,
		TEST_COUNT(lengths));
	tcase_add_test(tcase, zero_test_of_nothing_is_true);
	tcase_add_test(tcase, zero_test_reads_nothing_behind_the_end);
	tcase_add_loop_test(tcase, zero_map_marks_the_units_that_are_zero, 0,
		TEST_COUNT(maps));
	tcase_add_loop_test(tcase, zero_run_ends_where_the_units_change, 0,
		TEST_COUNT(runs));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(zero_suite)

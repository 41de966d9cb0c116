/* SPDX-License-Identifier: MIT */
#include "net/backoff.h"

#include "check_main.h"

#define NOW UINT64_C(5000)

/* 1, 2, 4 ... 60 s, each less up to a half; and so many times. */
START_TEST(backoff_waits_double_up_to_a_minute)
{
	static const uint64_t most_ms[] = { 1000, 2000, 4000, 8000, 16000,
		32000, 60000, 60000, 60000, 60000 };
	struct backoff backoff;
	uint64_t wait = 0;

	for (unsigned int round = 0; round < 200; round++) {
		backoff_init(&backoff, TEST_COUNT(most_ms), 900);
		for (size_t i = 0; i < TEST_COUNT(most_ms); i++) {
			TEST_ASSERT(backoff_next(&backoff, NOW, 0, &wait));
			TEST_ASSERT(wait <= most_ms[i]);
			TEST_ASSERT(wait >= most_ms[i] / 2);
		}
		TEST_ASSERT(!backoff_next(&backoff, NOW, 0, &wait));
		TEST_ASSERT(backoff.tried == TEST_COUNT(most_ms));
	}
}
END_TEST

/* By chance: the waits of many are all over what they may be. */
START_TEST(backoff_waits_are_spread)
{
	unsigned int low = 0, high = 0;
	struct backoff backoff;
	uint64_t wait = 0;

	backoff_init(&backoff, 1000, UINT32_MAX);
	for (unsigned int i = 0; i < 1000; i++) {
		TEST_ASSERT(backoff_next(&backoff, NOW, 0, &wait));
		backoff.tried = 6; /* 60 s next */
		low += wait < 37500;
		high += wait > 52500;
	}
	ck_assert_uint_gt(low, 150);
	ck_assert_uint_gt(high, 150);
}
END_TEST

START_TEST(backoff_without_retries_there_is_none)
{
	struct backoff backoff;
	uint64_t wait = 77;

	backoff_init(&backoff, 0, 900);
	ck_assert(!backoff_next(&backoff, NOW, 0, &wait));
	ck_assert_uint_eq(wait, 77);
	ck_assert_uint_eq(backoff.tried, 0);
}
END_TEST

/* The other side's wish is the least, and beyond the deadline it is a no. */
START_TEST(backoff_at_least_is_kept)
{
	struct backoff backoff;
	uint64_t wait = 0;

	backoff_init(&backoff, 10, 900);
	ck_assert(backoff_next(&backoff, NOW, 120000, &wait));
	ck_assert_uint_eq(wait, 120000);
	ck_assert(backoff_next(&backoff, NOW, 1, &wait));
	ck_assert_uint_ge(wait, 1000);
	ck_assert(backoff_next(&backoff, NOW, 900000, &wait));
	ck_assert_uint_eq(wait, 900000);
	ck_assert(!backoff_next(&backoff, NOW, 900001, &wait));
	ck_assert(!backoff_next(&backoff, NOW, UINT64_MAX, &wait));
	ck_assert_uint_eq(backoff.tried, 3);
}
END_TEST

START_TEST(backoff_no_attempt_begins_after_the_deadline)
{
	struct backoff backoff;
	uint64_t wait = 0;

	backoff_init(&backoff, 10, 3);
	/* However late the first failure is, time begins with it. */
	ck_assert(backoff_next(&backoff, NOW, 0, &wait));
	ck_assert_uint_le(wait, 1000);
	/* The shortest wait is a second now. */
	ck_assert(!backoff_next(&backoff, NOW + 2001, 0, &wait));
	ck_assert(!backoff_next(&backoff, NOW + 3001, 0, &wait));
	ck_assert(!backoff_next(&backoff, UINT64_MAX, 0, &wait));
	ck_assert(backoff_next(&backoff, NOW + 1000, 0, &wait));
	ck_assert_uint_le(wait, 2000);
}
END_TEST

START_TEST(backoff_extremes_are_in_bounds)
{
	struct backoff backoff;
	uint64_t wait = 0;

	backoff_init(&backoff, UINT32_MAX, UINT32_MAX);
	ck_assert(backoff_next(&backoff, UINT64_MAX - 5000, 0, &wait));
	ck_assert_uint_eq(backoff.deadline_ms, UINT64_MAX);
	backoff.tried = UINT32_MAX - 1;
	ck_assert(!backoff_next(&backoff, UINT64_MAX - 5000, 0, &wait));
	backoff.deadline_ms = UINT64_MAX;
	ck_assert(backoff_next(&backoff, NOW, 0, &wait));
	ck_assert_uint_ge(wait, 30000);
	ck_assert_uint_le(wait, 60000);
}
END_TEST

static Suite *backoff_suite(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tcase = tcase_create("backoff");

	tcase_add_test(tcase, backoff_waits_double_up_to_a_minute);
	tcase_add_test(tcase, backoff_waits_are_spread);
	tcase_add_test(tcase, backoff_without_retries_there_is_none);
	tcase_add_test(tcase, backoff_at_least_is_kept);
	tcase_add_test(tcase, backoff_no_attempt_begins_after_the_deadline);
	tcase_add_test(tcase, backoff_extremes_are_in_bounds);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(backoff_suite)

/* SPDX-License-Identifier: MIT */
#include "net/rate.h"

#include "check_main.h"

/* A time that is not 0, as that of a clock. */
#define NOW UINT64_C(5000)

START_TEST(rate_none_lets_everything_through)
{
	struct rate rate;

	rate_init(&rate, 0, NOW);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), SIZE_MAX);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), SIZE_MAX);
	ck_assert_uint_eq(rate_wait_ms(&rate, NOW), 0);
	rate_give_back(&rate, 5);
	ck_assert_uint_eq(rate.left, 0);
}
END_TEST

/* A tenth of a second's bytes at once, and then as they flow in. */
START_TEST(rate_bucket_is_a_tenth_of_a_second)
{
	struct rate rate;

	rate_init(&rate, 1000000, NOW);
	ck_assert_uint_eq(rate_take(&rate, 60000, NOW), 60000);
	ck_assert_uint_eq(rate_take(&rate, 60000, NOW), 40000);
	ck_assert_uint_eq(rate_take(&rate, 60000, NOW), 0);
	/* 50 ms later, half of it; a long time later, no more than all. */
	ck_assert_uint_eq(rate_take(&rate, 60000, NOW + 50), 50000);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW + 99999), 100000);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW + 99999), 0);
}
END_TEST

/* 16 KiB are worth waking up for, and less only where no more is wanted. */
START_TEST(rate_little_is_not_worth_it)
{
	struct rate rate;

	rate_init(&rate, 1000000, NOW);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 100000);
	ck_assert_uint_eq(rate_take(&rate, 50000, NOW + 16), 0);
	ck_assert_uint_eq(rate_take(&rate, 16001, NOW + 16), 0);
	ck_assert_uint_eq(rate_take(&rate, 16000, NOW + 16), 16000);
	ck_assert_uint_eq(rate_take(&rate, 50000, NOW + 33), 17000);
}
END_TEST

/* The wait that is said is long enough, and two milliseconds less are not. */
START_TEST(rate_wait_is_as_long_as_it_takes)
{
	static const uint64_t rates[] = { 1, 7, 999, 1000, 163840, 163841,
		1000000, UINT64_C(1) << 40 };
	const uint64_t per_second = rates[_i];
	struct rate rate;
	unsigned int wait;

	rate_init(&rate, per_second, NOW);
	ck_assert_uint_eq(rate_wait_ms(&rate, NOW), 0);
	ck_assert_uint_gt(rate_take(&rate, SIZE_MAX, NOW), 0);
	wait = rate_wait_ms(&rate, NOW);
	ck_assert_uint_gt(wait, 0);
	if (wait > 1)
		ck_assert_uint_eq(
			rate_take(&rate, SIZE_MAX, NOW + wait - 2), 0);
	ck_assert_uint_eq(rate_wait_ms(&rate, NOW + wait), 0);
	ck_assert_uint_gt(rate_take(&rate, SIZE_MAX, NOW + wait), 0);
}
END_TEST

/* Asked too often, parts of a byte are not lost, nor made of nothing. */
START_TEST(rate_holds_over_a_minute)
{
	static const uint64_t rates[] = { 1, 3, 10, 999, 12345, 1000000 };
	const uint64_t per_second = rates[_i], share = per_second / 10 + 1;
	uint64_t all = 0;
	struct rate rate;

	rate_init(&rate, per_second, NOW);
	for (unsigned int ms = 0; ms <= 60000; ms++)
		all += rate_take(&rate, 1 + ms % 1000, NOW + ms);
	TEST_ASSERT(all <= 60 * per_second + share);
	/* No more is wanted a millisecond than 500 bytes, at a mean. */
	TEST_ASSERT(per_second > 400000 || all >= 59 * per_second);
}
END_TEST

START_TEST(rate_what_is_given_back_can_be_taken)
{
	struct rate rate;

	rate_init(&rate, 1000000, NOW);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 100000);
	rate_give_back(&rate, 70000);
	ck_assert_uint_eq(rate_wait_ms(&rate, NOW), 0);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 70000);
	/* More than there was is not made of it. */
	rate_give_back(&rate, 100000);
	rate_give_back(&rate, 100000);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 100000);
}
END_TEST

/* Nothing runs over, and a clock that stands still gives nothing. */
START_TEST(rate_extremes_are_in_bounds)
{
	struct rate rate;

	rate_init(&rate, UINT64_MAX, NOW);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), UINT64_MAX / 10);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 0);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW - 1000), 0);
	ck_assert_uint_eq(
		rate_take(&rate, SIZE_MAX, UINT64_MAX), UINT64_MAX / 10);

	rate_init(&rate, 1, NOW);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW), 1);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW + 999), 0);
	ck_assert_uint_eq(rate_take(&rate, SIZE_MAX, NOW + 1000), 1);
}
END_TEST

static Suite *rate_suite(void)
{
	Suite *suite = suite_create("rate");
	TCase *tcase = tcase_create("rate");

	tcase_add_test(tcase, rate_none_lets_everything_through);
	tcase_add_test(tcase, rate_bucket_is_a_tenth_of_a_second);
	tcase_add_test(tcase, rate_little_is_not_worth_it);
	tcase_add_loop_test(tcase, rate_wait_is_as_long_as_it_takes, 0, 8);
	tcase_add_loop_test(tcase, rate_holds_over_a_minute, 0, 6);
	tcase_add_test(tcase, rate_what_is_given_back_can_be_taken);
	tcase_add_test(tcase, rate_extremes_are_in_bounds);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(rate_suite)

/* SPDX-License-Identifier: MIT */
#include "job/density.h"

#include "check_main.h"

#define CELL (UINT64_C(1) << 18)

static struct avml_info_cell sum_of(const struct density *d)
{
	struct avml_info_cell sum = { .start = 0 };

	for (size_t i = 0; i < d->count; i++) {
		TEST_ASSERT(d->cells[i].start % (UINT64_C(1) << d->shift) == 0);
		TEST_ASSERT(
			i == 0 || d->cells[i - 1].start < d->cells[i].start);
		sum.memory_bytes += d->cells[i].memory_bytes;
		sum.zero_bytes += d->cells[i].zero_bytes;
		sum.stored_bytes += d->cells[i].stored_bytes;
		sum.bad_bytes += d->cells[i].bad_bytes;
	}
	return sum;
}

static void add(struct density *d, uint64_t start, uint64_t end)
{
	const struct avml_info_cell holds = {
		.memory_bytes = end - start,
		.zero_bytes = (end - start) / 2,
		.stored_bytes = (end - start) / 3,
		.bad_bytes = (end - start) / 7,
	};

	density_add(d, (struct avml_range){ start, end }, &holds);
}

START_TEST(density_ranges_are_spread_over_their_cells)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct density d;

	ck_assert_int_eq(density_init(&d, 64, &err), 0);
	add(&d, CELL / 2, 3 * CELL);
	ck_assert_uint_eq(d.count, 3);
	ck_assert_uint_eq(d.shift, 18);
	ck_assert_uint_eq(d.cells[0].memory_bytes, CELL / 2);
	ck_assert_uint_eq(d.cells[1].memory_bytes, CELL);
	ck_assert_uint_eq(d.cells[2].memory_bytes, CELL);
	ck_assert_uint_eq(d.cells[2].start, 2 * CELL);
	ck_assert_uint_eq(d.cells[1].zero_bytes, CELL / 2);
	/* What comes later, and lower. */
	add(&d, 10 * CELL, 10 * CELL + 100);
	add(&d, 5 * CELL, 5 * CELL + 4096);
	add(&d, 0, CELL / 2);
	ck_assert_uint_eq(d.count, 5);
	ck_assert_uint_eq(d.cells[0].memory_bytes, CELL);
	ck_assert_uint_eq(d.cells[3].start, 5 * CELL);
	ck_assert_uint_eq(d.cells[3].memory_bytes, 4096);
	ck_assert_uint_eq(d.cells[4].start, 10 * CELL);
	density_release(&d);
}
END_TEST

START_TEST(density_too_many_cells_become_larger_ones)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct density d;

	ck_assert_int_eq(density_init(&d, 64, &err), 0);
	for (uint64_t i = 0; i < 64; i++)
		add(&d, i * CELL, (i + 1) * CELL);
	ck_assert_uint_eq(d.count, 64);
	ck_assert_uint_eq(d.shift, 18);
	add(&d, 64 * CELL, 64 * CELL + 1);
	ck_assert_uint_eq(d.shift, 19);
	ck_assert_uint_eq(d.count, 33);
	ck_assert_uint_eq(d.cells[31].memory_bytes, 2 * CELL);
	ck_assert_uint_eq(sum_of(&d).memory_bytes, 64 * CELL + 1);
	ck_assert_uint_eq(sum_of(&d).stored_bytes, 64 * (CELL / 3));
	density_release(&d);
}
END_TEST

/* Whatever addresses a hostile image has: all is counted, in bounds. */
START_TEST(density_any_addresses_add_up)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_info_cell want = { .start = 0 }, sum;
	uint64_t seed = 7 + (uint64_t)_i;
	struct density d;

	ck_assert_int_eq(density_init(&d, 64, &err), 0);
	for (int i = 0; i < 3000; i++) {
		const uint64_t bits = test_random(&seed) % 64;
		const uint64_t len =
			1 + test_random(&seed) % (UINT64_C(1) << bits);
		const uint64_t start =
			test_random(&seed) % (UINT64_MAX - len) >>
			(i < 1500 ? 30 : 0);

		if (want.memory_bytes + len < len)
			continue;
		add(&d, start, start + len);
		want.memory_bytes += len;
		want.zero_bytes += len / 2;
		want.stored_bytes += len / 3;
		want.bad_bytes += len / 7;
		TEST_ASSERT(d.count <= 64);
	}
	sum = sum_of(&d);
	ck_assert_uint_eq(sum.memory_bytes, want.memory_bytes);
	ck_assert_uint_eq(sum.zero_bytes, want.zero_bytes);
	ck_assert_uint_eq(sum.stored_bytes, want.stored_bytes);
	ck_assert_uint_eq(sum.bad_bytes, want.bad_bytes);
	density_release(&d);
}
END_TEST

START_TEST(density_one_range_of_everything_fits)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct density d;

	ck_assert_int_eq(density_init(&d, 64, &err), 0);
	add(&d, 0, UINT64_MAX);
	ck_assert_uint_le(d.count, 64);
	ck_assert_uint_eq(sum_of(&d).memory_bytes, UINT64_MAX);
	density_release(&d);
}
END_TEST

static Suite *density_suite(void)
{
	Suite *suite = suite_create("density");
	TCase *tc = tcase_create("density");

	tcase_add_test(tc, density_ranges_are_spread_over_their_cells);
	tcase_add_test(tc, density_too_many_cells_become_larger_ones);
	tcase_add_loop_test(tc, density_any_addresses_add_up, 0, 4);
	tcase_add_test(tc, density_one_range_of_everything_fits);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(density_suite)

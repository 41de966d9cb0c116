/* SPDX-License-Identifier: MIT */
#include "base/cursor.h"

#include "base/cleanup.h"
#include "check_main.h"

static const uint8_t bytes[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54 };

START_TEST(cursor_reads_little_endian)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	ck_assert_uint_eq(cursor_u16(&c), 0x2301);
	ck_assert_uint_eq(cursor_u32(&c), 0xab896745);
	ck_assert_uint_eq(cursor_u64(&c), 0x547698badcfeefcd);
	ck_assert(!c.failed);
	ck_assert_ptr_eq(c.at, c.end);
}
END_TEST

START_TEST(cursor_set_big_reads_big_endian)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	c.big = true;
	ck_assert_uint_eq(cursor_u16(&c), 0x0123);
	ck_assert_uint_eq(cursor_u32(&c), 0x456789ab);
	ck_assert_uint_eq(cursor_u64(&c), 0xcdeffedcba987654);
	ck_assert(!c.failed);
}
END_TEST

START_TEST(cursor_of_one_byte_numbers_has_no_order)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	for (size_t i = 0; i < sizeof(bytes); i++) {
		c.big = i % 2;
		ck_assert_uint_eq(cursor_uint(&c, 1), bytes[i]);
	}
	ck_assert(!c.failed);
	ck_assert_uint_eq(cursor_uint(&c, 0), 0);
	ck_assert(!c.failed);
}
END_TEST

/* Every number that does not fit any more, from every place. */
START_TEST(cursor_read_past_the_end_is_zero_and_fails)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };

	for (size_t len = 0; len < 8; len++) {
		CLEANUP_FREE uint8_t *exact = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(exact);
		memset(exact, 0xff, len ? len : 1);
		for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
			struct cursor c = cursor_over(exact, len);
			const bool fits = sizes[i] <= len;

			ck_assert_int_eq(cursor_uint(&c, sizes[i]) != 0, fits);
			ck_assert_int_eq(c.failed, !fits);
			if (!fits)
				ck_assert_ptr_eq(c.at, c.end);
		}
	}
}
END_TEST

/* A structure is read whole and looked at once: failing is for good. */
START_TEST(cursor_failed_stays_failed)
{
	struct cursor c = cursor_over(bytes, 6);

	ck_assert_uint_eq(cursor_u32(&c), 0x67452301);
	ck_assert(!c.failed);
	ck_assert_uint_eq(cursor_u64(&c), 0);
	ck_assert(c.failed);
	/* Two bytes were left, but the order of fields is lost. */
	ck_assert_uint_eq(cursor_u16(&c), 0);
	ck_assert_uint_eq(cursor_uint(&c, 0), 0);
	cursor_skip(&c, 0);
	ck_assert(c.failed);
}
END_TEST

static const struct {
	size_t skip, left;
	bool failed;
} skips[] = {
	{ 0, sizeof(bytes), false },
	{ 1, sizeof(bytes) - 1, false },
	{ sizeof(bytes), 0, false },
	{ sizeof(bytes) + 1, 0, true },
	{ SIZE_MAX, 0, true },
};

START_TEST(cursor_skip_stops_at_the_end)
{
	struct cursor c = cursor_over(bytes, sizeof(bytes));

	cursor_skip(&c, skips[_i].skip);
	ck_assert_int_eq(c.failed, skips[_i].failed);
	ck_assert_uint_eq((size_t)(c.end - c.at), skips[_i].left);
}
END_TEST

START_TEST(cursor_over_nothing_has_nothing)
{
	struct cursor c = cursor_over(bytes, 0);

	ck_assert(!c.failed);
	ck_assert_uint_eq(cursor_u16(&c), 0);
	ck_assert(c.failed);
}
END_TEST

/* Stores touch their own bytes alone, and reads give them back. */
START_TEST(cursor_stores_are_little_endian)
{
	uint8_t to[16] = { 0 };
	struct cursor c = cursor_over(to + 1, 12);

	memset(to, 0xa5, sizeof(to));
	store_le32(to + 1, 0x89abcdef);
	store_le64(to + 5, 0x0123456789abcdef);
	ck_assert_mem_eq(to,
		"\xa5\xef\xcd\xab\x89\xef\xcd\xab\x89\x67\x45\x23\x01"
		"\xa5\xa5\xa5",
		16);
	ck_assert_uint_eq(cursor_u32(&c), 0x89abcdef);
	ck_assert_uint_eq(cursor_u64(&c), 0x0123456789abcdef);
}
END_TEST

static Suite *cursor_suite(void)
{
	Suite *suite = suite_create("cursor");
	TCase *tcase = tcase_create("cursor");

	tcase_add_test(tcase, cursor_reads_little_endian);
	tcase_add_test(tcase, cursor_set_big_reads_big_endian);
	tcase_add_test(tcase, cursor_of_one_byte_numbers_has_no_order);
	tcase_add_test(tcase, cursor_read_past_the_end_is_zero_and_fails);
	tcase_add_test(tcase, cursor_failed_stays_failed);
	tcase_add_loop_test(
		tcase, cursor_skip_stops_at_the_end, 0, TEST_COUNT(skips));
	tcase_add_test(tcase, cursor_over_nothing_has_nothing);
	tcase_add_test(tcase, cursor_stores_are_little_endian);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(cursor_suite)

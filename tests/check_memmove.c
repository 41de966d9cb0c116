/* SPDX-License-Identifier: MIT */
/*
 * memmove() and memcpy(): of the C library, and in static-minimal our own
 * (contrib/static/memmove.c). Called by pointers, or the compiler would put
 * something of its own there.
 */
#include "check_main.h"

#define ROOM 1024
#define LEN_MAX 300
#define APART_MAX 90

static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile copy)(
	void *restrict, const void *restrict, size_t) = memcpy;

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 131 + i / 256 + 1);
}

/* From byte 200 on; the other place is `apart` bytes from there. */
START_TEST(memmove_overlapping_keeps_every_byte)
{
	static uint8_t wanted[ROOM], before[ROOM], got[ROOM];

	fill(before, ROOM);
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (int apart = -APART_MAX; apart <= APART_MAX; apart++) {
			uint8_t *to = got + 200 + apart;

			memcpy(wanted, before, ROOM);
			for (size_t i = 0; i < len; i++)
				wanted[(size_t)(200 + apart) + i] =
					before[200 + i];
			memcpy(got, before, ROOM);
			TEST_ASSERT(move(to, got + 200, len) == to);
			TEST_ASSERT(memcmp(got, wanted, ROOM) == 0);
		}
	}
}
END_TEST

START_TEST(memcpy_of_any_length_and_alignment_writes_nothing_else)
{
	static uint8_t from[ROOM], got[ROOM];

	fill(from, ROOM);
	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t at = 0; at < 64; at++) {
			const size_t to = 64 + at * 7 % 64;

			memset(got, 0, ROOM);
			TEST_ASSERT(copy(got + to, from + at, len) == got + to);
			TEST_ASSERT(memcmp(got + to, from + at, len) == 0);
			for (size_t i = 0; i < ROOM; i++)
				TEST_ASSERT((i >= to && i < to + len) ||
					    got[i] == 0);
		}
	}
}
END_TEST

static Suite *memmove_suite(void)
{
	Suite *suite = suite_create("memmove");
	TCase *tcase = tcase_create("memmove");

	tcase_add_test(tcase, memmove_overlapping_keeps_every_byte);
	tcase_add_test(
		tcase, memcpy_of_any_length_and_alignment_writes_nothing_else);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(memmove_suite)

/* SPDX-License-Identifier: MIT */
/* Chunks that are all zero have ways of their own in and out. */
#include "format/framing.h"

#include <snappy-c.h>

#include "format/zero.h"
#include "check_main.h"
#include "framing_stream.h"
#include "guard.h"

#define MOST 200000

static struct guard in, coded, back;
static struct framing_decoder dec;
static struct avml_error err;

static void setup(void)
{
	in = guard_new(MOST);
	coded = guard_new(framing_bound(MOST));
	back = guard_new(MOST);
	framing_decoder_init(&dec);
	avml_error_init(&err);
}

static void teardown(void)
{
	guard_free(&in);
	guard_free(&coded);
	guard_free(&back);
}

START_TEST(framing_zero_chunk_has_these_bytes)
{
	/* The length, a literal of one zero, 64 from one back, ... */
	static const uint8_t want[] = {
		0x00,
		0x09,
		0x0c,
		0x00,
		0x59,
		0xd0,
		0xcb,
		0x2b,
		0x80,
		0x80,
		0x04,
		0x00,
		0x00,
		0xfe,
		0x01,
		0x00,
	};
	/* ... and the last 63 of them. */
	static const uint8_t last[] = { 0xfe, 0x01, 0x00, 0xfa, 0x01, 0x00 };
	size_t len;

	ck_assert_int_eq(
		framing_encode_zeros(65536, coded.start, coded.len, &len, &err),
		0);
	ck_assert_uint_eq(len, 3085);
	ck_assert_int_eq(memcmp(coded.start, want, sizeof(want)), 0);
	ck_assert_int_eq(memcmp(coded.start + len - 6, last, 6), 0);
}
END_TEST

/* libsnappy, where it finds a copy at all, puts zeros just the same. */
START_TEST(framing_zero_blocks_as_the_librarys)
{
	static char block[FRAMING_BLOCK_MAX];
	size_t longer = 0, other = 0;

	memset(in.start, 0, FRAMING_DATA_MAX);
	for (size_t len = 17; len <= FRAMING_DATA_MAX;
		len += len < 700 || len > 65400 ? 1 : 61) {
		size_t coded_len, block_len = sizeof(block);

		snappy_compress((char *)in.start, len, block, &block_len);
		ck_assert_int_eq(framing_encode_zeros(len, coded.start,
					 coded.len, &coded_len, &err),
			0);
		longer += coded_len > 8 + block_len;
		other += coded_len != 8 + block_len ||
			 memcmp(coded.start + 8, block, block_len) != 0;
	}
	ck_assert_uint_eq(longer, 0);
	/* Another release of the library may do otherwise: no failure. */
	if (other > 0)
		printf("framing: %zu zero blocks differ from the library's\n",
			other);
}
END_TEST

/* With and without the bytes at hand; every length of a few chunks' ends. */
START_TEST(framing_zeros_same_from_bytes_and_from_length)
{
	memset(in.start, 0, MOST);
	for (size_t len = 1; len <= MOST;
		len += len % 65536 < 300 || len % 65536 > 65530 ? 1 : 199) {
		size_t a, b, back_len, exact = framing_zeros_len(len);
		uint8_t *tight = guard_last(&coded, exact);
		static uint8_t other[MOST];
		struct stream_counts counts;

		ck_assert_int_eq(
			framing_encode_zeros(len, tight, exact, &a, &err), 0);
		ck_assert_uint_eq(a, exact);
		memcpy(other, tight, a);
		ck_assert_int_eq(framing_encode(guard_last(&in, len), len,
					 coded.start, coded.len, &b, &err),
			0);
		ck_assert_uint_eq(b, exact);
		ck_assert_int_eq(memcmp(coded.start, other, b), 0);
		memset(back.start, 0xa5, len);
		ck_assert_int_eq(stream_decode(&dec, other, a, back.start, len,
					 &back_len, &counts, &err),
			0);
		ck_assert_uint_eq(back_len, len);
		ck_assert(zero_test(back.start, len));
		ck_assert_uint_eq(counts.zero, (len + 65535) / 65536);
	}
}
END_TEST

/*
 * A zero body that was learnt is not taken for another: not with another
 * checksum, not with another block, and an unlearnt decoder says the same.
 */
START_TEST(framing_learnt_zeros_compared_whole)
{
	static uint8_t body[FRAMING_ZERO_BODY_MAX];
	struct framing_chunk chunk;
	size_t coded_len, len;
	bool zero;
	int ret;

	framing_encode_zeros(65536, coded.start, coded.len, &coded_len, &err);
	ck_assert_int_eq(framing_parse_head(coded.start, &chunk, &err), 0);
	memcpy(body, coded.start + 4, chunk.body_len);
	for (int round = 0; round < 3; round++) {
		memset(back.start, 0xa5, 65536);
		ret = framing_decode(&dec, &chunk, body, back.start, 65536,
			&len, &zero, &err);
		ck_assert_int_eq(ret, 0);
		ck_assert(zero && len == 65536);
		ck_assert(zero_test(back.start, 65536));
		ck_assert_uint_eq(dec.zero_bodies[0].body_len, chunk.body_len);
	}

	body[0] ^= 1; /* the checksum */
	ret = framing_decode(
		&dec, &chunk, body, back.start, 65536, &len, &zero, &err);
	ck_assert_int_eq(ret, -EBADMSG);
	ck_assert(zero && len == 65536);
	body[0] ^= 1;
	body[8] = 1; /* the literal: all ones now */
	ret = framing_decode(
		&dec, &chunk, body, back.start, 65536, &len, &zero, &err);
	ck_assert_int_eq(ret, -EBADMSG);
	ck_assert(!zero && len == 65536);
	ck_assert_uint_eq(back.start[65535], 1);
	body[8] = 0;
	ret = framing_decode(
		&dec, &chunk, body, back.start, 65535, &len, &zero, &err);
	ck_assert_int_eq(ret, -EPROTO);
	ck_assert_uint_eq(len, 0);
}
END_TEST

/* Zeros as other writers put them: stored, or a block of literals. */
START_TEST(framing_zeros_of_other_forms_flagged)
{
	static uint8_t body[FRAMING_BODY_MAX];
	struct framing_chunk chunk = { FRAMING_STORED, 4 + 65536 };
	size_t len;
	bool zero;

	memcpy(body, "\x59\xd0\xcb\x2b", 4);
	ck_assert_int_eq(framing_decode(&dec, &chunk, body, back.start, 65536,
				 &len, &zero, &err),
		0);
	ck_assert(zero && len == 65536);
	/* A literal of 65,536 bytes: too long to be learnt, but right. */
	memcpy(body + 4, "\x80\x80\x04\xf4\xff\xff", 6);
	chunk = (struct framing_chunk){ FRAMING_COMPRESSED, 10 + 65536 };
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(framing_decode(&dec, &chunk, body, back.start,
					 65536, &len, &zero, &err),
			0);
		ck_assert(zero && len == 65536);
	}
	ck_assert_uint_eq(dec.zero_bodies[0].body_len, 0);
}
END_TEST

/* Only zeros are learnt: the same chunk of text again is text again. */
START_TEST(framing_same_text_twice_not_zeros)
{
	static const size_t lens[] = { 65536, 5000 };
	struct framing_chunk chunk;
	size_t coded_len, len;
	bool zero;

	memset(in.start, 0, 65536);
	for (size_t i = 0; i < 2; i++) {
		in.start[lens[i] - 1] = 'x';
		framing_encode(in.start, lens[i], coded.start, coded.len,
			&coded_len, &err);
		ck_assert_int_eq(
			framing_parse_head(coded.start, &chunk, &err), 0);
		ck_assert_int_eq(chunk.kind, FRAMING_COMPRESSED);
		ck_assert_uint_lt(chunk.body_len, FRAMING_ZERO_BODY_MAX);
		for (int round = 0; round < 3; round++) {
			memset(back.start, 0xa5, lens[i]);
			ck_assert_int_eq(
				framing_decode(&dec, &chunk, coded.start + 4,
					back.start, 65536, &len, &zero, &err),
				0);
			ck_assert(!zero && len == lens[i]);
			ck_assert_int_eq(memcmp(back.start, in.start, len), 0);
		}
		in.start[lens[i] - 1] = 0;
	}
}
END_TEST

static Suite *framing_zeros_suite(void)
{
	Suite *suite = suite_create("framing_zeros");
	TCase *tcase = tcase_create("framing_zeros");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, framing_zero_chunk_has_these_bytes);
	tcase_add_test(tcase, framing_zero_blocks_as_the_librarys);
	tcase_add_test(tcase, framing_zeros_same_from_bytes_and_from_length);
	tcase_add_test(tcase, framing_learnt_zeros_compared_whole);
	tcase_add_test(tcase, framing_zeros_of_other_forms_flagged);
	tcase_add_test(tcase, framing_same_text_twice_not_zeros);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(framing_zeros_suite)

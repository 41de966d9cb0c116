/* SPDX-License-Identifier: MIT */
#include "format/framing.h"

#include <snappy-c.h>

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

enum fill { ZEROS, RANDOM, TEXT, PAGES, ALMOST_ZERO, FILLS };

static void fill_text(uint64_t *seed, uint8_t *buf, size_t len)
{
	static const char *const words[] = {
		"kernel",
		"page",
		"range",
		"of",
		"memory",
		"0x00001000",
		"the",
		"\n",
		" ",
		"record",
		"snappy",
		"is",
		"and",
	};

	for (size_t i = 0; i < len;) {
		const char *word = words[random_below(seed, 13)];

		while (*word && i < len)
			buf[i++] = (uint8_t)*word++;
	}
}

/* As memory is: pages of each kind side by side, and chunks of zeros. */
static void fill_pages(uint64_t *seed, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i += 4096) {
		size_t n = len - i < 4096 ? len - i : 4096;

		if (i / 65536 == 1 || random_below(seed, 3) == 0)
			memset(buf + i, 0, n);
		else if (random_below(seed, 2) == 0)
			random_fill(seed, buf + i, n);
		else
			fill_text(seed, buf + i, n);
	}
}

static void fill(enum fill how, uint64_t *seed, uint8_t *buf, size_t len)
{
	memset(buf, 0, len);
	if (how == RANDOM)
		random_fill(seed, buf, len);
	else if (how == TEXT)
		fill_text(seed, buf, len);
	else if (how == PAGES)
		fill_pages(seed, buf, len);
	else if (how == ALMOST_ZERO && len > 0)
		buf[random_below(seed, len)] = 1;
}

static const size_t lens[] = {
	1,
	2,
	3,
	7,
	8,
	9,
	15,
	16,
	17,
	59,
	60,
	61,
	63,
	64,
	65,
	66,
	67,
	68,
	69,
	127,
	128,
	129,
	255,
	256,
	257,
	511,
	4095,
	4096,
	4097,
	12345,
	61440,
	65535,
	65536,
	65537,
	65600,
	131071,
	131072,
	131073,
	196608,
	MOST,
};

/* The input, and all that was given out, end at an inaccessible page. */
static void round_trip(const uint8_t *from, size_t len)
{
	size_t cap = framing_bound(len), coded_len, back_len;
	uint8_t *to = guard_last(&coded, cap);
	uint8_t *out = guard_last(&back, len);
	struct stream_counts counts;
	uint8_t *tight;

	ck_assert_int_eq(
		framing_encode(from, len, to, cap, &coded_len, &err), 0);
	ck_assert_uint_le(coded_len, len + (len + 65535) / 65536 * 8);
	tight = guard_last(&coded, coded_len);
	memmove(tight, to, coded_len);
	memset(out, 0xa5, len);
	ck_assert_int_eq(stream_decode(&dec, tight, coded_len, out, len,
				 &back_len, &counts, &err),
		0);
	ck_assert_uint_eq(back_len, len);
	ck_assert_int_eq(memcmp(out, from, len), 0);
	ck_assert_uint_eq(
		counts.compressed + counts.stored, (len + 65535) / 65536);
}

START_TEST(framing_round_trip_same)
{
	uint64_t seed = (uint64_t)_i + 1;

	for (size_t i = 0; i < TEST_COUNT(lens); i++) {
		uint8_t *from = guard_last(&in, lens[i]);

		fill((enum fill)_i, &seed, from, lens[i]);
		round_trip(from, lens[i]);
	}
	for (int round = 0; round < 60; round++) {
		size_t len = 1 + random_below(&seed, MOST);
		uint8_t *from = guard_last(&in, len);

		fill((enum fill)_i, &seed, from, len);
		round_trip(from, len);
	}
}
END_TEST

START_TEST(framing_nothing_encodes_to_nothing)
{
	uint8_t out[FRAMING_BLOCK_MAX];
	size_t len = 1;

	ck_assert_int_eq(
		framing_encode(NULL, 0, out, sizeof(out), &len, &err), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_int_eq(framing_encode_zeros(0, NULL, 0, &len, &err), 0);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(framing_zeros_len(0), 0);
}
END_TEST

START_TEST(framing_limits_are_the_librarys)
{
	static const uint8_t ident[] = "\xff\x06\x00\x00sNaPpY";

	ck_assert_uint_eq(FRAMING_BLOCK_MAX,
		snappy_max_compressed_length(FRAMING_DATA_MAX));
	ck_assert_int_eq(memcmp(framing_ident, ident, FRAMING_IDENT_LEN), 0);
	ck_assert_uint_eq(framing_bound(262144), 262144 + 4 * 8 + 10954);
	ck_assert_uint_eq(framing_bound(65537), 65537 + 2 * 8 + 10954);
	ck_assert_uint_eq(framing_bound(SIZE_MAX), SIZE_MAX);
	ck_assert_uint_eq(framing_bound(SIZE_MAX - 10955), SIZE_MAX);
}
END_TEST

/* In pieces of whole chunks the same bytes come out as in one. */
START_TEST(framing_in_pieces_same_as_whole)
{
	size_t whole, part, at = 0;
	uint64_t seed = 9;
	uint8_t *pieces = malloc(framing_bound(MOST) + 65536);

	fill(PAGES, &seed, in.start, MOST);
	ck_assert_int_eq(framing_encode(in.start, MOST, coded.start, coded.len,
				 &whole, &err),
		0);
	for (size_t i = 0; i < MOST; i += 65536) {
		size_t len = MOST - i < 65536 ? MOST - i : 65536;

		ck_assert_int_eq(framing_encode(in.start + i, len, pieces + at,
					 framing_bound(len), &part, &err),
			0);
		at += part;
	}
	ck_assert_uint_eq(at, whole);
	ck_assert_int_eq(memcmp(pieces, coded.start, whole), 0);
	free(pieces);
}
END_TEST

START_TEST(framing_small_buffer_refused_untouched)
{
	size_t len = 1, cap = framing_bound(65536) - 1;

	memset(coded.start, 0xa5, coded.len);
	ck_assert_int_eq(
		framing_encode(in.start, 65536, coded.start, cap, &len, &err),
		-ENOBUFS);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(coded.start[0], 0xa5);
	len = 1;
	cap = framing_zeros_len(65536) - 1;
	ck_assert_int_eq(
		framing_encode_zeros(65536, coded.start, cap, &len, &err),
		-ENOBUFS);
	ck_assert_uint_eq(len, 0);
	ck_assert_uint_eq(coded.start[0], 0xa5);
}
END_TEST

/*
 * Random bytes after zeros: one more of the first makes the block one byte
 * longer, so the border of 1/8 is met exactly.
 */
START_TEST(framing_saves_an_eighth_compressed_else_stored)
{
	static const size_t sizes[] = { 4096, 65536, 1001 };
	size_t len = sizes[_i], on_border = 0, stored = 0;
	static char block[FRAMING_BLOCK_MAX];
	uint64_t seed = 5;

	for (size_t r = len * 3 / 4; r <= len; r++) {
		size_t coded_len, block_len = sizeof(block);
		bool keep;

		/* Far from the border a few will do. */
		if (len > 10000 && (r < len * 80 / 100 || r > len * 88 / 100) &&
			r % 256)
			continue;
		memset(in.start, 0, len);
		seed = 5;
		random_fill(&seed, in.start + len - r, r);
		snappy_compress((char *)in.start, len, block, &block_len);
		keep = block_len <= len && 8 * (len - block_len) >= len;
		on_border += block_len <= len && 8 * (len - block_len) == len;
		stored += !keep;
		ck_assert_int_eq(framing_encode(in.start, len, coded.start,
					 coded.len, &coded_len, &err),
			0);
		ck_assert_uint_eq(coded.start[0], keep ? 0 : 1);
		ck_assert_uint_eq(coded_len, 8 + (keep ? block_len : len));
	}
	ck_assert_uint_gt(stored, 0);
	if (len % 8 == 0)
		ck_assert_uint_gt(on_border, 0);
}
END_TEST

/* What goes on the wire, to the byte. */
START_TEST(framing_stored_chunk_has_these_bytes)
{
	static const uint8_t want[] = {
		0x01,
		0x0d,
		0x00,
		0x00,
		0xe5,
		0xb0,
		0x8a,
		0xc7,
		'1',
		'2',
		'3',
		'4',
		'5',
		'6',
		'7',
		'8',
		'9',
	};
	size_t len;

	ck_assert_int_eq(framing_encode("123456789", 9, coded.start, coded.len,
				 &len, &err),
		0);
	ck_assert_uint_eq(len, sizeof(want));
	ck_assert_int_eq(memcmp(coded.start, want, len), 0);
}
END_TEST

START_TEST(framing_skippable_and_repeated_ident_pass)
{
	static const uint8_t stream[] = "\xff\x06\x00\x00sNaPpY"
					"\xfe\x03\x00\x00\x00\x01\x02"
					"\x01\x0d\x00\x00\xe5\xb0\x8a\xc7"
					"123456789"
					"\x80\x00\x00\x00"
					"\xff\x06\x00\x00sNaPpY"
					"\xfd\x01\x00\x00Z";
	struct stream_counts counts;
	size_t len;

	ck_assert_int_eq(stream_decode(&dec, stream, sizeof(stream) - 1,
				 back.start, 100, &len, &counts, &err),
		0);
	ck_assert_uint_eq(len, 9);
	ck_assert_int_eq(memcmp(back.start, "123456789", 9), 0);
	ck_assert_uint_eq(counts.skipped, 3);
	ck_assert_uint_eq(counts.stored, 1);
}
END_TEST

/* A reader can tell the length from as much as it must have at hand. */
START_TEST(framing_data_len_from_first_bytes)
{
	uint64_t seed = 11;

	for (size_t i = 0; i < TEST_COUNT(lens) && lens[i] <= 65536; i++) {
		struct framing_chunk chunk;
		uint8_t peek[FRAMING_PEEK_LEN];
		size_t coded_len, at_hand, len;

		fill(i % 2 ? TEXT : RANDOM, &seed, in.start, lens[i]);
		framing_encode(in.start, lens[i], coded.start, coded.len,
			&coded_len, &err);
		ck_assert_int_eq(
			framing_parse_head(coded.start, &chunk, &err), 0);
		ck_assert_uint_eq(chunk.body_len, coded_len - 4);
		at_hand = chunk.body_len < sizeof(peek) ? chunk.body_len
							: sizeof(peek);
		memcpy(peek, coded.start + 4, at_hand);
		ck_assert_int_eq(
			framing_data_len(&chunk, peek, at_hand, &len, &err), 0);
		ck_assert_uint_eq(len, lens[i]);
	}
}
END_TEST

static Suite *framing_suite(void)
{
	Suite *suite = suite_create("framing");
	TCase *tcase = tcase_create("framing");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, framing_round_trip_same, 0, FILLS);
	tcase_add_test(tcase, framing_nothing_encodes_to_nothing);
	tcase_add_test(tcase, framing_limits_are_the_librarys);
	tcase_add_test(tcase, framing_in_pieces_same_as_whole);
	tcase_add_test(tcase, framing_small_buffer_refused_untouched);
	tcase_add_loop_test(
		tcase, framing_saves_an_eighth_compressed_else_stored, 0, 3);
	tcase_add_test(tcase, framing_stored_chunk_has_these_bytes);
	tcase_add_test(tcase, framing_skippable_and_repeated_ident_pass);
	tcase_add_test(tcase, framing_data_len_from_first_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(framing_suite)

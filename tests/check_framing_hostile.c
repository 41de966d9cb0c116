/* SPDX-License-Identifier: MIT */
/* Bad chunks: each is refused with its reason, and nothing is overrun. */
#include "format/framing.h"

#include "base/cursor.h"
#include "check_main.h"
#include "framing_stream.h"
#include "guard.h"

static struct guard in, out;
static struct framing_decoder dec;
static struct avml_error err;

static void setup(void)
{
	in = guard_new(FRAMING_BODY_MAX + FRAMING_HEAD_LEN);
	out = guard_new(FRAMING_DATA_MAX);
	framing_decoder_init(&dec);
	avml_error_init(&err);
}

static void teardown(void)
{
	guard_free(&in);
	guard_free(&out);
}

static void assert_says(const char *words)
{
	const char *message = avml_error_message(&err, 0);

	ck_assert_ptr_nonnull(message);
	ck_assert_msg(strstr(message, words) != NULL, "\"%s\" in \"%s\"", words,
		message);
}

struct head_case {
	uint8_t head[FRAMING_HEAD_LEN];
	const char *words; /* of the error, NULL: none */
	enum framing_kind kind;
};

static const struct head_case heads[] = {
	{ { 0x00, 0, 0, 0 }, "length 0 is too short", 0 },
	{ { 0x00, 1, 0, 0 }, "length 1 is too short", 0 },
	{ { 0x00, 4, 0, 0 }, "length 4 is too short", 0 },
	{ { 0x00, 5, 0, 0 }, NULL, FRAMING_COMPRESSED },
	{ { 0x00, 0xce, 0x2a, 1 }, NULL, FRAMING_COMPRESSED },
	{ { 0x00, 0xcf, 0x2a, 1 }, "length 76495 is longer", 0 },
	{ { 0x00, 0xff, 0xff, 0xff }, "length 16777215 is longer", 0 },
	{ { 0x01, 0, 0, 0 }, "length 0 is too short", 0 },
	{ { 0x01, 4, 0, 0 }, "length 4 is too short", 0 },
	{ { 0x01, 5, 0, 0 }, NULL, FRAMING_STORED },
	{ { 0x01, 4, 0, 1 }, NULL, FRAMING_STORED },
	{ { 0x01, 5, 0, 1 }, "stored chunk of length 65541 is longer", 0 },
	{ { 0x02, 5, 0, 0 }, "type 0x02, data without a checksum", 0 },
	{ { 0x03, 5, 0, 0 }, "type 0x03, data without a checksum", 0 },
	{ { 0x04, 5, 0, 0 }, "type 0x04 is unknown", 0 },
	{ { 0x7f, 0, 0, 0 }, "type 0x7f is unknown", 0 },
	{ { 0x80, 0, 0, 0 }, NULL, FRAMING_SKIP },
	{ { 0xfe, 0xff, 0xff, 0xff }, NULL, FRAMING_SKIP },
	{ { 0xff, 6, 0, 0 }, NULL, FRAMING_IDENT },
	{ { 0xff, 5, 0, 0 }, "length 5, not 6", 0 },
	{ { 0xff, 7, 0, 0 }, "length 7, not 6", 0 },
	{ { 0xff, 6, 1, 0 }, "length 262, not 6", 0 },
};

START_TEST(framing_head_parsed_or_refused)
{
	const struct head_case *c = &heads[_i];
	struct framing_chunk chunk;
	uint8_t *head = guard_last(&in, FRAMING_HEAD_LEN);
	int ret;

	memcpy(head, c->head, FRAMING_HEAD_LEN);
	ret = framing_parse_head(head, &chunk, &err);
	if (c->words) {
		ck_assert_int_eq(ret, -EPROTO);
		assert_says(c->words);
	} else {
		ck_assert_int_eq(ret, 0);
		ck_assert_int_eq(chunk.kind, c->kind);
		ck_assert_uint_eq(chunk.body_len,
			(unsigned int)(c->head[1] | c->head[2] << 8 |
				       c->head[3] << 16));
	}
}
END_TEST

START_TEST(framing_every_type_has_its_kind)
{
	for (unsigned int type = 2; type < 0xff; type++) {
		uint8_t head[] = { (uint8_t)type, 100, 0, 0 };
		struct framing_chunk chunk;
		int ret = framing_parse_head(head, &chunk, &err);

		ck_assert_int_eq(ret, type < 0x80 ? -EPROTO : 0);
		if (ret == 0)
			ck_assert_int_eq(chunk.kind, FRAMING_SKIP);
	}
}
END_TEST

START_TEST(framing_ident_of_other_bytes_refused)
{
	for (size_t i = 0; i < FRAMING_IDENT_BODY_LEN; i++) {
		uint8_t *body = guard_last(&in, FRAMING_IDENT_BODY_LEN);

		memcpy(body, "sNaPpY", FRAMING_IDENT_BODY_LEN);
		ck_assert_int_eq(framing_check_ident(body, &err), 0);
		body[i] ^= 0x20;
		ck_assert_int_eq(framing_check_ident(body, &err), -EPROTO);
		assert_says("not \"sNaPpY\"");
	}
}
END_TEST

struct block_case {
	const char *block;
	size_t block_len;
	const char *words;
};

#define BLOCK(bytes, words)                     \
	{                                       \
		bytes, sizeof(bytes) - 1, words \
	}

static const struct block_case blocks[] = {
	BLOCK("\x80", "ends inside its length, after 1"),
	BLOCK("\xff\xff", "ends inside its length, after 2"),
	BLOCK("\xff\xff\xff\x0f", "more than 3 bytes"),
	BLOCK("\x80\x80\x80\x80\x10", "more than 3 bytes"),
	BLOCK("\xff\xff\xff\xff\xff\xff\xff", "more than 3 bytes"),
	BLOCK("\x81\x00\x00x", "length 1 is not in its shortest form"),
	BLOCK("\x81\x80\x00\x00x", "length 1 is not in its shortest form"),
	BLOCK("\x00", "claims 0 bytes"),
	BLOCK("\x81\x80\x04\x00x", "claims 65537 bytes"),
	BLOCK("\xff\xff\x7f\x00x", "claims 2097151 bytes"),
	/* From here on the library is asked. */
	BLOCK("\x01", "block of 1 bytes, claiming 1 bytes"),
	BLOCK("\x01\x00", "is corrupt"),		  /* no literal */
	BLOCK("\x02\x00x", "is corrupt"),		  /* too little */
	BLOCK("\x01\x04xy", "is corrupt"),		  /* too much */
	BLOCK("\x01\x00xz", "is corrupt"),		  /* more after it */
	BLOCK("\x40\xf0\x3fx", "is corrupt"),		  /* literal cut */
	BLOCK("\x40\xfc\xff\xff\xff\xffx", "is corrupt"), /* of 4 GiB */
	BLOCK("\x40\xfc\xff\xff\xff", "is corrupt"),	  /* its length cut */
	BLOCK("\x05\x01\x01", "is corrupt"),		  /* copy first */
	BLOCK("\x05\x00x\x01\x00", "is corrupt"),	  /* from 0 back */
	BLOCK("\x05\x00x\x01\x02", "is corrupt"),	  /* from before it */
	BLOCK("\x05\x00x\x01", "is corrupt"),		  /* copy cut */
	BLOCK("\x05\x00x\x0e\x01", "is corrupt"),
	BLOCK("\x05\x00x\x0f\x01\x00\x00", "is corrupt"),
	BLOCK("\x05\x00x\x0f\xff\xff\xff\xff", "is corrupt"),
	BLOCK("\x05\x00x\x0f\x01\x00\x00\x80", "is corrupt"),
};

START_TEST(framing_block_refused)
{
	const struct block_case *c = &blocks[_i];
	struct framing_chunk chunk = {
		FRAMING_COMPRESSED,
		(uint32_t)(4 + c->block_len),
	};
	uint8_t *body = guard_last(&in, chunk.body_len);
	size_t len = 1;
	bool zero = true;

	memset(body, 0, 4);
	memcpy(body + 4, c->block, c->block_len);
	ck_assert_int_eq(framing_decode(&dec, &chunk, body, out.start,
				 FRAMING_DATA_MAX, &len, &zero, &err),
		-EPROTO);
	assert_says(c->words);
	ck_assert_uint_eq(len, 0);
	ck_assert(!zero);
}
END_TEST

/* A caller's own slip, lengths that no head gives, is refused as well. */
START_TEST(framing_chunk_of_no_head_refused)
{
	static const struct framing_chunk chunks[] = {
		{ FRAMING_STORED, 0 },
		{ FRAMING_STORED, 4 },
		{ FRAMING_STORED, 65541 },
		{ FRAMING_COMPRESSED, 4 },
		{ FRAMING_COMPRESSED, FRAMING_BODY_MAX + 1 },
	};
	size_t len;
	bool zero;

	for (size_t i = 0; i < TEST_COUNT(chunks); i++)
		ck_assert_int_eq(
			framing_decode(&dec, &chunks[i], in.start, out.start,
				FRAMING_DATA_MAX, &len, &zero, &err),
			-EPROTO);
	for (size_t avail = 0; avail <= 4; avail++) {
		struct framing_chunk chunk = { FRAMING_COMPRESSED, 50 };

		ck_assert_int_eq(
			framing_data_len(&chunk, in.start, avail, &len, &err),
			-EPROTO);
		assert_says("cut off");
	}
}
END_TEST

/* Text that compresses, and text too short for it. */
static const char text[] =
	"0000a000-0000afff : reserved\n"
	"0000b000-0000bfff : reserved\n0000c000-0000ffff : System RAM\n";
static const size_t text_lens[] = { sizeof(text) - 1, 9 };

static size_t encode_text(size_t len, uint8_t *to)
{
	static uint8_t room[FRAMING_BLOCK_MAX];
	size_t coded_len;

	ck_assert_int_eq(
		framing_encode(text, len, room, sizeof(room), &coded_len, &err),
		0);
	memcpy(to, room, coded_len);
	return coded_len;
}

START_TEST(framing_data_past_the_room_refused)
{
	size_t data_len = text_lens[_i], len;
	uint8_t coded[200];
	struct framing_chunk chunk;
	bool zero;

	encode_text(data_len, coded);
	ck_assert_int_eq(framing_parse_head(coded, &chunk, &err), 0);
	for (size_t cap = 0; cap <= data_len; cap++) {
		int ret = framing_decode(&dec, &chunk, coded + 4,
			guard_last(&out, cap), cap, &len, &zero, &err);

		ck_assert_int_eq(ret, cap < data_len ? -EPROTO : 0);
		ck_assert_uint_eq(len, cap < data_len ? 0 : data_len);
		if (ret < 0)
			assert_says("may follow");
	}
}
END_TEST

START_TEST(framing_wrong_checksum_told_and_data_kept)
{
	size_t data_len = text_lens[_i], len;
	uint8_t coded[200];
	struct framing_chunk chunk;
	bool zero;

	encode_text(data_len, coded);
	ck_assert_int_eq(framing_parse_head(coded, &chunk, &err), 0);
	store_le32(coded + 4, 0x01020304);
	ck_assert_int_eq(framing_decode(&dec, &chunk, coded + 4, out.start,
				 FRAMING_DATA_MAX, &len, &zero, &err),
		-EBADMSG);
	assert_says("the chunk says 0x01020304");
	ck_assert_uint_eq(len, data_len);
	ck_assert_int_eq(memcmp(out.start, text, len), 0);
}
END_TEST

START_TEST(framing_cut_anywhere_found)
{
	size_t data_len = text_lens[_i], len;
	uint8_t coded[200];
	size_t coded_len = encode_text(data_len, coded);
	struct stream_counts counts;
	struct framing_chunk chunk;
	bool zero;

	for (size_t cut = 1; cut <= coded_len; cut++) {
		uint8_t *part = guard_last(&in, cut);
		int ret;

		memcpy(part, coded, cut);
		ret = stream_decode(&dec, part, cut, out.start, data_len, &len,
			&counts, &err);
		ck_assert_int_eq(ret, cut < coded_len ? -ENODATA : 0);
	}
	/* The same with a head that has been made to fit. */
	ck_assert_int_eq(framing_parse_head(coded, &chunk, &err), 0);
	for (uint32_t cut = 0; cut < coded_len - 4; cut++) {
		uint8_t *part = guard_last(&in, cut);

		memcpy(part, coded + 4, cut);
		chunk.body_len = cut;
		ck_assert_int_lt(framing_decode(&dec, &chunk, part, out.start,
					 data_len, &len, &zero, &err),
			0);
	}
}
END_TEST

/* A flip that skips the chunk is found by the count of bytes. */
START_TEST(framing_every_flipped_bit_found)
{
	size_t data_len = text_lens[_i], len;
	uint8_t coded[200];
	size_t coded_len = encode_text(data_len, coded);
	struct stream_counts counts;

	ck_assert_int_eq(coded[0], _i);
	for (size_t bit = 0; bit < coded_len * 8; bit++) {
		uint8_t *bad = guard_last(&in, coded_len);
		uint8_t *to = guard_last(&out, data_len);
		int ret;

		memcpy(bad, coded, coded_len);
		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ret = stream_decode(&dec, bad, coded_len, to, data_len, &len,
			&counts, &err);
		ck_assert_msg(ret < 0 || len != data_len, "bit %zu", bit);
	}
}
END_TEST

static Suite *framing_hostile_suite(void)
{
	Suite *suite = suite_create("framing_hostile");
	TCase *tcase = tcase_create("framing_hostile");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(
		tcase, framing_head_parsed_or_refused, 0, TEST_COUNT(heads));
	tcase_add_test(tcase, framing_every_type_has_its_kind);
	tcase_add_test(tcase, framing_ident_of_other_bytes_refused);
	tcase_add_loop_test(
		tcase, framing_block_refused, 0, TEST_COUNT(blocks));
	tcase_add_test(tcase, framing_chunk_of_no_head_refused);
	tcase_add_loop_test(tcase, framing_data_past_the_room_refused, 0, 2);
	tcase_add_loop_test(
		tcase, framing_wrong_checksum_told_and_data_kept, 0, 2);
	tcase_add_loop_test(tcase, framing_cut_anywhere_found, 0, 2);
	tcase_add_loop_test(tcase, framing_every_flipped_bit_found, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(framing_hostile_suite)

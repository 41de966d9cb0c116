/* SPDX-License-Identifier: MIT */
/* Blocks made at random and damaged, held against a plain decoder. */
#include "format/framing.h"

#include <snappy-c.h>

#include "base/cursor.h"
#include "format/crc32c.h"
#include "check_main.h"
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

/* The block format once more, slow and plain: what it gives, or false. */
static bool plain_block(const uint8_t *p, size_t len, uint8_t *to, size_t want)
{
	struct cursor c = cursor_over(p, len);
	size_t done = 0;

	while (cursor_uint(&c, 1) & 0x80)
		;
	while (c.at < c.end) {
		size_t tag = (size_t)cursor_uint(&c, 1), n = tag >> 2, back;

		if ((tag & 3) == 0) {
			if (n >= 60)
				n = (size_t)cursor_uint(
					&c, (unsigned int)n - 59);
			n++;
			if (c.failed || n > (size_t)(c.end - c.at) ||
				n > want - done)
				return false;
			memcpy(to + done, c.at, n);
			cursor_skip(&c, n);
			done += n;
			continue;
		}
		back = tag >> 5 << 8;
		if ((tag & 3) == 1) {
			n = (n & 7) + 4;
			back |= (size_t)cursor_uint(&c, 1);
		} else {
			n++;
			back = (size_t)cursor_uint(&c, (tag & 3) == 2 ? 2 : 4);
		}
		if (c.failed || back == 0 || back > done || n > want - done)
			return false;
		for (; n > 0; n--, done++)
			to[done] = to[done - back];
	}
	return done == want;
}

/*
 * Decode what is at the end of `in` into memory that ends, and then into
 * memory that begins, at an inaccessible page; hold it against the above.
 */
static void decode_any(const struct framing_chunk *chunk, const uint8_t *body,
	size_t counts[3])
{
	static uint8_t plain[FRAMING_DATA_MAX];
	size_t claimed, len, again;
	bool zero, right;
	uint8_t *to;
	int ret;

	ret = framing_data_len(chunk, body, chunk->body_len, &claimed, &err);
	if (ret < 0) {
		ck_assert_int_eq(framing_decode(&dec, chunk, body, out.start,
					 FRAMING_DATA_MAX, &len, &zero, &err),
			ret);
		counts[0]++;
		return;
	}
	to = guard_last(&out, claimed);
	ret = framing_decode(&dec, chunk, body, to, claimed, &len, &zero, &err);
	ck_assert_uint_eq(len, ret == -EPROTO ? 0 : claimed);
	if (chunk->kind == FRAMING_COMPRESSED) {
		right = plain_block(
			body + 4, chunk->body_len - 4, plain, claimed);
		ck_assert_int_eq(right, ret != -EPROTO);
		if (right)
			ck_assert_int_eq(memcmp(plain, to, claimed), 0);
	}
	if (ret == 0) {
		struct cursor c = cursor_over(body, 4);

		ck_assert_uint_eq(
			cursor_u32(&c), crc32c_mask(crc32c(0, to, claimed)));
	}
	ck_assert_int_eq(framing_decode(&dec, chunk, body, out.start, claimed,
				 &again, &zero, &err),
		ret);
	ck_assert_uint_eq(again, len);
	counts[ret == -EPROTO ? 0 : ret == 0 ? 1 : 2]++;
}

/* Elements at random, most of them sound. */
static size_t random_block(uint64_t *seed, uint8_t *to, size_t room)
{
	size_t claimed =
		1 + random_below(seed, random_below(seed, 8) ? 600 : 66000);
	size_t at = 0, done = 0;

	for (size_t v = claimed;; v >>= 7) {
		to[at++] = (uint8_t)(v >= 0x80 ? v | 0x80 : v);
		if (v < 0x80)
			break;
	}
	while (done < claimed && room - at > 80) {
		size_t n = 1 + random_below(seed, 64), back;

		if (n > claimed - done)
			n = claimed - done;
		if (done == 0 || random_below(seed, 3) == 0) {
			n = n > 60 ? 60 : n;
			to[at++] = (uint8_t)((n - 1) << 2);
			random_fill(seed, to + at, n);
			at += n;
		} else {
			back = 1 +
			       random_below(seed, done > 65535 ? 65535 : done);
			to[at++] = (uint8_t)((n - 1) << 2 | 2);
			to[at++] = (uint8_t)back;
			to[at++] = (uint8_t)(back >> 8);
		}
		done += n;
	}
	return at;
}

static void damage(uint64_t *seed, uint8_t *p, size_t len)
{
	for (size_t n = random_below(seed, 4); n > 0; n--) {
		size_t at = random_below(seed, len);

		if (random_below(seed, 2))
			p[at] = (uint8_t)test_random(seed);
		else
			p[at] ^= (uint8_t)(1 << random_below(seed, 8));
	}
}

/* CODEC_ROUNDS in the environment makes it longer. */
START_TEST(framing_random_blocks_as_a_plain_decoder)
{
	const char *rounds = getenv("CODEC_ROUNDS");
	long count = rounds ? strtol(rounds, NULL, 10) : 60000;
	static uint8_t block[2000], packed[FRAMING_BLOCK_MAX];
	size_t counts[3] = { 0 };
	uint64_t seed = (uint64_t)_i + 77;

	for (long round = 0; round < count; round++) {
		struct framing_chunk chunk = { FRAMING_COMPRESSED, 0 };
		size_t len = sizeof(packed), raw;
		uint8_t *body;

		if (_i == 1) {
			/* What the library makes of something dull. */
			raw = 1 + random_below(&seed, sizeof(block));
			random_fill(&seed, block, raw);
			for (size_t i = 0; i < raw; i++)
				block[i] &= 0x11;
			snappy_compress(
				(char *)block, raw, (char *)packed, &len);
		} else {
			len = random_block(&seed, packed, 8192);
		}
		damage(&seed, packed, len);
		chunk.body_len = (uint32_t)(4 + len);
		body = guard_last(&in, chunk.body_len);
		random_fill(&seed, body, 4);
		memcpy(body + 4, packed, len);
		decode_any(&chunk, body, counts);
	}
	/* Both ends must have been met, or this tests nothing. */
	ck_assert_uint_gt(counts[0], (size_t)count / 20);
	ck_assert_uint_gt(counts[2], (size_t)count / 20);
}
END_TEST

static Suite *framing_random_suite(void)
{
	Suite *suite = suite_create("framing_random");
	TCase *tcase = tcase_create("framing_random");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 0);
	tcase_add_loop_test(
		tcase, framing_random_blocks_as_a_plain_decoder, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(framing_random_suite)

/* SPDX-License-Identifier: MIT */
/* Snappy's framing: a walk over the chunks of the input, and back. */
#include "fuzz.h"

#include <errno.h>

#include "format/framing.h"

static bool is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/*
 * The masked CRC-32C of `len` bytes, in the simplest way there is: slow, so
 * only for a few.
 */
#define CRC_LEN_MAX 2048

static uint32_t simple_crc(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	crc = ~crc;
	return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

/* Decode all chunks of `in`, which are good ones, into `out`. */
static size_t decode_all(const uint8_t *in, size_t len, uint8_t *out)
{
	struct framing_decoder decoder;
	size_t done = 0;

	framing_decoder_init(&decoder);
	while (len > 0) {
		struct framing_chunk chunk;
		struct avml_error err;
		size_t data_len;
		bool zero;

		FUZZ_ASSERT(len >= FRAMING_HEAD_LEN);
		FUZZ_ASSERT(framing_parse_head(in, &chunk, &err) == 0);
		in += FRAMING_HEAD_LEN;
		len -= FRAMING_HEAD_LEN;
		FUZZ_ASSERT(framing_is_data(chunk.kind));
		FUZZ_ASSERT(chunk.body_len <= len);
		FUZZ_ASSERT(
			framing_decode(&decoder, &chunk, in, out + done,
				FRAMING_DATA_MAX, &data_len, &zero, &err) == 0);
		FUZZ_ASSERT(zero == is_zero(out + done, data_len));
		in += chunk.body_len;
		len -= chunk.body_len;
		done += data_len;
	}
	return done;
}

/* What is encoded decodes to the same, and is no longer than was said. */
static void check_encode(const uint8_t *bytes, size_t len)
{
	const size_t bound = framing_bound(len);
	const size_t chunks = (len + FRAMING_DATA_MAX - 1) / FRAMING_DATA_MAX;
	uint8_t *encoded = malloc(bound);
	uint8_t *back = malloc(len + FRAMING_DATA_MAX);
	struct avml_error err;
	size_t out_len;

	FUZZ_ASSERT(encoded && back);
	FUZZ_ASSERT(framing_encode(bytes, len, encoded, bound - 1, &out_len,
			    &err) == -ENOBUFS);
	FUZZ_ASSERT(framing_encode(
			    bytes, len, encoded, bound, &out_len, &err) == 0);
	FUZZ_ASSERT(out_len <= len + 8 * chunks);
	FUZZ_ASSERT(decode_all(encoded, out_len, back) == len);
	FUZZ_ASSERT(len == 0 || memcmp(back, bytes, len) == 0);
	free(encoded);
	free(back);
}

/* Zeros that are nowhere are encoded as those that are somewhere. */
static void check_zeros(size_t len)
{
	const size_t bound = framing_bound(len);
	const size_t zeros_len = framing_zeros_len(len);
	uint8_t *zeros = calloc(1, len + 1);
	uint8_t *encoded = malloc(bound), *direct = malloc(zeros_len + 1);
	struct avml_error err;
	size_t out_len, direct_len;

	FUZZ_ASSERT(zeros && encoded && direct);
	FUZZ_ASSERT(framing_encode(
			    zeros, len, encoded, bound, &out_len, &err) == 0);
	FUZZ_ASSERT(framing_encode_zeros(
			    len, direct, zeros_len, &direct_len, &err) == 0);
	FUZZ_ASSERT(out_len == zeros_len && direct_len == zeros_len);
	FUZZ_ASSERT(memcmp(encoded, direct, zeros_len) == 0);
	free(zeros);
	free(encoded);
	free(direct);
}

static uint32_t crc_of(const uint8_t *body)
{
	struct fuzz_input in = fuzz_begin(body, FRAMING_CRC_LEN);

	return (uint32_t)fuzz_number(&in, FRAMING_CRC_LEN);
}

/*
 * One chunk of data. `out_cap` is what the record has left; the buffer has
 * not a byte more.
 */
static void check_chunk(struct framing_decoder *decoder,
	const struct framing_chunk *chunk, const uint8_t *body, size_t out_cap)
{
	uint8_t *out = malloc(out_cap ? out_cap : 1);
	struct framing_decoder fresh;
	struct avml_error err;
	size_t told, peeked, len, again_len;
	bool zero, again_zero;
	const int told_ret =
		framing_data_len(chunk, body, chunk->body_len, &told, &err);
	int ret, again;

	FUZZ_ASSERT(out);
	FUZZ_ASSERT(
		framing_data_len(chunk, body,
			chunk->body_len < FRAMING_PEEK_LEN ? chunk->body_len
							   : FRAMING_PEEK_LEN,
			&peeked, &err) == told_ret);
	FUZZ_ASSERT(peeked == told);
	ret = framing_decode(
		decoder, chunk, body, out, out_cap, &len, &zero, &err);
	FUZZ_ASSERT(ret == 0 || ret == -EPROTO || ret == -EBADMSG);
	FUZZ_ASSERT(ret == 0 || err.code == -ret);
	if (ret == -EPROTO) {
		FUZZ_ASSERT(len == 0);
		free(out);
		return;
	}
	FUZZ_ASSERT(told_ret == 0 && len == told && len <= out_cap);
	FUZZ_ASSERT(len >= 1 && len <= FRAMING_DATA_MAX);
	FUZZ_ASSERT(zero == is_zero(out, len));
	if (len <= CRC_LEN_MAX)
		FUZZ_ASSERT(
			(ret == 0) == (crc_of(body) == simple_crc(out, len)));
	check_encode(out, len);
	/* What was learnt of the chunks before changes nothing. */
	framing_decoder_init(&fresh);
	again = framing_decode(&fresh, chunk, body, out, out_cap, &again_len,
		&again_zero, &err);
	FUZZ_ASSERT(again == ret && again_len == len && again_zero == zero);
	free(out);
}

static void walk(struct fuzz_input in, size_t out_cap)
{
	struct framing_decoder decoder;
	struct framing_chunk chunk;
	struct avml_error err;

	framing_decoder_init(&decoder);
	while (in.left >= FRAMING_HEAD_LEN) {
		uint8_t *body;

		if (framing_parse_head(in.at, &chunk, &err) < 0)
			return;
		in.at += FRAMING_HEAD_LEN;
		in.left -= FRAMING_HEAD_LEN;
		if (chunk.body_len > in.left)
			return;
		body = fuzz_rest(&(struct fuzz_input){ in.at, chunk.body_len });
		if (framing_is_data(chunk.kind))
			check_chunk(&decoder, &chunk, body, out_cap);
		else if (chunk.kind == FRAMING_IDENT)
			FUZZ_ASSERT((framing_check_ident(body, &err) == 0) ==
				    (memcmp(body, "sNaPpY", 6) == 0));
		free(body);
		in.at += chunk.body_len;
		in.left -= chunk.body_len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	const uint64_t mode = fuzz_number(&in, 1);
	size_t out_cap = (size_t)fuzz_number(&in, 3) % (FRAMING_DATA_MAX + 2);

	/* Mostly there is room, or nothing much would be decoded. */
	if (mode % 4 != 0)
		out_cap = FRAMING_DATA_MAX;
	if (mode % 8 == 7)
		check_encode(in.at, in.left);
	else if (mode % 8 == 6)
		check_zeros((size_t)fuzz_number(&in, 3) % (256u << 10));
	else
		walk(in, out_cap);
	return 0;
}

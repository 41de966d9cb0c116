/* SPDX-License-Identifier: MIT */
#include "format/framing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <snappy-c.h>

#include "base/cursor.h"
#include "format/crc32c.h"
#include "format/zero.h"

/* Data without a checksum, which the format has known since 2022. */
#define TYPE_UNCHECKED_COMPRESSED 0x02
#define TYPE_UNCHECKED_STORED 0x03

/* What a length of a data chunk can be; looked at wherever one comes in. */
static int check_data_body(
	const struct framing_chunk *chunk, struct avml_error *err)
{
	bool stored = chunk->kind == FRAMING_STORED;
	uint32_t max =
		stored ? FRAMING_CRC_LEN + FRAMING_DATA_MAX : FRAMING_BODY_MAX;

	if (chunk->body_len <= FRAMING_CRC_LEN)
		return avml_error_set(err, EPROTO,
			"data chunk of length %" PRIu32
			" is too short for a checksum and data",
			chunk->body_len);
	if (chunk->body_len > max)
		return avml_error_set(err, EPROTO,
			"%s chunk of length %" PRIu32
			" is longer than the %" PRIu32
			" that %d bytes of data can take",
			stored ? "stored" : "compressed", chunk->body_len, max,
			FRAMING_DATA_MAX);
	return 0;
}

static int check_ident_len(uint32_t len, struct avml_error *err)
{
	if (len != FRAMING_IDENT_BODY_LEN)
		return avml_error_set(err, EPROTO,
			"stream identifier chunk has length %" PRIu32
			", not %d",
			len, FRAMING_IDENT_BODY_LEN);
	return 0;
}

int framing_parse_head(const uint8_t head[FRAMING_HEAD_LEN],
	struct framing_chunk *chunk, struct avml_error *err)
{
	uint8_t type = head[0];

	chunk->body_len = (uint32_t)head[1] | (uint32_t)head[2] << 8 |
			  (uint32_t)head[3] << 16;
	switch (type) {
	case FRAMING_TYPE_COMPRESSED:
		chunk->kind = FRAMING_COMPRESSED;
		return check_data_body(chunk, err);
	case FRAMING_TYPE_STORED:
		chunk->kind = FRAMING_STORED;
		return check_data_body(chunk, err);
	case FRAMING_TYPE_IDENT:
		chunk->kind = FRAMING_IDENT;
		return check_ident_len(chunk->body_len, err);
	case TYPE_UNCHECKED_COMPRESSED:
	case TYPE_UNCHECKED_STORED:
		return avml_error_set(err, EPROTO,
			"chunk type 0x%02x, data without a checksum, is not supported",
			type);
	default:
		break;
	}
	if (type < FRAMING_TYPE_SKIP)
		return avml_error_set(err, EPROTO,
			"chunk type 0x%02x is unknown and may not be skipped",
			type);
	chunk->kind = FRAMING_SKIP;
	return 0;
}

int framing_check_ident(
	const uint8_t body[FRAMING_IDENT_BODY_LEN], struct avml_error *err)
{
	if (memcmp(body, framing_ident + FRAMING_HEAD_LEN,
		    FRAMING_IDENT_BODY_LEN) == 0)
		return 0;
	return avml_error_set(err, EPROTO,
		"stream identifier is %02x %02x %02x %02x %02x "
		"%02x, not \"sNaPpY\"",
		body[0], body[1], body[2], body[3], body[4], body[5]);
}

/*
 * The length that a snappy block begins with: 7 bits a byte, low ones
 * first, the high bit set in all but the last. A length that is allowed
 * here takes three bytes, so what goes on is too long in any case; padding
 * with bytes of zero is refused, for no writer does that.
 */
static int block_data_len(
	const uint8_t *block, size_t avail, size_t *len, struct avml_error *err)
{
	uint32_t value = 0;
	size_t i = 0;

	do {
		if (i == avail)
			return avml_error_set(err, EPROTO,
				"snappy block ends inside its length, after %zu bytes",
				i);
		if (i == 3)
			return avml_error_set(err, EPROTO,
				"snappy block's length is of more "
				"than 3 bytes");
		value |= (uint32_t)(block[i] & 0x7f) << 7 * i;
	} while (block[i++] & 0x80);

	if (i > 1 && block[i - 1] == 0)
		return avml_error_set(err, EPROTO,
			"snappy block's length %" PRIu32
			" is not in its shortest form",
			value);
	if (value < 1 || value > FRAMING_DATA_MAX)
		return avml_error_set(err, EPROTO,
			"snappy block claims %" PRIu32
			" bytes of data, not 1 to %d",
			value, FRAMING_DATA_MAX);
	*len = value;
	return 0;
}

int framing_data_len(const struct framing_chunk *chunk, const void *body,
	size_t avail, size_t *len, struct avml_error *err)
{
	const uint8_t *bytes = body;
	int ret = check_data_body(chunk, err);

	*len = 0;
	if (ret < 0)
		return ret;
	if (chunk->kind == FRAMING_STORED) {
		*len = chunk->body_len - FRAMING_CRC_LEN;
		return 0;
	}
	if (avail > chunk->body_len)
		avail = chunk->body_len;
	if (avail <= FRAMING_CRC_LEN)
		return avml_error_set(err, EPROTO,
			"compressed chunk is cut off after %zu bytes",
			FRAMING_HEAD_LEN + avail);
	return block_data_len(
		bytes + FRAMING_CRC_LEN, avail - FRAMING_CRC_LEN, len, err);
}

void framing_decoder_init(struct framing_decoder *dec)
{
	for (size_t i = 0; i < 2; i++)
		dec->zero_bodies[i].body_len = 0;
}

/* The place for what is learnt of chunks of that length. */
static struct framing_zero_body *zero_body(
	struct framing_decoder *dec, size_t data_len)
{
	return &dec->zero_bodies[data_len == FRAMING_DATA_MAX ? 0 : 1];
}

static bool known_zero(struct framing_decoder *dec, const void *body,
	size_t body_len, size_t data_len)
{
	const struct framing_zero_body *known = zero_body(dec, data_len);

	return known->body_len == body_len &&
	       memcmp(known->body, body, body_len) == 0;
}

/* Only a body whose checksum was right may come here. */
static void learn_zero(struct framing_decoder *dec, const void *body,
	size_t body_len, size_t data_len)
{
	struct framing_zero_body *known = zero_body(dec, data_len);

	if (body_len > sizeof(known->body))
		return;
	memcpy(known->body, body, body_len);
	known->body_len = body_len;
}

/* Uncompress the block into `out`, which has room for all of data_len. */
static int decode_block(const uint8_t *block, size_t block_len, void *out,
	size_t data_len, struct avml_error *err)
{
	size_t got = data_len;

	if (snappy_uncompress((const char *)block, block_len, out, &got) ==
			SNAPPY_OK &&
		got == data_len)
		return 0;
	return avml_error_set(err, EPROTO,
		"snappy block of %zu bytes, claiming %zu bytes of data, is corrupt",
		block_len, data_len);
}

int framing_decode(struct framing_decoder *dec,
	const struct framing_chunk *chunk, const void *body, void *out,
	size_t out_cap, size_t *len, bool *zero, struct avml_error *err)
{
	const uint8_t *data = (const uint8_t *)body + FRAMING_CRC_LEN;
	struct cursor head = cursor_over(body, FRAMING_CRC_LEN);
	size_t data_len;
	uint32_t stored, computed;
	int ret =
		framing_data_len(chunk, body, chunk->body_len, &data_len, err);

	*len = 0;
	*zero = false;
	if (ret < 0)
		return ret;
	if (data_len > out_cap)
		return avml_error_set(err, EPROTO,
			"chunk holds %zu bytes of data where at most %zu may follow",
			data_len, out_cap);

	if (chunk->kind == FRAMING_STORED) {
		memcpy(out, data, data_len);
	} else if (known_zero(dec, body, chunk->body_len, data_len)) {
		memset(out, 0, data_len);
		*len = data_len;
		*zero = true;
		return 0;
	} else {
		ret = decode_block(data, chunk->body_len - FRAMING_CRC_LEN, out,
			data_len, err);
		if (ret < 0)
			return ret;
	}

	*len = data_len;
	*zero = zero_test(out, data_len);
	stored = cursor_u32(&head);
	computed = crc32c_mask(crc32c(0, out, data_len));
	if (stored != computed)
		return avml_error_set(err, EBADMSG,
			"checksum of %zu bytes of data is "
			"0x%08" PRIx32 ", the chunk says 0x%08" PRIx32,
			data_len, computed, stored);
	if (*zero && chunk->kind == FRAMING_COMPRESSED)
		learn_zero(dec, body, chunk->body_len, data_len);
	return 0;
}

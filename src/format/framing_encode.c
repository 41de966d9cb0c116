/* SPDX-License-Identifier: MIT */
#include "format/framing.h"

#include <errno.h>
#include <string.h>

#include <snappy-c.h>

#include "base/cursor.h"
#include "format/crc32c.h"
#include "format/zero.h"

/* What comes before the data in a chunk of data. */
#define OVERHEAD (FRAMING_HEAD_LEN + FRAMING_CRC_LEN)

const uint8_t framing_ident[FRAMING_IDENT_LEN] = { FRAMING_TYPE_IDENT,
	FRAMING_IDENT_BODY_LEN, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y' };

/* The length of the next chunk of `len` bytes that are left to encode. */
static inline size_t next_chunk(size_t len)
{
	return len < FRAMING_DATA_MAX ? len : FRAMING_DATA_MAX;
}

/* Whether a block of `block_len` for `len` bytes saves 1/8 of them. */
static inline bool worth_it(size_t len, size_t block_len)
{
	return block_len < len && (len - block_len) * 8 >= len;
}

static void put_head(uint8_t *out, uint8_t type, size_t data_len, uint32_t crc)
{
	store_le32(out, (uint32_t)(data_len + FRAMING_CRC_LEN) << 8 | type);
	store_le32(out + FRAMING_HEAD_LEN, crc32c_mask(crc));
}

/*
 * A block of zeros is written down directly, in the form that libsnappy
 * gives it: a literal of one zero byte, and copies of at most 64 bytes from
 * one byte back. So a run of zeros needs neither the input nor a table.
 */
#define COPY_MAX 64

/* The copies after the full ones: lengths of one or two, 0 for none. */
static void last_copies(size_t left, size_t lens[2])
{
	lens[0] = left % COPY_MAX;
	lens[1] = 0;
	/* From 4 to 11 bytes have a short form: better 60 + 5 than 64 + 1. */
	if (left > COPY_MAX && lens[0] > 0 && lens[0] < 4) {
		lens[1] = lens[0] + 4;
		lens[0] = COPY_MAX - 4;
	}
}

static uint8_t *put_copy(uint8_t *out, size_t len)
{
	if (len == 0)
		return out;
	if (len >= 4 && len <= 11) {
		*out++ = (uint8_t)(1 | (len - 4) << 2);
		*out++ = 1;
	} else {
		*out++ = (uint8_t)(2 | (len - 1) << 2);
		*out++ = 1;
		*out++ = 0;
	}
	return out;
}

/* Lengths are at most FRAMING_DATA_MAX, so of 1 to 3 bytes of 7 bits. */
static uint8_t *put_varint(uint8_t *out, size_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

/* Three bytes a copy, the length, the literal, and a spare copy. */
#define ZERO_BLOCK_MAX (FRAMING_DATA_MAX / COPY_MAX * 3 + 3 + 2 + 3)

static size_t put_zero_block(uint8_t *out, size_t len)
{
	uint8_t *p = put_varint(out, len);
	size_t last[2];
	size_t copied;

	*p++ = 0; /* a literal of one byte, */
	*p++ = 0; /* which is zero */
	last_copies(len - 1, last);
	copied = len - 1 - last[0] - last[1];
	for (; copied > 0; copied -= COPY_MAX)
		p = put_copy(p, COPY_MAX);
	p = put_copy(p, last[0]);
	p = put_copy(p, last[1]);
	return (size_t)(p - out);
}

static uint32_t crc_of_zeros(size_t len)
{
	static const uint8_t zeros[256];
	uint32_t crc = 0;

	/* By far the most frequent length. */
	if (len == FRAMING_DATA_MAX)
		return 0x72c0c4a4;
	for (; len > sizeof(zeros); len -= sizeof(zeros))
		crc = crc32c(crc, zeros, sizeof(zeros));
	return crc32c(crc, zeros, len);
}

/* The chunk of `len` zeros, at most FRAMING_DATA_MAX; gives its length. */
static size_t put_zero_chunk(uint8_t *out, size_t len)
{
	uint8_t block[ZERO_BLOCK_MAX];
	size_t block_len = put_zero_block(block, len);
	uint8_t type = FRAMING_TYPE_COMPRESSED;

	if (worth_it(len, block_len)) {
		memcpy(out + OVERHEAD, block, block_len);
	} else {
		type = FRAMING_TYPE_STORED;
		block_len = len;
		memset(out + OVERHEAD, 0, len);
	}
	put_head(out, type, block_len, crc_of_zeros(len));
	return OVERHEAD + block_len;
}

static size_t zero_chunk_len(size_t len)
{
	uint8_t block[ZERO_BLOCK_MAX];
	size_t block_len = put_zero_block(block, len);

	return OVERHEAD + (worth_it(len, block_len) ? block_len : len);
}

/* `out` has room for OVERHEAD and libsnappy's worst case at least. */
static size_t put_chunk(
	uint8_t *out, size_t room, const uint8_t *in, size_t len)
{
	uint8_t type = FRAMING_TYPE_COMPRESSED;
	uint32_t crc;
	size_t block_len = room - OVERHEAD;
	snappy_status status;

	if (zero_test(in, len))
		return put_zero_chunk(out, len);

	crc = crc32c(0, in, len);
	status = snappy_compress(
		(const char *)in, len, (char *)out + OVERHEAD, &block_len);
	/* A failure is impossible with that room; stored is right anyway. */
	if (status != SNAPPY_OK || !worth_it(len, block_len)) {
		type = FRAMING_TYPE_STORED;
		block_len = len;
		memcpy(out + OVERHEAD, in, len);
	}
	put_head(out, type, block_len, crc);
	return OVERHEAD + block_len;
}

size_t framing_bound(size_t len)
{
	size_t chunks = len / FRAMING_DATA_MAX + (len % FRAMING_DATA_MAX != 0);
	size_t slack = FRAMING_BLOCK_MAX - FRAMING_DATA_MAX;
	size_t bound;

	if (__builtin_add_overflow(len, chunks * OVERHEAD, &bound) ||
		__builtin_add_overflow(bound, slack, &bound))
		return SIZE_MAX;
	return bound;
}

int framing_encode(const void *in, size_t len, void *out, size_t out_cap,
	size_t *out_len, struct avml_error *err)
{
	const uint8_t *from = in;
	uint8_t *to = out;
	size_t used = 0;

	*out_len = 0;
	if (out_cap < framing_bound(len))
		return avml_error_set(err, ENOBUFS,
			"%zu bytes are encoded in a buffer of %zu, not %zu",
			len, framing_bound(len), out_cap);
	while (len > 0) {
		size_t n = next_chunk(len);

		used += put_chunk(to + used, out_cap - used, from, n);
		from += n;
		len -= n;
	}
	*out_len = used;
	return 0;
}

size_t framing_zeros_len(size_t len)
{
	size_t whole = len / FRAMING_DATA_MAX;
	size_t rest = len % FRAMING_DATA_MAX;
	size_t total = 0;

	/* Shorter than what it stands for, so this cannot overflow. */
	if (whole > 0)
		total = whole * zero_chunk_len(FRAMING_DATA_MAX);
	if (rest > 0)
		total += zero_chunk_len(rest);
	return total;
}

int framing_encode_zeros(size_t len, void *out, size_t out_cap, size_t *out_len,
	struct avml_error *err)
{
	uint8_t *to = out;
	size_t needed = framing_zeros_len(len);
	size_t used = 0;

	*out_len = 0;
	if (out_cap < needed)
		return avml_error_set(err, ENOBUFS,
			"%zu zero bytes are encoded in %zu, not %zu", len,
			needed, out_cap);
	while (len > 0) {
		size_t n = next_chunk(len);

		used += put_zero_chunk(to + used, n);
		len -= n;
	}
	*out_len = used;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * The snappy framing format, chunk by chunk: bytes to bytes.
 *
 * Source of the facts: snappy's framing_format.txt (chunks, types, limits)
 * and format_description.txt (the block inside a compressed chunk). A chunk
 * is a byte of type, three bytes of length (little-endian, of the body
 * alone) and the body. A data chunk's body is the masked CRC-32C of the
 * uncompressed bytes and then these, plain or as a snappy block.
 *
 * All lengths are in bytes. Nothing is allocated here; libsnappy allocates
 * its tables for each chunk that it compresses. Input, output and state
 * must not overlap.
 *
 * Errors are told within the chunk; callers add where the chunk lies.
 *     -EPROTO    not well formed
 *     -EBADMSG   well formed, but not what its checksum says
 *     -ENOBUFS   the caller's buffer is too small
 *
 * Threads: all functions are safe; a framing_decoder belongs to one thread
 * at a time. The bytes that come out depend on nothing but those that go in.
 */
#ifndef FORMAT_FRAMING_H
#define FORMAT_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>

/* The most uncompressed bytes that a chunk may hold. */
#define FRAMING_DATA_MAX 65536
/* Of any chunk: type and length. Of a data chunk's body: the checksum. */
#define FRAMING_HEAD_LEN 4
#define FRAMING_CRC_LEN 4
/* What libsnappy may need to compress FRAMING_DATA_MAX bytes. */
#define FRAMING_BLOCK_MAX 76490
/* The longest body of a data chunk: a buffer of this takes any. */
#define FRAMING_BODY_MAX (FRAMING_CRC_LEN + FRAMING_BLOCK_MAX)
/* As much of a data chunk's body as framing_data_len() looks at. */
#define FRAMING_PEEK_LEN (FRAMING_CRC_LEN + 5)

/* Types on the wire; all of 0x80 to 0xfe may be skipped. */
#define FRAMING_TYPE_COMPRESSED 0x00
#define FRAMING_TYPE_STORED 0x01
#define FRAMING_TYPE_SKIP 0x80
#define FRAMING_TYPE_IDENT 0xff

/* The chunk that begins every stream, whole, and the length of its body. */
#define FRAMING_IDENT_LEN 10
#define FRAMING_IDENT_BODY_LEN 6
extern const uint8_t framing_ident[FRAMING_IDENT_LEN];

/*
 * Encoding. No identifier is written. Every chunk but the last holds
 * FRAMING_DATA_MAX bytes, so input cut at multiples of that gives the same
 * chunks as the whole. A chunk is compressed when that saves at least 1/8
 * of it, otherwise it is stored.
 */

/*
 * The size of a buffer in which `len` bytes can be encoded: what can come
 * out at most (`len` and 8 a chunk) and room to work in. SIZE_MAX when that
 * is more than a size_t holds.
 */
size_t framing_bound(size_t len);

/*
 * Encode `len` bytes into `out`, which has `out_cap` bytes, at least
 * framing_bound(len), or nothing is done but to return -ENOBUFS. Bytes past
 * `*out_len` may be overwritten. A chunk of zeros costs hardly more than to
 * see that it is one.
 */
int framing_encode(const void *in, size_t len, void *out, size_t out_cap,
	size_t *out_len, struct avml_error *err);

/*
 * The same for `len` bytes of zero that need not be anywhere: the very
 * bytes that framing_encode() makes of them. `out_cap` of
 * framing_zeros_len(len), the length that comes out, is enough.
 */
size_t framing_zeros_len(size_t len);
int framing_encode_zeros(size_t len, void *out, size_t out_cap, size_t *out_len,
	struct avml_error *err);

/*
 * Decoding. To go along a stream: read FRAMING_HEAD_LEN bytes, parse them,
 * read `body_len` bytes, and by the kind decode, check or drop them.
 */
enum framing_kind {
	FRAMING_COMPRESSED, /* data, framing_decode() */
	FRAMING_STORED,	    /* data, framing_decode() */
	FRAMING_SKIP,	    /* padding, or reserved as skippable: drop it */
	FRAMING_IDENT,	    /* framing_check_ident() */
};

struct framing_chunk {
	enum framing_kind kind;
	uint32_t body_len; /* of what follows the head */
};

static inline bool framing_is_data(enum framing_kind kind)
{
	return kind == FRAMING_COMPRESSED || kind == FRAMING_STORED;
}

/*
 * What a chunk's head says. -EPROTO for a type that may not be skipped and
 * for a length that the type cannot have. The body of FRAMING_SKIP may be
 * of any length that three bytes can tell (16 MiB); the others fit in
 * FRAMING_BODY_MAX, and a data chunk has one byte of data at least.
 *
 * Types 0x02 and 0x03, data without a checksum, are refused: they came to
 * the format in 2022, and no writer of memory images uses them.
 */
int framing_parse_head(const uint8_t head[FRAMING_HEAD_LEN],
	struct framing_chunk *chunk, struct avml_error *err);

/* Whether an identifier's body is what it must be, or -EPROTO. */
int framing_check_ident(
	const uint8_t body[FRAMING_IDENT_BODY_LEN], struct avml_error *err);

/*
 * How many bytes a data chunk decodes to, without decoding it: 1 to
 * FRAMING_DATA_MAX, or -EPROTO. `avail` bytes of the body are at hand, the
 * lesser of body_len and FRAMING_PEEK_LEN is enough. Of a compressed chunk
 * this is what it claims; framing_decode() holds it to that.
 */
int framing_data_len(const struct framing_chunk *chunk, const void *body,
	size_t avail, size_t *len, struct avml_error *err);

/*
 * What a decoder keeps: the bodies of the chunks that it last saw to be all
 * zeros, one of FRAMING_DATA_MAX bytes and one of another length. A body
 * that is the same again is neither decoded nor checksummed again. They are
 * learnt from the stream, for writers differ in how they put it.
 */
#define FRAMING_ZERO_BODY_MAX 4096

struct framing_zero_body {
	size_t body_len; /* 0: nothing learnt */
	uint8_t body[FRAMING_ZERO_BODY_MAX];
};

struct framing_decoder {
	struct framing_zero_body zero_bodies[2];
};

void framing_decoder_init(struct framing_decoder *dec);

/*
 * Decode a data chunk, of whose body all chunk->body_len bytes are at hand,
 * into `out`. `out_cap` is how many bytes may come out here, room or what
 * is left of a record: a chunk that holds more is -EPROTO. Nothing is
 * written past it, whatever the body holds.
 *
 * `*len` is the count of bytes decoded; `*zero` is whether all of them are
 * zero. Both are set too when the checksum is wrong (-EBADMSG), so that a
 * caller can keep the suspect bytes. After another error `*len` is 0, and
 * `out` may hold a part of the data.
 */
int framing_decode(struct framing_decoder *dec,
	const struct framing_chunk *chunk, const void *body, void *out,
	size_t out_cap, size_t *len, bool *zero, struct avml_error *err);

#endif

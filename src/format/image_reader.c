/* SPDX-License-Identifier: MIT */
#include "format/image_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "format/framing.h"
#include "format/image_reader_state.h"

/* Bytes of skippable chunks in a record: padding must come to an end. */
#define SKIP_MAX (64u << 20)
/* How far ahead to look for records that follow without a gap. */
#define RUN_MAX (128u << 20)
#define RUN_RECORDS_MAX 16

#define TRAILER_LEN 8

struct image_reader *image_reader_new(
	const struct image_input *input, uint64_t raw_size, bool salvage)
{
	struct image_reader *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	memset(r, 0, offsetof(struct image_reader, window));
	window_init(&r->window, input);
	r->salvage = salvage;
	r->raw = raw_size > 0;
	if (r->raw) {
		r->state = READER_PLAIN;
		r->header.format = AVML_RECORD_LIME;
		r->header.range.end = raw_size;
		r->run_end = raw_size;
	}
	return r;
}

void image_reader_free(struct image_reader *r)
{
	free(r);
}

const struct image_oddity_count *image_reader_oddity(
	const struct image_reader *r, enum image_oddity which)
{
	return &r->oddities[which];
}

enum avml_image_format image_reader_format(const struct image_reader *r)
{
	if (r->raw)
		return AVML_IMAGE_RAW;
	if (r->records == 0)
		return AVML_IMAGE_NONE;
	return r->first_format == AVML_RECORD_LIME ? AVML_IMAGE_LIME
						   : AVML_IMAGE_LIME_COMPRESSED;
}

uint64_t image_reader_offset(const struct image_reader *r)
{
	return r->window.offset;
}

static void note_oddity(
	struct image_reader *r, enum image_oddity which, uint64_t offset)
{
	if (r->oddities[which].count++ == 0)
		r->oddities[which].offset = offset;
}

/* Where the records go on without a gap, as far as can be seen. */
static uint64_t look_ahead(const struct image_reader *r)
{
	const struct image_input *input = r->window.input;
	const struct avml_range first = r->header.range;
	uint64_t end = first.end, offset = r->window.offset;
	struct avml_range last = first;

	if (!input->peek || r->header.format != AVML_RECORD_LIME)
		return end;
	for (unsigned int i = 0; i < RUN_RECORDS_MAX; i++) {
		uint8_t wire[AVML_RECORD_HEADER_SIZE];
		struct avml_record_header next;
		struct avml_error err;

		if (end - first.start >= RUN_MAX ||
			__builtin_add_overflow(
				offset, avml_range_len(last), &offset) ||
			input->peek(input->ctx, wire, sizeof(wire), offset) !=
				(ssize_t)sizeof(wire) ||
			avml_record_header_decode(wire, &next, &err) < 0 ||
			next.format != AVML_RECORD_LIME ||
			next.range.start != end ||
			next.range.end - first.start > RUN_MAX)
			break;
		offset += sizeof(wire);
		last = next.range;
		end = next.range.end;
	}
	return end;
}

static void begin_record(struct image_reader *r, uint64_t offset)
{
	const struct avml_range range = r->header.range;

	if (r->records == 0)
		r->first_format = r->header.format;
	else if (r->header.format != r->first_format)
		note_oddity(r, IMAGE_ODD_MIXED, offset);
	if (r->records > 0 && range.start < r->last_end)
		note_oddity(r, IMAGE_ODD_ORDER, offset);
	if (range.end % 4096 != 0)
		note_oddity(r, IMAGE_ODD_PARTIAL_PAGE, offset);
	r->records++;
	r->last_end = range.end;
	r->at = range.start;
	r->stream_offset = r->window.offset;
	r->stream_started = false;
	r->skipped = 0;
	r->run_end = look_ahead(r);
	r->state = r->header.format == AVML_RECORD_LIME ? READER_PLAIN
							: READER_CHUNKS;
}

/* -EINVAL, with the place and, where known, the writer that is to blame. */
static int bad_header(
	struct image_reader *r, uint64_t offset, struct avml_error *err)
{
	if (r->records > 0 && r->header.format == AVML_RECORD_LIME)
		avml_error_wrap(err,
			"no record where the one before ends (AVML 0.17.0 "
			"left out the data of blocks of zeros, which has "
			"this effect)");
	return avml_error_wrap(
		err, "bad record header at offset %" PRIu64, offset);
}

static int read_header(struct image_reader *r, struct avml_error *err)
{
	const uint64_t offset = r->window.offset;
	const ssize_t n = window_need(&r->window, AVML_RECORD_HEADER_SIZE, err);
	int ret;

	if (n < 0)
		return (int)n;
	if (n == 0 && r->records > 0) {
		r->state = READER_END;
		return READER_AGAIN;
	}
	if (n == 0)
		return avml_error_set(err, EINVAL, "the image is empty");
	if (n < AVML_RECORD_HEADER_SIZE) {
		avml_error_set(err, EINVAL,
			"the image ends within a record header, after %zd of "
			"its 32 bytes",
			n);
		return bad_header(r, offset, err);
	}
	ret = avml_record_header_decode(
		window_at(&r->window), &r->next_header, err);
	if (ret < 0)
		return bad_header(r, offset, err);
	window_skip(&r->window, AVML_RECORD_HEADER_SIZE);
	r->header = r->next_header;
	begin_record(r, offset);
	return READER_AGAIN;
}

static int record_error(struct image_reader *r, struct avml_error *err)
{
	return avml_error_wrap(err,
		"record 0x%" PRIx64 "-0x%" PRIx64 ", at offset %" PRIu64
		" (address 0x%" PRIx64 ")",
		r->header.range.start, r->header.range.end, r->window.offset,
		r->at);
}

static void begin_part(const struct image_reader *r, struct image_part *part,
	enum image_part_kind kind)
{
	*part = (struct image_part){
		.kind = kind,
		.format = r->header.format,
		.range = { r->at, r->at },
		.record = r->header.range,
		.run_end = r->run_end,
		.offset = r->window.offset,
	};
}

static int next_plain(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct avml_error *err)
{
	const uint64_t left = r->header.range.end - r->at;
	const size_t want =
		left < IMAGE_PART_MEMORY ? (size_t)left : IMAGE_PART_MEMORY;
	ssize_t n;

	if (left == 0) {
		r->state = r->raw ? READER_END : READER_HEADER;
		return READER_AGAIN;
	}
	begin_part(r, part, IMAGE_PLAIN);
	n = window_take(&r->window, buf, want, err);
	if (n < 0)
		return (int)n;
	if ((size_t)n < want && (n == 0 || !r->salvage)) {
		avml_error_set(err, EINVAL,
			"the image ends %" PRIu64 " bytes before the record "
			"does",
			left - (uint64_t)n);
		return record_error(r, err);
	}
	r->at += (uint64_t)n;
	part->range.end = r->at;
	part->len = (size_t)n;
	return 1;
}

/* A record without data: the next header, or nothing, follows. */
static bool is_empty_record(const uint8_t *bytes, ssize_t n)
{
	struct cursor c = cursor_over(bytes, n < 4 ? 0 : 4);
	const uint32_t magic = cursor_u32(&c);

	return n == 0 || magic == AVML_RECORD_MAGIC_AVML ||
	       magic == AVML_RECORD_MAGIC_LIME;
}

static int begin_stream(
	struct image_reader *r, struct image_part *part, struct avml_error *err)
{
	const ssize_t n = window_need(&r->window, FRAMING_IDENT_LEN, err);
	const uint64_t len = avml_range_len(r->header.range);

	if (n < 0)
		return (int)n;
	if (is_empty_record(window_at(&r->window), n)) {
		if (len > AVML_BLOCK_SIZE) {
			avml_error_set(err, EINVAL,
				"a record of %" PRIu64 " bytes has no data",
				len);
			return record_error(r, err);
		}
		note_oddity(r, IMAGE_ODD_EMPTY, r->window.offset);
		begin_part(r, part, IMAGE_ZEROS);
		part->range = r->header.range;
		r->at = r->header.range.end;
		r->state = READER_HEADER;
		return 1;
	}
	if (n < FRAMING_IDENT_LEN ||
		memcmp(window_at(&r->window), framing_ident,
			FRAMING_IDENT_LEN) != 0) {
		avml_error_set(err, EINVAL,
			"no snappy stream identifier at the record's start");
		return record_error(r, err);
	}
	window_skip(&r->window, FRAMING_IDENT_LEN);
	r->stream_started = true;
	return READER_AGAIN;
}

static int read_trailer(struct image_reader *r, struct avml_error *err)
{
	const uint64_t len = r->window.offset - r->stream_offset;
	const ssize_t n = window_need(&r->window, TRAILER_LEN, err);
	struct cursor c;
	uint64_t value;

	if (n < 0)
		return (int)n;
	if (n < TRAILER_LEN) {
		avml_error_set(err, EINVAL,
			"the image ends within the record's trailer, after "
			"%zd of its 8 bytes",
			n);
		return record_error(r, err);
	}
	c = cursor_over(window_at(&r->window), TRAILER_LEN);
	value = cursor_u64(&c);
	if (value == avml_range_len(r->header.range) && value != len)
		note_oddity(
			r, IMAGE_ODD_UNCOMPRESSED_TRAILER, r->window.offset);
	else if (value != len)
		note_oddity(r, IMAGE_ODD_TRAILER, r->window.offset);
	window_skip(&r->window, TRAILER_LEN);
	r->state = READER_HEADER;
	return READER_AGAIN;
}

/* Go past a chunk without data. */
static int skip_chunk(struct image_reader *r, const struct framing_chunk *chunk,
	struct avml_error *err)
{
	uint64_t left = chunk->body_len;

	/* In a damaged stream a long one is more likely a bad length. */
	if (r->salvage && left > FRAMING_DATA_MAX)
		return avml_error_set(err, EINVAL,
			"a skippable chunk of %" PRIu64 " bytes", left);
	r->skipped += FRAMING_HEAD_LEN + left;
	if (r->skipped > SKIP_MAX)
		return avml_error_set(err, EINVAL,
			"more than %u bytes of skippable chunks", SKIP_MAX);
	window_skip(&r->window, FRAMING_HEAD_LEN);
	while (left > 0) {
		const size_t want =
			left < WINDOW_NEED_MAX ? (size_t)left : WINDOW_NEED_MAX;
		const ssize_t n = window_need(&r->window, want, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return avml_error_set(err, EINVAL,
				"the image ends within a skippable chunk");
		window_skip(&r->window, (size_t)n);
		left -= (uint64_t)n;
	}
	return 0;
}

/*
 * Look at the next chunk: 1 with its lengths when it is one of data (and
 * all of it at hand), 0 when another was gone past.
 */
static int next_chunk(struct image_reader *r, size_t *chunk_len,
	size_t *data_len, struct avml_error *err)
{
	struct framing_chunk chunk;
	ssize_t n = window_need(&r->window, FRAMING_HEAD_LEN, err);
	int ret;

	if (n < 0)
		return (int)n;
	if (n < FRAMING_HEAD_LEN)
		return avml_error_set(
			err, EINVAL, "the image ends within a chunk's head");
	ret = framing_parse_head(window_at(&r->window), &chunk, err);
	if (ret < 0)
		return ret;
	if (chunk.kind == FRAMING_SKIP)
		return skip_chunk(r, &chunk, err);
	*chunk_len = FRAMING_HEAD_LEN + chunk.body_len;
	n = window_need(&r->window, *chunk_len, err);
	if (n < 0)
		return (int)n;
	if ((size_t)n < *chunk_len)
		return avml_error_set(err, EINVAL,
			"the image ends within a chunk, after %zd of its %zu "
			"bytes",
			n, *chunk_len);
	if (chunk.kind == FRAMING_IDENT) {
		ret = framing_check_ident(
			window_at(&r->window) + FRAMING_HEAD_LEN, err);
		if (ret == 0)
			ret = skip_chunk(r, &chunk, err);
		return ret;
	}
	ret = framing_data_len(&chunk, window_at(&r->window) + FRAMING_HEAD_LEN,
		chunk.body_len, data_len, err);
	if (ret < 0)
		return ret;
	if (*data_len > r->header.range.end - r->at)
		return avml_error_set(err, EINVAL,
			"a chunk of %zu bytes where the record ends after %" PRIu64
			" more",
			*data_len, r->header.range.end - r->at);
	return 1;
}

static int next_chunks(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct avml_error *err)
{
	if (!r->stream_started)
		return begin_stream(r, part, err);
	if (r->at == r->header.range.end)
		return read_trailer(r, err);
	begin_part(r, part, IMAGE_CHUNKS);
	while (r->at < r->header.range.end) {
		size_t chunk_len = 0, data_len = 0;
		int ret = next_chunk(r, &chunk_len, &data_len, err);

		if (ret == 0 && part->len == 0)
			part->offset = r->window.offset;
		if (ret == 0)
			continue;
		if (ret < 0) {
			ret = record_error(r, err);
			/* The good ones first: the error comes again. */
			if (part->len == 0)
				return ret;
			break;
		}
		if (part->len + chunk_len > IMAGE_PART_BYTES ||
			r->at - part->range.start + data_len >
				IMAGE_PART_MEMORY)
			break;
		memcpy(buf + part->len, window_at(&r->window), chunk_len);
		r->chunk_offset = r->window.offset;
		window_skip(&r->window, chunk_len);
		part->len += chunk_len;
		r->at += data_len;
		if (r->salvage)
			break;
	}
	part->range.end = r->at;
	return 1;
}

static int step(struct image_reader *r, uint8_t *buf, struct image_part *part,
	struct avml_error *err)
{
	switch (r->state) {
	case READER_HEADER:
		return read_header(r, err);
	case READER_PLAIN:
		return next_plain(r, buf, part, err);
	case READER_CHUNKS:
		return next_chunks(r, buf, part, err);
	case READER_END:
		return 0;
	}
	return 0;
}

int image_reader_next(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct image_loss *loss,
	struct avml_error *err)
{
	int ret;

	if (r->failed < 0) {
		*err = r->failure;
		return r->failed;
	}
	do
		ret = step(r, buf, part, err);
	while (ret == READER_AGAIN);
	if (ret < 0 && r->salvage)
		ret = image_reader_resync(r, loss, err);
	if (ret < 0) {
		r->failed = ret;
		r->failure = *err;
	}
	return ret;
}

/* SPDX-License-Identifier: MIT */
/* The inside of a v2 record: its stream of chunks, and the trailer. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "format/framing.h"
#include "format/image_reader_state.h"

/* Bytes of skippable chunks in a record: padding must come to an end. */
#define SKIP_MAX (64u << 20)
/*
 * Chunks to look at in search of trailers: so many, and the more the longer
 * the image is. Hostile ones could want many more.
 */
#define WALK_LEAST (1u << 22)
#define WALK_EACH 512
/* Of next_chunk(): there should be data, by what follows. */
#define NEXT_DAMAGED 2

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
			return image_reader_wrap(r, err);
		}
		image_reader_note(r, IMAGE_ODD_EMPTY, r->window.offset);
		image_reader_part(r, part, IMAGE_ZEROS);
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
		return image_reader_wrap(r, err);
	}
	window_skip(&r->window, FRAMING_IDENT_LEN);
	r->stream_started = true;
	return image_reader_goes_on(r) ? image_reader_prove_range(r, err)
				       : READER_AGAIN;
}

static int read_trailer(struct image_reader *r, struct avml_error *err)
{
	const uint64_t len = r->window.offset - r->stream_offset;
	const ssize_t n = window_need(&r->window, IMAGE_TRAILER_LEN, err);
	struct cursor c;
	uint64_t value;

	if (n < 0)
		return (int)n;
	if (n < IMAGE_TRAILER_LEN) {
		avml_error_set(err, EINVAL,
			"the image ends within the record's trailer, after "
			"%zd of its 8 bytes",
			n);
		return image_reader_wrap(r, err);
	}
	c = cursor_over(window_at(&r->window), IMAGE_TRAILER_LEN);
	value = cursor_u64(&c);
	if (value == avml_range_len(r->header.range) && value != len)
		image_reader_note(
			r, IMAGE_ODD_UNCOMPRESSED_TRAILER, r->window.offset);
	else if (value != len)
		image_reader_note(r, IMAGE_ODD_TRAILER, r->window.offset);
	if (!r->may_go_back)
		r->back_to = r->window.offset;
	r->may_go_back = true;
	window_skip(&r->window, IMAGE_TRAILER_LEN);
	r->state = READER_HEADER;
	return READER_AGAIN;
}

bool image_reader_look(
	struct image_reader *r, uint64_t offset, struct image_look *look)
{
	const struct image_input *input = r->window.input;
	uint8_t bytes[FRAMING_HEAD_LEN + FRAMING_PEEK_LEN];
	struct framing_chunk *chunk = &look->chunk;
	struct avml_error err;
	struct cursor c;
	ssize_t n;
	size_t have;

	if (!input->peek ||
		r->walked >= WALK_LEAST + r->window.offset / WALK_EACH)
		return false;
	r->walked++;
	n = input->peek(input->ctx, bytes, sizeof(bytes), offset);
	if (n < IMAGE_TRAILER_LEN)
		return false;
	c = cursor_over(bytes, IMAGE_TRAILER_LEN);
	look->is_trailer = cursor_u64(&c) == offset - r->stream_offset;
	look->data_len = 0;
	look->is_chunk = framing_parse_head(bytes, chunk, &err) == 0;
	if (!look->is_chunk || !framing_is_data(chunk->kind))
		return true;
	have = (size_t)n - FRAMING_HEAD_LEN;
	if (have > chunk->body_len)
		have = chunk->body_len;
	look->is_chunk = framing_data_len(chunk, bytes + FRAMING_HEAD_LEN, have,
				 &look->data_len, &err) == 0;
	return true;
}

bool image_reader_missing(
	struct image_reader *r, uint64_t offset, uint64_t *missing)
{
	uint64_t left = r->header.range.end - r->at;
	struct image_look look;
	bool found = false;

	while (image_reader_look(r, offset, &look)) {
		if (look.is_trailer) {
			if (!found || left == 0)
				*missing = left;
			found = true;
			if (left == 0)
				break;
		}
		if (!look.is_chunk || look.data_len > left)
			break;
		left -= look.data_len;
		offset += FRAMING_HEAD_LEN + look.chunk.body_len;
	}
	return found;
}

int image_reader_skip(
	struct image_reader *r, uint64_t len, struct avml_error *err)
{
	uint64_t done;
	int ret = window_pass(&r->window, len, &done, err);

	if (ret == 0 && done < len)
		return avml_error_set(
			err, EINVAL, "the image ends within a skippable chunk");
	return ret;
}

/* Go past a chunk without data. */
static int skip_chunk(struct image_reader *r, const struct framing_chunk *chunk,
	struct avml_error *err)
{
	uint64_t left = chunk->body_len, missing;

	/*
	 * In a damaged stream a long one is more likely a bad length, unless
	 * all is well behind it or it can be gone back over.
	 */
	if (image_reader_goes_on(r) &&
		left > WINDOW_BACK_MAX - FRAMING_HEAD_LEN &&
		!image_reader_missing(r,
			r->window.offset + FRAMING_HEAD_LEN + left, &missing))
		return avml_error_set(err, EINVAL,
			"a skippable chunk of %" PRIu64 " bytes", left);
	r->skipped += FRAMING_HEAD_LEN + left;
	if (r->skipped > SKIP_MAX)
		return avml_error_set(err, EINVAL,
			"more than %u bytes of skippable chunks", SKIP_MAX);
	if (!r->may_go_back)
		r->back_to = r->window.offset + FRAMING_HEAD_LEN;
	r->may_go_back = true;
	return image_reader_skip(r, FRAMING_HEAD_LEN + left, err);
}

/*
 * Look at the next chunk: 1 with its lengths when it is one of data (and
 * all of it at hand), 0 when another was gone past, NEXT_DAMAGED when that
 * other one has to be a damaged chunk of data.
 */
static int next_chunk(struct image_reader *r, size_t *chunk_len,
	size_t *data_len, struct avml_error *err)
{
	struct framing_chunk chunk;
	ssize_t n = window_need(&r->window, FRAMING_HEAD_LEN, err);
	uint64_t missing;
	int ret;

	if (n < 0)
		return (int)n;
	if (n < FRAMING_HEAD_LEN)
		return avml_error_set(
			err, EINVAL, "the image ends within a chunk's head");
	ret = framing_parse_head(window_at(&r->window), &chunk, err);
	if (ret < 0)
		return ret;
	*chunk_len = FRAMING_HEAD_LEN + chunk.body_len;
	if (image_reader_is_damaged_data(r, &chunk, &missing)) {
		avml_error_set(err, EINVAL,
			"a skippable chunk where %" PRIu64
			" bytes of data are missing",
			missing);
		*data_len = (size_t)missing;
		return NEXT_DAMAGED;
	}
	if (chunk.kind == FRAMING_SKIP)
		return skip_chunk(r, &chunk, err);
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

bool image_reader_is_sound(
	struct image_reader *r, size_t data_len, struct avml_error *err)
{
	const uint8_t *at = window_at(&r->window);
	struct framing_chunk chunk;
	size_t len;
	bool zero;

	return framing_parse_head(at, &chunk, err) == 0 &&
	       framing_decode(&r->decoder, &chunk, at + FRAMING_HEAD_LEN,
		       r->scratch, sizeof(r->scratch), &len, &zero, err) == 0 &&
	       len == data_len;
}

/*
 * Whether a chunk has to be decoded here. Who checks leaves that to others,
 * unless it is of a length that writers do not give it: if it were wrong, all
 * that is behind it would be at wrong addresses.
 */
static bool is_doubtful(const struct image_reader *r, size_t data_len)
{
	return r->salvage || (r->check && data_len != FRAMING_DATA_MAX &&
				     data_len != r->header.range.end - r->at);
}

int image_reader_chunks(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct avml_error *err)
{
	if (!r->stream_started)
		return begin_stream(r, part, err);
	if (r->at == r->header.range.end)
		return read_trailer(r, err);
	image_reader_part(r, part, IMAGE_CHUNKS);
	while (r->at < r->header.range.end) {
		size_t chunk_len = 0, data_len = 0;
		int ret = next_chunk(r, &chunk_len, &data_len, err);

		/* A part is what lies together in the image. */
		if (ret == 0 && part->len > 0)
			break;
		if (ret == 0) {
			part->offset = r->window.offset;
			continue;
		}
		/* The good ones first; that chunk is looked at once more. */
		if (ret < 0 && part->len > 0)
			break;
		if (ret < 0)
			return image_reader_wrap(r, err);
		if (ret == NEXT_DAMAGED && part->len > 0)
			break;
		if (ret == NEXT_DAMAGED)
			return image_reader_lose_chunk(
				r, chunk_len, data_len, err);
		if (is_doubtful(r, data_len) &&
			!image_reader_is_sound(r, data_len, err)) {
			if (part->len > 0)
				break;
			return image_reader_lose_chunk(r, chunk_len,
				image_reader_true_len(r, chunk_len, data_len),
				err);
		}
		if (part->len + chunk_len > IMAGE_PART_BYTES ||
			r->at - part->range.start + data_len >
				IMAGE_PART_MEMORY)
			break;
		memcpy(buf + part->len, window_at(&r->window), chunk_len);
		r->may_go_back = false;
		r->has_last_chunk = r->check;
		r->last_chunk = r->window.offset;
		r->last_chunk_at = r->at;
		r->last_chunk_data = data_len;
		window_skip(&r->window, chunk_len);
		part->len += chunk_len;
		r->at += data_len;
		if (r->salvage)
			break;
	}
	part->range.end = r->at;
	return 1;
}

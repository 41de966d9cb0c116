/* SPDX-License-Identifier: MIT */
/*
 * Damage in the stream of a v2 record: what can be made good of it, and where
 * the stream goes on.
 */

#include "base/cursor.h"
#include "format/framing.h"
#include "format/image_reader_state.h"

/* The longest chunk of data, in bytes. */
#define CHUNK_MAX (FRAMING_HEAD_LEN + FRAMING_BODY_MAX)
/*
 * Bytes that are looked through for chunks, and bodies that are decoded to
 * see whether they are some: so many, and the more the longer the image is.
 * Hostile ones could want many more.
 */
#define SEARCH_LEAST (256u << 20)
#define SEARCH_FACTOR 16
#define TRIES_LEAST (1u << 16)
#define TRIES_EACH 4096

static bool may_search(const struct image_reader *r)
{
	return r->searched < SEARCH_LEAST + SEARCH_FACTOR * r->window.offset;
}

bool image_reader_may_try(struct image_reader *r)
{
	return r->tries++ < TRIES_LEAST + r->window.offset / TRIES_EACH;
}

/* Whether these may be the first bytes of a chunk of data. */
static bool may_be_chunk(const uint8_t head[FRAMING_HEAD_LEN])
{
	struct framing_chunk chunk;
	struct avml_error err;

	/* What costs little first: nearly all places end here. */
	return head[0] <= FRAMING_TYPE_STORED && head[3] <= 1 &&
	       framing_parse_head(head, &chunk, &err) == 0;
}

/* Whether the record's stream could end in front of these bytes. */
static bool may_be_trailer(const uint8_t *at, uint64_t stream_len)
{
	struct cursor c = cursor_over(at, IMAGE_TRAILER_LEN);

	return cursor_u64(&c) == stream_len;
}

/* Whether the bytes at hand are a chunk's, all but for its head. */
static bool is_body(struct image_reader *r, struct framing_chunk *chunk,
	uint64_t left, size_t *data_len)
{
	const uint8_t *body = window_at(&r->window) + FRAMING_HEAD_LEN;

	for (int i = 0; i < 2; i++) {
		struct avml_error err;
		bool zero;

		chunk->kind = i == 0 ? FRAMING_COMPRESSED : FRAMING_STORED;
		if (framing_decode(&r->decoder, chunk, body, r->scratch,
			    sizeof(r->scratch), data_len, &zero, &err) == 0 &&
			*data_len <= left)
			return true;
	}
	return false;
}

/*
 * The head of the chunk at hand is damaged. Its body ends where another chunk
 * begins, or the trailer: the place at which the checksum is right.
 */
static bool find_body(struct image_reader *r, uint64_t left,
	struct framing_chunk *chunk, size_t *data_len)
{
	struct avml_error err;
	const ssize_t n = window_need(&r->window, WINDOW_NEED_MAX, &err);
	const uint8_t *at = window_at(&r->window);
	const uint64_t stream_len = r->window.offset - r->stream_offset;
	size_t len = FRAMING_HEAD_LEN + FRAMING_CRC_LEN + 1;

	for (; n > 0 && len <= CHUNK_MAX &&
		len + IMAGE_TRAILER_LEN <= (size_t)n;
		len++) {
		if (!may_be_chunk(at + len) &&
			!may_be_trailer(at + len, stream_len + len))
			continue;
		if (!may_search(r) || !image_reader_may_try(r))
			return false;
		chunk->body_len = (uint32_t)(len - FRAMING_HEAD_LEN);
		if (is_body(r, chunk, left, data_len))
			return true;
	}
	r->searched += len;
	return false;
}

/*
 * Put a right head in front of the chunk at hand, if that is all that is
 * wrong with it: by its checksum, so that no other will do.
 */
static bool repair_head(struct image_reader *r)
{
	struct framing_chunk chunk;
	size_t data_len;
	uint8_t head[FRAMING_HEAD_LEN];
	uint32_t type = FRAMING_TYPE_COMPRESSED;

	if (!find_body(r, r->header.range.end - r->at, &chunk, &data_len))
		return false;
	if (chunk.kind == FRAMING_STORED)
		type = FRAMING_TYPE_STORED;
	store_le32(head, chunk.body_len << 8 | type);
	window_patch(&r->window, head, sizeof(head));
	return true;
}

/*
 * Whether what says that it may be skipped is a chunk of data, by what is in
 * it: nothing else has a checksum that is right.
 */
static bool is_disguised(struct image_reader *r,
	const struct framing_chunk *skippable, uint64_t *data_len)
{
	struct framing_chunk chunk = *skippable;
	struct avml_error err;
	const size_t chunk_len = FRAMING_HEAD_LEN + chunk.body_len;
	size_t len;

	if (chunk.body_len > FRAMING_BODY_MAX ||
		window_need(&r->window, chunk_len, &err) !=
			(ssize_t)chunk_len ||
		!is_body(r, &chunk, r->header.range.end - r->at, &len))
		return false;
	*data_len = len;
	return true;
}

bool image_reader_is_damaged_data(struct image_reader *r,
	const struct framing_chunk *chunk, uint64_t *missing)
{
	const uint64_t next =
		r->window.offset + FRAMING_HEAD_LEN + chunk->body_len;

	/* What is too short for a checksum is padding in any case. */
	if (chunk->kind != FRAMING_SKIP || !image_reader_goes_on(r) ||
		chunk->body_len <= FRAMING_CRC_LEN)
		return false;
	/* What follows tells, where that can be seen; else what is in it. */
	if (image_reader_missing(r, next, missing))
		return *missing > 0;
	return is_disguised(r, chunk, missing);
}

uint64_t image_reader_true_len(
	struct image_reader *r, size_t chunk_len, size_t data_len)
{
	uint64_t len;

	if (image_reader_missing(r, r->window.offset + chunk_len, &len))
		return len;
	/* Without a trailer to see: what writers put into a chunk. */
	if (data_len == FRAMING_DATA_MAX ||
		data_len == r->header.range.end - r->at)
		return data_len;
	return 0;
}

int image_reader_lose_chunk(struct image_reader *r, size_t chunk_len,
	uint64_t len, struct avml_error *err)
{
	const uint64_t offset = r->window.offset;

	if (repair_head(r)) {
		r->chunk_loss = (struct image_loss){
			.offset = offset,
			.end = offset + FRAMING_HEAD_LEN,
			.range = { r->at, r->at },
		};
		image_loss_reason(&r->chunk_loss, err);
		return READER_LOST;
	}
	r->may_go_back = true;
	r->back_to = offset + FRAMING_HEAD_LEN;
	if (len == 0)
		return image_reader_wrap(r, err);
	r->chunk_loss = (struct image_loss){
		.offset = r->window.offset,
		.end = r->window.offset + chunk_len,
		.range = { r->at, r->at + len },
	};
	image_loss_reason(&r->chunk_loss, err);
	r->at += len;
	return image_reader_skip(r, chunk_len, err) < 0 ? -err->code
							: READER_LOST;
}

/*
 * While checking: the last chunk was handed out as it is, and may be what led
 * us astray by its length. Then whoever decodes it tells of it; here it is
 * enough to go on behind it. True when that was so. Otherwise a search has
 * to begin in it, if it makes no sense.
 */
static bool doubt_last_chunk(struct image_reader *r)
{
	const uint64_t here = r->window.offset;
	const uint64_t left = r->header.range.end - r->last_chunk_at;
	struct framing_chunk chunk;
	struct avml_error err;
	size_t data_len;

	if (!r->has_last_chunk)
		return false;
	r->has_last_chunk = false;
	if (!window_back_to(&r->window, r->last_chunk))
		return false;
	if (!image_reader_is_sound(r, r->last_chunk_data, &err)) {
		r->may_go_back = true;
		r->back_to = r->last_chunk + FRAMING_HEAD_LEN;
		if (find_body(r, left, &chunk, &data_len)) {
			window_skip(
				&r->window, FRAMING_HEAD_LEN + chunk.body_len);
			r->may_go_back = false;
			r->at = r->last_chunk_at + data_len;
			r->state = READER_CHUNKS;
			return true;
		}
	}
	window_skip(&r->window, (size_t)(here - r->last_chunk));
	return false;
}

/*
 * Where the record's stream goes on behind damage: from there chunk follows
 * upon chunk up to a right trailer, which tells too how much memory is
 * missing in between.
 */
static bool find_chunk(struct image_reader *r, uint64_t from, uint64_t *found,
	uint64_t *missing)
{
	const struct image_input *input = r->window.input;
	uint64_t at = from;

	while (at - from < CHUNK_MAX && may_search(r)) {
		const ssize_t n = input->peek(
			input->ctx, r->scratch, sizeof(r->scratch), at);
		size_t i = 0;

		for (; n > 0 && i + FRAMING_HEAD_LEN <= (size_t)n; i++) {
			if (may_be_chunk(r->scratch + i) &&
				image_reader_missing(r, at + i, missing) &&
				*missing <= FRAMING_DATA_MAX) {
				*found = at + i;
				return true;
			}
		}
		if (i == 0)
			return false;
		r->searched += i;
		at += i;
	}
	return false;
}

/* Whether the damage is not in the chunk at hand. */
static bool at_sound_chunk(struct image_reader *r)
{
	struct avml_error err;
	const ssize_t n = window_need(&r->window, WINDOW_NEED_MAX, &err);
	const uint8_t *at = window_at(&r->window);
	struct framing_chunk chunk;
	size_t len;

	return n >= FRAMING_HEAD_LEN &&
	       framing_parse_head(at, &chunk, &err) == 0 &&
	       framing_is_data(chunk.kind) &&
	       chunk.body_len <= (size_t)n - FRAMING_HEAD_LEN &&
	       framing_data_len(&chunk, at + FRAMING_HEAD_LEN, chunk.body_len,
		       &len, &err) == 0 &&
	       image_reader_is_sound(r, len, &err);
}

int image_reader_repair_stream(struct image_reader *r, struct image_loss *loss)
{
	struct window *w = &r->window;
	const uint64_t here = w->offset;
	uint64_t from = here, found, missing;
	struct avml_error err;

	loss->offset = r->last_chunk;
	if (doubt_last_chunk(r)) {
		loss->end = loss->offset + FRAMING_HEAD_LEN;
		loss->range = (struct avml_range){ r->at, r->at };
		/* Nobody decodes it then. */
		return r->heads ? 2 : READER_AGAIN;
	}
	loss->offset = here;
	/* If the chunk is sound, the record's length is what is wrong. */
	if (r->state != READER_CHUNKS || !r->stream_started ||
		at_sound_chunk(r))
		return 0;
	if (repair_head(r)) {
		loss->end = here + FRAMING_HEAD_LEN;
		loss->range = (struct avml_range){ r->at, r->at };
		return 2;
	}
	if (r->may_go_back && r->back_to < here)
		from = r->back_to;
	if (!w->input->peek || !find_chunk(r, from, &found, &missing))
		return 0;
	if (found < here ? !window_back_to(w, found)
			 : image_reader_skip(r, found - here, &err) < 0)
		return 0;
	r->may_go_back = false;
	if (from < here)
		loss->offset = from - FRAMING_HEAD_LEN;
	loss->end = found;
	loss->range = (struct avml_range){ r->at, r->at + missing };
	r->at += missing;
	return 2;
}

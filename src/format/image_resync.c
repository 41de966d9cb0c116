/* SPDX-License-Identifier: MIT */
/* Salvage: from damage to the next record that makes sense. */
#include <errno.h>
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

#define PAGE 4096u
/* Each may search the image to its end: hostile ones could want many. */
#define PROOFS_MAX 64
/*
 * How far behind a damaged chunk the next one is looked for, and how many
 * bytes of an image may be looked through for that.
 */
#define SEARCH_LEN (FRAMING_HEAD_LEN + FRAMING_BODY_MAX)
#define SEARCH_MAX (256u << 20)
/* A header, and what stands behind that of a v2 record. */
#define LOOK_LEN (AVML_RECORD_HEADER_SIZE + FRAMING_IDENT_LEN)

/* The header of a record, at an offset that can be peeked at. */
static bool peek_header(const struct image_reader *r, uint64_t offset,
	struct avml_record_header *header, bool *at_end)
{
	const struct image_input *input = r->window.input;
	uint8_t wire[AVML_RECORD_HEADER_SIZE];
	struct avml_error err;
	const ssize_t n = input->peek(input->ctx, wire, sizeof(wire), offset);

	*at_end = n == 0;
	return n == (ssize_t)sizeof(wire) &&
	       avml_record_header_decode(wire, header, &err) == 0;
}

/*
 * Whether the image ends, or a record begins, where a v1 record at `offset`
 * has its end. Where the image cannot be peeked at, nothing speaks against.
 */
static bool is_followed(const struct image_reader *r, uint64_t offset,
	const struct avml_record_header *header)
{
	const struct image_input *input = r->window.input;
	struct avml_record_header next;
	uint64_t end;
	uint8_t last;
	bool at_end;

	if (!input->peek)
		return true;
	if (__builtin_add_overflow(offset,
		    AVML_RECORD_HEADER_SIZE + avml_range_len(header->range),
		    &end))
		return false;
	if (peek_header(r, end, &next, &at_end))
		return true;
	/* Nothing is there: the image ends here, or ended long before. */
	return at_end && input->peek(input->ctx, &last, 1, end - 1) == 1;
}

/* Whether what stands behind a v2 header is a stream, with a sound chunk. */
static bool has_stream(struct image_reader *r, const uint8_t *at, size_t len)
{
	struct framing_chunk chunk;
	struct avml_error err;
	size_t data_len;
	bool zero;

	if (len < LOOK_LEN + FRAMING_HEAD_LEN ||
		memcmp(at + AVML_RECORD_HEADER_SIZE, framing_ident,
			FRAMING_IDENT_LEN) != 0)
		return false;
	at += LOOK_LEN;
	len -= LOOK_LEN + FRAMING_HEAD_LEN;
	return framing_parse_head(at, &chunk, &err) == 0 &&
	       framing_is_data(chunk.kind) && chunk.body_len <= len &&
	       framing_decode(&r->decoder, &chunk, at + FRAMING_HEAD_LEN,
		       r->scratch, sizeof(r->scratch), &data_len, &zero,
		       &err) == 0;
}

/*
 * Whether a record begins at the `len` bytes at hand. Memory may hold
 * headers of images that were in it, so one has to prove itself: not before
 * what is known to be behind us, of the same format as the rest, and
 * followed by what has to follow.
 */
static bool is_record(struct image_reader *r, const uint8_t *at, size_t len)
{
	struct avml_record_header header;
	struct avml_error err;

	if (len < AVML_RECORD_HEADER_SIZE ||
		avml_record_header_decode(at, &header, &err) < 0)
		return false;
	if (r->records > 0 && (header.format != r->first_format ||
				      header.range.start < r->trusted_end))
		return false;
	if (header.format == AVML_RECORD_AVML)
		return has_stream(r, at, len);
	/* AVML's ends lack a byte. */
	return header.range.start % PAGE == 0 &&
	       (header.range.end % PAGE == 0 ||
		       header.range.end % PAGE == PAGE - 1) &&
	       is_followed(r, r->window.offset, &header);
}

/* Both magics begin with one of these, read as bytes. */
static const uint8_t *find_magic(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i + 4 <= len; i++) {
		if (memcmp(at + i, "EMiL", 4) == 0 ||
			memcmp(at + i, "AVML", 4) == 0)
			return at + i;
	}
	return NULL;
}

static int find_record(struct image_reader *r, struct avml_error *err)
{
	struct window *w = &r->window;

	for (;;) {
		ssize_t n = window_need(w, WINDOW_NEED_MAX, err);
		const uint8_t *found;

		if (n < 0)
			return (int)n;
		if (n < 4) {
			window_skip(w, (size_t)n);
			r->state = READER_END;
			return 0;
		}
		found = find_magic(window_at(w), (size_t)n);
		if (!found) {
			/* The last three may begin one. */
			window_skip(w, (size_t)n - 3);
			continue;
		}
		window_skip(w, (size_t)(found - window_at(w)));
		n = window_need(w, WINDOW_NEED_MAX, err);
		if (n < 0)
			return (int)n;
		if (is_record(r, window_at(w), (size_t)n)) {
			r->state = READER_HEADER;
			r->resynced = true;
			return 0;
		}
		window_skip(w, 1);
	}
}

/*
 * A damaged length, or a trailer that is missing, may have led us past the
 * next record. Not twice over the same bytes, or a hostile image would have
 * us read it many times.
 */
static bool go_back(struct image_reader *r)
{
	const uint64_t origin = r->window.offset;

	if (!r->may_go_back || r->back_to < r->back_limit ||
		!window_back_to(&r->window, r->back_to))
		return false;
	r->may_go_back = false;
	r->back_limit = origin;
	return true;
}

/*
 * A chunk that was taken and makes no sense: its length may be what led us
 * astray, so that the search begins in it.
 */
static void doubt_last_chunk(struct image_reader *r)
{
	const uint64_t here = r->window.offset;
	struct avml_error err;

	if (!r->has_last_chunk)
		return;
	r->has_last_chunk = false;
	if (!window_back_to(&r->window, r->last_chunk))
		return;
	if (!image_reader_is_sound(r, r->last_chunk_data, &err)) {
		r->may_go_back = true;
		r->back_to = r->last_chunk + FRAMING_HEAD_LEN;
	}
	window_skip(&r->window, (size_t)(here - r->last_chunk));
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

	while (at - from < SEARCH_LEN && r->searched < SEARCH_MAX) {
		const ssize_t n = input->peek(
			input->ctx, r->scratch, sizeof(r->scratch), at);
		size_t i = 0;

		for (; n > 0 && i + FRAMING_HEAD_LEN <= (size_t)n; i++) {
			if (may_be_chunk(r->scratch + i) &&
				image_reader_missing(
					r, at + i, FRAMING_DATA_MAX, missing)) {
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

/* Go on within a record of v2. False when nothing there makes sense. */
static bool resync_in_record(struct image_reader *r, struct image_loss *loss)
{
	struct window *w = &r->window;
	const uint64_t here = w->offset;
	uint64_t from = here, found, missing;
	struct avml_error err;

	/* If the chunk is sound, the record's length is what is wrong. */
	if (r->state != READER_CHUNKS || !r->stream_started ||
		!w->input->peek || at_sound_chunk(r))
		return false;
	if (r->may_go_back && r->back_to < here)
		from = r->back_to;
	if (!find_chunk(r, from, &found, &missing))
		return false;
	if (found < here ? !window_back_to(w, found)
			 : image_reader_skip(r, found - here, &err) < 0)
		return false;
	r->may_go_back = false;
	loss->offset = from < here ? from - FRAMING_HEAD_LEN : here;
	loss->end = found;
	loss->range = (struct avml_range){ r->at, r->at + missing };
	r->at += missing;
	return true;
}

/* The memory that is missing ends where the next record begins, at least. */
static void bound_loss(const struct image_reader *r, struct image_loss *loss)
{
	struct avml_record_header next;
	struct avml_error err;

	if (r->state != READER_HEADER ||
		avml_record_header_decode(window_at(&r->window), &next, &err) <
			0)
		return;
	if (next.range.start >= loss->range.start &&
		next.range.start < loss->range.end)
		loss->range.end = next.range.start;
}

int image_reader_resync(
	struct image_reader *r, struct image_loss *loss, struct avml_error *err)
{
	const bool in_record = r->state != READER_HEADER;
	int ret;

	if (r->window.failed)
		return -err->code;
	*loss = (struct image_loss){ .offset = r->window.offset };
	image_loss_reason(loss, err);
	doubt_last_chunk(r);
	if (resync_in_record(r, loss))
		return 2;
	/* Of what a header lacks is known only where it may begin. */
	loss->range = (struct avml_range){ r->at, r->at };
	if (in_record) {
		loss->range = (struct avml_range){ r->at, r->header.range.end };
		/* What it claims beyond is worth nothing. */
		r->last_end = r->at;
	}
	if (go_back(r))
		loss->offset = r->window.offset;
	/* The header itself makes no sense: the next is behind its start. */
	else if (!in_record && window_need(&r->window, 1, err) == 1)
		window_skip(&r->window, 1);
	ret = find_record(r, err);
	if (ret < 0)
		return ret;
	loss->end = r->window.offset;
	bound_loss(r, loss);
	return 2;
}

/* Where a record begins in the data of the current one, as an offset. */
static bool find_within(const struct image_reader *r, uint64_t *offset)
{
	const struct image_input *input = r->window.input;
	uint64_t at = r->window.offset;
	uint8_t page[PAGE + AVML_RECORD_HEADER_SIZE];

	/* Records hold whole pages, or AVML's lack of a last byte. */
	for (;; at += PAGE) {
		const ssize_t n = input->peek(
			input->ctx, page, sizeof(page), at + PAGE - 1);
		struct avml_record_header next;
		struct avml_error err;

		/* A record has data behind its header. */
		if (n < AVML_RECORD_HEADER_SIZE + 1)
			return false;
		for (size_t i = 0; i < 2; i++) {
			const uint64_t here = at + PAGE - 1 + i;

			if (avml_record_header_decode(page + i, &next, &err) ==
					0 &&
				next.format == AVML_RECORD_LIME &&
				next.range.start >=
					r->at + (here - r->window.offset) &&
				is_followed(r, here, &next)) {
				*offset = here;
				return true;
			}
		}
	}
}

void image_reader_prove_end(struct image_reader *r)
{
	const struct image_input *input = r->window.input;
	uint64_t offset;

	if (!input->peek ||
		is_followed(r, r->window.offset - AVML_RECORD_HEADER_SIZE,
			&r->header) ||
		r->proofs++ >= PROOFS_MAX)
		return;
	/* Else the image ends within it, which is told when it does. */
	if (find_within(r, &offset) &&
		offset - r->window.offset < avml_range_len(r->header.range)) {
		image_reader_note(r, IMAGE_ODD_END,
			r->window.offset - AVML_RECORD_HEADER_SIZE);
		r->header.range.end = r->at + (offset - r->window.offset);
		r->last_end = r->header.range.end;
		r->run_end = r->header.range.end;
	}
}

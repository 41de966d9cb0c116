/* SPDX-License-Identifier: MIT */
/* Salvage: from damage to the next record that makes sense. */
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

/* A header, and what stands behind that of a v2 record. */
#define LOOK_LEN (AVML_RECORD_HEADER_SIZE + FRAMING_IDENT_LEN)

/* Whether what stands behind a v2 header is a stream. */
static bool has_stream(const uint8_t *at, size_t len)
{
	return len >= LOOK_LEN &&
	       memcmp(at + AVML_RECORD_HEADER_SIZE, framing_ident,
		       FRAMING_IDENT_LEN) == 0;
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
		return has_stream(at, len);
	/* AVML's ends lack a byte. */
	return header.range.start % PAGE == 0 &&
	       (header.range.end % PAGE == 0 ||
		       header.range.end % PAGE == PAGE - 1) &&
	       image_reader_is_followed(r, r->window.offset, &header);
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
	uint64_t origin;
	int ret;

	if (r->window.failed)
		return -err->code;
	*loss = (struct image_loss){ .offset = r->window.offset };
	image_loss_reason(loss, err);
	ret = image_reader_repair_stream(r, loss);
	if (ret != 0)
		return ret;
	/* Of what a header lacks is known only where it may begin. */
	loss->range = (struct avml_range){ r->at, r->at };
	if (in_record) {
		loss->range = (struct avml_range){ r->at, r->header.range.end };
		/* What it claims beyond is worth nothing. */
		r->last_end = r->at;
	}
	origin = r->window.offset;
	if (go_back(r))
		/* More may be lost than what led us here. */
		loss->offset = r->window.offset;
	/* The header itself makes no sense: the next is behind its start. */
	else if (!in_record && window_need(&r->window, 1, err) == 1)
		window_skip(&r->window, 1);
	ret = find_record(r, err);
	if (ret < 0)
		return ret;
	loss->end = r->window.offset;
	if (loss->end >= origin)
		loss->offset = origin;
	bound_loss(r, loss);
	return 2;
}

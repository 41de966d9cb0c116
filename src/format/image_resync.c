/* SPDX-License-Identifier: MIT */
/* Salvage: from damage to the next record that makes sense. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

#define PAGE 4096u
/* A header, and what stands behind that of a v2 record. */
#define LOOK_LEN (AVML_RECORD_HEADER_SIZE + FRAMING_IDENT_LEN)

/*
 * Whether a record begins here. Memory may hold headers of images that
 * were in it, so one has to fit: not before what we have, the format of
 * the rest, and where the format has no more to offer, whole pages.
 */
static bool is_record(
	const struct image_reader *r, const uint8_t *bytes, ssize_t n)
{
	struct avml_record_header header;
	struct avml_error err;

	if (n < AVML_RECORD_HEADER_SIZE ||
		avml_record_header_decode(bytes, &header, &err) < 0)
		return false;
	if (r->records > 0 && (header.format != r->first_format ||
				      header.range.start < r->last_end))
		return false;
	if (header.format == AVML_RECORD_AVML)
		return n == LOOK_LEN &&
		       memcmp(bytes + AVML_RECORD_HEADER_SIZE, framing_ident,
			       FRAMING_IDENT_LEN) == 0;
	/* AVML's ends lack a byte. */
	return header.range.start % PAGE == 0 &&
	       (header.range.end % PAGE == 0 ||
		       header.range.end % PAGE == PAGE - 1);
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
		const ssize_t n = window_need(w, WINDOW_NEED_MAX, err);
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
		{
			const ssize_t have = window_need(w, LOOK_LEN, err);

			if (have < 0)
				return (int)have;
			if (is_record(r, window_at(w), have)) {
				r->state = READER_HEADER;
				return 0;
			}
		}
		window_skip(w, 1);
	}
}

int image_reader_resync(
	struct image_reader *r, struct image_loss *loss, struct avml_error *err)
{
	const bool in_record = r->state != READER_HEADER;
	uint64_t from = r->window.offset;
	int ret;

	if (err->code != EINVAL && err->code != EPROTO)
		return -err->code;
	*loss = (struct image_loss){ .offset = from };
	snprintf(loss->reason, sizeof(loss->reason), "%s",
		avml_error_message(err, err->depth - 1));
	if (in_record)
		loss->range = (struct avml_range){ r->at, r->header.range.end };
	/*
	 * A damaged length may have led us past the next record: begin
	 * behind the head of the chunk that was taken last.
	 */
	if (r->state == READER_CHUNKS && r->stream_started &&
		r->chunk_offset >= r->stream_offset)
		from = r->chunk_offset + FRAMING_HEAD_LEN;
	if (!window_back_to(&r->window, from))
		from = r->window.offset;
	/* The header itself makes no sense: the next is behind its start. */
	if (!in_record && window_need(&r->window, 1, err) == 1)
		window_skip(&r->window, 1);
	ret = find_record(r, err);
	if (ret < 0)
		return ret;
	loss->end = r->window.offset;
	return 2;
}

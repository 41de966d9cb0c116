/* SPDX-License-Identifier: MIT */
/* Salvage: from damage to the next record that makes sense. */
#include <errno.h>
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

#define PAGE 4096u
/*
 * Each may search the image to its end, which hostile ones could want often:
 * all in all twice as far as the image reaches, or a bit more.
 */
#define PROOF_LEAST (64u << 20)
#define PROOF_FACTOR 2
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

/* Whether a record with data begins at `at`, `offset` of the image. */
static bool is_record_within(
	const struct image_reader *r, const uint8_t *at, uint64_t offset)
{
	struct avml_record_header next;
	struct avml_error err;

	return memcmp(at, "EMiL", 4) == 0 &&
	       avml_record_header_decode(at, &next, &err) == 0 &&
	       next.range.start >= r->at + (offset - r->window.offset) &&
	       is_followed(r, offset, &next);
}

/*
 * Where a record begins in the data of the current one, as an offset. Records
 * hold whole pages, or AVML's lack of a last byte.
 */
static bool find_within(struct image_reader *r, uint64_t *offset)
{
	const struct image_input *input = r->window.input;
	const size_t step = sizeof(r->scratch) / PAGE * PAGE - PAGE;
	uint64_t at = r->window.offset + PAGE - 1;

	for (;; at += step) {
		const ssize_t n = input->peek(
			input->ctx, r->scratch, sizeof(r->scratch), at);

		r->proven += step;
		if (n < 0 ||
			r->proven > PROOF_LEAST + PROOF_FACTOR * (at + step))
			return false;
		/* A header, one byte further on as well, and data behind. */
		for (size_t i = 0; i < step; i += PAGE) {
			if (i + AVML_RECORD_HEADER_SIZE + 1 > (size_t)n)
				return false;
			for (size_t j = i; j < i + 2; j++) {
				if (!is_record_within(
					    r, r->scratch + j, at + j))
					continue;
				*offset = at + j;
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
			&r->header))
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

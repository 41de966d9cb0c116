/* SPDX-License-Identifier: MIT */
/*
 * While salvaging or checking: whether what a header claims is so, by what
 * follows it, and what it should have been.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

/*
 * Each may search the image to its end, which hostile ones could want often:
 * all in all twice as far as the image reaches, or a bit more.
 */
#define PROOF_LEAST (64u << 20)
#define PROOF_FACTOR 2

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

bool image_reader_is_followed(const struct image_reader *r, uint64_t offset,
	const struct avml_record_header *header)
{
	const struct image_input *input = r->window.input;
	struct avml_record_header next;
	uint64_t end;
	uint8_t last;
	bool at_end;

	if (!input->peek)
		return true;
	if (__builtin_add_overflow(
		    offset, avml_range_len(header->range), &end) ||
		__builtin_add_overflow(end, AVML_RECORD_HEADER_SIZE, &end))
		return false;
	if (peek_header(r, end, &next, &at_end))
		return true;
	/* Nothing is there: the image ends here, or ended long before. */
	return at_end && input->peek(input->ctx, &last, 1, end - 1) == 1;
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
	       image_reader_is_followed(r, offset, &next);
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
		image_reader_is_followed(r,
			r->window.offset - AVML_RECORD_HEADER_SIZE, &r->header))
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

/* What lies between a v2 record's identifier and its trailer. */
struct stream {
	uint64_t memory; /* that the chunks claim to hold */
	uint64_t end;	 /* offset behind the trailer */
	/* The next record's address, and UINT64_MAX at the image's end. */
	uint64_t next_start;
};

/*
 * Whether a chunk is what it claims to be: data that decodes, or padding too
 * short to be damaged data.
 */
static bool is_proven(
	struct image_reader *r, const struct image_look *look, uint64_t offset)
{
	const struct image_input *input = r->window.input;
	const size_t len = look->chunk.body_len;
	struct avml_error err;
	size_t data_len;
	bool zero;

	if (look->chunk.kind == FRAMING_SKIP)
		return len <= FRAMING_CRC_LEN;
	if (!image_reader_may_try(r))
		return false;
	if (look->chunk.kind == FRAMING_IDENT)
		return input->peek(input->ctx, r->body, len,
			       offset + FRAMING_HEAD_LEN) == (ssize_t)len &&
		       framing_check_ident(r->body, &err) == 0;
	return input->peek(input->ctx, r->body, len,
		       offset + FRAMING_HEAD_LEN) == (ssize_t)len &&
	       framing_decode(&r->decoder, &look->chunk, r->body, r->scratch,
		       sizeof(r->scratch), &data_len, &zero, &err) == 0 &&
	       data_len == look->data_len;
}

/*
 * Go along the chunks up to a right trailer which a record follows, or
 * nothing. With `prove`, each chunk has to be what it claims to be.
 */
static bool walk_stream(
	struct image_reader *r, bool prove, struct stream *stream)
{
	uint64_t offset = r->window.offset;
	struct image_look look;

	stream->memory = 0;
	while (image_reader_look(r, offset, &look)) {
		struct avml_record_header next;
		bool at_end;

		stream->end = offset + IMAGE_TRAILER_LEN;
		if (look.is_trailer &&
			(peek_header(r, stream->end, &next, &at_end) ||
				at_end)) {
			stream->next_start =
				at_end ? UINT64_MAX : next.range.start;
			return true;
		}
		if (!look.is_chunk || (prove && !is_proven(r, &look, offset)))
			break;
		stream->memory += look.data_len;
		offset += FRAMING_HEAD_LEN + look.chunk.body_len;
	}
	return false;
}

/* Whether a record could be there, between those before and behind it. */
static bool fits(struct avml_range range, uint64_t before, uint64_t behind)
{
	return range.start >= before && range.end <= behind &&
	       range.start % PAGE == 0;
}

/*
 * One end of the record's range is damaged, and the other one and the length
 * tell where it was: if only one of the two leaves the record between its
 * neighbours. Where both do, nothing else is worth a guess: a single bit of
 * either end moves it by a block's length, onto a gap that such blocks left.
 */
static bool find_range(const struct image_reader *r,
	const struct stream *stream, struct avml_range *range)
{
	const struct avml_range is = r->header.range;
	const uint64_t before = r->before_end, behind = stream->next_start;
	struct avml_range by_start = is, by_end = is;
	const bool start = !__builtin_add_overflow(
				   is.start, stream->memory, &by_start.end) &&
			   fits(by_start, before, behind);
	const bool end = !__builtin_sub_overflow(
				 is.end, stream->memory, &by_end.start) &&
			 fits(by_end, before, behind);

	*range = start ? by_start : by_end;
	return start != end;
}

/* Where its memory was is not known: the next record is what follows. */
static int lose_record(struct image_reader *r, const struct stream *stream,
	struct avml_error *err)
{
	avml_error_set(err, EINVAL,
		"the range of the record is not as long as its memory (%" PRIu64
		" bytes), and which end of it is wrong is not known",
		stream->memory);
	r->chunk_loss = (struct image_loss){
		.offset = r->record_offset,
		.end = stream->end,
		.range = { r->before_end, r->before_end },
		.unplaced = stream->memory,
	};
	image_loss_reason(&r->chunk_loss, err);
	r->at = r->before_end;
	r->last_end = r->before_end;
	r->resynced = true;
	r->state = READER_HEADER;
	return image_reader_skip(r, stream->end - r->window.offset, err) < 0
		       ? -err->code
		       : READER_LOST;
}

int image_reader_prove_range(struct image_reader *r, struct avml_error *err)
{
	struct stream stream;
	struct avml_range range;

	if (!r->window.input->peek || !walk_stream(r, false, &stream) ||
		stream.memory == avml_range_len(r->header.range) ||
		/* Or a chunk does not hold what it claims to. */
		!walk_stream(r, true, &stream))
		return READER_AGAIN;
	if (find_range(r, &stream, &range)) {
		r->header.range = range;
		r->last_end = range.end;
	} else if (r->salvage) {
		return lose_record(r, &stream, err);
	} else {
		/* Its memory can be checked, wherever it was. */
		if (__builtin_add_overflow(r->at, stream.memory, &range.end))
			return READER_AGAIN;
		r->header.range.end = range.end;
		r->last_end = r->before_end;
	}
	r->at = r->header.range.start;
	r->run_end = r->header.range.end;
	image_reader_note(r, IMAGE_ODD_RANGE, r->record_offset);
	return READER_AGAIN;
}

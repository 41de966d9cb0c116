/* SPDX-License-Identifier: MIT */
#include "format/image_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/framing.h"
#include "format/image_reader_state.h"

/* How far ahead to look for records that follow without a gap. */
#define RUN_MAX (128u << 20)
#define RUN_RECORDS_MAX 16

struct image_reader *image_reader_new(const struct image_input *input,
	const struct image_reader_options *options)
{
	struct image_reader *r = malloc(sizeof(*r));

	if (!r)
		return NULL;
	memset(r, 0, offsetof(struct image_reader, window));
	window_init(&r->window, input);
	framing_decoder_init(&r->decoder);
	r->salvage = options->salvage;
	r->check = options->check;
	r->heads = options->heads;
	r->runs = options->runs;
	r->raw = options->raw_size > 0;
	if (r->raw) {
		r->state = READER_PLAIN;
		r->header.format = AVML_RECORD_LIME;
		r->header.range.end = options->raw_size;
		r->run_end = options->raw_size;
	}
	return r;
}

void image_loss_reason(struct image_loss *loss, const struct avml_error *err)
{
	snprintf(loss->reason, sizeof(loss->reason), "%s",
		avml_error_message(err, err->depth - 1));
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

uint64_t image_reader_records(const struct image_reader *r)
{
	return r->records;
}

uint64_t image_reader_offset(const struct image_reader *r)
{
	return r->window.offset;
}

void image_reader_part(const struct image_reader *r, struct image_part *part,
	enum image_part_kind kind)
{
	*part = (struct image_part){
		.kind = kind,
		.format = r->header.format,
		.range = { r->at, r->at },
		.record = r->header.range,
		.record_offset = r->record_offset,
		.run_end = r->run_end,
		.offset = r->window.offset,
	};
}

void image_reader_note(
	struct image_reader *r, enum image_oddity which, uint64_t offset)
{
	struct image_part *part;

	if (r->oddities[which].count++ == 0)
		r->oddities[which].offset = offset;
	if (!r->check || r->pending_count == PENDING_MAX)
		return;
	part = &r->pending[r->pending_count++];
	image_reader_part(r, part, IMAGE_ODDITY);
	part->offset = offset;
	part->oddity = which;
}

int image_reader_wrap(struct image_reader *r, struct avml_error *err)
{
	return avml_error_wrap(err,
		"record 0x%" PRIx64 "-0x%" PRIx64 ", at offset %" PRIu64
		" (address 0x%" PRIx64 ")",
		r->header.range.start, r->header.range.end, r->window.offset,
		r->at);
}

/* Where the records go on without a gap, as far as can be seen. */
static uint64_t look_ahead(const struct image_reader *r)
{
	const struct image_input *input = r->window.input;
	const struct avml_range first = r->header.range;
	uint64_t end = first.end, offset = r->window.offset;
	struct avml_range last = first;

	if (!r->runs || !input->peek || r->header.format != AVML_RECORD_LIME)
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

	r->record_offset = offset;
	r->at = range.start;
	r->run_end = range.end;
	if (r->records == 0)
		r->first_format = r->header.format;
	else if (r->header.format != r->first_format)
		image_reader_note(r, IMAGE_ODD_MIXED, offset);
	if (r->records > 0 && range.start < r->last_end)
		image_reader_note(r, IMAGE_ODD_ORDER, offset);
	if (range.end % PAGE != 0)
		image_reader_note(r, IMAGE_ODD_PARTIAL_PAGE, offset);
	r->records++;
	r->before_end = r->last_end;
	r->last_end = range.end;
	r->stream_offset = r->window.offset;
	r->stream_started = false;
	r->skipped = 0;
	r->may_go_back = false;
	r->has_last_chunk = false;
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
	/* Something follows where the record before ended: it was one. */
	if (!r->resynced && r->records > 0)
		r->trusted_end = r->header.range.end;
	r->resynced = false;
	r->header = r->next_header;
	begin_record(r, offset);
	if (image_reader_goes_on(r) && !r->heads &&
		r->header.format == AVML_RECORD_LIME)
		image_reader_prove_end(r);
	return READER_AGAIN;
}

static int next_plain(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct avml_error *err)
{
	const uint64_t left = r->header.range.end - r->at;
	const uint64_t want =
		left < IMAGE_PART_MEMORY || r->heads ? left : IMAGE_PART_MEMORY;
	uint64_t got = 0;
	int ret;

	if (left == 0) {
		r->state = r->raw ? READER_END : READER_HEADER;
		return READER_AGAIN;
	}
	image_reader_part(r, part, IMAGE_PLAIN);
	if (r->heads)
		ret = window_jump(&r->window, want, &got, err);
	else
		ret = window_take(&r->window, buf, (size_t)want, &got, err);
	if (ret < 0)
		return ret;
	if (got < want && (got == 0 || !image_reader_goes_on(r))) {
		avml_error_set(err, EINVAL,
			"the image ends %" PRIu64 " bytes before the record "
			"does",
			left - got);
		return image_reader_wrap(r, err);
	}
	r->at += got;
	part->range.end = r->at;
	part->len = got;
	return 1;
}

int image_reader_begin(
	struct image_reader *r, struct image_loss *loss, struct avml_error *err)
{
	int ret;

	if (r->raw)
		return 0;
	ret = read_header(r, err);
	if (ret >= 0)
		return 0;
	if (!image_reader_goes_on(r))
		return ret;
	/* There is no record to go on in yet. */
	ret = image_reader_resync(r, &r->first_loss, err);
	if (ret < 0)
		return ret;
	*loss = r->first_loss;
	if (r->state == READER_END)
		return avml_error_wrap(err, "there is no record in it");
	r->has_first_loss = true;
	return 0;
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
		return image_reader_chunks(r, buf, part, err);
	case READER_END:
		return 0;
	}
	return 0;
}

/* The next oddity that was noted since the last part. */
static bool hand_out_oddity(struct image_reader *r, struct image_part *part)
{
	if (r->pending_next == r->pending_count) {
		r->pending_next = 0;
		r->pending_count = 0;
		return false;
	}
	*part = r->pending[r->pending_next++];
	return true;
}

int image_reader_next(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct image_loss *loss,
	struct avml_error *err)
{
	int ret;

	if (r->has_first_loss) {
		r->has_first_loss = false;
		*loss = r->first_loss;
		return 2;
	}
	if (hand_out_oddity(r, part))
		return 1;
	if (r->failed < 0) {
		*err = r->failure;
		return r->failed;
	}
	do {
		ret = step(r, buf, part, err);
		if (ret < 0 && image_reader_goes_on(r))
			ret = image_reader_resync(r, loss, err);
		if (ret == READER_AGAIN && hand_out_oddity(r, part))
			return 1;
	} while (ret == READER_AGAIN);
	if (ret == READER_LOST) {
		*loss = r->chunk_loss;
		return 2;
	}
	if (ret < 0) {
		r->failed = ret;
		r->failure = *err;
	}
	return ret;
}

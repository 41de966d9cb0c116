/* SPDX-License-Identifier: MIT */
#include "job/image_writer.h"

#include <assert.h>

#include <avml/record.h>

#include "base/cancel.h"
#include "format/zero.h"

/*
 * Zeros inside a piece become a hole from this length on. At the piece's
 * edges any run counts, since it may go on in the next piece.
 */
#define INNER_RUN_UNITS ((64u << 10) / ZERO_UNIT)

const struct image_format *image_format_of(enum avml_image_format format)
{
	switch (format) {
	case AVML_IMAGE_RAW:
		return &image_format_raw;
	case AVML_IMAGE_LIME:
		return &image_format_lime;
	case AVML_IMAGE_LIME_COMPRESSED:
		return &image_format_avml;
	case AVML_IMAGE_NONE:
		break;
	}
	return NULL;
}

int image_writer_init(struct image_writer *w,
	const struct image_writer_options *options,
	const struct image_writer_events *events, struct avml_error *err)
{
	*w = (struct image_writer){
		.format = image_format_of(options->format),
		.options = *options,
		.events = *events,
	};
	/* Commands without a format are refused before there is a writer. */
	assert(w->format);
	assembler_init(&w->assembler, &w->format->output, w,
		options->keep_zeros || w->format->keep_zeros);
	return w->format->init ? w->format->init(w, err) : 0;
}

void image_writer_release(struct image_writer *w)
{
	if (w->format && w->format->release)
		w->format->release(w);
}

int image_writer_header(struct image_writer *w, enum avml_record_format format,
	struct avml_range range, struct avml_error *err)
{
	const struct avml_record_header header = { format, range };
	uint8_t wire[AVML_RECORD_HEADER_SIZE];

	w->record_offset = avml_sink_position(w->sink);
	w->record_open = true;
	avml_record_header_encode(&header, wire);
	return avml_sink_write(w->sink, wire, sizeof(wire), err);
}

/* Data up to the next run of zeros that is worth telling the sink of. */
static size_t data_end(const uint8_t *zero_units, size_t count, size_t first)
{
	size_t i = first;

	while (i < count) {
		const size_t end = zero_run_end(zero_units, count, i);

		if (zero_units[i] &&
			(end == count || end - i >= INNER_RUN_UNITS))
			break;
		i = end;
	}
	return i;
}

int image_writer_plain(struct image_writer *w, const struct piece *piece,
	struct avml_error *err)
{
	const uint64_t len = avml_range_len(piece->range);
	const size_t count = (size_t)((len + ZERO_UNIT - 1) / ZERO_UNIT);
	int ret = 0;

	/* Zeros begin a turn only as a run that is worth it. */
	for (size_t i = 0, end; i < count && ret == 0; i = end) {
		const uint64_t at = (uint64_t)i * ZERO_UNIT;
		uint64_t stop;

		end = piece->zero_units[i]
			      ? zero_run_end(piece->zero_units, count, i)
			      : data_end(piece->zero_units, count, i);
		stop = (uint64_t)end * ZERO_UNIT;
		if (stop > len)
			stop = len;
		if (piece->zero_units[i])
			ret = avml_sink_zeros(w->sink, stop - at, err);
		else
			ret = avml_sink_write(w->sink, piece->bytes + at,
				(size_t)(stop - at), err);
	}
	return ret;
}

void image_writer_begin(struct image_writer *w)
{
	w->record_begin = w->block_begin;
}

void image_writer_block_end(struct image_writer *w)
{
	w->record_end = w->piece_end;
}

void image_writer_end(struct image_writer *w, struct avml_range range)
{
	const struct avml_image_record record = {
		.range = range,
		.offset = w->record_offset,
		.len = avml_sink_position(w->sink) - w->record_offset,
		.read_begin = w->record_begin,
		.read_end = w->record_end,
	};

	avml_sink_mark(w->sink);
	w->record_open = false;
	w->records++;
	if (w->events.record)
		w->events.record(w->events.ctx, &record);
}

int image_writer_finish(struct image_writer *w, struct avml_error *err)
{
	return w->format->finish ? w->format->finish(w, err) : 0;
}

int image_writer_piece(struct image_writer *w, const struct piece *piece,
	struct avml_error *err)
{
	/* What can be cut may stop anywhere, a stream between records. */
	const bool good_place = avml_sink_can_cut(w->sink) || !w->record_open;

	if (cancel_level() >= (good_place ? 1 : 2))
		return cancel_error(err);
	w->run_end = piece->run_end;
	if (piece->range.start == piece->block.start)
		w->block_begin = piece->read_begin;
	w->piece_end = piece->read_end;
	return assembler_piece(&w->assembler, piece, err);
}

/* SPDX-License-Identifier: MIT */
#include "job/transcode.h"

#include <errno.h>
#include <stdlib.h>

#include "format/framing.h"
#include "format/zero.h"
#include "job/parts.h"

#define PART_UNITS (IMAGE_PART_MEMORY / ZERO_UNIT)

/* What a slot has besides its part. */
struct transcode_piece {
	struct piece piece;
	uint8_t zero_units[PART_UNITS];
};

struct transcode {
	struct transcode_options options;
	size_t encoded_cap;
	struct parts *parts;
	struct image_writer *writer;
	uint64_t memory_bytes;
};

/* The block that a part belongs to: what becomes one record. */
static struct avml_range block_of(const struct image_part *part)
{
	struct avml_range block = part->record;
	uint64_t offset;

	/* What was cut into records for compression keeps its borders. */
	if (part->format == AVML_RECORD_AVML)
		return block;
	offset = part->range.start - part->record.start;
	block.start += offset - offset % AVML_BLOCK_SIZE;
	if (avml_range_len(block) > AVML_BLOCK_SIZE)
		block.end = block.start + AVML_BLOCK_SIZE;
	return block;
}

/* All chunks of a part; `*zero`: they hold nothing but zeros. */
static int decode_chunks(struct framing_decoder *decoder,
	const struct parts_slot *s, bool *zero, struct avml_error *err)
{
	struct parts_cursor cursor = { 0, 0 };

	*zero = true;
	while (cursor.at < s->part.len) {
		bool chunk_zero;
		int ret = parts_decode(s, decoder, &cursor, &chunk_zero, err);

		if (ret < 0)
			return ret;
		*zero &= chunk_zero;
	}
	return 0;
}

/* Damage that is to be salvaged: the part becomes a loss. */
static int lose(struct parts_slot *s, const struct avml_error *err)
{
	s->found = 2;
	s->loss = (struct image_loss){
		.offset = s->part.offset,
		.end = s->part.offset + s->part.len,
		.range = s->part.range,
	};
	image_loss_reason(&s->loss, err);
	return 0;
}

static int work(void *ctx, struct framing_decoder *decoder,
	struct parts_slot *s, struct avml_error *err)
{
	struct transcode *t = ctx;
	struct transcode_piece *own = s->own;
	struct piece *piece = &own->piece;
	const size_t len = (size_t)avml_range_len(s->part.range);
	bool zero = s->part.kind == IMAGE_ZEROS;
	int ret = 0;

	*piece = (struct piece){
		.range = s->part.range,
		.block = block_of(&s->part),
		.run_end = s->part.run_end,
		.keep = s->part.format == AVML_RECORD_AVML,
		.bytes = s->part.kind == IMAGE_PLAIN ? s->image : s->memory,
		.zero_units = own->zero_units,
		.encoded = s->buf,
	};
	if (s->part.kind == IMAGE_CHUNKS)
		ret = decode_chunks(decoder, s, &zero, err);
	if (ret < 0)
		return t->options.salvage ? lose(s, err) : ret;
	if (!zero)
		zero = zero_map(piece->bytes, len, own->zero_units);
	piece->zero = zero;
	/* A salvage encodes runs, when it knows where they end. */
	if (zero || !t->writer->format->encoded || t->options.salvage)
		return 0;
	return framing_encode(piece->bytes, len, s->buf, t->encoded_cap,
		&piece->encoded_len, err);
}

/* A part, or a loss, as the writer or the salvage takes it. */
static int give(
	struct transcode *t, const struct parts_slot *s, struct avml_error *err)
{
	const struct transcode_piece *own = s->own;

	if (s->found == 2)
		return salvage_loss(t->options.salvage, &s->loss, err);
	t->memory_bytes += avml_range_len(own->piece.range);
	if (t->options.salvage)
		return salvage_piece(t->options.salvage, &own->piece,
			s->part.offset, (size_t)s->part.len, err);
	return image_writer_piece(t->writer, &own->piece, err);
}

static int consume(void *ctx, struct parts_slot *s, struct avml_error *err)
{
	struct transcode *t = ctx;
	struct progress *progress = t->options.progress;
	const int ret = give(t, s, err);

	if (ret < 0 || !progress)
		return ret;
	if (t->options.salvage)
		progress->now.bad_bytes = t->options.salvage->lost_bytes;
	progress->now.written_bytes = avml_sink_position(t->writer->sink);
	progress_at(progress,
		s->found == 2 ? s->loss.end : s->part.offset + s->part.len);
	return 0;
}

static const struct parts_ops transcode_ops = {
	.work = work,
	.consume = consume,
};

int transcode_new(struct image_reader *reader,
	const struct transcode_options *options, struct transcode **transcode,
	struct avml_error *err)
{
	struct transcode *t = calloc(1, sizeof(*t));
	struct parts_options parts = {
		.threads = options->threads,
		.own_len = sizeof(struct transcode_piece),
	};
	int ret;

	if (!t)
		return avml_error_set_errno(err, ENOMEM, "buffers");
	t->options = *options;
	t->encoded_cap = framing_bound(IMAGE_PART_MEMORY);
	parts.buf_len = t->encoded_cap;
	ret = parts_new(reader, &transcode_ops, t, &parts, &t->parts, err);
	if (ret < 0) {
		transcode_free(t);
		return ret;
	}
	*transcode = t;
	return 0;
}

void transcode_free(struct transcode *t)
{
	if (!t)
		return;
	parts_free(t->parts);
	free(t);
}

int transcode_run(struct transcode *t, struct image_writer *writer,
	uint64_t *memory, struct avml_error *err)
{
	int ret;

	t->writer = writer;
	ret = parts_run(t->parts, err);
	if (ret == 0 && t->options.salvage)
		ret = salvage_finish(t->options.salvage, err);
	if (ret == 0)
		ret = image_writer_finish(writer, err);
	*memory = t->memory_bytes;
	return ret;
}

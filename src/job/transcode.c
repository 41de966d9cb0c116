/* SPDX-License-Identifier: MIT */
#include "job/transcode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <avml/pipeline.h>

#include "format/framing.h"
#include "format/zero.h"

#define PART_UNITS (IMAGE_PART_MEMORY / ZERO_UNIT)

struct transcode_slot {
	int found; /* by the reader: 1 a part, 2 a loss */
	struct image_part part;
	struct image_loss loss;
	struct piece piece;
	uint8_t *image;	  /* IMAGE_PART_BYTES, as read */
	uint8_t *memory;  /* IMAGE_PART_MEMORY, decoded */
	uint8_t *encoded; /* framing_bound(IMAGE_PART_MEMORY), anew */
	uint8_t zero_units[PART_UNITS];
};

struct transcode {
	struct image_reader *reader;
	struct transcode_options options;
	unsigned int slot_count;
	size_t slot_len; /* bytes of a slot's buffers */
	size_t encoded_cap;
	struct transcode_slot *slots;
	uint8_t *bufs;
	struct framing_decoder *decoders; /* one a thread */
	struct avml_pipeline *pipeline;
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

static int produce(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct transcode *t = ctx;
	struct transcode_slot *s = &t->slots[slot];

	s->found =
		image_reader_next(t->reader, s->image, &s->part, &s->loss, err);
	if (s->found <= 0)
		return s->found;
	s->piece = (struct piece){
		.range = s->part.range,
		.block = block_of(&s->part),
		.run_end = s->part.run_end,
		.keep = s->part.format == AVML_RECORD_AVML,
	};
	return 1;
}

/* All chunks of a part; `*zero`: they hold nothing but zeros. */
static int decode_chunks(struct framing_decoder *decoder,
	struct transcode_slot *s, bool *zero, struct avml_error *err)
{
	const size_t memory_len = (size_t)avml_range_len(s->part.range);
	size_t at = 0, done = 0;

	*zero = true;
	while (at < s->part.len) {
		struct framing_chunk chunk;
		bool chunk_zero;
		size_t len = 0;
		int ret = framing_parse_head(s->image + at, &chunk, err);

		if (ret == 0)
			ret = framing_decode(decoder, &chunk,
				s->image + at + FRAMING_HEAD_LEN,
				s->memory + done, memory_len - done, &len,
				&chunk_zero, err);
		if (ret < 0)
			return avml_error_wrap(err,
				"bad chunk at offset %" PRIu64
				" (address 0x%" PRIx64 ")",
				s->part.offset + at,
				s->part.range.start + done);
		*zero &= chunk_zero;
		at += FRAMING_HEAD_LEN + chunk.body_len;
		done += len;
	}
	if (done != memory_len)
		return avml_error_set(err, EINVAL,
			"chunks of %zu bytes decode to %zu", memory_len, done);
	return 0;
}

/* Damage that is to be salvaged: the part becomes a loss. */
static int lose(struct transcode_slot *s, const struct avml_error *err)
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

static int encode(const struct transcode *t, struct transcode_slot *s,
	struct avml_error *err)
{
	s->piece.encoded = s->encoded;
	return framing_encode(s->piece.bytes,
		(size_t)avml_range_len(s->piece.range), s->encoded,
		t->encoded_cap, &s->piece.encoded_len, err);
}

static int transform(void *ctx, unsigned int worker, unsigned int slot,
	struct avml_error *err)
{
	struct transcode *t = ctx;
	struct transcode_slot *s = &t->slots[slot];
	const size_t len = (size_t)avml_range_len(s->piece.range);
	bool zero = s->part.kind == IMAGE_ZEROS;
	int ret = 0;

	if (s->found != 1)
		return 0;
	s->piece.bytes = s->memory;
	if (s->part.kind == IMAGE_PLAIN)
		s->piece.bytes = s->image;
	else if (s->part.kind == IMAGE_CHUNKS)
		ret = decode_chunks(&t->decoders[worker], s, &zero, err);
	if (ret < 0)
		return t->options.salvage ? lose(s, err) : ret;
	if (!zero)
		zero = zero_map(s->piece.bytes, len, s->zero_units);
	s->piece.zero = zero;
	s->piece.zero_units = s->zero_units;
	if (zero || !t->options.encode || t->options.salvage)
		return 0;
	return encode(t, s, err);
}

static int consume(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct transcode *t = ctx;
	const struct transcode_slot *s = &t->slots[slot];

	if (s->found == 2)
		return salvage_loss(t->options.salvage, &s->loss, err);
	t->memory_bytes += avml_range_len(s->piece.range);
	if (t->options.salvage)
		return salvage_piece(t->options.salvage, &s->piece,
			s->part.offset, s->part.len, err);
	return image_writer_piece(t->writer, &s->piece, err);
}

static const struct avml_pipeline_ops transcode_ops = {
	.produce = produce,
	.transform = transform,
	.consume = consume,
};

static int allocate(struct transcode *t)
{
	const unsigned int threads = t->options.threads;

	t->slot_count = threads == 1 ? 1 : 2 * threads;
	t->encoded_cap = framing_bound(IMAGE_PART_MEMORY);
	t->slot_len = IMAGE_PART_BYTES + IMAGE_PART_MEMORY + t->encoded_cap;
	t->slots = calloc(t->slot_count, sizeof(*t->slots));
	t->decoders = calloc(threads, sizeof(*t->decoders));
	t->pipeline =
		avml_pipeline_new(&transcode_ops, t, threads, t->slot_count);
	if (!t->slots || !t->decoders || !t->pipeline)
		return -ENOMEM;
	/* What a conversion does not use of it is never touched. */
	t->bufs = mmap(NULL, t->slot_count * t->slot_len,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->bufs == MAP_FAILED) {
		t->bufs = NULL;
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < t->slot_count; i++) {
		struct transcode_slot *s = &t->slots[i];

		s->image = t->bufs + i * t->slot_len;
		s->memory = s->image + IMAGE_PART_BYTES;
		s->encoded = s->memory + IMAGE_PART_MEMORY;
	}
	for (unsigned int i = 0; i < threads; i++)
		framing_decoder_init(&t->decoders[i]);
	return 0;
}

int transcode_new(struct image_reader *reader,
	const struct transcode_options *options, struct transcode **transcode,
	struct avml_error *err)
{
	struct transcode *t = calloc(1, sizeof(*t));

	if (!t)
		return avml_error_set_errno(err, ENOMEM, "buffers");
	t->reader = reader;
	t->options = *options;
	if (allocate(t) < 0) {
		transcode_free(t);
		return avml_error_set_errno(err, ENOMEM, "buffers");
	}
	*transcode = t;
	return 0;
}

void transcode_free(struct transcode *t)
{
	if (!t)
		return;
	avml_pipeline_free(t->pipeline);
	if (t->bufs)
		munmap(t->bufs, t->slot_count * t->slot_len);
	free(t->decoders);
	free(t->slots);
	free(t);
}

int transcode_run(struct transcode *t, struct image_writer *writer,
	uint64_t *memory, struct avml_error *err)
{
	int ret;

	t->writer = writer;
	ret = avml_pipeline_run(t->pipeline, err);
	if (ret == 0 && t->options.salvage)
		ret = salvage_finish(t->options.salvage, err);
	if (ret == 0)
		ret = image_writer_finish(writer, err);
	*memory = t->memory_bytes;
	return ret;
}

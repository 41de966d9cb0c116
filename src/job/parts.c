/* SPDX-License-Identifier: MIT */
#include "job/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <avml/pipeline.h>

struct parts {
	struct image_reader *reader;
	const struct parts_ops *ops;
	void *ctx;
	unsigned int slot_count;
	size_t slot_len; /* bytes of a slot's buffers */
	struct parts_slot *slots;
	uint8_t *own;
	uint8_t *bufs;
	struct framing_decoder *decoders; /* one a thread */
	struct avml_pipeline *pipeline;
};

static int produce(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct parts *p = ctx;
	struct parts_slot *s = &p->slots[slot];

	s->found =
		image_reader_next(p->reader, s->image, &s->part, &s->loss, err);
	return s->found > 0 ? 1 : s->found;
}

static int transform(void *ctx, unsigned int worker, unsigned int slot,
	struct avml_error *err)
{
	struct parts *p = ctx;
	struct parts_slot *s = &p->slots[slot];

	if (s->found != 1)
		return 0;
	return p->ops->work(p->ctx, &p->decoders[worker], s, err);
}

static int consume(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct parts *p = ctx;

	return p->ops->consume(p->ctx, &p->slots[slot], err);
}

static const struct avml_pipeline_ops pipeline_ops = {
	.produce = produce,
	.transform = transform,
	.consume = consume,
};

static int allocate(struct parts *p, const struct parts_options *options)
{
	const unsigned int threads = options->threads;

	p->slot_count = threads == 1 ? 1 : 2 * threads;
	p->slot_len = IMAGE_PART_BYTES + IMAGE_PART_MEMORY + options->buf_len;
	p->slots = calloc(p->slot_count, sizeof(*p->slots));
	p->own = calloc(p->slot_count, options->own_len);
	p->decoders = calloc(threads, sizeof(*p->decoders));
	p->pipeline =
		avml_pipeline_new(&pipeline_ops, p, threads, p->slot_count);
	if (!p->slots || !p->own || !p->decoders || !p->pipeline)
		return -ENOMEM;
	/* What a job does not use of it is never touched. */
	p->bufs = mmap(NULL, p->slot_count * p->slot_len,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->bufs == MAP_FAILED) {
		p->bufs = NULL;
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < p->slot_count; i++) {
		struct parts_slot *s = &p->slots[i];

		s->image = p->bufs + i * p->slot_len;
		s->memory = s->image + IMAGE_PART_BYTES;
		s->buf = s->memory + IMAGE_PART_MEMORY;
		s->own = p->own + i * options->own_len;
	}
	for (unsigned int i = 0; i < threads; i++)
		framing_decoder_init(&p->decoders[i]);
	return 0;
}

int parts_new(struct image_reader *reader, const struct parts_ops *ops,
	void *ctx, const struct parts_options *options, struct parts **parts,
	struct avml_error *err)
{
	struct parts *p = calloc(1, sizeof(*p));

	if (!p)
		return avml_error_set_errno(err, ENOMEM, "buffers");
	p->reader = reader;
	p->ops = ops;
	p->ctx = ctx;
	if (allocate(p, options) < 0) {
		parts_free(p);
		return avml_error_set_errno(err, ENOMEM, "buffers");
	}
	*parts = p;
	return 0;
}

void parts_free(struct parts *p)
{
	if (!p)
		return;
	avml_pipeline_free(p->pipeline);
	if (p->bufs)
		munmap(p->bufs, p->slot_count * p->slot_len);
	free(p->decoders);
	free(p->own);
	free(p->slots);
	free(p);
}

int parts_run(struct parts *p, struct avml_error *err)
{
	return avml_pipeline_run(p->pipeline, err);
}

int parts_decode(const struct parts_slot *slot, struct framing_decoder *decoder,
	struct parts_cursor *cursor, bool *zero, struct avml_error *err)
{
	const struct image_part *part = &slot->part;
	const uint8_t *head = slot->image + cursor->at;
	const uint8_t *body = head + FRAMING_HEAD_LEN;
	const size_t done = cursor->done;
	const uint64_t offset = part->offset + cursor->at;
	struct framing_chunk chunk;
	size_t claimed = 0, len = 0;
	int ret = framing_parse_head(head, &chunk, err);

	*zero = false;
	if (ret == 0)
		ret = framing_data_len(
			&chunk, body, chunk.body_len, &claimed, err);
	if (ret < 0) {
		/* The reader would not have handed it out. */
		cursor->at = (size_t)part->len;
	} else {
		cursor->at += FRAMING_HEAD_LEN + chunk.body_len;
		cursor->done += claimed;
		ret = framing_decode(decoder, &chunk, body, slot->memory + done,
			claimed, &len, zero, err);
	}
	if (ret < 0)
		return avml_error_wrap(err,
			"bad chunk at offset %" PRIu64 " (address 0x%" PRIx64
			")",
			offset, part->range.start + done);
	return 0;
}

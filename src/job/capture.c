/* SPDX-License-Identifier: MIT */
#include "job/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include <avml/pipeline.h>
#include <avml/record.h>

#include "format/framing.h"
#include "format/zero.h"
#include "job/plan.h"

/*
 * What a thread reads at once, and a slot holds, in bytes. Long enough to
 * make kcore's price per call small, short enough to stay in a processor's
 * second-level cache until it is written.
 */
#define PIECE_LEN (256u << 10)
#define PIECE_UNITS (PIECE_LEN / ZERO_UNIT)

struct capture_slot {
	struct piece piece;
	uint8_t *buf;	  /* PIECE_LEN bytes */
	uint8_t *encoded; /* framing_bound(PIECE_LEN); NULL: not wanted */
	uint8_t zero_units[PIECE_UNITS];
	uint8_t status[PIECE_UNITS]; /* a page is no smaller than a unit */
	size_t failed;		     /* pages */
};

struct capture {
	struct avml_source *source;
	struct plan plan;
	unsigned int threads;
	struct avml_source_reader *readers[AVML_PIPELINE_THREADS_MAX];
	unsigned int slot_count;
	struct capture_slot *slots;
	size_t encoded_cap; /* bytes; 0: nothing is to be encoded */
	uint8_t *bufs;	    /* mapping of all slots' buffers */
	size_t bufs_len;
	struct avml_pipeline *pipeline;
	struct image_writer *writer;
	struct unreadable *unreadable;
	struct progress *progress;
};

static int produce(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct capture *c = ctx;

	(void)err;
	return plan_next(&c->plan, &c->slots[slot].piece) ? 1 : 0;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int transform(void *ctx, unsigned int worker, unsigned int slot,
	struct avml_error *err)
{
	struct capture *c = ctx;
	struct capture_slot *s = &c->slots[slot];
	const size_t len = (size_t)avml_range_len(s->piece.range);

	s->piece.read_begin = now();
	s->failed = avml_source_read(c->readers[worker], s->piece.range.start,
		s->buf, len, s->status);
	s->piece.read_end = now();
	s->piece.zero = zero_map(s->buf, len, s->zero_units);
	s->piece.bytes = s->buf;
	s->piece.zero_units = s->zero_units;
	s->piece.encoded = s->encoded;
	if (!s->encoded || s->piece.zero)
		return 0;
	return framing_encode(s->buf, len, s->encoded, c->encoded_cap,
		&s->piece.encoded_len, err);
}

static int consume(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct capture *c = ctx;
	const struct capture_slot *s = &c->slots[slot];
	struct progress *progress = c->progress;
	const uint64_t unreadable = c->unreadable->bytes;
	int ret;

	if (s->failed > 0)
		unreadable_pages(c->unreadable, s->piece.range,
			avml_source_page_size(c->source), s->status);
	ret = image_writer_piece(c->writer, &s->piece, err);
	if (ret < 0)
		return ret;
	progress->now.bad_bytes += c->unreadable->bytes - unreadable;
	progress->now.written_bytes = avml_sink_position(c->writer->sink);
	progress_at(progress,
		progress->now.done_bytes + avml_range_len(s->piece.range));
	return 0;
}

static const struct avml_pipeline_ops capture_ops = {
	.produce = produce,
	.transform = transform,
	.consume = consume,
};

/* As many readers as can be had: descriptors may be few. */
static int open_readers(
	struct capture *c, unsigned int threads, struct avml_error *err)
{
	for (c->threads = 0; c->threads < threads; c->threads++) {
		int ret = avml_source_reader_new(
			c->source, &c->readers[c->threads], err);

		if (ret < 0 && c->threads == 0)
			return ret;
		if (ret < 0)
			break;
	}
	return 0;
}

/* What is read into, and what is encoded into. 0 or -ENOMEM. */
static int map_buffers(struct capture *c)
{
	const size_t pieces = (size_t)c->slot_count * PIECE_LEN;
	const size_t encoded = c->slot_count * c->encoded_cap;
	uint8_t *read_into = avml_source_buffers(
		c->source, PIECE_LEN, c->slot_count, c->threads);
	uint8_t *next;

	/* A mapping: page aligned, and gone again after the run. */
	c->bufs_len = encoded + (read_into ? 0 : pieces);
	if (c->bufs_len > 0) {
		c->bufs = mmap(NULL, c->bufs_len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (c->bufs == MAP_FAILED) {
			c->bufs = NULL;
			return -ENOMEM;
		}
	}
	next = c->bufs;
	/* Those that are read into come first: they stay page aligned. */
	if (!read_into) {
		read_into = next;
		next += pieces;
	}
	for (unsigned int i = 0; i < c->slot_count; i++) {
		c->slots[i].buf = read_into + (size_t)i * PIECE_LEN;
		if (c->encoded_cap > 0)
			c->slots[i].encoded = next + i * c->encoded_cap;
	}
	return 0;
}

static int allocate_slots(struct capture *c)
{
	/* A thread fills one while its other waits to be written. */
	c->slot_count = c->threads == 1 ? 1 : 2 * c->threads;
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	if (!c->slots || map_buffers(c) < 0)
		return -ENOMEM;
	c->pipeline =
		avml_pipeline_new(&capture_ops, c, c->threads, c->slot_count);
	return c->pipeline ? 0 : -ENOMEM;
}

int capture_new(struct avml_source *source,
	const struct avml_range_list *ranges, unsigned int threads, bool encode,
	struct capture **capture, struct avml_error *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return avml_error_set_errno(err, ENOMEM, "buffers");
	c->source = source;
	c->encoded_cap = encode ? framing_bound(PIECE_LEN) : 0;
	plan_init(&c->plan, ranges, AVML_BLOCK_SIZE, PIECE_LEN);
	ret = open_readers(c, threads, err);
	if (ret == 0 && allocate_slots(c) < 0)
		ret = avml_error_set_errno(err, ENOMEM, "buffers");
	if (ret < 0) {
		capture_free(c);
		return ret;
	}
	*capture = c;
	return 0;
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	avml_pipeline_free(capture->pipeline);
	if (capture->bufs)
		munmap(capture->bufs, capture->bufs_len);
	free(capture->slots);
	while (capture->threads > 0)
		avml_source_reader_free(capture->readers[--capture->threads]);
	free(capture);
}

int capture_run(struct capture *capture, struct image_writer *writer,
	struct unreadable *u, struct progress *progress, struct avml_error *err)
{
	int ret;

	capture->writer = writer;
	capture->unreadable = u;
	capture->progress = progress;
	ret = avml_pipeline_run(capture->pipeline, err);
	unreadable_finish(u);
	return ret < 0 ? ret : image_writer_finish(writer, err);
}

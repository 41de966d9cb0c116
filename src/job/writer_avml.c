/* SPDX-License-Identifier: MIT */
/*
 * AVML version 2: a header, a stream of chunks, and the stream's length.
 *
 * Volatility 3's reader takes as many bytes of the stream as the header's
 * end - start, one less than the range is long, and loops for ever when
 * the stream is longer. Incompressible memory makes it longer, by 8 bytes a
 * chunk. So the first pieces of a record are held back until enough was
 * saved that nothing behind them can make it too long; that is nearly
 * always the first. A block that never gets there is joined with what
 * follows it without a gap, whose savings then serve for both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cursor.h"
#include "format/framing.h"
#include "job/image_writer.h"

/*
 * How far a block is joined at most. Longer than the 16 MiB that may be
 * held back, since an incompressible run that has to be got over may be
 * longer than those; a reader that takes a record at once can hold it.
 */
#define JOIN_MAX (128u << 20)
/* A block, and what its chunks and identifier cost at the worst. */
#define HOLD_MAX (AVML_BLOCK_SIZE + (64u << 10))
#define TRAILER_LEN 8
/* Zero chunks that are encoded once and written again and again. */
#define ZERO_RUN (1u << 20)
#define CHUNK_HEAD (FRAMING_HEAD_LEN + FRAMING_CRC_LEN)

struct avml_state {
	struct avml_range record; /* as the header says, or will say */
	uint64_t join_end;	  /* blocks below this belong to `record` */
	bool undecided;		  /* `record` is over, unless it is joined */
	bool released;		  /* the header is out */
	uint64_t stream_len;	  /* bytes of the stream so far */
	uint64_t memory_len;	  /* bytes of memory in it */
	uint8_t *held;		  /* mapping of HOLD_MAX; NULL: none yet */
	size_t held_len;
	uint8_t *zero_run; /* ZERO_RUN of zeros, encoded */
	size_t zero_run_len;
};

static uint64_t chunks_in(uint64_t len)
{
	return len / FRAMING_DATA_MAX + (len % FRAMING_DATA_MAX != 0);
}

/* Whether the stream fits if the rest of the record is incompressible. */
static bool is_safe(const struct avml_state *s)
{
	const uint64_t len = avml_range_len(s->record);
	const uint64_t left = len - s->memory_len;
	/* By chunks of full length; foreign ones may be more, and are told. */
	const uint64_t worst =
		s->stream_len + left + CHUNK_HEAD * chunks_in(left);

	return worst < len;
}

static int release(
	struct image_writer *w, struct avml_state *s, struct avml_error *err)
{
	int ret = image_writer_header(w, AVML_RECORD_AVML, s->record, err);

	s->released = true;
	if (ret == 0)
		ret = avml_sink_write(
			w->sink, framing_ident, FRAMING_IDENT_LEN, err);
	if (ret == 0 && s->held_len > 0)
		ret = avml_sink_write(w->sink, s->held, s->held_len, err);
	s->held_len = 0;
	/* The pages go back: most records never need them. */
	if (s->held) {
		munmap(s->held, HOLD_MAX);
		s->held = NULL;
	}
	return ret;
}

/* False when there is no memory for it: then there is no holding back. */
static bool hold(struct avml_state *s, const uint8_t *bytes, size_t len)
{
	if (s->held_len + len > HOLD_MAX)
		return false;
	if (!s->held) {
		s->held = mmap(NULL, HOLD_MAX, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (s->held == MAP_FAILED) {
			s->held = NULL;
			return false;
		}
	}
	memcpy(s->held + s->held_len, bytes, len);
	s->held_len += len;
	return true;
}

/* The next chunks: `len` bytes of them for `memory_len` of memory. */
static int add(struct image_writer *w, const uint8_t *bytes, size_t len,
	uint64_t memory_len, struct avml_error *err)
{
	struct avml_state *s = w->state;
	int ret;

	s->stream_len += len;
	s->memory_len += memory_len;
	if (!s->released && !is_safe(s) && hold(s, bytes, len))
		return 0;
	if (!s->released) {
		ret = release(w, s, err);
		if (ret < 0)
			return ret;
	}
	return avml_sink_write(w->sink, bytes, len, err);
}

/* The record is whole. */
static int close_record(
	struct image_writer *w, struct avml_state *s, struct avml_error *err)
{
	uint8_t trailer[TRAILER_LEN];
	int ret = s->released ? 0 : release(w, s, err);

	s->undecided = false;
	s->join_end = 0;
	w->assembler.keep_until = 0;
	if (ret < 0)
		return ret;
	store_le64(trailer, s->stream_len);
	ret = avml_sink_write(w->sink, trailer, sizeof(trailer), err);
	if (ret < 0)
		return ret;
	if (s->stream_len >= avml_range_len(s->record))
		w->unsafe_records++;
	image_writer_end(w, s->record);
	return 0;
}

/* A block goes on in the record that is open, where it was foreseen. */
static int continue_record(const struct avml_state *s, struct avml_range block,
	struct avml_error *err)
{
	if (block.start == s->record.start + s->memory_len &&
		block.end <= s->record.end)
		return 0;
	return avml_error_set(err, EINVAL,
		"memory at 0x%" PRIx64 " was to follow, and 0x%" PRIx64
		" came: the source has changed while it was read",
		s->record.start + s->memory_len, block.start);
}

static int begin(void *ctx, struct avml_range block, struct avml_error *err)
{
	struct image_writer *w = ctx;
	struct avml_state *s = w->state;

	if (s->undecided && block.start == s->record.end) {
		s->undecided = false;
		s->record.end = block.end;
		s->join_end = block.end;
		w->assembler.keep_until = block.end;
		return 0;
	}
	if (s->undecided) {
		int ret = close_record(w, s, err);

		if (ret < 0)
			return ret;
	}
	if (s->join_end > 0)
		return continue_record(s, block, err);
	image_writer_begin(w);
	s->record = block;
	s->released = false;
	s->stream_len = FRAMING_IDENT_LEN;
	s->memory_len = 0;
	return 0;
}

static int zeros(void *ctx, uint64_t len, struct avml_error *err)
{
	struct image_writer *w = ctx;
	struct avml_state *s = w->state;

	for (; len >= ZERO_RUN; len -= ZERO_RUN) {
		int ret = add(w, s->zero_run, s->zero_run_len, ZERO_RUN, err);

		if (ret < 0)
			return ret;
	}
	while (len > 0) {
		uint8_t chunk[CHUNK_HEAD + FRAMING_ZERO_BODY_MAX];
		const size_t part =
			len < FRAMING_DATA_MAX ? (size_t)len : FRAMING_DATA_MAX;
		size_t chunk_len;
		int ret = framing_encode_zeros(
			part, chunk, sizeof(chunk), &chunk_len, err);

		if (ret == 0)
			ret = add(w, chunk, chunk_len, part, err);
		if (ret < 0)
			return ret;
		len -= part;
	}
	return 0;
}

static int data(void *ctx, const struct piece *piece, struct avml_error *err)
{
	return add(ctx, piece->encoded, piece->encoded_len,
		avml_range_len(piece->range), err);
}

/* Whether the record goes on in blocks that are known to follow. */
static bool join(struct image_writer *w, struct avml_state *s)
{
	const uint64_t start = s->record.start;
	uint64_t stop = w->run_end;

	if (s->join_end > 0 || stop <= s->record.end)
		return false;
	if (stop - start > JOIN_MAX)
		stop = start + JOIN_MAX;
	s->record.end = stop;
	s->join_end = stop;
	w->assembler.keep_until = stop;
	return true;
}

static int end(void *ctx, struct avml_range block, struct avml_error *err)
{
	struct image_writer *w = ctx;
	struct avml_state *s = w->state;

	image_writer_block_end(w);
	if (block.end < s->join_end)
		return 0;
	if (s->released)
		return close_record(w, s, err);
	if (join(w, s))
		return release(w, s, err);
	/* Too long as it is: what comes next may help, if it follows. */
	s->undecided = true;
	w->assembler.keep_until = s->record.end + 1;
	return 0;
}

static int finish(struct image_writer *w, struct avml_error *err)
{
	struct avml_state *s = w->state;

	return s->undecided ? close_record(w, s, err) : 0;
}

static void release_state(struct image_writer *w)
{
	struct avml_state *s = w->state;

	if (!s)
		return;
	if (s->held)
		munmap(s->held, HOLD_MAX);
	free(s->zero_run);
	free(s);
	w->state = NULL;
}

static int init(struct image_writer *w, struct avml_error *err)
{
	const size_t len = framing_zeros_len(ZERO_RUN);
	struct avml_state *s = calloc(1, sizeof(*s));

	w->state = s;
	if (s)
		s->zero_run = malloc(len);
	if (!s || !s->zero_run) {
		release_state(w);
		return avml_error_set_errno(err, ENOMEM, "the writer");
	}
	return framing_encode_zeros(
		ZERO_RUN, s->zero_run, len, &s->zero_run_len, err);
}

const struct image_format image_format_avml = {
	.output = { begin, zeros, data, end },
	.encoded = true,
	.init = init,
	.finish = finish,
	.release = release_state,
};

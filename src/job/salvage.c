/* SPDX-License-Identifier: MIT */
#include "job/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sum.h"
#include "format/framing.h"
#include "format/zero.h"

#define PIECE_UNITS (IMAGE_PART_MEMORY / ZERO_UNIT)

int salvage_init(struct salvage *s, struct image_writer *writer,
	const struct salvage_events *events, struct avml_error *err)
{
	*s = (struct salvage){ .writer = writer, .events = *events };
	s->held = mmap(NULL, AVML_BLOCK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->held == MAP_FAILED)
		s->held = NULL;
	s->encoded = malloc(framing_bound(IMAGE_PART_MEMORY));
	if (!s->held || !s->encoded) {
		salvage_release(s);
		return avml_error_set_errno(err, ENOMEM, "a block to hold");
	}
	return 0;
}

void salvage_release(struct salvage *s)
{
	if (s->held)
		munmap(s->held, AVML_BLOCK_SIZE);
	free(s->encoded);
	s->held = NULL;
	s->encoded = NULL;
}

/* Write a part of the run, at most a piece. */
static int write_part(
	struct salvage *s, struct avml_range range, struct avml_error *err)
{
	uint8_t zero_units[PIECE_UNITS];
	const size_t len = (size_t)avml_range_len(range);
	struct piece piece = {
		.range = range,
		.block = s->run,
		.run_end = s->run.end,
		.keep = true,
		.bytes = s->held + (range.start - s->run.start),
		.zero_units = zero_units,
		.encoded = s->encoded,
	};
	int ret = 0;

	piece.zero = zero_map(piece.bytes, len, zero_units);
	if (!piece.zero && s->writer->format->encoded)
		ret = framing_encode(piece.bytes, len, s->encoded,
			framing_bound(IMAGE_PART_MEMORY), &piece.encoded_len,
			err);
	if (ret < 0)
		return ret;
	return image_writer_piece(s->writer, &piece, err);
}

static int flush(struct salvage *s, struct avml_error *err)
{
	struct avml_range rest = s->run, part;
	int ret = 0;

	while (ret == 0 && avml_range_split(&rest, IMAGE_PART_MEMORY, &part))
		ret = write_part(s, part, err);
	s->at = s->run.end;
	s->run.start = s->run.end;
	return ret;
}

static void tell(struct salvage *s, const struct image_loss *loss)
{
	s->losses++;
	sum_add(&s->lost_bytes, avml_range_len(loss->range));
	sum_add(&s->lost_bytes, loss->unplaced);
	if (s->events.loss)
		s->events.loss(s->events.ctx, loss->offset, loss->end,
			loss->range, loss->reason);
}

/*
 * Raw has one place for each address: what comes late finds no room. What of
 * the piece is left to be written.
 */
static struct avml_range lose_late(struct salvage *s, const struct piece *piece,
	uint64_t offset, size_t len)
{
	struct avml_range rest = piece->range;
	struct image_loss loss = { .offset = offset, .end = offset + len };

	if (s->writer->format != &image_format_raw || rest.start >= s->at)
		return rest;
	rest.start = rest.end < s->at ? rest.end : s->at;
	loss.range = (struct avml_range){ piece->range.start, rest.start };
	snprintf(loss.reason, sizeof(loss.reason),
		"it overlaps or precedes what was written");
	tell(s, &loss);
	return rest;
}

/* Append to the run what is whole or a part of a record of zeros. */
static int append(struct salvage *s, struct avml_range range,
	const uint8_t *bytes, struct avml_error *err)
{
	const size_t at = (size_t)avml_range_len(s->run);
	const size_t len = (size_t)avml_range_len(range);

	if (bytes)
		memcpy(s->held + at, bytes, len);
	else
		memset(s->held + at, 0, len);
	s->run.end = range.end;
	return avml_range_len(s->run) == AVML_BLOCK_SIZE ? flush(s, err) : 0;
}

int salvage_piece(struct salvage *s, const struct piece *piece, uint64_t offset,
	size_t len, struct avml_error *err)
{
	struct avml_range rest, part;
	int ret = 0;

	if (piece->range.start != s->run.end)
		ret = flush(s, err);
	if (ret < 0)
		return ret;
	rest = lose_late(s, piece, offset, len);
	/* A record of zeros is one as it is: nothing needs to be held. */
	if (piece->zero && rest.start == piece->block.start &&
		piece->range.end == piece->block.end) {
		struct piece zeros = *piece;

		ret = flush(s, err);
		if (ret < 0)
			return ret;
		zeros.keep = true;
		zeros.run_end = piece->range.end;
		s->at = piece->range.end;
		s->run = (struct avml_range){ s->at, s->at };
		return image_writer_piece(s->writer, &zeros, err);
	}
	while (ret == 0) {
		const uint64_t room = AVML_BLOCK_SIZE - avml_range_len(s->run);
		const uint8_t *bytes =
			piece->zero ? NULL
				    : piece->bytes +
					      (rest.start - piece->range.start);

		if (!avml_range_split(&rest, room, &part))
			break;
		if (avml_range_len(s->run) == 0)
			s->run = (struct avml_range){ part.start, part.start };
		ret = append(s, part, bytes, err);
	}
	/* Records that were whole stay as they were. */
	if (ret == 0 && piece->range.end == piece->block.end)
		ret = flush(s, err);
	return ret;
}

int salvage_loss(struct salvage *s, const struct image_loss *loss,
	struct avml_error *err)
{
	int ret = flush(s, err);

	if (ret == 0)
		tell(s, loss);
	return ret;
}

int salvage_finish(struct salvage *s, struct avml_error *err)
{
	return flush(s, err);
}

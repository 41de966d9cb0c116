/* SPDX-License-Identifier: MIT */
/*
 * Raw: a byte's address is its offset. What no range holds is a hole, or
 * zeros where there are no holes.
 */
#include <errno.h>
#include <inttypes.h>

#include "job/image_writer.h"

/* More zeros to be written in a row are hardly what anybody wants. */
#define GAP_MAX (UINT64_C(64) << 30)

static int begin(void *ctx, struct avml_range block, struct avml_error *err)
{
	struct image_writer *w = ctx;
	const uint64_t at = avml_sink_position(w->sink);
	const uint64_t gap = block.start - at;
	/* Zeros that are hashed take their time too. */
	const bool costs =
		!avml_sink_makes_holes(w->sink) || avml_sink_hashes(w->sink);

	if (block.start < at)
		return avml_error_set(err, EINVAL,
			"memory at 0x%" PRIx64 " comes after memory up to "
			"0x%" PRIx64 ": records that overlap or go back "
			"cannot be written as raw",
			block.start, at);
	if (block.end > INT64_MAX)
		return avml_error_set(err, EFBIG,
			"memory up to 0x%" PRIx64 ": no file is that long",
			block.end);
	if (costs)
		w->gap_bytes += gap;
	if (w->gap_bytes > GAP_MAX && !w->options.force)
		return avml_error_set(err, EFBIG,
			"the gaps up to 0x%" PRIx64 " would be %" PRIu64
			" bytes of zeros to write or to hash (--force does "
			"it)",
			block.start, w->gap_bytes);
	image_writer_begin(w);
	w->record_open = true;
	w->record_offset = block.start;
	return gap > 0 ? avml_sink_zeros(w->sink, gap, err) : 0;
}

static int zeros(void *ctx, uint64_t len, struct avml_error *err)
{
	const struct image_writer *w = ctx;

	return avml_sink_zeros(w->sink, len, err);
}

static int data(void *ctx, const struct piece *piece, struct avml_error *err)
{
	return image_writer_plain(ctx, piece, err);
}

static int end(void *ctx, struct avml_range block, struct avml_error *err)
{
	(void)err;
	image_writer_block_end(ctx);
	image_writer_end(ctx, block);
	return 0;
}

const struct image_format image_format_raw = {
	.output = { begin, zeros, data, end },
	/* The image ends with the last range, be that zeros or not. */
	.keep_zeros = true,
};

/* SPDX-License-Identifier: MIT */
/* LiME version 1: a header, and the bytes as they are. */
#include "job/image_writer.h"

static int begin(void *ctx, struct avml_range record, struct avml_error *err)
{
	image_writer_begin(ctx);
	return image_writer_header(ctx, AVML_RECORD_LIME, record, err);
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

static int end(void *ctx, struct avml_range record, struct avml_error *err)
{
	(void)err;
	image_writer_block_end(ctx);
	image_writer_end(ctx, record);
	return 0;
}

const struct image_format image_format_lime = {
	.output = { begin, zeros, data, end },
};

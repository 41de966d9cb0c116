/* SPDX-License-Identifier: MIT */
#include "format/assembler.h"

#include <assert.h>

void assembler_init(struct assembler *a, const struct assembler_output *output,
	void *ctx, bool keep_zeros)
{
	*a = (struct assembler){
		.output = output,
		.ctx = ctx,
		.keep_zeros = keep_zeros,
	};
}

static int begin(
	struct assembler *a, const struct piece *piece, struct avml_error *err)
{
	int ret = a->output->begin(a->ctx, piece->block, err);

	if (ret < 0)
		return ret;
	a->open = true;
	if (a->zeros > 0)
		ret = a->output->zeros(a->ctx, a->zeros, err);
	a->zeros = 0;
	return ret;
}

static int emit(
	struct assembler *a, const struct piece *piece, struct avml_error *err)
{
	const bool keep = a->keep_zeros || piece->keep ||
			  piece->range.start < a->keep_until;
	int ret = 0;

	if (!a->open && piece->zero && !keep) {
		a->zeros += avml_range_len(piece->range);
		return 0;
	}
	if (!a->open)
		ret = begin(a, piece, err);
	if (ret < 0)
		return ret;
	if (piece->zero)
		return a->output->zeros(
			a->ctx, avml_range_len(piece->range), err);
	return a->output->data(a->ctx, piece, err);
}

int assembler_piece(
	struct assembler *a, const struct piece *piece, struct avml_error *err)
{
	int ret;

	assert(piece->range.start < piece->range.end);
	assert(piece->range.start >= piece->block.start);
	assert(piece->range.end <= piece->block.end);
	ret = emit(a, piece, err);
	if (ret < 0 || piece->range.end < piece->block.end)
		return ret;
	a->dropped += a->zeros;
	a->zeros = 0;
	if (!a->open)
		return 0;
	a->open = false;
	return a->output->end(a->ctx, piece->block, err);
}

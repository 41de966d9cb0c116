/* SPDX-License-Identifier: MIT */
/* Cuts ranges into blocks, and blocks into pieces, as the work goes on. */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include <stdbool.h>

#include "format/assembler.h"

struct plan {
	const struct avml_range_list *ranges;
	size_t next;		       /* index of the next range */
	struct avml_range range;       /* what is left of the current one */
	struct avml_range block;       /* the current block, whole */
	struct avml_range rest;	       /* what is left of it */
	uint64_t block_len, piece_len; /* bytes, at most */
};

/* `ranges` stays the caller's; blocks are counted from a range's start. */
void plan_init(struct plan *plan, const struct avml_range_list *ranges,
	uint64_t block_len, uint64_t piece_len);

/* Fill in the next piece's range and block; false: that was all. */
bool plan_next(struct plan *plan, struct piece *piece);

#endif

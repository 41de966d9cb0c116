/* SPDX-License-Identifier: MIT */
/*
 * The block assembler: pieces of memory in order of address go in, records
 * come out, and blocks that are all zero do not.
 *
 * Nobody holds a whole block for it: zero pieces at a block's front are
 * only counted. The first piece that is not zero begins the record, and
 * the zeros counted so far go out before it; a block without such a piece
 * is dropped.
 *
 * Threads: none of its own; one assembler belongs to one thread.
 */
#ifndef FORMAT_ASSEMBLER_H
#define FORMAT_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>

/* A part of a block. What its bytes are is between producer and output. */
struct piece {
	struct avml_range range;   /* not empty, within `block` */
	struct avml_range block;   /* what becomes one record */
	bool zero;		   /* all of its bytes are 0 */
	bool keep;		   /* its block is written even if zero */
	const uint8_t *bytes;	   /* as they are in memory */
	const uint8_t *zero_units; /* of zero_map() over `bytes` */
	const uint8_t *encoded;	   /* as chunks, where the output wants it */
	size_t encoded_len;	   /* bytes */
	uint64_t run_end; /* blocks follow without a gap to here at least */
	/* When it was read, in ns of CLOCK_MONOTONIC; 0: not told. */
	uint64_t read_begin, read_end;
};

/* Where records go. The callbacks return 0 or a negative errno. */
struct assembler_output {
	int (*begin)(
		void *ctx, struct avml_range record, struct avml_error *err);
	int (*zeros)(void *ctx, uint64_t len, struct avml_error *err);
	int (*data)(
		void *ctx, const struct piece *piece, struct avml_error *err);
	int (*end)(void *ctx, struct avml_range record, struct avml_error *err);
};

struct assembler {
	const struct assembler_output *output;
	void *ctx;
	bool keep_zeros;     /* a zero block becomes a record too */
	uint64_t keep_until; /* and before this address, in any case */
	bool open;	     /* a record has begun and not ended */
	uint64_t zeros;	     /* bytes counted at the block's front */
	uint64_t dropped;    /* bytes of all blocks left out */
};

void assembler_init(struct assembler *a, const struct assembler_output *output,
	void *ctx, bool keep_zeros);

/* The pieces of a block come in order, without a gap, and all of them. */
int assembler_piece(
	struct assembler *a, const struct piece *piece, struct avml_error *err);

#endif

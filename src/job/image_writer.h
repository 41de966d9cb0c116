/* SPDX-License-Identifier: MIT */
/*
 * Format onto sink: pieces go in, in order of address, and records come
 * out. Marks the sink at the end of each record, so that a failed run is
 * cut back to whole ones, and looks for a wish to stop.
 */
#ifndef JOB_IMAGE_WRITER_H
#define JOB_IMAGE_WRITER_H

#include <avml/sink.h>

#include "format/assembler.h"

struct image_writer_events {
	void *ctx;
	void (*record)(void *ctx, struct avml_range range, uint64_t offset);
};

struct image_writer {
	struct assembler assembler;
	struct avml_sink *sink;
	struct image_writer_events events;
	uint64_t records;
	uint64_t record_offset; /* of the record begun last */
};

/* `sink` stays the caller's, and outlives the writer. */
void image_writer_init(struct image_writer *w, struct avml_sink *sink,
	bool keep_zeros, const struct image_writer_events *events);

/* As assembler_piece(); -EINTR when the run was asked to stop. */
int image_writer_piece(struct image_writer *w, const struct piece *piece,
	struct avml_error *err);

#endif

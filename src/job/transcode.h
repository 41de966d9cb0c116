/* SPDX-License-Identifier: MIT */
/* The conversion's pipeline: parts of an image, decoded and written. */
#ifndef JOB_TRANSCODE_H
#define JOB_TRANSCODE_H

#include "format/image_reader.h"
#include "job/image_writer.h"
#include "job/progress.h"
#include "job/salvage.h"

struct transcode_options {
	unsigned int threads;
	struct salvage *salvage;   /* NULL: damage is an error */
	struct progress *progress; /* told of each part; NULL: nothing */
};

struct transcode;

/*
 * Get the buffers. `reader` and the salvage stay the caller's, and outlive
 * the transcoding.
 */
int transcode_new(struct image_reader *reader,
	const struct transcode_options *options, struct transcode **transcode,
	struct avml_error *err);
void transcode_free(struct transcode *t);

/* All of the image into the writer. `*memory` counts bytes of memory. */
int transcode_run(struct transcode *t, struct image_writer *writer,
	uint64_t *memory, struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* The acquisition's pipeline: a source's pieces, read and written. */
#ifndef JOB_CAPTURE_H
#define JOB_CAPTURE_H

#include <avml/range.h>
#include <avml/source.h>

#include "job/image_writer.h"
#include "job/progress.h"
#include "job/unreadable.h"

struct capture;

/*
 * Get everything ready that can fail before the first byte of output:
 * buffers and a reader a thread (of which at least one must open). With
 * `encode` the writer gets its pieces as chunks too. The ranges are whole
 * pages that the source covers; they and the source stay the caller's, and
 * outlive the capture.
 */
int capture_new(struct avml_source *source,
	const struct avml_range_list *ranges, unsigned int threads, bool encode,
	struct capture **capture, struct avml_error *err);
void capture_free(struct capture *capture);

/*
 * Read all of it into the writer, and what could not be read into `u`. Each
 * piece is told to `progress`, which goes on from what it says.
 */
int capture_run(struct capture *capture, struct image_writer *writer,
	struct unreadable *u, struct progress *progress,
	struct avml_error *err);

#endif

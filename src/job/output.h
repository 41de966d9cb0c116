/* SPDX-License-Identifier: MIT */
/*
 * The near end of every job: a destination that was checked, a sink, and
 * the writer of the format onto it.
 */
#ifndef JOB_OUTPUT_H
#define JOB_OUTPUT_H

#include "job/disk_limit.h"
#include "job/image_writer.h"
#include "job/warning.h"

struct output_options {
	const char *destination;
	const struct avml_sink_input *inputs; /* not to be written over */
	size_t input_count;
	/*
	 * Bytes that it may take, to be held against the limit before it is
	 * opened; 0: cannot be told, and the limit ends the writing.
	 */
	uint64_t estimate;
	uint64_t least; /* bytes that it takes in any case; 0: not known */
	struct disk_limit limit;
	uint64_t min_free_mib; /* of the disk; 0: no limit */
	bool in_memory; /* this machine's memory is read: keep out of it */
	bool force;	/* go on where it cannot fit, or lies in memory */
	bool no_sparse;
	bool no_clobber;
	struct image_writer_options writer;
	struct image_writer_events events;
	/* Told what should be known of the destination. */
	struct warning warning;
};

struct output {
	const char *destination;
	struct avml_sink *sink;
	struct image_writer writer;
};

/* Check the limits, and open. 0 or -errno, and nothing was changed. */
int output_open(struct output *out, const struct output_options *options,
	struct avml_error *err);

/*
 * The end: `ret` is how the run went. When it went well, or the end of it
 * does not, the destination is finished; else it is cut back, and what is
 * left is put in front of the error's chain. Returns the outcome.
 */
int output_close(struct output *out, int ret, struct avml_error *err);

/* After either of the two above. */
void output_release(struct output *out);

#endif

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
	const struct avml_remote *remote;     /* NULL: on this host */
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
	bool digest;		 /* take its SHA-256 */
	bool digest_inline;	 /* without a thread of its own */
	const char *digest_file; /* where to; NULL: beside a regular file */
	struct image_writer_options writer;
	struct image_writer_events events;
	/* Told what should be known of the destination. */
	struct warning warning;
};

struct digest_file {
	const char *image; /* as its line calls it */
	struct warning warning;
	char *path;
	struct avml_sink *sink; /* NULL: there is no such file */
};

struct output {
	const char *destination;
	struct avml_sink *sink;
	struct image_writer writer;
	bool digest; /* is wanted */
	struct digest_file digest_file;
};

/* Check the limits, and open. 0 or -errno, and nothing was changed. */
int output_open(struct output *out, const struct output_options *options,
	struct avml_error *err);

/*
 * The end: `ret` is how the run went. When it went well, or the end of it
 * does not, the destination is finished; else it is cut back, and what is
 * left is put in front of the error's chain. Returns the outcome.
 *
 * A digest is then of what is there, and its file is written. That this fails
 * is told, and changes no outcome.
 */
int output_close(struct output *out, int ret, struct avml_error *err);

/* After it: the digest, "" where there is none. */
void output_copy_digest(
	const struct output *out, char digest[AVML_SINK_DIGEST_SIZE]);

/* After either of the two above. */
void output_release(struct output *out);

#endif

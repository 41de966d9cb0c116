/* SPDX-License-Identifier: MIT */
/* A conversion from memory to memory, as src/job/convert.c does it. */
#ifndef FUZZ_JOB_H
#define FUZZ_JOB_H

#include "image.h"

#include <avml/record.h>

struct fuzz_job {
	enum avml_image_format format; /* to convert to */
	bool raw;		       /* the source has no headers */
	bool salvage;
	bool keep_zeros;
	bool force;
	bool peek;	  /* the source can be peeked at */
	bool makes_holes; /* the sink */
	bool again;	  /* do more with it: see the target */
	unsigned int threads;
	size_t most; /* see struct fuzz_feed */
};

struct fuzz_result {
	int ret;
	struct avml_error err;
	struct fuzz_image *image; /* cut back to whole records */
	uint64_t records;
	uint64_t memory_len; /* read */
	uint64_t dropped;    /* of it, in blocks of zeros */
	uint64_t losses;
	uint64_t losses_hash;
	uint64_t losses_len; /* bytes of the source */
	uint64_t lost_len;   /* bytes of memory, as far as told */
	bool lost_unknown;   /* and some more */
};

/* The bytes in front of the image. */
struct fuzz_job fuzz_job_take(struct fuzz_input *in);

void fuzz_job_run(const struct fuzz_job *job, const struct fuzz_image *source,
	struct fuzz_result *result);
void fuzz_result_release(struct fuzz_result *result);

/* Other threads and other reads: all that can be seen is the same. */
void fuzz_job_check_again(const struct fuzz_job *job,
	const struct fuzz_image *source, const struct fuzz_result *result);

/*
 * The memory of what was written: it reads without an error, and has no
 * faults but those that the source had.
 */
void fuzz_result_memory(const struct fuzz_job *job,
	const struct fuzz_result *result, struct fuzz_memory *memory);

#endif

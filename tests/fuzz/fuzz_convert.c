/* SPDX-License-Identifier: MIT */
/*
 * A conversion, from any format to any: what is written holds the memory
 * that was read, or the front of it when something failed.
 */
#include "job.h"

#include <errno.h>

/* Of a source: more than a block, in which records are written. */
#define ZEROS_MAX (18u << 20)

static void check_whole(const struct fuzz_job *job,
	const struct fuzz_result *result, const struct fuzz_memory *in)
{
	struct fuzz_memory out = FUZZ_MEMORY_ALL;

	fuzz_result_memory(job, result, &out);
	FUZZ_ASSERT(out.nonzero == in->nonzero && out.hash == in->hash);
	FUZZ_ASSERT(result->memory_len == in->len);
	if (job->format == AVML_IMAGE_RAW)
		return;
	FUZZ_ASSERT(out.len + result->dropped == in->len);
	FUZZ_ASSERT(!job->keep_zeros || result->dropped == 0);
	/* Nothing comes out of order that was not so before. */
	FUZZ_ASSERT(in->oddities[IMAGE_ODD_ORDER] > 0 ||
		    out.oddities[IMAGE_ODD_ORDER] == 0);
}

static void check_front(const struct fuzz_job *job,
	const struct fuzz_result *result, const struct fuzz_image *source)
{
	struct fuzz_memory out = FUZZ_MEMORY_ALL, in = { .limit = 0 };
	struct avml_error err;

	fuzz_result_memory(job, result, &out);
	in.limit = out.nonzero;
	fuzz_memory_read(&in, source, job->raw, &err);
	FUZZ_ASSERT(in.nonzero == out.nonzero && in.hash == out.hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	const struct fuzz_job job = fuzz_job_take(&in);
	struct fuzz_memory memory = FUZZ_MEMORY_ALL;
	struct fuzz_image *source;
	struct fuzz_result result;
	struct avml_error err;
	uint8_t *bytes;
	int ret;

	bytes = fuzz_rest(&in);
	source = fuzz_image_over(bytes, in.left, ZEROS_MAX);
	/* Neither is a conversion: it is refused before it begins. */
	if (job.raw && (job.format == AVML_IMAGE_RAW || source->len == 0)) {
		fuzz_image_free(source);
		free(bytes);
		return 0;
	}
	ret = fuzz_memory_read(&memory, source, job.raw, &err);
	fuzz_job_run(&job, source, &result);
	if (result.ret == 0) {
		FUZZ_ASSERT(ret == 0);
		check_whole(&job, &result, &memory);
	} else {
		/* Damage is told as such, unless the disk was full before. */
		if (job.format != AVML_IMAGE_RAW && result.ret != -ENOSPC)
			FUZZ_ASSERT(result.ret == ret);
		check_front(&job, &result, source);
	}
	if (job.again)
		fuzz_job_check_again(&job, source, &result);
	fuzz_result_release(&result);
	fuzz_image_free(source);
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Salvage, of anything: what it writes is a sound image, nothing is lost of
 * one that was sound, and nothing that can be read without salvage.
 */
#include "job.h"

#include <errno.h>

/* Of a source: more than a part. A search for the next record is slow. */
#define ZEROS_MAX (320u << 10)

/* The front of what was written is this memory. */
static void check_front(const struct fuzz_job *job,
	const struct fuzz_result *result, const struct fuzz_memory *front)
{
	struct fuzz_memory out = { .limit = front->nonzero };

	fuzz_result_memory(job, result, &out);
	FUZZ_ASSERT(out.nonzero == front->nonzero && out.hash == front->hash);
}

static bool has_oddity(const struct fuzz_memory *memory)
{
	for (int i = 0; i < IMAGE_ODD_COUNT; i++) {
		if (memory->oddities[i] > 0 && i != IMAGE_ODD_PARTIAL_PAGE)
			return true;
	}
	return false;
}

/* What was salvaged is sound: to salvage it again changes nothing. */
static void check_twice(const struct fuzz_job *job,
	const struct fuzz_result *result, const struct fuzz_memory *memory)
{
	struct fuzz_memory again = FUZZ_MEMORY_ALL;
	struct fuzz_result twice;

	fuzz_job_run(job, result->image, &twice);
	FUZZ_ASSERT(twice.ret == 0 && twice.losses == 0);
	fuzz_result_memory(job, &twice, &again);
	FUZZ_ASSERT(again.nonzero == memory->nonzero);
	FUZZ_ASSERT(again.hash == memory->hash && again.len == memory->len);
	fuzz_result_release(&twice);
}

/*
 * Whether salvage has to believe what a strict reading does. Without a look
 * ahead it doubts padding, which may be data whose type is damaged.
 */
static bool is_believed(
	const struct fuzz_job *job, const struct fuzz_memory *strict)
{
	return job->peek || strict->padding == 0;
}

static void check(const struct fuzz_job *job, const struct fuzz_image *source)
{
	struct fuzz_memory out = FUZZ_MEMORY_ALL, strict = FUZZ_MEMORY_ALL;
	struct fuzz_result result;
	struct avml_error err;
	const int ret = fuzz_memory_read(&strict, source, false, &err);

	fuzz_job_run(job, source, &result);
	fuzz_result_memory(job, &result, &out);
	FUZZ_ASSERT(result.ret == 0 || result.ret == -ENOSPC ||
		    (result.ret == -EFBIG && job->format == AVML_IMAGE_RAW) ||
		    (result.ret == -EINVAL && result.records == 0));
	/* Damage is gone back over once: it must not cost time for ever. */
	FUZZ_ASSERT(result.losses_len <= 2 * source->len);
	if (result.ret == 0 && ret == 0 && is_believed(job, &strict) &&
		!has_oddity(&strict)) {
		FUZZ_ASSERT(result.losses == 0);
		FUZZ_ASSERT(result.memory_len == strict.len);
		FUZZ_ASSERT(out.hash == strict.hash);
	}
	/* A look ahead may doubt what is read without one. */
	if (result.ret == 0 && !job->peek && strict.padding == 0 &&
		job->format != AVML_IMAGE_RAW)
		check_front(job, &result, &strict);
	if (result.ret == 0 && job->again && result.records > 0 &&
		job->format != AVML_IMAGE_RAW)
		check_twice(job, &result, &out);
	if (job->again)
		fuzz_job_check_again(job, source, &result);
	fuzz_result_release(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	struct fuzz_job job = fuzz_job_take(&in);
	struct fuzz_image *source;
	uint8_t *bytes;

	job.raw = false;
	job.salvage = true;
	bytes = fuzz_rest(&in);
	source = fuzz_image_over(bytes, in.left, ZEROS_MAX);
	check(&job, source);
	fuzz_image_free(source);
	free(bytes);
	return 0;
}

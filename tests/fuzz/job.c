/* SPDX-License-Identifier: MIT */
#include "job.h"

#include <errno.h>

#include "job/image_writer.h"
#include "job/salvage.h"
#include "job/transcode.h"

/* One run, with everything that it needs. */
struct run {
	const struct fuzz_job *job;
	struct fuzz_result *result;
	struct fuzz_feed feed;
	struct fuzz_sink sink;
	struct image_reader *reader;
	struct transcode *transcode;
	struct salvage salvage;
	struct image_writer writer;
};

struct fuzz_job fuzz_job_take(struct fuzz_input *in)
{
	static const enum avml_image_format formats[] = {
		AVML_IMAGE_LIME,
		AVML_IMAGE_LIME_COMPRESSED,
		AVML_IMAGE_RAW,
		AVML_IMAGE_LIME_COMPRESSED,
	};
	const uint64_t how = fuzz_number(in, 1);
	const size_t most = (size_t)fuzz_number(in, 1);

	return (struct fuzz_job){
		.format = formats[how & 3],
		.raw = how & 4,
		.keep_zeros = how & 8,
		.peek = how & 16,
		.again = how & 32,
		.makes_holes = how & 64,
		.force = how & 128,
		.threads = 1,
		.most = most * most,
	};
}

static void on_loss(void *ctx, uint64_t offset, uint64_t end,
	struct avml_range range, const char *reason)
{
	struct fuzz_result *result = ctx;
	const uint64_t numbers[] = { offset, end, range.start, range.end };

	FUZZ_ASSERT(offset <= end);
	FUZZ_ASSERT(range.start <= range.end);
	FUZZ_ASSERT(reason[0] != '\0');
	result->losses++;
	result->losses_len += end - offset;
	result->lost_len += avml_range_len(range);
	result->lost_unknown |= range.start == range.end;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		result->losses_hash =
			(result->losses_hash ^ numbers[i]) * 0x9e3779b97f4a7c15;
}

static int begin(struct run *r, struct avml_error *err)
{
	const struct fuzz_job *job = r->job;
	const struct image_reader_options reader_options = {
		.raw_size = job->raw ? r->feed.image->len : 0,
		.salvage = job->salvage,
		.runs = job->format == AVML_IMAGE_LIME_COMPRESSED,
	};
	const struct transcode_options options = {
		.threads = job->threads,
		.salvage = job->salvage ? &r->salvage : NULL,
	};
	const struct salvage_events events = { r->result, on_loss };
	struct image_loss loss = { .reason = "" };
	int ret;

	r->reader = image_reader_new(&r->feed.input, &reader_options);
	FUZZ_ASSERT(r->reader);
	ret = transcode_new(r->reader, &options, &r->transcode, err);
	if (ret == 0 && job->salvage)
		ret = salvage_init(&r->salvage, &r->writer, &events, err);
	FUZZ_ASSERT(ret == 0);
	return image_reader_begin(r->reader, &loss, err);
}

static int write_all(struct run *r, struct avml_error *err)
{
	const struct image_writer_options options = {
		.format = r->job->format,
		.keep_zeros = r->job->keep_zeros,
		.force = r->job->force,
	};
	const struct image_writer_events events = { .ctx = NULL };
	struct fuzz_result *result = r->result;
	int ret = image_writer_init(&r->writer, &options, &events, err);

	FUZZ_ASSERT(ret == 0);
	r->writer.sink = &r->sink.base;
	ret = transcode_run(r->transcode, &r->writer, &result->memory_len, err);
	result->records = r->writer.records;
	result->dropped = r->writer.assembler.dropped;
	FUZZ_ASSERT(r->sink.base.position <= result->image->len);
	FUZZ_ASSERT(r->sink.base.mark <= r->sink.base.position);
	FUZZ_ASSERT(ret < 0 || r->sink.base.mark == result->image->len);
	fuzz_image_cut(result->image, r->sink.base.mark);
	image_writer_release(&r->writer);
	return ret;
}

void fuzz_job_run(const struct fuzz_job *job, const struct fuzz_image *source,
	struct fuzz_result *result)
{
	/* Raw is not read back: its gaps may be as large as they like. */
	const uint64_t zeros_max =
		job->format == AVML_IMAGE_RAW ? UINT64_MAX : FUZZ_ZEROS_MAX;
	struct run r = { .job = job, .result = result };

	*result = (struct fuzz_result){ .image = fuzz_image_new() };
	fuzz_feed_init(&r.feed, source, job->most, job->peek);
	fuzz_sink_init(&r.sink, result->image, job->makes_holes, zeros_max);
	result->ret = begin(&r, &result->err);
	if (result->ret == 0)
		result->ret = write_all(&r, &result->err);
	FUZZ_ASSERT(result->ret == 0 || result->ret == -EINVAL ||
		    result->ret == -EPROTO || result->ret == -EBADMSG ||
		    result->ret == -ENOSPC || result->ret == -EFBIG);
	FUZZ_ASSERT(result->ret == 0 || result->err.code == -result->ret);
	FUZZ_ASSERT(result->losses == r.salvage.losses);
	/* Some of it may have no known address. */
	FUZZ_ASSERT(result->lost_len <= r.salvage.lost_bytes);
	salvage_release(&r.salvage);
	transcode_free(r.transcode);
	image_reader_free(r.reader);
}

void fuzz_result_release(struct fuzz_result *result)
{
	fuzz_image_free(result->image);
}

void fuzz_job_check_again(const struct fuzz_job *job,
	const struct fuzz_image *source, const struct fuzz_result *result)
{
	struct fuzz_job other = *job;
	struct fuzz_result again;
	char text[2][AVML_ERROR_TEXT + 64] = { "", "" };

	other.threads = 2;
	other.most = job->most ? 0 : 7;
	fuzz_job_run(&other, source, &again);
	FUZZ_ASSERT(again.ret == result->ret);
	if (again.ret < 0) {
		avml_error_join(&again.err, text[0], sizeof(text[0]));
		avml_error_join(&result->err, text[1], sizeof(text[1]));
		FUZZ_ASSERT(strcmp(text[0], text[1]) == 0);
	}
	FUZZ_ASSERT(again.records == result->records);
	FUZZ_ASSERT(again.dropped == result->dropped);
	FUZZ_ASSERT(again.memory_len == result->memory_len);
	FUZZ_ASSERT(again.losses == result->losses);
	FUZZ_ASSERT(again.losses_hash == result->losses_hash);
	FUZZ_ASSERT(fuzz_image_equal(again.image, result->image));
	fuzz_result_release(&again);
}

void fuzz_result_memory(const struct fuzz_job *job,
	const struct fuzz_result *result, struct fuzz_memory *memory)
{
	const struct fuzz_image *image = result->image;
	struct avml_error err = AVML_ERROR_INIT;

	FUZZ_ASSERT((image->len > 0) == (result->records > 0));
	if (job->format == AVML_IMAGE_RAW) {
		for (size_t i = 0; i < image->count; i++) {
			const struct fuzz_extent *e = &image->extents[i];

			if (e->bytes)
				fuzz_memory_add(memory, e->at, e->bytes,
					(size_t)e->len);
		}
		return;
	}
	if (image->len == 0)
		return;
	FUZZ_ASSERT(fuzz_memory_read(memory, image, false, &err) == 0);
	FUZZ_ASSERT(memory->oddities[IMAGE_ODD_EMPTY] == 0);
	FUZZ_ASSERT(memory->oddities[IMAGE_ODD_TRAILER] == 0);
	FUZZ_ASSERT(memory->oddities[IMAGE_ODD_UNCOMPRESSED_TRAILER] == 0);
	FUZZ_ASSERT(memory->oddities[IMAGE_ODD_MIXED] == 0);
}

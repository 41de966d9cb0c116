/* SPDX-License-Identifier: MIT */
#include "job/inspect.h"

#include <errno.h>

#include <avml/pipeline.h>

#include "base/cancel.h"
#include "base/confine.h"
#include "base/sum.h"
#include "format/zero.h"
#include "job/image_file.h"
#include "job/parts.h"

#define PART_UNITS (IMAGE_PART_MEMORY / ZERO_UNIT)

struct inspection {
	const struct inspect_options *options;
	const struct inspect_events *events;
	struct image_file file;
	struct progress progress;
	struct image_reader *reader;
	struct parts *parts;
	struct framing_decoder decoder; /* to tell what is wrong */
};

static uint64_t zeros_in(const uint8_t *bytes, size_t len)
{
	uint8_t map[PART_UNITS];
	size_t units = 0;

	if (zero_map(bytes, len, map))
		return len;
	for (size_t i = 0; i * ZERO_UNIT < len; i++)
		units += map[i];
	/* The last may be a part of one. */
	if (len % ZERO_UNIT != 0 && map[len / ZERO_UNIT])
		return (units - 1) * ZERO_UNIT + len % ZERO_UNIT;
	return units * ZERO_UNIT;
}

/* The errors are told in order: see tell_chunks(). */
static void decode_chunks(
	struct framing_decoder *decoder, const struct parts_slot *s)
{
	struct inspect_counts *counts = s->own;
	struct parts_cursor cursor = { 0, 0 };
	struct avml_error err;

	while (cursor.at < s->part.len) {
		const size_t before = cursor.done;
		bool zero;
		const int ret = parts_decode(s, decoder, &cursor, &zero, &err);

		counts->chunks++;
		if (ret < 0) {
			counts->bad_chunks++;
			counts->bad_bytes += cursor.done - before;
		} else if (zero) {
			counts->zero_bytes += cursor.done - before;
		}
	}
}

static int work(void *ctx, struct framing_decoder *decoder,
	struct parts_slot *s, struct avml_error *err)
{
	const struct inspection *in = ctx;
	struct inspect_counts *counts = s->own;

	(void)err;
	*counts = (struct inspect_counts){ .chunks = 0 };
	if (s->part.kind == IMAGE_ZEROS)
		counts->zero_bytes = avml_range_len(s->part.range);
	else if (in->options->heads)
		return 0;
	else if (s->part.kind == IMAGE_PLAIN)
		counts->zero_bytes = zeros_in(s->image, (size_t)s->part.len);
	else if (s->part.kind == IMAGE_CHUNKS)
		decode_chunks(decoder, s);
	return 0;
}

/* What is wrong with the chunks of a part, each by itself. */
static void tell_chunks(struct inspection *in, const struct parts_slot *s)
{
	struct parts_cursor cursor = { 0, 0 };

	while (cursor.at < s->part.len) {
		const struct parts_cursor before = cursor;
		const uint64_t address = s->part.range.start;
		struct avml_error err = AVML_ERROR_INIT;
		struct image_loss damage;
		bool zero;

		if (parts_decode(s, &in->decoder, &cursor, &zero, &err) == 0)
			continue;
		damage = (struct image_loss){
			.offset = s->part.offset + before.at,
			.end = s->part.offset + cursor.at,
			.range = { address + before.done,
				address + cursor.done },
		};
		image_loss_reason(&damage, &err);
		in->events->damage(in->events->ctx, &damage);
	}
}

static int consume(void *ctx, struct parts_slot *s, struct avml_error *err)
{
	struct inspection *in = ctx;
	const struct inspect_events *events = in->events;
	const struct inspect_counts *counts = s->own;
	uint64_t *bad_bytes = &in->progress.now.bad_bytes;

	/* Nothing that is written here would look for it. */
	if (cancel_level() > 0)
		return cancel_error(err);
	if (s->found == 2) {
		events->damage(events->ctx, &s->loss);
		sum_add(bad_bytes, avml_range_len(s->loss.range));
		progress_at(&in->progress, s->loss.end);
		return 0;
	}
	if (s->part.kind == IMAGE_ODDITY) {
		events->oddity(events->ctx, &s->part);
		return 0;
	}
	if (counts->bad_chunks > 0)
		tell_chunks(in, s);
	events->part(events->ctx, &s->part, counts);
	sum_add(bad_bytes, counts->bad_bytes);
	progress_at(&in->progress, s->part.offset + s->part.len);
	return 0;
}

static const struct parts_ops inspect_ops = {
	.work = work,
	.consume = consume,
};

static int open_image(struct inspection *in, struct avml_error *err)
{
	const struct image_reader_options reader = {
		.check = true,
		.heads = in->options->heads,
	};
	const struct parts_options parts = {
		.threads = in->options->heads ? 1
					      : avml_pipeline_threads(
							in->options->threads),
		.own_len = sizeof(struct inspect_counts),
	};
	int ret = image_file_open(&in->file, in->options->image, err);

	if (ret < 0)
		return ret;
	framing_decoder_init(&in->decoder);
	in->reader = image_reader_new(&in->file.input, &reader);
	if (!in->reader)
		return avml_error_set_errno(err, ENOMEM, "%s", in->file.path);
	return parts_new(in->reader, &inspect_ops, in, &parts, &in->parts, err);
}

/* Before the first byte of the image is looked at. */
static void confine_to_read(const struct inspection *in)
{
	struct avml_error missing = AVML_ERROR_INIT;

	if (in->options->confine &&
		confine(CONFINE_TO_READ, NULL, &missing) < 0)
		warning_unconfined(
			&in->options->warning, in->file.path, &missing);
}

static int read_image(struct inspection *in, struct avml_error *err)
{
	struct image_loss loss;
	int ret;

	in->progress.now.all_bytes = image_file_size(&in->file);
	progress_at(&in->progress, 0);
	ret = image_reader_begin(in->reader, &loss, err);
	if (ret == 0)
		ret = parts_run(in->parts, err);
	/* The reader is ahead of what is done, until all of it is. */
	progress_at(
		&in->progress, ret == 0 ? image_reader_offset(in->reader) : 0);
	if (ret < 0 && ret != -EINTR)
		avml_error_wrap(
			err, "cannot read %s as an image", in->file.path);
	return ret;
}

int inspect(const struct inspect_options *options,
	const struct inspect_events *events, struct inspect_result *result,
	struct avml_error *err)
{
	struct inspection in = {
		.options = options,
		.events = events,
		.progress = options->progress,
		.file = { .fd = -1 },
	};
	int ret = open_image(&in, err);

	*result = (struct inspect_result){ .records = 0 };
	if (ret == 0) {
		confine_to_read(&in);
		ret = read_image(&in, err);
	}
	if (in.reader) {
		result->format = image_reader_format(in.reader);
		result->records = image_reader_records(in.reader);
		result->image_bytes = image_reader_offset(in.reader);
		result->on_disk = in.file.seekable;
		result->allocated_bytes = 512 * (uint64_t)in.file.st.st_blocks;
	}
	parts_free(in.parts);
	image_reader_free(in.reader);
	image_file_close(&in.file);
	return ret;
}

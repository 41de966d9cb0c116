/* SPDX-License-Identifier: MIT */
#include <avml/convert.h>

#include <errno.h>
#include <inttypes.h>

#include <avml/pipeline.h>

#include "base/confine.h"
#include "base/digest.h"
#include "job/image_file.h"
#include "job/output.h"
#include "job/progress.h"
#include "job/salvage.h"
#include "job/transcode.h"
#include "job/warning.h"

/* One run, from the options to the result. */
struct convert {
	const struct avml_convert_options *options;
	const struct avml_convert_events *events;
	struct avml_convert_result *result;
	struct warning warning;
	struct progress progress;
	struct image_file source;
	struct image_reader *reader;
	struct transcode *transcode;
	struct salvage salvage;
	struct output output;
	bool unconfined; /* at least in part, and this was told */
};

/* What is wrong with what was asked for, whatever the file holds. */
static int check_request(
	const struct avml_convert_options *o, struct avml_error *err)
{
	if (o->format == AVML_IMAGE_NONE)
		return avml_error_set(
			err, EINVAL, "no format to convert to is given");
	if (o->source_format == o->format && !o->salvage)
		return avml_error_set(err, EINVAL,
			"no conversion required: %s is to become %s",
			avml_image_format_name(o->source_format),
			avml_image_format_name(o->format));
	if (o->source_format == AVML_IMAGE_RAW && o->salvage)
		return avml_error_set(err, EINVAL,
			"a raw image has no structure that could be damaged: "
			"there is nothing to salvage");
	return 0;
}

static int open_reader(struct convert *c, struct avml_error *err)
{
	const bool raw = c->options->source_format == AVML_IMAGE_RAW;
	struct image_file *file = &c->source;
	struct image_reader_options options = {
		.salvage = c->options->salvage,
		.runs = c->options->format == AVML_IMAGE_LIME_COMPRESSED,
	};
	uint64_t raw_size = 0;
	int ret = image_file_open(file, c->options->source, err);

	if (ret < 0)
		return ret;
	if (raw && !file->seekable)
		return avml_error_set(err, ESPIPE,
			"%s is no regular file: the size of a raw image has to "
			"be known beforehand",
			file->path);
	if (raw) {
		raw_size = image_file_size(file);
		if (raw_size == 0)
			return avml_error_set(
				err, EINVAL, "%s is empty", file->path);
	}
	options.raw_size = raw_size;
	c->reader = image_reader_new(&file->input, &options);
	if (!c->reader)
		return avml_error_set_errno(err, ENOMEM, "%s", file->path);
	return 0;
}

static int open_output(struct convert *c, struct avml_error *err)
{
	const struct avml_convert_options *o = c->options;
	const struct avml_sink_input input = {
		.path = c->source.path,
		.dev = c->source.st.st_dev,
		.ino = c->source.st.st_ino,
	};
	const struct output_options options = {
		.destination = o->destination,
		.inputs = &input,
		.input_count = 1,
		/* .estimate: only the records tell what they expand to */
		.limit = { o->max_disk_usage_mib,
			o->max_disk_usage_percentage },
		.min_free_mib = o->min_free_mib,
		.no_sparse = o->no_sparse,
		.no_clobber = o->no_clobber,
		.digest = o->digest,
		.digest_inline = avml_pipeline_threads(o->threads) == 1,
		.writer = { .format = o->format,
			.keep_zeros = o->keep_zeros,
			.force = o->force },
		.events = { c->events->ctx, c->events->record },
		.warning = c->warning,
	};

	return output_open(&c->output, &options, err);
}

/* What is no image at all ends here, and leaves what is there as it is. */
static int begin_reading(struct convert *c, struct avml_error *err)
{
	struct image_loss loss = { .reason = "" };
	int ret = image_reader_begin(c->reader, &loss, err);

	if (ret >= 0 || ret == -EINTR)
		return ret;
	if (loss.reason[0] != '\0' && c->events->loss)
		c->events->loss(c->events->ctx, loss.offset, loss.end,
			loss.range, loss.reason);
	if (c->options->salvage)
		return avml_error_wrap(
			err, "nothing in %s could be salvaged", c->source.path);
	return avml_error_wrap(err, "cannot convert %s", c->source.path);
}

/* The outcome of confining, told once. */
static void note_confined(
	struct convert *c, int ret, const struct avml_error *missing)
{
	if (ret == 0 || c->unconfined)
		return;
	c->unconfined = true;
	warning_unconfined(&c->warning, c->source.path, missing);
}

/*
 * Before the first byte of the image is parsed: that is nothing or a header,
 * but while salvaging it may be the whole of it. The destination has to be
 * opened after that, and is all that can be.
 */
static void confine_to_open(struct convert *c)
{
	const char *destination = c->options->destination;
	struct avml_error missing = AVML_ERROR_INIT;

	if (!c->options->confine)
		return;
	if (avml_sink_descriptor(destination) >= 0)
		destination = NULL;
	note_confined(
		c, confine(CONFINE_TO_OPEN, destination, &missing), &missing);
}

static void confine_to_write(struct convert *c)
{
	struct avml_error missing = AVML_ERROR_INIT;

	if (c->options->confine)
		note_confined(c, confine_further(CONFINE_TO_WRITE, &missing),
			&missing);
}

/* Everything that can go wrong before the first byte of output. */
static int prepare(struct convert *c, struct avml_error *err)
{
	const struct avml_convert_options *o = c->options;
	const struct transcode_options options = {
		.threads = avml_pipeline_threads(o->threads),
		.salvage = o->salvage ? &c->salvage : NULL,
		.progress = &c->progress,
	};
	const struct salvage_events events = {
		c->events->ctx,
		c->events->loss,
	};
	int ret = check_request(o, err);

	if (ret == 0)
		ret = open_reader(c, err);
	if (ret == 0)
		ret = transcode_new(c->reader, &options, &c->transcode, err);
	if (ret == 0 && o->salvage)
		ret = salvage_init(
			&c->salvage, &c->output.writer, &events, err);
	if (ret < 0)
		return ret;
	if (o->digest)
		digest_init();
	confine_to_open(c);
	ret = begin_reading(c, err);
	if (ret == 0)
		ret = open_output(c, err);
	if (ret == 0)
		confine_to_write(c);
	return ret;
}

static void tell_oddities(const struct convert *c)
{
	static const char *const texts[IMAGE_ODD_COUNT] = {
		[IMAGE_ODD_EMPTY] =
			"records without data were read as zeros (AVML 0.17.0 "
			"wrote such)",
		[IMAGE_ODD_TRAILER] =
			"records have a trailer that is not their stream's "
			"length",
		[IMAGE_ODD_UNCOMPRESSED_TRAILER] =
			"records have the length of their memory for a "
			"trailer (a development version of AVML wrote such)",
		[IMAGE_ODD_ORDER] =
			"records overlap or precede the one before them",
		[IMAGE_ODD_MIXED] =
			"records are of another format than the first",
		[IMAGE_ODD_PARTIAL_PAGE] =
			"records do not end with a page (AVML leaves out the "
			"last byte of every range)",
		[IMAGE_ODD_END] =
			"records end before their header says, where the "
			"next one begins",
		[IMAGE_ODD_RANGE] =
			"records have a range that is not as long as their "
			"memory, and were put where they fit between others",
	};

	for (int i = 0; i < IMAGE_ODD_COUNT; i++) {
		const struct image_oddity_count *odd =
			image_reader_oddity(c->reader, (enum image_oddity)i);

		if (odd->count > 0)
			warning_tell(&c->warning,
				"%s: %" PRIu64
				" %s; the first at offset %" PRIu64,
				c->source.path, odd->count, texts[i],
				odd->offset);
	}
}

static void tell_format(const struct convert *c)
{
	const enum avml_image_format said = c->options->source_format;
	const enum avml_image_format found = image_reader_format(c->reader);

	if (said != AVML_IMAGE_NONE && found != AVML_IMAGE_NONE &&
		said != found)
		warning_tell(&c->warning, "%s is %s, not %s as was said",
			c->source.path, avml_image_format_name(found),
			avml_image_format_name(said));
}

static int run(struct convert *c, struct avml_error *err)
{
	const struct image_writer *w = &c->output.writer;
	int ret;

	c->progress.now.all_bytes = image_file_size(&c->source);
	progress_at(&c->progress, 0);
	ret = transcode_run(
		c->transcode, &c->output.writer, &c->result->memory_bytes, err);
	if (ret < 0 && ret != -EINTR)
		avml_error_wrap(err, "cannot convert %s", c->source.path);
	if (ret == 0 && w->records == 0 && c->salvage.losses > 0)
		ret = avml_error_set(err, EINVAL,
			"nothing in %s could be salvaged", c->source.path);
	ret = output_close(&c->output, ret, err);
	output_copy_digest(&c->output, c->result->digest);
	c->result->source_bytes = image_reader_offset(c->reader);
	c->result->records = w->records;
	c->result->dropped_bytes = w->assembler.dropped;
	c->result->written_bytes = avml_sink_position(c->output.sink);
	c->result->hole_bytes = avml_sink_hole_bytes(c->output.sink);
	c->result->losses = c->salvage.losses;
	c->result->lost_bytes = c->salvage.lost_bytes;
	c->progress.now.written_bytes = c->result->written_bytes;
	c->progress.now.bad_bytes = c->result->lost_bytes;
	progress_at(&c->progress, ret == 0 ? c->result->source_bytes : 0);
	tell_oddities(c);
	tell_format(c);
	if (ret < 0)
		return ret;
	if (w->records == 0)
		warning_tell(&c->warning,
			"all memory in it is zero: %s holds no record",
			c->options->destination);
	if (w->unsafe_records > 0)
		warning_tell(&c->warning,
			"%" PRIu64 " records hold memory that does not "
			"compress at all, and Volatility 3 may hang on them: "
			"convert to lime for it",
			w->unsafe_records);
	return 0;
}

int avml_convert(const struct avml_convert_options *options,
	const struct avml_convert_events *events,
	struct avml_convert_result *result, struct avml_error *err)
{
	struct convert c = {
		.options = options,
		.events = events,
		.result = result,
		.warning = { events->ctx, events->warning },
		.progress = { .ctx = events->ctx, .tell = events->progress },
		.source = { .fd = -1 },
	};
	int ret;

	*result = (struct avml_convert_result){ .records = 0 };
	ret = prepare(&c, err);
	if (ret == 0)
		ret = run(&c, err);
	output_release(&c.output);
	salvage_release(&c.salvage);
	transcode_free(c.transcode);
	image_reader_free(c.reader);
	image_file_close(&c.source);
	return ret;
}

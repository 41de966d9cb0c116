/* SPDX-License-Identifier: MIT */
#include <avml/snapshot.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <avml/iomem.h>
#include <avml/pipeline.h>
#include <avml/sink.h>
#include <avml/source.h>

#include "base/cleanup.h"
#include "job/capture.h"
#include "job/output.h"

/* One run, from the options to the result. */
struct snapshot {
	const struct avml_snapshot_options *options;
	const struct avml_snapshot_events *events;
	struct avml_snapshot_result *result;
	char *iomem_path;
	struct avml_source *source;
	struct avml_range_list ranges; /* to be read */
	struct capture *capture;
	struct output output;
};

static void warn(const struct snapshot *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(const struct snapshot *s, const char *fmt, ...)
{
	char text[5120]; /* room for a path */
	va_list ap;

	if (!s->events->warning)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->events->warning(s->events->ctx, text);
}

static enum avml_image_format image_format(const struct snapshot *s)
{
	return s->options->compress ? AVML_IMAGE_LIME_COMPRESSED
				    : AVML_IMAGE_LIME;
}

static int out_of_memory(struct avml_error *err)
{
	return avml_error_set_errno(err, ENOMEM, "the table of ranges");
}

/* The source, and whether it needs to be told where its RAM is. */
static int open_source(struct snapshot *s, struct avml_error *err)
{
	const struct avml_source_config config = {
		.proc_dir = s->options->proc_dir,
		.page_size = s->options->page_size,
	};
	int ret =
		avml_source_open(s->options->source, &config, &s->source, err);

	if (ret < 0)
		return ret;
	snprintf(s->result->source, sizeof(s->result->source), "%s",
		avml_source_path(s->source));
	if (!avml_source_is_live(s->source) && !s->options->iomem)
		return avml_error_set(err, EINVAL,
			"%s is a file: say which physical ranges it holds "
			"(--iomem FILE)",
			avml_source_path(s->source));
	return 0;
}

/*
 * Where this host does not tell its RAM (no iomem, or one of zeros), the
 * headers of kcore do. `err` comes with the reason and leaves with it.
 */
static int ranges_of_coverage(
	struct snapshot *s, struct avml_range_list *ram, struct avml_error *err)
{
	const struct avml_range_list *coverage =
		avml_source_coverage(s->source);

	if (!coverage)
		return -err->code;
	warn(s, "%s; the ranges in the headers of %s are taken for RAM",
		avml_error_message(err, 0), avml_source_path(s->source));
	for (size_t i = 0; i < coverage->count; i++) {
		if (avml_range_list_add(ram, coverage->items[i].start,
			    coverage->items[i].end))
			return out_of_memory(err);
	}
	return 0;
}

static int read_ram(
	struct snapshot *s, struct avml_range_list *ram, struct avml_error *err)
{
	struct avml_iomem iomem;
	int ret = avml_iomem_read(s->iomem_path, &iomem, err);

	if (ret == 0) {
		*ram = iomem.ram;
		if (iomem.skipped > 0)
			warn(s,
				"%s: lines that are no iomem lines and were "
				"skipped: %lu, the first is line %lu",
				s->iomem_path, iomem.skipped,
				iomem.first_skipped);
		return 0;
	}
	/* Other errors, and a file that was asked for, are to be mended. */
	if (!s->options->iomem &&
		(ret == -ENOENT || ret == -EPERM || ret == -EACCES))
		return ranges_of_coverage(s, ram, err);
	return ret;
}

static void tell_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	struct snapshot *s = ctx;

	s->result->unreadable_bytes += avml_range_len(range);
	if (s->events->unreadable)
		s->events->unreadable(s->events->ctx, range, status);
}

/* RAM less what is not whole pages, less what the source has no place for. */
static int plan_ranges(
	struct snapshot *s, struct avml_range_list *ram, struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list trimmed = AVML_RANGE_LIST_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list uncovered = AVML_RANGE_LIST_INIT;
	const struct avml_range_list *coverage =
		avml_source_coverage(s->source);

	if (avml_range_list_align(
		    ram, avml_source_page_size(s->source), &trimmed))
		return out_of_memory(err);
	s->result->ram_bytes = avml_range_list_total(ram);
	s->result->trimmed_bytes = avml_range_list_total(&trimmed);
	for (size_t i = 0; i < trimmed.count && s->events->trimmed; i++)
		s->events->trimmed(s->events->ctx, trimmed.items[i]);
	if (!coverage) {
		s->ranges = *ram;
		*ram = (struct avml_range_list)AVML_RANGE_LIST_INIT;
	} else if (avml_range_list_intersect(ram, coverage, &s->ranges) ||
		   avml_range_list_subtract(ram, coverage, &uncovered)) {
		return out_of_memory(err);
	}
	s->result->uncovered_bytes = avml_range_list_total(&uncovered);
	for (size_t i = 0; i < uncovered.count; i++)
		tell_unreadable(s, uncovered.items[i], AVML_PAGE_UNCOVERED);
	s->result->ranges = s->ranges.count;
	s->result->read_bytes = avml_range_list_total(&s->ranges);
	return 0;
}

/* Files that are read must not be what is written. */
static size_t list_inputs(
	const struct snapshot *s, struct avml_sink_input *inputs)
{
	const char *const paths[] = {
		avml_source_path(s->source),
		s->iomem_path,
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct stat st;

		if (stat(paths[i], &st) == 0)
			inputs[count++] = (struct avml_sink_input){ paths[i],
				st.st_dev, st.st_ino };
	}
	return count;
}

static int open_output(struct snapshot *s, struct avml_error *err)
{
	const struct avml_snapshot_options *o = s->options;
	struct avml_sink_input inputs[2];
	const struct output_options options = {
		.destination = o->destination,
		.inputs = inputs,
		.input_count = list_inputs(s, inputs),
		.estimate = disk_estimate(&s->ranges),
		.limit = { o->max_disk_usage_mib, o->max_disk_usage_percentage },
		.no_sparse = o->no_sparse,
		.no_clobber = o->no_clobber,
		.writer = {
			.format = image_format(s),
			.keep_zeros = o->keep_zeros,
		},
		.events = { s->events->ctx, s->events->record },
		.ctx = s->events->ctx,
		.warning = s->events->warning,
	};

	return output_open(&s->output, &options, err);
}

/* Everything that can go wrong before the first byte of output. */
static int prepare(struct snapshot *s, struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	const unsigned int threads = avml_pipeline_threads(s->options->threads);
	int ret, spare;

	ret = open_source(s, err);
	if (ret == 0)
		ret = read_ram(s, &ram, err);
	if (ret == 0)
		ret = plan_ranges(s, &ram, err);
	if (ret == 0)
		ret = avml_source_probe(s->source, &s->ranges, err);
	if (ret < 0)
		return ret;
	/* However many the readers take, one is left for the image. */
	spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ret = capture_new(s->source, &s->ranges, threads, s->options->compress,
		&s->capture, err);
	if (spare >= 0)
		close(spare);
	if (ret < 0)
		return ret;
	return open_output(s, err);
}

static int run(struct snapshot *s, struct avml_error *err)
{
	struct unreadable unreadable = { .ctx = s, .tell = tell_unreadable };
	const struct image_writer *w = &s->output.writer;
	int ret;

	for (size_t i = 0; i < s->ranges.count && s->events->range; i++)
		s->events->range(s->events->ctx, s->ranges.items[i]);
	ret = capture_run(s->capture, &s->output.writer, &unreadable, err);

	/* A machine that runs has memory that is not zero. */
	if (ret == 0 && w->records == 0 && avml_source_is_live(s->source))
		ret = avml_error_set(err, ENODATA,
			"every byte that was read is zero: %s does not give "
			"memory",
			avml_source_path(s->source));
	ret = output_close(&s->output, ret, err);
	s->result->records = w->records;
	s->result->dropped_bytes = w->assembler.dropped;
	s->result->written_bytes = avml_sink_position(s->output.sink);
	s->result->hole_bytes = avml_sink_hole_bytes(s->output.sink);
	if (ret < 0)
		return ret;
	if (w->records == 0)
		warn(s, "all memory that was read is zero: %s holds no record",
			s->options->destination);
	if (w->unsafe_records > 0)
		warn(s,
			"%" PRIu64 " records hold memory that does not "
			"compress at all, and Volatility 3 may hang on them: "
			"convert the image to lime for it (avml convert)",
			w->unsafe_records);
	return 0;
}

int avml_snapshot(const struct avml_snapshot_options *options,
	const struct avml_snapshot_events *events,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	struct snapshot s = {
		.options = options,
		.events = events,
		.result = result,
	};
	int ret;

	*result = (struct avml_snapshot_result){ .ranges = 0 };
	if (options->page_size != 0 &&
		((options->page_size & (options->page_size - 1)) != 0 ||
			options->page_size < CAPTURE_PAGE_MIN ||
			options->page_size > CAPTURE_PAGE_MAX))
		return avml_error_set(err, EINVAL,
			"pages of %zu bytes make no sense", options->page_size);
	if (options->iomem)
		s.iomem_path = strdup(options->iomem);
	else if (asprintf(&s.iomem_path, "%s/iomem",
			 options->proc_dir ? options->proc_dir : "/proc") < 0)
		s.iomem_path = NULL;
	ret = s.iomem_path ? prepare(&s, err) : out_of_memory(err);
	if (ret == 0)
		ret = run(&s, err);
	output_release(&s.output);
	capture_free(s.capture);
	avml_range_list_release(&s.ranges);
	avml_source_free(s.source);
	free(s.iomem_path);
	return ret;
}

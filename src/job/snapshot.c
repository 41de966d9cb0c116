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

#include "base/cancel.h"
#include "base/cleanup.h"
#include "job/capture.h"
#include "job/disk_limit.h"

/* One run, from the options to the result. */
struct snapshot {
	const struct avml_snapshot_options *options;
	const struct avml_snapshot_events *events;
	struct avml_snapshot_result *result;
	char *iomem_path;
	struct avml_source *source;
	struct avml_range_list ranges; /* to be read */
	struct capture *capture;
	struct avml_sink *sink;
	struct image_writer writer;
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

static int check_disk(struct snapshot *s, struct avml_error *err)
{
	const struct disk_limit limit = {
		.max_mib = s->options->max_disk_usage_mib,
		.max_percentage = s->options->max_disk_usage_percentage,
	};
	const uint64_t estimate = disk_estimate(&s->ranges);
	uint64_t available;
	int ret = disk_limit_check(
		s->options->destination, estimate, &limit, err);

	if (ret < 0)
		return ret;
	if (disk_free(s->options->destination, &available) &&
		available < estimate)
		warn(s,
			"%s might not fit: %" PRIu64 " MiB are free, the "
			"image may take %" PRIu64,
			s->options->destination, available >> 20,
			estimate >> 20);
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

static int open_sink(struct snapshot *s, struct avml_error *err)
{
	struct avml_sink_input inputs[2];
	const struct avml_sink_options options = {
		.no_sparse = s->options->no_sparse,
		.no_clobber = s->options->no_clobber,
		.inputs = inputs,
		.input_count = list_inputs(s, inputs),
	};
	const struct image_writer_events events = {
		.ctx = s->events->ctx,
		.record = s->events->record,
	};
	int ret = avml_sink_open(
		s->options->destination, &options, &s->sink, err);

	if (ret < 0)
		return ret;
	image_writer_init(&s->writer, s->sink, s->options->keep_zeros, &events);
	return 0;
}

/* Everything that can go wrong before the first byte of output. */
static int prepare(struct snapshot *s, struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	unsigned int threads = s->options->threads;
	int ret, spare;

	ret = open_source(s, err);
	if (ret == 0)
		ret = read_ram(s, &ram, err);
	if (ret == 0)
		ret = plan_ranges(s, &ram, err);
	if (ret == 0)
		ret = avml_source_probe(s->source, &s->ranges, err);
	if (ret == 0)
		ret = check_disk(s, err);
	if (ret < 0)
		return ret;
	if (threads == 0)
		threads = avml_pipeline_default_threads();
	if (threads > AVML_PIPELINE_THREADS_MAX)
		threads = AVML_PIPELINE_THREADS_MAX;
	/* However many the readers take, one is left for the image. */
	spare = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ret = capture_new(s->source, &s->ranges, threads, &s->capture, err);
	if (spare >= 0)
		close(spare);
	if (ret == 0 && cancel_level() > 0)
		ret = cancel_error(err);
	if (ret < 0)
		return ret;
	return open_sink(s, err);
}

/* Cut back, and put what is left in front of the error's chain. */
static void abandon(struct snapshot *s, struct avml_error *err)
{
	const char *const name = s->options->destination;
	struct avml_error cut_err = AVML_ERROR_INIT;
	struct avml_sink_left left;

	if (avml_sink_abort(s->sink, &left, &cut_err) < 0)
		avml_error_wrap(err,
			"%s is incomplete, its last record may be cut short "
			"(%s)",
			name, avml_error_message(&cut_err, 0));
	else if (left.unsure)
		avml_error_wrap(err,
			"%s may be damaged: %" PRIu64 " whole records, %" PRIu64
			" bytes were written, but the disk did not confirm "
			"them",
			name, s->writer.records, left.len);
	else if (left.removed)
		avml_error_wrap(err,
			"nothing was acquired: %s was removed, since it held "
			"no whole record",
			name);
	else if (left.cut)
		avml_error_wrap(err,
			"%s is incomplete: cut back to its %" PRIu64
			" whole records, %" PRIu64 " bytes",
			name, s->writer.records, left.len);
	else
		avml_error_wrap(err,
			"%s is incomplete: it ended after %" PRIu64
			" whole records, %" PRIu64 " bytes",
			name, s->writer.records, left.len);
}

static int run(struct snapshot *s, struct avml_error *err)
{
	struct unreadable unreadable = { .ctx = s, .tell = tell_unreadable };
	int ret;

	for (size_t i = 0; i < s->ranges.count && s->events->range; i++)
		s->events->range(s->events->ctx, s->ranges.items[i]);
	ret = capture_run(s->capture, &s->writer, &unreadable, err);

	/* A machine that runs has memory that is not zero. */
	if (ret == 0 && s->writer.records == 0 &&
		avml_source_is_live(s->source))
		ret = avml_error_set(err, ENODATA,
			"every byte that was read is zero: %s does not give "
			"memory",
			avml_source_path(s->source));
	if (ret == 0)
		ret = avml_sink_finish(s->sink, err);
	s->result->records = s->writer.records;
	s->result->dropped_bytes = s->writer.assembler.dropped;
	s->result->written_bytes = avml_sink_position(s->sink);
	s->result->hole_bytes = avml_sink_hole_bytes(s->sink);
	if (ret < 0)
		abandon(s, err);
	else if (s->writer.records == 0)
		warn(s, "all memory that was read is zero: %s holds no record",
			s->options->destination);
	return ret;
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
	avml_sink_free(s.sink);
	capture_free(s.capture);
	avml_range_list_release(&s.ranges);
	avml_source_free(s.source);
	free(s.iomem_path);
	return ret;
}

/* SPDX-License-Identifier: MIT */
#include <avml/snapshot.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <avml/pipeline.h>
#include <avml/sink.h>
#include <avml/source.h>

#include "base/cleanup.h"
#include "job/capture.h"
#include "job/changes.h"
#include "job/output.h"
#include "job/progress.h"
#include "job/ram.h"
#include "job/warning.h"
#include "source/host.h"

/* One run, from the options to the result. */
struct snapshot {
	const struct avml_snapshot_options *options;
	const struct avml_snapshot_events *events;
	struct avml_snapshot_result *result;
	struct warning warning;
	struct progress progress;
	size_t page_size;
	char *iomem_path, *meminfo_path, *flags_path;
	struct ram ram;
	struct avml_source *source;
	struct avml_range_list ranges; /* to be read */
	struct capture *capture;
	struct output output;
};

struct inputs {
	struct avml_sink_input
		items[3 + AVML_SOURCE_PATHS_MAX + AVML_SNAPSHOT_OTHERS_MAX];
	size_t count;
};

static enum avml_image_format image_format(const struct snapshot *s)
{
	return s->options->compress ? AVML_IMAGE_LIME_COMPRESSED
				    : AVML_IMAGE_LIME;
}

static int out_of_memory(struct avml_error *err)
{
	return avml_error_set_errno(err, ENOMEM, "the table of ranges");
}

static int read_ram(struct snapshot *s, struct avml_error *err)
{
	int ret = ram_read(s->iomem_path, s->options->iomem != NULL,
		s->page_size, &s->ram, err);

	if (ret < 0)
		return ret;
	if (s->ram.skipped > 0)
		warning_tell(&s->warning,
			"%s: lines that are no iomem lines and were skipped: "
			"%lu, the first is line %lu",
			s->iomem_path, s->ram.skipped, s->ram.first_skipped);
	s->result->trimmed_bytes = avml_range_list_total(&s->ram.trimmed);
	for (size_t i = 0; i < s->ram.trimmed.count && s->events->trimmed; i++)
		s->events->trimmed(s->events->ctx, s->ram.trimmed.items[i]);
	return 0;
}

/* The headers of kcore tell what is RAM where iomem does not. */
static int take_coverage(
	struct snapshot *s, const char *reason, struct avml_error *err)
{
	warning_tell(&s->warning,
		"%s; the ranges in the headers of %s are taken for RAM", reason,
		avml_source_path(s->source));
	return avml_range_list_copy(
		       avml_source_coverage(s->source), &s->ram.pages)
		       ? out_of_memory(err)
		       : 0;
}

static int choose_source(struct snapshot *s, struct avml_error *err)
{
	const struct avml_snapshot_options *o = s->options;
	/* Of iomem, as long as it has not told RAM. */
	const struct avml_error ram_err = *err;
	const struct avml_source_config config = {
		.proc_dir = o->proc_dir,
		.dev_dir = o->dev_dir,
		.page_size = s->page_size,
		.ram = s->ram.known ? &s->ram.pages : NULL,
		.ram_error = avml_error_message(&ram_err, 0),
		.ram_given = o->iomem != NULL,
		.force = o->force,
		.forced = s->events->warning,
		.ctx = s->events->ctx,
	};
	struct avml_source_footprint ignored;
	int ret = avml_source_choose(o->source, &config, s->events->source,
		s->events->ctx, &s->source, err);

	if (ret < 0)
		return ret;
	snprintf(s->result->source, sizeof(s->result->source), "%s",
		avml_source_path(s->source));
	/* Of what reads by a program that has been told. */
	if (!avml_source_is_filtered(s->source) &&
		!avml_source_footprint(s->source, &ignored) &&
		(avml_source_is_host(s->source) ||
			avml_source_is_cautious(s->source)))
		warning_tell(&s->warning,
			"%s cannot be read: pages that must not be touched "
			"(poisoned, offline) are not known and will be read",
			s->flags_path);
	return s->ram.known ? 0 : take_coverage(s, config.ram_error, err);
}

static void tell_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	struct snapshot *s = ctx;

	s->result->unreadable_bytes += avml_range_len(range);
	if (s->events->unreadable)
		s->events->unreadable(s->events->ctx, range, status);
}

static void tell_late(void *ctx, struct avml_range range)
{
	struct snapshot *s = ctx;

	s->result->ram_bytes += avml_range_len(range);
	s->result->late_bytes += avml_range_len(range);
	tell_unreadable(s, range, AVML_PAGE_LATE);
}

/* RAM less what the source has no place for. */
static int plan_ranges(struct snapshot *s, struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list uncovered = AVML_RANGE_LIST_INIT;
	const struct avml_range_list *coverage =
		avml_source_coverage(s->source);
	int ret;

	s->result->ram_bytes = avml_range_list_total(&s->ram.pages);
	for (size_t i = 0; i < s->ram.pages.count && s->events->ram; i++)
		s->events->ram(s->events->ctx, s->ram.pages.items[i]);
	if (!coverage)
		ret = avml_range_list_copy(&s->ram.pages, &s->ranges);
	else
		ret = avml_range_list_intersect(
			&s->ram.pages, coverage, &s->ranges);
	if (ret == 0 && coverage)
		ret = avml_range_list_subtract(
			&s->ram.pages, coverage, &uncovered);
	if (ret < 0)
		return out_of_memory(err);
	s->result->uncovered_bytes = avml_range_list_total(&uncovered);
	for (size_t i = 0; i < uncovered.count; i++)
		tell_unreadable(s, uncovered.items[i], AVML_PAGE_UNCOVERED);
	s->result->ranges = s->ranges.count;
	s->result->read_bytes = avml_range_list_total(&s->ranges);
	return 0;
}

static void add_input(struct inputs *inputs, const char *path)
{
	if (avml_sink_input_look(path, &inputs->items[inputs->count]))
		inputs->count++;
}

/* Files that are read must not be what is written. */
static void list_inputs(const struct snapshot *s, struct inputs *inputs)
{
	struct avml_source_footprint ignored;
	const char *path;

	add_input(inputs, s->iomem_path);
	add_input(inputs, s->meminfo_path);
	add_input(inputs, s->flags_path);
	/* What reads by a program has no file, though one may be called so. */
	for (size_t i = 0; !avml_source_footprint(s->source, &ignored) &&
			   (path = avml_source_path_of(s->source, i));
		i++)
		add_input(inputs, path);
	for (size_t i = 0; i < s->options->other_count; i++)
		inputs->items[inputs->count++] = s->options->others[i];
}

/* Of a mere file nothing is known: it may be all zeros. */
static uint64_t least_size(const struct snapshot *s)
{
	return avml_source_is_host(s->source) || s->options->proc_dir
		       ? disk_least(s->result->read_bytes, s->meminfo_path)
		       : 0;
}

static int open_output(struct snapshot *s, struct avml_error *err)
{
	const struct avml_snapshot_options *o = s->options;
	struct inputs inputs = { .count = 0 };
	struct output_options options = {
		.destination = o->destination,
		.remote = o->remote,
		.estimate = disk_estimate(&s->ranges),
		.least = least_size(s),
		.limit = { o->max_disk_usage_mib, o->max_disk_usage_percentage },
		.min_free_mib = o->min_free_mib,
		.in_memory = avml_source_is_host(s->source),
		.force = o->force,
		.no_sparse = o->no_sparse,
		.no_clobber = o->no_clobber,
		.digest = o->digest,
		.digest_inline = avml_pipeline_threads(o->threads) == 1,
		.digest_file = o->digest_file,
		.writer = {
			.format = image_format(s),
			.keep_zeros = o->keep_zeros,
		},
		.events = { s->events->ctx, s->events->record },
		.warning = s->warning,
	};

	list_inputs(s, &inputs);
	options.inputs = inputs.items;
	options.input_count = inputs.count;
	return output_open(&s->output, &options, err);
}

/* What happened to RAM in the meantime: none of it is in the image. */
static void look_for_changes(struct snapshot *s)
{
	/* What a caller gave may be a pipe, and is no fact of this machine. */
	const struct changes changes = {
		.warning = s->warning,
		.ctx = s,
		.late = tell_late,
		.ram_of_source = !s->ram.known,
		.iomem_path = s->options->iomem || !s->ram.known
				      ? NULL
				      : s->iomem_path,
		.ram = &s->ram.pages,
		.source = s->source,
	};

	changes_tell(&changes);
}

/* Which pages are of another source, so of another moment too. */
static void tell_filled(struct snapshot *s)
{
	const struct avml_range_list *list;

	s->result->filled_bytes = avml_source_filled(s->source);
	if (s->result->filled_bytes == 0)
		return;
	warning_tell(&s->warning,
		"%" PRIu64 " bytes that %s could not read were read from "
		"another source",
		s->result->filled_bytes, avml_source_path(s->source));
	for (size_t i = 0; (list = avml_source_filled_by(s->source, i)); i++) {
		for (size_t k = 0; k < list->count && s->events->filled; k++)
			s->events->filled(s->events->ctx, list->items[k],
				avml_source_path_of(s->source, i));
	}
}

/* Everything that can go wrong before the first byte of output. */
static int prepare(struct snapshot *s, struct avml_error *err)
{
	const unsigned int threads = avml_pipeline_threads(s->options->threads);
	int ret, spare;

	ret = read_ram(s, err);
	if (ret == 0)
		ret = choose_source(s, err);
	if (ret == 0)
		ret = plan_ranges(s, err);
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
	s->progress.now.all_bytes = s->result->read_bytes;
	s->progress.now.bad_bytes = s->result->uncovered_bytes;
	progress_at(&s->progress, 0);
	ret = capture_run(
		s->capture, &s->output.writer, &unreadable, &s->progress, err);

	tell_filled(s);
	/* A machine that runs has memory that is not zero. */
	if (ret == 0 && w->records == 0 && avml_source_is_live(s->source))
		ret = avml_error_set(err, ENODATA,
			s->result->unreadable_bytes -
						s->result->uncovered_bytes <
					s->result->read_bytes
				? "every byte that was read is zero: %s does "
				  "not give memory"
				: "not a page of RAM could be read from %s",
			avml_source_path(s->source));
	if (ret == 0)
		look_for_changes(s);
	ret = output_close(&s->output, ret, err);
	s->result->records = w->records;
	s->result->dropped_bytes = w->assembler.dropped;
	s->result->written_bytes = avml_sink_position(s->output.sink);
	s->result->hole_bytes = avml_sink_hole_bytes(s->output.sink);
	avml_sink_remote_counts(s->output.sink, &s->result->remote);
	output_copy_digest(&s->output, s->result->digest);
	s->progress.now.written_bytes = s->result->written_bytes;
	s->progress.now.bad_bytes = s->result->unreadable_bytes;
	progress_at(&s->progress, 0);
	if (ret < 0)
		return ret;
	if (w->records == 0)
		warning_tell(&s->warning,
			"all memory that was read is zero: %s holds no record",
			s->options->destination);
	if (w->unsafe_records > 0)
		warning_tell(&s->warning,
			"%" PRIu64 " records hold memory that does not "
			"compress at all, and Volatility 3 may hang on them: "
			"convert the image to lime for it (avml convert)",
			w->unsafe_records);
	return 0;
}

static int name_files(struct snapshot *s, struct avml_error *err)
{
	const char *proc = s->options->proc_dir;

	s->iomem_path = s->options->iomem ? strdup(s->options->iomem)
					  : host_proc_path(proc, "iomem");
	s->meminfo_path = host_proc_path(proc, "meminfo");
	s->flags_path = host_proc_path(proc, "kpageflags");
	return s->iomem_path && s->meminfo_path && s->flags_path
		       ? 0
		       : out_of_memory(err);
}

int avml_snapshot(const struct avml_snapshot_options *options,
	const struct avml_snapshot_events *events,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	struct snapshot s = {
		.options = options,
		.events = events,
		.result = result,
		.warning = { events->ctx, events->warning },
		.progress = { .ctx = events->ctx, .tell = events->progress },
	};
	int ret;

	*result = (struct avml_snapshot_result){ .ranges = 0 };
	avml_error_init(err);
	s.page_size = host_page_size(options->page_size);
	if ((s.page_size & (s.page_size - 1)) != 0 ||
		s.page_size < AVML_PAGE_SIZE_MIN ||
		s.page_size > AVML_PAGE_SIZE_MAX)
		return avml_error_set(err, EINVAL,
			"pages of %zu bytes make no sense", s.page_size);
	if (options->other_count > AVML_SNAPSHOT_OTHERS_MAX)
		return avml_error_set(err, EINVAL,
			"more than %d files that must not be written over",
			AVML_SNAPSHOT_OTHERS_MAX);
	ret = name_files(&s, err);
	if (ret == 0)
		ret = prepare(&s, err);
	if (ret == 0)
		ret = run(&s, err);
	/* Before it is taken away; of a run that did not begin too. */
	if (s.source)
		(void)avml_source_footprint(s.source, &result->footprint);
	output_release(&s.output);
	capture_free(s.capture);
	avml_range_list_release(&s.ranges);
	ram_release(&s.ram);
	avml_source_free(s.source);
	free(s.iomem_path);
	free(s.meminfo_path);
	free(s.flags_path);
	return ret;
}

/* SPDX-License-Identifier: MIT */
/* The run of an acquisition, and what is told of it. */
#include <errno.h>
#include <inttypes.h>

#include <avml/snapshot.h>
#include <avml/source.h>

#include "cmd/acquire.h"
#include "cmd/print.h"
#include "cmd/upload.h"

/* Ranges of a kind that are named one by one; of the rest, the whole. */
#define RANGES_NAMED 1000

static void on_warning(void *ctx, const char *text)
{
	struct acquire *a = ctx;

	report_warning(&a->report, text);
	if (!a->quiet)
		print_line("warning: %s", text);
}

static void on_ram(void *ctx, struct avml_range range)
{
	struct acquire *a = ctx;

	report_ram(&a->report, range);
}

static void on_record(void *ctx, const struct avml_image_record *record)
{
	struct acquire *a = ctx;

	report_record(&a->report, record);
}

static void on_range(void *ctx, struct avml_range range)
{
	struct acquire *a = ctx;

	report_range(&a->report, range);
	if (!a->quiet)
		print_line("note: range 0x%016" PRIx64 "-0x%016" PRIx64
			   " %" PRIu64 " bytes",
			range.start, range.end, avml_range_len(range));
}

/* With an explicit --source, the error or the summary says it all. */
static void on_source(void *ctx, const struct avml_source_verdict *verdict)
{
	struct acquire *a = ctx;
	char why[AVML_ERROR_TEXT];

	report_source(&a->report, verdict);
	if (a->quiet)
		return;
	if (verdict->changes_kernel)
		print_line("note: source %s puts a program and a map into the "
			   "kernel, until it ends",
			verdict->path);
	else if (verdict->asked_kernel)
		print_asked_kernel(verdict->path);
	if (a->source || verdict->reason == AVML_SOURCE_UNNEEDED)
		return;
	if (verdict->err) {
		avml_error_join(verdict->err, why, sizeof(why));
		print_line("note: source %s is not used: %s%s%s", verdict->path,
			why, verdict->remedy ? "; " : "",
			verdict->remedy ? verdict->remedy : "");
		return;
	}
	print_line("note: source %s works%s", verdict->path,
		verdict->primary ? " and is read"
				 : ", for what the first cannot read");
}

static void on_filled(void *ctx, struct avml_range range, const char *path)
{
	struct acquire *a = ctx;

	report_filled(&a->report, range, path);
	if (!a->quiet && ++a->filled_ranges <= RANGES_NAMED)
		print_line("note: 0x%016" PRIx64 "-0x%016" PRIx64
			   " was read from %s",
			range.start, range.end, path);
}

static void on_trimmed(void *ctx, struct avml_range range)
{
	struct acquire *a = ctx;

	report_trimmed(&a->report, range);
	if (!a->quiet)
		print_line("note: trimmed 0x%016" PRIx64 "-0x%016" PRIx64
			   ": not a whole page",
			range.start, range.end);
}

static void on_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	struct acquire *a = ctx;

	report_unreadable(&a->report, range, status);
	if (++a->unreadable_ranges > RANGES_NAMED) {
		/* What no source covers was told first, wherever it is. */
		if (a->unnamed_bytes == 0 || range.start < a->unnamed.start)
			a->unnamed.start = range.start;
		if (range.end > a->unnamed.end)
			a->unnamed.end = range.end;
		a->unnamed_bytes += avml_range_len(range);
	} else if (!a->quiet) {
		print_line("warning: 0x%016" PRIx64 "-0x%016" PRIx64
			   " could not be read: %s",
			range.start, range.end, avml_page_status_text(status));
	}
}

static void print_summary(const struct acquire *a,
	const struct avml_snapshot_result *r, const struct stopwatch *watch)
{
	if (a->unnamed_bytes > 0)
		print_line("warning: %" PRIu64 " more ranges, %" PRIu64
			   " bytes within 0x%016" PRIx64 "-0x%016" PRIx64
			   ", could not be read",
			a->unreadable_ranges - RANGES_NAMED, a->unnamed_bytes,
			a->unnamed.start, a->unnamed.end);
	print_line("avml: %s: %" PRIu64 " ranges, %" PRIu64 " bytes of RAM "
		   "from %s; %" PRIu64 " records, %" PRIu64 " bytes written, "
		   "%" PRIu64 " bytes of zero blocks left out, %" PRIu64
		   " bytes unreadable; %.2f s, %.1f MiB/s",
		a->file, r->ranges, r->read_bytes, r->source, r->records,
		r->written_bytes, r->dropped_bytes, r->unreadable_bytes,
		stopwatch_seconds(watch),
		stopwatch_mib_per_second(watch, r->read_bytes));
}

/* How much of RAM was unreadable decides, not whether any was. */
static int judge(const struct acquire *a, const struct avml_snapshot_result *r,
	struct avml_error *err)
{
	/* What came later could not be read because it was not there. */
	const uint64_t ram = r->ram_bytes - r->late_bytes;
	const double percent = 100.0 *
			       (double)(r->unreadable_bytes - r->late_bytes) /
			       (double)(ram ? ram : 1);

	if (r->unreadable_bytes == 0)
		return STATUS_COMPLETE;
	if (percent <= a->max_unreadable)
		return STATUS_PARTIAL;
	avml_error_set(err, EIO,
		"%s: %" PRIu64 " bytes of RAM (%.2f %%) could not "
		"be read from %s, more than --max-unreadable allows (%g %%)",
		a->file, r->unreadable_bytes - r->late_bytes, percent,
		r->source, a->max_unreadable);
	return STATUS_FAILED;
}

/*
 * The system may not let it be made: that is no reason to go without the
 * image. What makes no sense is.
 */
static int begin_report(struct acquire *a, struct avml_error *err)
{
	const struct report_options options = {
		.path = a->report_file,
		.no_clobber = a->no_clobber,
		.image = a->streams ? NULL : a->file,
		.digest = a->digest,
		.digest_file = a->digest_file,
		.source = a->source,
		.proc_dir = a->proc,
		.dev_dir = a->dev,
		.iomem = a->iomem,
		.command = a->command,
		.target = a->target,
		.defaults = a->defaults,
	};
	const int ret = report_begin(&a->report, &options, err);
	char why[AVML_ERROR_TEXT];

	if (ret == 0 || ret == -EINVAL || ret == -EEXIST || ret == -EINTR)
		return ret;
	avml_error_join(err, why, sizeof(why));
	if (!a->quiet)
		print_line("warning: there will be no report: %s", why);
	avml_error_init(err);
	return 0;
}

static bool is_image(int status)
{
	return status == STATUS_COMPLETE || status == STATUS_PARTIAL;
}

/* It is told all the same, of an image as good as without it. */
static void finish_report(struct acquire *a, int status,
	const struct avml_snapshot_result *result,
	const struct avml_error *run_err)
{
	const struct report_end end = {
		.status = status,
		.image = a->file,
		.err = is_image(status) ? NULL : run_err,
		.result = result,
	};
	struct avml_error err = AVML_ERROR_INIT;
	char why[AVML_ERROR_TEXT];

	if (report_finish(&a->report, &end, &err) < 0) {
		avml_error_join(&err, why, sizeof(why));
		if (!a->quiet)
			print_line("warning: %s", why);
	}
}

static void report_stream(
	struct acquire *a, const struct avml_snapshot_result *result, int ret)
{
	const struct report_upload upload = {
		.kind = remote_kind_word(a->to.remote.kind),
		.to = a->to.name,
		.confirmed = ret == 0,
		.counts = &result->remote,
	};

	report_upload(&a->report, &upload);
}

/* The image is whole: off with it. The status that comes of it. */
static int send_file(
	struct acquire *a, uint64_t len, int status, struct avml_error *err)
{
	const struct upload_file file = {
		.file = a->file,
		.len = len,
		.to = &a->to,
		.remove = a->remove,
		.progress = a->progress,
		.quiet = a->quiet,
	};
	struct avml_upload_result result;
	const int ret = upload_file(&file, &result, err);
	const struct report_upload upload = {
		.kind = remote_kind_word(a->to.remote.kind),
		.to = a->to.name,
		.confirmed = result.confirmed,
		.removed = result.removed,
		.counts = &result.counts,
		.err = ret < 0 ? err : NULL,
	};

	report_upload(&a->report, &upload);
	return ret < 0 ? cmd_status(err) : status;
}

static void on_progress(void *ctx, const struct avml_progress *now)
{
	struct acquire *a = ctx;

	progress_line_tell(&a->line, now);
}

static int take_snapshot(struct acquire *a, struct avml_snapshot_result *result,
	struct avml_error *err)
{
	const struct avml_snapshot_options options = {
		.destination = a->file,
		.source = a->source,
		.iomem = a->iomem,
		.proc_dir = a->proc,
		.dev_dir = a->dev,
		.threads = (unsigned int)a->threads,
		.compress = a->compress,
		.keep_zeros = a->keep_zeros,
		.no_sparse = a->no_sparse,
		.no_clobber = a->no_clobber,
		.digest = a->digest || a->digest_file,
		.digest_file = a->digest_file,
		.others = journal_input(&a->report.journal),
		.other_count = journal_input(&a->report.journal) ? 1 : 0,
		.force = a->force,
		.remote = a->streams ? &a->to.remote : NULL,
		.min_free_mib = a->min_free,
		.max_disk_usage_mib = a->max_disk_usage,
		.max_disk_usage_percentage = a->max_disk_usage_percentage,
	};
	const struct avml_snapshot_events events = {
		.ctx = a,
		.warning = on_warning,
		.range = on_range,
		.trimmed = on_trimmed,
		.unreadable = on_unreadable,
		.ram = on_ram,
		.record = on_record,
		.filled = on_filled,
		.source = on_source,
		.progress = on_progress,
	};
	int ret;

	progress_line_begin(&a->line, a->progress, a->quiet, "unreadable");
	ret = avml_snapshot(&options, &events, result, err);
	progress_line_end(&a->line);
	return ret;
}

/* Of the image: what became of it, and where it is sent then. */
static int acquire_and_send(struct acquire *a,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	struct stopwatch watch;
	int ret, status;

	stopwatch_start(&watch);
	ret = take_snapshot(a, result, err);
	if (!a->quiet)
		print_digest(a->file, result->digest);
	if (ret == 0 && !a->quiet)
		print_summary(a, result, &watch);
	status = ret < 0 ? cmd_status(err) : judge(a, result, err);
	bundle_collect(&a->bundle, ret);
	status = bundle_end(&a->bundle, status, err);
	if (a->streams)
		report_stream(a, result, ret);
	else if (a->uploads && is_image(status))
		status = send_file(a, result->written_bytes, status, err);
	return status;
}

int acquire_run(struct acquire *a)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_snapshot_result result;
	int status;

	a->to.quiet = a->bundle.quiet = a->quiet;
	a->bundle.force = a->force;
	a->bundle.report = &a->report;
	if (bundle_begin(&a->bundle, &a->proc, &a->dev, &err) < 0)
		return cmd_failed(&err);
	if (begin_report(a, &err) < 0) {
		bundle_end(&a->bundle, STATUS_FAILED, &err);
		return cmd_failed(&err);
	}
	bundle_warn(&a->bundle);
	status = acquire_and_send(a, &result, &err);
	finish_report(a, status, &result, &err);
	/* The error comes last. */
	if (!is_image(status))
		print_error(&err);
	return status;
}

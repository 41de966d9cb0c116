/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <avml/snapshot.h>
#include <avml/source.h>

#include "cmd/cmd.h"
#include "cmd/print.h"

/* Ranges of a kind that are named one by one; of the rest, the whole. */
#define RANGES_NAMED 1000

struct acquire {
	const char *file;
	const char *source;
	const char *iomem;
	const char *proc;
	const char *dev;
	uint64_t threads;
	uint64_t max_disk_usage;
	uint64_t min_free;
	double max_disk_usage_percentage;
	double max_unreadable;
	bool compress;
	bool keep_zeros;
	bool no_sparse;
	bool no_clobber;
	bool digest;
	const char *digest_file;
	bool force;
	bool quiet;
	uint64_t filled_ranges;	    /* told so far */
	uint64_t unreadable_ranges; /* told so far */
	struct avml_range unnamed;  /* from the first to the last not named */
	uint64_t unnamed_bytes;
};

#define AT(member) offsetof(struct acquire, member)

static const struct option acquire_options[] = {
	OPTION_FLAG_AT("compress", AT(compress),
		"write AVML's compressed format (version 2)"),
	OPTION_TEXT_AT("source", AT(source), "SOURCE",
		"crash, kcore, mem, or a file (what works)"),
	OPTION_TEXT_AT("iomem", AT(iomem), "FILE",
		"which ranges are RAM (iomem of proc)"),
	OPTION_TEXT_AT(
		"proc", AT(proc), "DIR", "where proc is mounted (/proc)"),
	OPTION_TEXT_AT("dev", AT(dev), "DIR", "where dev is mounted (/dev)"),
	OPTION_THREADS(AT(threads)),
	OPTION_FLAG_AT("keep-zeros", AT(keep_zeros),
		"write blocks that are all zero too"),
	OPTION_FLAG_AT("no-sparse", AT(no_sparse), "make no holes in FILE"),
	OPTION_FLAG_AT("no-clobber", AT(no_clobber), "refuse when FILE exists"),
	OPTION_DIGEST(AT(digest), "FILE"),
	OPTION_TEXT_AT("digest-file", AT(digest_file), "PATH",
		"write it there (FILE.sha256)"),
	OPTION_MAX_DISK_USAGE(
		AT(max_disk_usage), "refuse if the image may get larger"),
	OPTION_MAX_DISK_USAGE_PERCENTAGE(AT(max_disk_usage_percentage),
		"refuse if the disk may get fuller"),
	OPTION_MIN_FREE(AT(min_free)),
	OPTION_FLAG_AT("force", AT(force),
		"write to tmpfs, and where it cannot fit, too"),
	{ .name = "max-unreadable",
		.kind = OPTION_PERCENT,
		.offset = AT(max_unreadable),
		.arg = "P",
		.help = "fail if more of RAM is unreadable (1)",
		.max = 100 },
	OPTION_FLAG_AT("quiet", AT(quiet), "only errors"),
	{ .name = NULL },
};

static void on_warning(void *ctx, const char *text)
{
	const struct acquire *a = ctx;

	if (!a->quiet)
		print_line("warning: %s", text);
}

static void on_range(void *ctx, struct avml_range range)
{
	const struct acquire *a = ctx;

	if (!a->quiet)
		print_line("note: range 0x%016" PRIx64 "-0x%016" PRIx64
			   " %" PRIu64 " bytes",
			range.start, range.end, avml_range_len(range));
}

/* With an explicit --source, the error or the summary says it all. */
static void on_source(void *ctx, const struct avml_source_verdict *verdict)
{
	const struct acquire *a = ctx;
	char why[AVML_ERROR_TEXT];

	if (a->quiet || a->source)
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

	if (!a->quiet && ++a->filled_ranges <= RANGES_NAMED)
		print_line("note: 0x%016" PRIx64 "-0x%016" PRIx64
			   " was read from %s",
			range.start, range.end, path);
}

static void on_trimmed(void *ctx, struct avml_range range)
{
	const struct acquire *a = ctx;

	if (!a->quiet)
		print_line("note: trimmed 0x%016" PRIx64 "-0x%016" PRIx64
			   ": not a whole page",
			range.start, range.end);
}

static void on_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	struct acquire *a = ctx;

	if (++a->unreadable_ranges > RANGES_NAMED) {
		if (a->unnamed_bytes == 0)
			a->unnamed.start = range.start;
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
static int judge(const struct acquire *a, const struct avml_snapshot_result *r)
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
	print_line("error: %s: %" PRIu64 " bytes of RAM (%.2f %%) could not "
		   "be read from %s, more than --max-unreadable allows (%g %%)",
		a->file, r->unreadable_bytes - r->late_bytes, percent,
		r->source, a->max_unreadable);
	return STATUS_FAILED;
}

static int acquire(struct acquire *a)
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
		.force = a->force,
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
		.filled = on_filled,
		.source = on_source,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_snapshot_result result;
	struct stopwatch watch;
	int ret;

	stopwatch_start(&watch);
	ret = avml_snapshot(&options, &events, &result, &err);
	if (!a->quiet)
		print_digest(a->file, result.digest);
	if (ret < 0)
		return cmd_failed(&err);
	if (!a->quiet)
		print_summary(a, &result, &watch);
	return judge(a, &result);
}

static int run(int argc, char **argv)
{
	struct acquire a = { .max_unreadable = 1 };
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_acquire, argc, argv, &a, &a.file, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_acquire, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_acquire, ret);
	return acquire(&a);
}

static const char *const acquire_operands[] = { "FILE", NULL };

const struct command cmd_acquire = {
	.name = "acquire",
	.synopsis = "FILE",
	.summary = "write this machine's physical memory to FILE",
	.options = acquire_options,
	.operands = acquire_operands,
	.run = run,
};

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <avml/convert.h>

#include "base/sum.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/progress.h"

/* Losses that are told one by one; of the rest, the whole. */
#define LOSSES_NAMED 1000

struct convert {
	const char *operands[2];
	const char *source_format;
	const char *format;
	uint64_t threads;
	const char *progress; /* when */
	struct progress_line line;
	uint64_t max_disk_usage;
	uint64_t min_free;
	double max_disk_usage_percentage;
	bool compress;
	bool salvage;
	bool keep_zeros;
	bool no_sparse;
	bool no_clobber;
	bool digest;
	bool force;
	bool quiet;
	uint64_t losses;	   /* told so far */
	struct avml_range unnamed; /* offsets of those not named */
	uint64_t unnamed_bytes;	   /* of memory */
};

#define AT(member) offsetof(struct convert, member)
#define FORMATS "raw|lime|lime_compressed"

static const struct option convert_options[] = {
	{ .name = "source-format",
		.kind = OPTION_CHOICE,
		.offset = AT(source_format),
		.arg = "FORMAT",
		.choices = FORMATS,
		.help = "what SOURCE is; raw has to be said" },
	{ .name = "format",
		.kind = OPTION_CHOICE,
		.offset = AT(format),
		.arg = "FORMAT",
		.choices = FORMATS,
		.help = "raw, lime or lime_compressed (lime)" },
	/* What AVML 0.1 had in the place of --format. */
	OPTION_FLAG_AT("compress", AT(compress),
		"the same as --format lime_compressed"),
	OPTION_FLAG_AT("salvage", AT(salvage),
		"write what can be decoded of a damaged image"),
	OPTION_THREADS(AT(threads)),
	OPTION_FLAG_AT("keep-zeros", AT(keep_zeros),
		"write blocks that are all zero too"),
	OPTION_FLAG_AT(
		"no-sparse", AT(no_sparse), "make no holes in DESTINATION"),
	OPTION_FLAG_AT(
		"no-clobber", AT(no_clobber), "refuse when DESTINATION exists"),
	OPTION_DIGEST(AT(digest), "DESTINATION"),
	OPTION_FLAG_AT(
		"force", AT(force), "write gaps of any size to a stream (raw)"),
	OPTION_MAX_DISK_USAGE(
		AT(max_disk_usage), "stop when DESTINATION takes more"),
	OPTION_MAX_DISK_USAGE_PERCENTAGE(
		AT(max_disk_usage_percentage), "stop when the disk is fuller"),
	OPTION_MIN_FREE(AT(min_free)),
	OPTION_PROGRESS(AT(progress)),
	OPTION_FLAG_AT("quiet", AT(quiet), "only errors"),
	{ .name = NULL },
};

static void on_warning(void *ctx, const char *text)
{
	const struct convert *c = ctx;

	if (!c->quiet)
		print_line("note: %s", text);
}

/* What is lost is said with --quiet too: the image is not complete. */
static void on_loss(void *ctx, uint64_t offset, uint64_t end,
	struct avml_range range, const char *reason)
{
	struct convert *c = ctx;

	if (++c->losses > LOSSES_NAMED) {
		if (c->losses == LOSSES_NAMED + 1)
			c->unnamed.start = offset;
		c->unnamed.end = end;
		sum_add(&c->unnamed_bytes, avml_range_len(range));
		return;
	}
	if (range.start < range.end)
		print_line("warning: lost 0x%016" PRIx64 "-0x%016" PRIx64
			   ", offset %" PRIu64 " to %" PRIu64 ": %s",
			range.start, range.end, offset, end, reason);
	else
		print_line("warning: lost what offset %" PRIu64 " to %" PRIu64
			   " held: %s",
			offset, end, reason);
}

static void on_progress(void *ctx, const struct avml_progress *now)
{
	struct convert *c = ctx;

	progress_line_tell(&c->line, now);
}

static int convert(struct convert *c)
{
	const struct avml_convert_options options = {
		.source = c->operands[0],
		.destination = c->operands[1],
		.source_format = c->source_format ? avml_image_format_parse(
							    c->source_format)
						  : AVML_IMAGE_NONE,
		.format = avml_image_format_parse(c->format),
		.threads = (unsigned int)c->threads,
		.keep_zeros = c->keep_zeros,
		.no_sparse = c->no_sparse,
		.no_clobber = c->no_clobber,
		.digest = c->digest,
		.salvage = c->salvage,
		.force = c->force,
		.confine = true,
		.min_free_mib = c->min_free,
		.max_disk_usage_mib = c->max_disk_usage,
		.max_disk_usage_percentage = c->max_disk_usage_percentage,
	};
	const struct avml_convert_events events = {
		.ctx = c,
		.warning = on_warning,
		.loss = on_loss,
		.progress = on_progress,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_convert_result r;
	struct stopwatch watch;
	int ret;

	stopwatch_start(&watch);
	progress_line_begin(&c->line, c->progress, c->quiet, "lost");
	ret = avml_convert(&options, &events, &r, &err);
	progress_line_end(&c->line);
	if (c->losses > LOSSES_NAMED)
		print_line("warning: %" PRIu64 " more losses, %" PRIu64
			   " bytes, offset %" PRIu64 " to %" PRIu64,
			c->losses - LOSSES_NAMED, c->unnamed_bytes,
			c->unnamed.start, c->unnamed.end);
	if (!c->quiet)
		print_digest(c->operands[1], r.digest);
	if (ret < 0)
		return cmd_failed(&err);
	if (!c->quiet)
		print_line("avml: %s: %" PRIu64 " bytes of memory from %s; "
			   "%" PRIu64 " records, %" PRIu64
			   " bytes written, %" PRIu64 " bytes of zero blocks "
			   "left out, %" PRIu64 " bytes lost in %" PRIu64
			   " places; %.2f s, %.1f MiB/s",
			c->operands[1], r.memory_bytes,
			print_source(c->operands[0]), r.records,
			r.written_bytes, r.dropped_bytes, r.lost_bytes,
			r.losses, stopwatch_seconds(&watch),
			stopwatch_mib_per_second(&watch, r.memory_bytes));
	return r.losses > 0 ? STATUS_PARTIAL : STATUS_COMPLETE;
}

static int run(int argc, char **argv)
{
	struct convert c = { .quiet = false };
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_convert, argc, argv, &c, c.operands, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_convert, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_convert, ret);
	if (c.compress && c.format) {
		avml_error_set(&err, EINVAL,
			"--compress and --format both say what to write");
		return cmd_wrong_usage(&cmd_convert, &err);
	}
	if (!c.format)
		c.format = c.compress ? "lime_compressed" : "lime";
	return convert(&c);
}

static const char *const convert_operands[] = {
	"SOURCE",
	"DESTINATION",
	NULL,
};

const struct command cmd_convert = {
	.name = "convert",
	.synopsis = "SOURCE DESTINATION",
	.summary = "convert an image to another format",
	.options = convert_options,
	.operands = convert_operands,
	.run = run,
};

/* SPDX-License-Identifier: MIT */
#include "cmd/acquire.h"

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
	OPTION_TEXT_AT("root", AT(bundle.root), "DIR",
		"the host's root, with its proc and dev (/)"),
	OPTION_TEXT_AT("bundle", AT(bundle.directory), "DIR",
		"collect what analysis needs there"),
	OPTION_THREADS(AT(threads)),
	OPTION_FLAG_AT("keep-zeros", AT(keep_zeros),
		"write blocks that are all zero too"),
	OPTION_FLAG_AT("no-sparse", AT(no_sparse), "make no holes in FILE"),
	OPTION_FLAG_AT("no-clobber", AT(no_clobber), "refuse when FILE exists"),
	OPTION_DIGEST(AT(digest), "FILE"),
	OPTION_TEXT_AT("digest-file", AT(digest_file), "PATH",
		"write it there (FILE.sha256)"),
	OPTION_TEXT_AT("report", AT(report_file), "PATH",
		"tell there what is done, as JSON lines"),
	OPTION_MAX_DISK_USAGE(
		AT(max_disk_usage), "refuse if the image may get larger"),
	OPTION_MAX_DISK_USAGE_PERCENTAGE(AT(max_disk_usage_percentage),
		"refuse if the disk may get fuller"),
	OPTION_MIN_FREE(AT(min_free)),
	OPTION_FLAG_AT("force", AT(force),
		"go on: tmpfs, no room on the disk, DIR in use"),
	{ .name = "max-unreadable",
		.kind = OPTION_PERCENT,
		.offset = AT(max_unreadable),
		.arg = "P",
		.help = "fail if more of RAM is unreadable (1)",
		.max = 100 },
	OPTION_PROGRESS(AT(progress)),
	OPTION_FLAG_AT("quiet", AT(quiet), "only errors"),
	{ .name = NULL },
};

static int run(int argc, char **argv)
{
	struct acquire a = ACQUIRE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_acquire, argc, argv, &a, &a.file, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_acquire, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_acquire, ret);
	a.bundle.force = a.force;
	a.bundle.quiet = a.quiet;
	a.bundle.report = &a.report;
	ret = bundle_begin(&a.bundle, &a.proc, &a.dev, &err);
	return ret < 0 ? cmd_failed(&err) : acquire_run(&a);
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

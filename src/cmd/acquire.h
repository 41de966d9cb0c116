/* SPDX-License-Identifier: MIT */
/* An acquisition as commands run it: what they parse into, and the run. */
#ifndef CMD_ACQUIRE_H
#define CMD_ACQUIRE_H

#include "cmd/bundle.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "cmd/report.h"

struct acquire {
	/* That was given: its options, as parsed and as they are else. */
	const struct command *command;
	const void *target, *defaults;
	const char *file; /* or what a stream's end is called */
	struct remote_args to;
	bool streams; /* to there, */
	bool uploads; /* or the file, once it is whole */
	bool remove;  /* and then it goes */
	const char *source;
	const char *iomem;
	const char *proc;
	const char *dev;
	struct bundle bundle;
	uint64_t threads;
	const char *progress; /* when */
	struct progress_line line;
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
	const char *report_file;
	bool force;
	bool quiet;
	struct report report;
	uint64_t filled_ranges;	    /* told so far */
	uint64_t unreadable_ranges; /* told so far */
	struct avml_range unnamed;  /* where all are that are not named */
	uint64_t unnamed_bytes;
};

#define ACQUIRE_DEFAULTS                                        \
	{                                                       \
		.max_unreadable = 1, .to = REMOTE_ARGS_DEFAULTS \
	}

/* NOLINTBEGIN(bugprone-macro-parentheses): initializers of members, no sums */
/* What both commands have that acquire; `AT` gives the place of a member. */
#define OPTIONS_ACQUIRE_SOURCE(AT)                                                  \
	OPTION_FLAG_AT("compress", AT(compress),                                    \
		"write AVML's compressed format (version 2)"),                      \
		{ .name = "source",                                                 \
			.kind = OPTION_TEXT,                                        \
			.offset = AT(source),                                       \
			.arg = "SOURCE",                                            \
			.choices = "crash|kcore|mem|bpf",                           \
			.help = "crash, kcore, mem, bpf, or a file (what works)" }, \
		OPTION_TEXT_AT("iomem", AT(iomem), "FILE",                          \
			"which ranges are RAM (iomem of proc)"),                    \
		OPTION_TEXT_AT("proc", AT(proc), "DIR",                             \
			"where proc is mounted (/proc)"),                           \
		OPTION_TEXT_AT(                                                     \
			"dev", AT(dev), "DIR", "where dev is mounted (/dev)"),      \
		OPTION_TEXT_AT("root", AT(bundle.root), "DIR",                      \
			"the host's root, with its proc and dev (/)"),              \
		OPTION_TEXT_AT("bundle", AT(bundle.directory), "DIR",               \
			"collect what analysis needs there"),                       \
		OPTION_THREADS(AT(threads)),                                        \
		OPTION_FLAG_AT("keep-zeros", AT(keep_zeros),                        \
			"write blocks that are all zero too")
#define OPTIONS_ACQUIRE_TOLD(AT)                                 \
	{ .name = "max-unreadable",                              \
		.kind = OPTION_PERCENT,                          \
		.offset = AT(max_unreadable),                    \
		.arg = "P",                                      \
		.help = "fail if more of RAM is unreadable (1)", \
		.max = 100 },                                    \
		OPTION_PROGRESS(AT(progress)),                   \
		OPTION_FLAG_AT("quiet", AT(quiet), "only errors")
/* NOLINTEND(bugprone-macro-parentheses) */

/* Everything after the command line; the exit status. */
int acquire_run(struct acquire *a);

#endif

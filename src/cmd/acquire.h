/* SPDX-License-Identifier: MIT */
/* An acquisition as commands run it: what they parse into, and the run. */
#ifndef CMD_ACQUIRE_H
#define CMD_ACQUIRE_H

#include "cmd/bundle.h"
#include "cmd/cmd.h"
#include "cmd/progress.h"
#include "cmd/report.h"

struct acquire {
	const char *file;
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
	struct avml_range unnamed;  /* from the first to the last not named */
	uint64_t unnamed_bytes;
};

#define ACQUIRE_DEFAULTS            \
	{                           \
		.max_unreadable = 1 \
	}

/* Everything after the command line; the exit status. */
int acquire_run(struct acquire *a);

#endif

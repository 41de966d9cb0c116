/* SPDX-License-Identifier: MIT */
/*
 * The report of an acquisition: a file of JSON objects, one a line, written as
 * it goes on. contrib/avml-report.schema.json says what is in them, avml(8)
 * what it means.
 *
 * Nothing is kept but what the first line needs, so that memory stays bounded
 * however many lines there are. A report that was not asked for takes all calls
 * and does nothing; one that fails is given up, which the end tells.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include <time.h>

#include <avml/bundle.h>
#include <avml/remote.h>
#include <avml/snapshot.h>

#include "cmd/option.h"
#include "job/journal.h"

/* Lines that come before the first one is complete, at most. */
#define REPORT_EARLY_MAX 256

struct report {
	bool wanted;
	struct journal journal;
	const struct command *command;
	const void *target, *defaults; /* of its options */
	const char *proc_dir, *iomem;
	struct timespec started, started_utc;
	bool begun; /* the first line is out */
	struct cJSON *sources, *ram;
	uint64_t ram_bytes, ram_more; /* ranges that have no room in `ram` */
	char *early[REPORT_EARLY_MAX];
	size_t early_count;
	uint64_t early_more;
};

struct report_options {
	const char *path;
	bool no_clobber;
	/* What the run reads and writes besides, and must stay; or NULL. */
	const char *image, *digest_file, *source;
	bool digest; /* beside the image, unless there is a digest_file */
	const char *proc_dir, *dev_dir, *iomem; /* NULL: the usual */
	/* What is run: the options as they were parsed into `target`. */
	const struct command *command;
	const void *target;
	const void *defaults; /* the same, of an empty command line */
};

struct report_end {
	int status;		      /* that the program ends with */
	const char *image;	      /* as it was named */
	const struct avml_error *err; /* NULL: none */
	const struct avml_snapshot_result *result;
};

/* 0 or -errno: then there is none. */
int report_begin(struct report *report, const struct report_options *options,
	struct avml_error *err);

/* What is told of a run; see struct avml_snapshot_events. */
void report_source(
	struct report *report, const struct avml_source_verdict *verdict);
void report_ram(struct report *report, struct avml_range range);
void report_range(struct report *report, struct avml_range range);
void report_trimmed(struct report *report, struct avml_range range);
void report_unreadable(
	struct report *report, struct avml_range range, unsigned int status);
void report_filled(
	struct report *report, struct avml_range range, const char *path);
void report_record(
	struct report *report, const struct avml_image_record *record);
void report_file(struct report *report, const struct avml_bundle_file *file);
/* What was sent off the host, or was to be. */
struct report_upload {
	const char *kind, *to; /* without secrets */
	bool confirmed, removed;
	const struct avml_remote_counts *counts;
	const struct avml_error *err; /* NULL: none, or the run's */
};
void report_upload(struct report *report, const struct report_upload *upload);
void report_warning(struct report *report, const char *text);

/* The last line, and the file is closed: 0, or -errno if it is not complete. */
int report_finish(struct report *report, const struct report_end *end,
	struct avml_error *err);

#endif

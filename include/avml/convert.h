/* SPDX-License-Identifier: MIT */
/*
 * The conversion of an image from one format to another.
 *
 * An image of any writer is read, in one pass. Damage is an error that
 * names the offset in the image, unless it is to be salvaged: then all
 * that decodes is written, and what was lost is told.
 *
 * Threads: one run at a time in a process, since a signal stops all. The
 * caller ignores SIGPIPE and SIGXFSZ, which are errors of the write then.
 */
#ifndef AVML_CONVERT_H
#define AVML_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/progress.h>
#include <avml/range.h>
#include <avml/record.h>
#include <avml/sink.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_convert_options {
	const char *source;	 /* a path; "-": stdin */
	const char *destination; /* see avml_sink_open() */
	/*
	 * What the source is. NONE: as its headers say. RAW has to be said,
	 * and needs a regular file. Between the other two the headers are
	 * believed; but naming the format that is converted to is an error,
	 * except to salvage.
	 */
	enum avml_image_format source_format;
	enum avml_image_format format; /* to convert to */
	unsigned int threads;	       /* 0: as many as there are CPUs */
	bool keep_zeros;
	bool no_sparse;
	bool no_clobber;
	bool digest; /* as avml_snapshot_options, digest_file NULL */
	bool salvage;
	bool force; /* raw: gaps of any size, also where zeros cost time */
	/*
	 * Confine this process for good before the image is looked at, so that
	 * all it can do afterwards is to end: for a program, not for a library
	 * inside another. A kernel that cannot is told of in a warning.
	 */
	bool confine;
	uint64_t min_free_mib;		  /* stop before less is free; 0 */
	uint64_t max_disk_usage_mib;	  /* 0: no limit */
	double max_disk_usage_percentage; /* 0: no limit */
};

/* Told in the caller's thread and in order; any may be NULL. */
struct avml_convert_events {
	void *ctx;
	void (*warning)(void *ctx, const char *text);
	/*
	 * While salvaging: bytes from `offset` to `end` of the image make no
	 * sense, and memory in `range` (empty: unknown) is missing.
	 */
	void (*loss)(void *ctx, uint64_t offset, uint64_t end,
		struct avml_range range, const char *reason);
	/* A record was written. */
	void (*record)(void *ctx, const struct avml_image_record *record);
	/* How far it is, in bytes of the image that is read. */
	void (*progress)(void *ctx, const struct avml_progress *progress);
};

struct avml_convert_result {
	uint64_t source_bytes;	/* of the image read */
	uint64_t memory_bytes;	/* that it holds */
	uint64_t records;	/* written */
	uint64_t dropped_bytes; /* in blocks that are all zero */
	uint64_t written_bytes; /* as of struct avml_snapshot_result */
	uint64_t hole_bytes;	/* of it */
	uint64_t losses;	/* while salvaging */
	uint64_t lost_bytes;	/* of memory, as far as known, or UINT64_MAX */
	/* Of the new image as it is, whole or cut back; "": there is none. */
	char digest[AVML_SINK_DIGEST_SIZE];
};

/*
 * Convert. 0 when all of it was converted, or salvaged (losses are
 * counted); else a negative errno, -EINTR after a signal. `result` is
 * filled as far as the run came.
 */
int avml_convert(const struct avml_convert_options *options,
	const struct avml_convert_events *events,
	struct avml_convert_result *result, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

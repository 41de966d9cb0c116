/* SPDX-License-Identifier: MIT */
/*
 * The acquisition: physical memory of a source, written as an image.
 *
 * Source errors are survived page by page: what cannot be read is zeros in
 * the image, told and counted. Destination errors end the run; a file is
 * then cut back to whole records.
 *
 * Threads: one run at a time in a process, since a signal stops all. The
 * caller ignores SIGPIPE and SIGXFSZ, which are errors of the write then.
 */
#ifndef AVML_SNAPSHOT_H
#define AVML_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/progress.h>
#include <avml/range.h>
#include <avml/record.h>
#include <avml/remote.h>
#include <avml/sink.h>
#include <avml/source.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVML_SNAPSHOT_OTHERS_MAX 4

struct avml_snapshot_options {
	const char *destination; /* see avml_sink_open() */
	/* Off the host: `destination` is what it is called. NULL: it is not. */
	const struct avml_remote *remote;
	const char *source;   /* see avml_source_choose(); NULL: any */
	const char *iomem;    /* NULL: iomem of proc_dir */
	const char *proc_dir; /* NULL: /proc */
	const char *dev_dir;  /* NULL: /dev */
	size_t page_size;     /* see struct avml_source_config */
	unsigned int threads; /* 0: the CPUs; at most 64 are used */
	bool compress;	      /* write AVML_IMAGE_LIME_COMPRESSED */
	bool keep_zeros;
	bool no_sparse;
	bool no_clobber;
	bool digest; /* take the image's SHA-256, as it is written */
	/*
	 * Where the digest goes, in the format of sha256sum; NULL: for a
	 * regular file to its name with ".sha256" behind it, otherwise nowhere.
	 */
	const char *digest_file;
	/* At most 4, not to be written over: what the caller writes itself. */
	const struct avml_sink_input *others;
	size_t other_count; /* at most AVML_SNAPSHOT_OTHERS_MAX */
	/*
	 * Go on where the image would lie in the memory that is read (tmpfs,
	 * ramfs), and where it cannot fit on its disk; and read a `source` that
	 * may end the machine, see struct avml_source_config.
	 */
	bool force;
	uint64_t min_free_mib;	     /* stop before less is free; 0: no limit */
	uint64_t max_disk_usage_mib; /* 0: no limit */
	double max_disk_usage_percentage; /* 0: no limit */
};

/*
 * What is told on the way, in the caller's thread. Each kind comes in order
 * of address, but what no source covers is told before the rest, and what
 * came during the run after it. Any of them may be NULL. Texts live as long
 * as the call.
 */
struct avml_snapshot_events {
	void *ctx;
	/* Something about the host or the run that should be known. */
	void (*warning)(void *ctx, const char *text);
	/* RAM, in whole pages, as iomem or else the source tells it. */
	void (*ram)(void *ctx, struct avml_range range);
	/* A range that will be read. */
	void (*range)(void *ctx, struct avml_range range);
	/* A part of a page at a range's edge, which is not read. */
	void (*trimmed)(void *ctx, struct avml_range range);
	/* RAM that could not be read, and why: adjacent pages together. */
	void (*unreadable)(
		void *ctx, struct avml_range range, unsigned int status);
	/* A record was written. */
	void (*record)(void *ctx, const struct avml_image_record *record);
	/* At the end: read from that path instead of the first source. */
	void (*filled)(void *ctx, struct avml_range range, const char *path);
	/* A source was tried. */
	void (*source)(void *ctx, const struct avml_source_verdict *verdict);
	/* How far it is, in bytes of memory. */
	void (*progress)(void *ctx, const struct avml_progress *progress);
};

struct avml_snapshot_result {
	char source[256];    /* its path, cut short if need be */
	uint64_t ram_bytes;  /* all RAM, in whole pages */
	uint64_t ranges;     /* read */
	uint64_t read_bytes; /* of them, unreadable ones included */
	uint64_t trimmed_bytes;
	uint64_t uncovered_bytes; /* not in the image at all */
	uint64_t late_bytes;	  /* plugged in during the run: not in it */
	uint64_t filled_bytes;	  /* read from another source */
	/* What the source put into the kernel; no loads: nothing. */
	struct avml_source_footprint footprint;
	/* Zeros in the image; and uncovered, and late. */
	uint64_t unreadable_bytes;
	uint64_t records;
	uint64_t dropped_bytes; /* in blocks that are all zero */
	/* The length of the image; of one cut back, what it had been. */
	uint64_t written_bytes;
	uint64_t hole_bytes;		  /* of it */
	struct avml_remote_counts remote; /* of an image off the host */
	/* Of the image as it is, whole or cut back; "": there is none. */
	char digest[AVML_SINK_DIGEST_SIZE];
};

/*
 * Acquire. `result` is filled as far as the run came. 0 when the image is
 * whole but for unreadable_bytes; else a negative errno, -EINTR after a
 * signal.
 */
int avml_snapshot(const struct avml_snapshot_options *options,
	const struct avml_snapshot_events *events,
	struct avml_snapshot_result *result, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A look through a whole image, damaged or not, that writes nothing: what
 * verify and info are made of.
 */
#ifndef JOB_INSPECT_H
#define JOB_INSPECT_H

#include "format/image_reader.h"
#include "job/progress.h"
#include "job/warning.h"

struct inspect_options {
	const char *image;    /* a path; "-": stdin */
	unsigned int threads; /* 0: as many as there are CPUs */
	/*
	 * The headers of records and chunks alone: nothing is decoded but to
	 * see which is to blame where they contradict each other.
	 */
	bool heads;
	bool confine; /* see confine.h, to reading what is open */
	struct warning warning;
	struct progress progress; /* in bytes of the image */
};

/* What a part's memory is. */
struct inspect_counts {
	uint64_t zero_bytes; /* in pages and chunks that are all zero */
	uint64_t bad_bytes;  /* in chunks that cannot be decoded */
	uint64_t chunks;
	uint64_t bad_chunks;
};

/* Called in the caller's thread, in the order of the image. */
struct inspect_events {
	void *ctx;
	void (*part)(void *ctx, const struct image_part *part,
		const struct inspect_counts *counts);
	/* Before the part that it is in, if that is handed out. */
	void (*damage)(void *ctx, const struct image_loss *damage);
	void (*oddity)(void *ctx, const struct image_part *part);
};

struct inspect_result {
	enum avml_image_format format; /* of the first record */
	uint64_t image_bytes;
	bool on_disk; /* a regular file, which takes: */
	uint64_t allocated_bytes;
	uint64_t records;
};

/*
 * 0 when the end of the image was reached, whatever was found on the way.
 * -EINVAL when there is no record in it, -EINTR after a signal, or an errno
 * of reading it.
 */
int inspect(const struct inspect_options *options,
	const struct inspect_events *events, struct inspect_result *result,
	struct avml_error *err);

#endif

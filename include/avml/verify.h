/* SPDX-License-Identifier: MIT */
/*
 * Whether an image is whole: every header, length, checksum and trailer is
 * looked at, and all that is wrong is told, not only the first.
 *
 * Only version 2 has checksums, of each chunk's memory. Of version 1 the
 * headers and lengths are all that can be checked.
 *
 * Threads: one run at a time in a process, since a signal stops all.
 */
#ifndef AVML_VERIFY_H
#define AVML_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/progress.h>
#include <avml/range.h>
#include <avml/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_verify_options {
	const char *image;    /* a path; "-": stdin */
	unsigned int threads; /* 0: as many as there are CPUs */
	/*
	 * Confine this process for good before the image is looked at, so that
	 * all it can do afterwards is to print and to end: for a program, not
	 * for a library inside another. A kernel that cannot is told of in a
	 * warning.
	 */
	bool confine;
};

struct avml_verify_finding {
	/*
	 * Not what its writer wrote, or no image that a reader could take.
	 * Else a note: a known writer does it, and nothing is lost.
	 */
	bool fault;
	uint64_t offset, end; /* in the image; equal: only where it begins */
	/*
	 * Physical addresses it is about. Empty: how much is not known, but
	 * none below `start`.
	 */
	struct avml_range range;
	const char *text;
};

/* Told in the caller's thread and in the order of the image. */
struct avml_verify_events {
	void *ctx;
	void (*finding)(void *ctx, const struct avml_verify_finding *finding);
	void (*warning)(void *ctx, const char *text); /* may be NULL */
	/* How far it is, in bytes of the image; may be NULL. */
	void (*progress)(void *ctx, const struct avml_progress *progress);
};

struct avml_verify_result {
	enum avml_image_format format; /* of the first record */
	uint64_t image_bytes;
	uint64_t records;
	uint64_t chunks;	/* of v2 */
	uint64_t memory_bytes;	/* that there is in the image */
	uint64_t checked_bytes; /* of it, with a right checksum */
	uint64_t faults;
	uint64_t notes;
};

/*
 * Verify. 0 when the end of the image was reached, even if faults were
 * found; -EINVAL when there is no record in it, -EINTR after a signal, or
 * an errno of reading it. `result` is filled as far as the run came.
 */
int avml_verify(const struct avml_verify_options *options,
	const struct avml_verify_events *events,
	struct avml_verify_result *result, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A file that is there already, sent off the host as it is.
 *
 * Threads: one run at a time in a process, since a signal stops all.
 */
#ifndef AVML_UPLOAD_H
#define AVML_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/progress.h>
#include <avml/remote.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_upload_options {
	const char *file; /* a regular one, of at least a byte */
	/*
	 * Bytes that it has to have: those that were written to it before, or
	 * it is another file by now. 0: not known.
	 */
	uint64_t len;
	const struct avml_remote *remote; /* PUT, BLOB, S3 or PARTS */
	/* It is removed afterwards: so the server's length is asked for. */
	bool remove;
	/* What is told on the way, in the caller's thread; may be NULL. */
	void *ctx;
	void (*progress)(void *ctx, const struct avml_progress *progress);
};

struct avml_upload_result {
	uint64_t file_bytes;
	struct avml_remote_counts counts;
	bool confirmed; /* the server has all of it */
	bool removed;	/* and here it is no more */
};

/*
 * Send it. `result` is filled as far as the run came. 0: the server has
 * confirmed the whole; else a negative errno, and the file is as it was. That
 * it cannot be removed is an error too, `confirmed` is true then.
 */
int avml_upload(const struct avml_upload_options *options,
	struct avml_upload_result *result, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

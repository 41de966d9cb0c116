/* SPDX-License-Identifier: MIT */
/* One file of the bundle: copied, hashed, looked at on the way. */
#ifndef JOB_BUNDLE_COPY_H
#define JOB_BUNDLE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>

#include "base/digest.h"

/* So much is read at once: the only buffer there is. */
#define BUNDLE_PIECE (64u << 10)
#define BUNDLE_HEAD 64

/* Where the bytes come from: all to the end of a file, or a part of one. */
struct bundle_source {
	int fd;
	const char *path; /* for messages */
	uint64_t offset;
	uint64_t len; /* BUNDLE_TO_END, or exactly that many */
	uint64_t max; /* what has more is refused: some files have no end */
};

#define BUNDLE_TO_END UINT64_MAX

/* Where they go to. */
struct bundle_target {
	int dir;
	const char *dir_path; /* for messages */
	const char *name;     /* in it */
};

struct bundle_copied {
	uint64_t bytes;
	char sha256[DIGEST_HEX_SIZE];
	char head[BUNDLE_HEAD]; /* the first of them, as text */
	bool addresses;		/* a line begins with a number that is not 0 */
};

/*
 * Copy to a new file; `buf` has room for BUNDLE_PIECE. On failure no such file
 * is left, or the error says that it is; one that was there before is an error
 * and stays. 0, or -errno: -EINTR after a signal.
 */
int bundle_copy(const struct bundle_source *from,
	const struct bundle_target *to, void *buf, struct bundle_copied *copied,
	struct avml_error *err);

#endif

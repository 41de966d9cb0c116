/* SPDX-License-Identifier: MIT */
/*
 * A regular file that is sent, and read for it as often as need be: the page
 * cache has what is read twice. It must stay as it was when that began.
 *
 * Threads: any, the file's position is not used.
 */
#ifndef SINK_REMOTE_FILE_H
#define SINK_REMOTE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include <avml/error.h>

struct remote_file {
	const char *path;
	int fd;
	uint64_t len; /* bytes */
	struct timespec changed;
};

/* As it is now; that is not `len` bytes: an error. */
int remote_file_init(struct remote_file *file, const char *path, int fd,
	uint64_t len, struct avml_error *err);

/* Up to `size` bytes at `at`; less is an error, as is a file cut short. */
ssize_t remote_file_read(const struct remote_file *file, uint64_t at, void *buf,
	size_t size, struct avml_error *err);

/* Whether it is still as it was: 0 or -errno. */
int remote_file_check(const struct remote_file *file, struct avml_error *err);

#endif

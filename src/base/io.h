/* SPDX-License-Identifier: MIT */
/*
 * System calls that finish what they began: interrupted calls are taken up
 * again, short transfers continued. Lengths and offsets are in bytes.
 *
 * All of these return a negative errno value on failure. io_pread_full() gives
 * up with -EINTR at cancel_level() 2, writes at the level they are given,
 * opening and the reading of texts at level 1.
 *
 * Threads: safe, as far as the threads do not share a file position.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <avml/error.h>

/* open(2) with O_CLOEXEC. The descriptor, or -errno. */
int io_open(const char *path, int flags, mode_t mode);

/* The same of a name in the directory that is open as `dir`. */
int io_openat(int dir, const char *name, int flags, mode_t mode);

/* ftruncate(2). 0 or -errno. */
int io_truncate(int fd, uint64_t len);

/*
 * Read up to `len` bytes at `offset`, until the file ends. The count is
 * short at the file's end and where a later part failed: the bytes before
 * are good, and asking for the rest tells the error.
 */
ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset);

/* A vector to write from: struct iovec has no const, being for both ways. */
static inline struct iovec io_vector(const void *buf, size_t len)
{
	const union {
		const void *from;
		void *base;
	} both = { .from = buf };

	return (struct iovec){ both.base, len };
}

/*
 * Write all of the `count` vectors, at `offset` or (IO_APPEND) at the
 * file's own position. The vectors are used up on the way. `*done` counts
 * the bytes written, also on failure. 0 or -errno.
 */
#define IO_APPEND UINT64_MAX
int io_writev_full(int fd, struct iovec *iov, int count, uint64_t offset,
	int stop_level, uint64_t *done);

/*
 * The whole of a small file that cannot be asked for its size (procfs), as
 * text with a NUL after it; one of more than `max` bytes is refused. The
 * caller frees `*text`. The error names the path.
 */
int io_read_text(const char *path, size_t max, char **text, size_t *len,
	struct avml_error *err);

/*
 * The same of a file of the system's, where nobody asked for that path:
 * what is no regular file is refused, so that a FIFO cannot hold us up.
 */
int io_read_system_text(const char *path, size_t max, char **text, size_t *len,
	struct avml_error *err);

#endif

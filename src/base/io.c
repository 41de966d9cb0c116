/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"

int io_open(const char *path, int flags, mode_t mode)
{
	for (;;) {
		int fd = open(path, flags | O_CLOEXEC, mode);

		if (fd >= 0)
			return fd;
		/* A FIFO without a reader blocks: a signal ends the wait. */
		if (errno != EINTR || cancel_level() > 0)
			return -errno;
	}
}

int io_openat(int dir, const char *name, int flags, mode_t mode)
{
	for (;;) {
		int fd = openat(dir, name, flags | O_CLOEXEC, mode);

		if (fd >= 0)
			return fd;
		if (errno != EINTR || cancel_level() > 0)
			return -errno;
	}
}

int io_truncate(int fd, uint64_t len)
{
	/* It can be interrupted on network file systems. */
	while (ftruncate(fd, (off_t)len) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		uint64_t at;
		ssize_t n;

		if (__builtin_add_overflow(offset, done, &at) || at > INT64_MAX)
			return done ? (ssize_t)done : -EINVAL;
		n = pread(fd, (char *)buf + done, len - done, (off_t)at);
		if (n < 0 && errno == EINTR && cancel_level() < 2)
			continue;
		if (n < 0)
			return done ? (ssize_t)done : -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Take `n` written bytes off the front of the vectors. */
static void advance(struct iovec **iov, int *count, size_t n)
{
	while (*count > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

int io_writev_full(int fd, struct iovec *iov, int count, uint64_t offset,
	int stop_level, uint64_t *done)
{
	*done = 0;
	advance(&iov, &count, 0);
	while (count > 0) {
		ssize_t n;

		if (cancel_level() >= stop_level)
			return -EINTR;
		if (offset == IO_APPEND)
			n = writev(fd, iov, count);
		else
			n = pwritev(fd, iov, count, (off_t)(offset + *done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* Somebody else made the pipe non-blocking. */
			struct pollfd writable = { fd, POLLOUT, 0 };

			poll(&writable, 1, -1);
			continue;
		}
		if (n < 0)
			return -errno;
		/* Nothing written and no error: a device that is at its end. */
		if (n == 0)
			return -ENOSPC;
		*done += (uint64_t)n;
		advance(&iov, &count, (size_t)n);
	}
	return 0;
}

static int read_text(int fd, const char *path, size_t max, char **text,
	size_t *len, struct avml_error *err)
{
	CLEANUP_FREE char *buf = NULL;
	size_t have = 0, room = 0;

	for (;;) {
		ssize_t n;

		if (room - have < 2) {
			char *more;

			room = room ? room * 2 : 8192;
			more = realloc(buf, room);
			if (!more)
				return avml_error_set_errno(
					err, ENOMEM, "cannot read %s", path);
			buf = more;
		}
		n = read(fd, buf + have, room - have - 1);
		if (n < 0 && errno == EINTR && cancel_level() == 0)
			continue;
		if (n < 0)
			return avml_error_set_errno(
				err, errno, "cannot read %s", path);
		have += (size_t)n;
		if (have > max)
			return avml_error_set(err, EFBIG,
				"%s is larger than %zu bytes", path, max);
		if (n == 0)
			break;
	}
	buf[have] = '\0';
	*text = TAKE_PTR(buf);
	*len = have;
	return 0;
}

int io_read_text(const char *path, size_t max, char **text, size_t *len,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = io_open(path, O_RDONLY | O_NOCTTY, 0);

	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	return read_text(fd, path, max, text, len, err);
}

int io_read_system_text(const char *path, size_t max, char **text, size_t *len,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd =
		io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return avml_error_set(
			err, ENODEV, "%s is no regular file", path);
	return read_text(fd, path, max, text, len, err);
}

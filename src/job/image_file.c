/* SPDX-License-Identifier: MIT */
#include "job/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/io.h"

/* Between two looks whether to stop, in milliseconds. */
#define WAIT_MS 200

/*
 * Wait until there is something to read. The signal that asks to stop may
 * go to another thread, so look for it every now and then. 0 or -errno.
 */
static int wait_for_input(const struct image_file *file)
{
	struct pollfd input = { file->fd, POLLIN, 0 };

	while (cancel_level() == 0) {
		const int n = poll(&input, 1, WAIT_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	return -EINTR;
}

static ssize_t read_stream(const struct image_file *file, void *buf, size_t len)
{
	for (;;) {
		int ret = wait_for_input(file);
		ssize_t n;

		if (ret < 0)
			return ret;
		n = read(file->fd, buf, len);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

static ssize_t read_next(
	void *ctx, void *buf, size_t len, struct avml_error *err)
{
	struct image_file *file = ctx;
	ssize_t n;

	if (file->seekable && cancel_level() > 0)
		n = -EINTR;
	else if (file->seekable)
		n = io_pread_full(
			file->fd, buf, len, file->base + file->offset);
	else
		n = read_stream(file, buf, len);
	if (n == -EINTR)
		return cancel_error(err);
	if (n < 0)
		return avml_error_set_errno(err, (int)-n,
			"cannot read %s at offset %" PRIu64, file->path,
			file->offset);
	/* It was cut short while it was read: that is no good end. */
	if (n == 0 && file->seekable &&
		file->base + file->offset < (uint64_t)file->st.st_size)
		return avml_error_set(err, EIO,
			"%s ended at offset %" PRIu64 ", but had %" PRIu64
			" bytes when it was opened",
			file->path, file->offset,
			(uint64_t)file->st.st_size - file->base);
	file->offset += (uint64_t)n;
	if (file->seekable)
		cached_read(&file->cached, file->fd, file->base + file->offset);
	return n;
}

static ssize_t peek(void *ctx, void *buf, size_t len, uint64_t offset)
{
	const struct image_file *file = ctx;

	/* A search may be long: it ends, and the next read says why. */
	if (cancel_level() > 0)
		return -EINTR;
	return io_pread_full(file->fd, buf, len, file->base + offset);
}

/* Not past the end of a file that has become shorter meanwhile. */
static uint64_t skip(void *ctx, uint64_t len)
{
	struct image_file *file = ctx;
	struct stat st;
	uint64_t left, size = 0;

	if (fstat(file->fd, &st) == 0 && st.st_size > 0)
		size = (uint64_t)st.st_size;
	left = size > file->base + file->offset
		       ? size - file->base - file->offset
		       : 0;
	if (len > left)
		len = left;
	file->offset += len;
	return len;
}

int image_file_open(
	struct image_file *file, const char *path, struct avml_error *err)
{
	*file = (struct image_file){ .path = path, .fd = -1 };
	if (strcmp(path, "-") == 0) {
		file->path = "stdin";
		file->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (file->fd < 0)
			file->fd = -errno;
	} else {
		file->fd = io_open(path, O_RDONLY | O_NOCTTY, 0);
	}
	if (file->fd < 0)
		return avml_error_set_errno(
			err, -file->fd, "cannot open %s", file->path);
	if (fstat(file->fd, &file->st) < 0)
		return avml_error_set_errno(err, errno, "%s", file->path);
	if (S_ISDIR(file->st.st_mode))
		return avml_error_set(err, EISDIR,
			"%s is a directory, not an image", file->path);
	file->seekable = S_ISREG(file->st.st_mode);
	if (file->seekable) {
		/* stdin may have been read from already. */
		const off_t at = lseek(file->fd, 0, SEEK_CUR);

		file->base = at > 0 ? (uint64_t)at : 0;
		file->cached = cached_from(file->base);
	}
	file->input = (struct image_input){
		.ctx = file,
		.read = read_next,
		.peek = file->seekable ? peek : NULL,
		.skip = file->seekable ? skip : NULL,
	};
	return 0;
}

uint64_t image_file_size(const struct image_file *file)
{
	const uint64_t size = file->seekable ? (uint64_t)file->st.st_size : 0;

	return size > file->base ? size - file->base : 0;
}

void image_file_close(struct image_file *file)
{
	if (file->fd < 0)
		return;
	if (file->seekable)
		cached_end(&file->cached, file->fd);
	close(file->fd);
	file->fd = -1;
}

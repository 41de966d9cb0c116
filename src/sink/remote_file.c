/* SPDX-License-Identifier: MIT */
#include "sink/remote_file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/io.h"

int remote_file_init(struct remote_file *file, const char *path, int fd,
	uint64_t len, struct avml_error *err)
{
	struct stat st;

	*file = (struct remote_file){ .path = path, .fd = fd, .len = len };
	if (fstat(fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	file->changed = st.st_mtim;
	return remote_file_check(file, err);
}

ssize_t remote_file_read(const struct remote_file *file, uint64_t at, void *buf,
	size_t size, struct avml_error *err)
{
	const ssize_t got = io_pread_full(file->fd, buf, size, at);

	if (got < 0)
		return avml_error_set_errno(err, (int)-got,
			"cannot read %s at offset %" PRIu64, file->path, at);
	if ((size_t)got == size)
		return got;
	if (remote_file_check(file, err) == 0)
		avml_error_set(err, EIO,
			"%s cannot be read behind offset %" PRIu64, file->path,
			at + (uint64_t)got);
	return -err->code;
}

int remote_file_check(const struct remote_file *file, struct avml_error *err)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", file->path);
	if ((uint64_t)st.st_size != file->len)
		return avml_error_set(err, ESTALE,
			"%s %s while it was sent: it had %" PRIu64
			" bytes, and has %" PRIu64,
			file->path,
			(uint64_t)st.st_size < file->len ? "shrank" : "grew",
			file->len, (uint64_t)st.st_size);
	if (st.st_mtim.tv_sec != file->changed.tv_sec ||
		st.st_mtim.tv_nsec != file->changed.tv_nsec)
		return avml_error_set(err, ESTALE,
			"%s was written to while it was sent", file->path);
	return 0;
}

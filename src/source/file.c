/* SPDX-License-Identifier: MIT */
/*
 * A file whose offsets are physical addresses: a copy of memory, or a
 * device that some module made for reading it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "source/source_ops.h"

static int check_file(
	int fd, const char *path, struct stat *st, struct avml_error *err)
{
	if (fstat(fd, st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	if (S_ISDIR(st->st_mode))
		return avml_error_set(err, EISDIR,
			"%s is a directory, not a memory source", path);
	if (S_ISREG(st->st_mode))
		return source_check_plain(fd, path, err);
	if (!S_ISBLK(st->st_mode) && !S_ISCHR(st->st_mode))
		return avml_error_set(err, EINVAL,
			"%s is neither a file nor a device: it cannot be read "
			"by address",
			path);
	return 0;
}

static int file_open(const struct source_place *place,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	const char *path = place->path;
	struct stat st;
	const char *lockdown = stat(path, &st) == 0 && S_ISCHR(st.st_mode)
				       ? "integrity"
				       : NULL;
	CLEANUP_CLOSE int fd = source_open_fd(path, lockdown, why, err);
	int ret;

	if (fd < 0)
		return fd;
	ret = check_file(fd, path, &st, err);
	if (ret < 0)
		return ret;
	*source = calloc(1, sizeof(**source));
	if (!*source)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	(*source)->lockdown = lockdown;
	(*source)->live = S_ISCHR(st.st_mode);
	(*source)->host = (*source)->live;
	(*source)->covers_all = true;
	(*source)->flat = !S_ISCHR(st.st_mode);
	return 0;
}

static ssize_t file_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	return io_pread_full(reader->fd, buf, len, addr);
}

const struct source_ops source_file = {
	.name = "file",
	.open = file_open,
	.reader_new = source_fd_reader_new,
	.reader_free = source_fd_reader_free,
	.read = file_read,
};

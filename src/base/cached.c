/* SPDX-License-Identifier: MIT */
#include "base/cached.h"

#include <errno.h>
#include <fcntl.h>

/* Whole pages of any size leave the cache: ranges begin and end with these. */
#define ALIGN (64u << 10)

/* A wish: where it cannot be granted, nothing is lost. */
static void drop(int fd, uint64_t from, uint64_t to)
{
	/* To the kernel a length of 0 is all the rest of the file. */
	if (to > from)
		(void)posix_fadvise(fd, (off_t)from, (off_t)(to - from),
			POSIX_FADV_DONTNEED);
}

/* 0, or -errno where that is the disk's word on what it got. */
static int to_disk(
	struct cached *c, int fd, uint64_t from, uint64_t to, unsigned int how)
{
	int ret;

	if (c->plain || to == from)
		return 0;
	do
		ret = sync_file_range(fd, (off_t)from, (off_t)(to - from), how);
	while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return 0;
	switch (errno) {
	case EIO:
	case ENOSPC:
	case EDQUOT:
		return -errno;
	default:
		/* An old kernel, a sandbox, a kind of file without it. */
		c->plain = true;
		return 0;
	}
}

int cached_written(struct cached *c, int fd, uint64_t offset)
{
	const uint64_t end = offset - offset % ALIGN;
	int ret;

	if (end < c->begun || end - c->begun < CACHED_WINDOW)
		return 0;
	/* Without it, to drop what is dirty begins to write it, too. */
	if (c->plain)
		drop(fd, c->begun, end);
	ret = to_disk(c, fd, c->begun, end, SYNC_FILE_RANGE_WRITE);
	/* What was begun a window ago has had its time. */
	if (ret == 0)
		ret = to_disk(c, fd, c->gone, c->begun,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				SYNC_FILE_RANGE_WAIT_AFTER);
	if (ret < 0)
		return ret;
	drop(fd, c->gone, c->begun);
	c->gone = c->begun;
	c->begun = end;
	return 0;
}

void cached_read(struct cached *c, int fd, uint64_t offset)
{
	const uint64_t end = offset - offset % ALIGN;

	if (end < c->gone || end - c->gone < CACHED_WINDOW)
		return;
	drop(fd, c->gone, end);
	c->gone = end;
}

void cached_end(struct cached *c, int fd, uint64_t offset)
{
	if (offset <= c->gone)
		return;
	drop(fd, c->gone, offset + ALIGN);
	c->gone = offset;
}

/* SPDX-License-Identifier: MIT */
#include "base/cached.h"

#include <errno.h>
#include <fcntl.h>

/* Ranges begin and end with whole pages, of whatever size these are. */
#define ALIGN (64u << 10)
/*
 * The kernel keeps pages together that it has read together, and drops none
 * of them that reaches out of the range: so each range begins earlier.
 */
#define BACK (2u << 20)

/*
 * A wish: where it cannot be granted, nothing is lost. What is dirty is not
 * dropped, but begun to be written.
 */
static void drop(const struct cached *c, int fd, uint64_t from, uint64_t to)
{
	const uint64_t early = from - c->base > BACK ? from - BACK : c->base;

	/* To the kernel a length of 0 is all the rest of the file. */
	if (to > early)
		(void)posix_fadvise(fd, (off_t)early, (off_t)(to - early),
			POSIX_FADV_DONTNEED);
}

static int to_disk(int fd, uint64_t from, uint64_t to, unsigned int how)
{
	int ret;

	do
		ret = sync_file_range(fd, (off_t)from, (off_t)(to - from), how);
	while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}

/* 0, or -errno where that is the disk's word on what it shall get. */
static int begin(struct cached *c, int fd, uint64_t from, uint64_t to)
{
	const int ret = to_disk(fd, from, to, SYNC_FILE_RANGE_WRITE);

	if (ret == -EIO || ret == -ENOSPC || ret == -EDQUOT)
		return ret;
	/* An old kernel, a sandbox, a kind of file without it. */
	if (ret < 0)
		c->plain = true;
	return 0;
}

/* 0, or whatever error writing it had: it is told this once. */
static int finish(int fd, uint64_t from, uint64_t to)
{
	return to_disk(fd, from, to,
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
}

int cached_written(struct cached *c, int fd, uint64_t offset)
{
	const uint64_t end = offset - offset % ALIGN;
	int ret = 0;

	if (end < c->begun || end - c->begun < CACHED_WINDOW)
		return 0;
	if (!c->plain)
		ret = begin(c, fd, c->begun, end);
	/* What was begun a window ago has had its time. */
	if (ret == 0 && !c->plain && c->begun > c->gone)
		ret = finish(fd, c->gone, c->begun);
	if (ret < 0)
		return ret;
	/* And where the calls above do nothing, as on overlayfs, this does. */
	drop(c, fd, c->gone, end);
	c->gone = c->begun;
	c->begun = end;
	return 0;
}

void cached_read(struct cached *c, int fd, uint64_t offset)
{
	const uint64_t end = offset - offset % ALIGN;

	if (end < c->gone || end - c->gone < CACHED_WINDOW)
		return;
	drop(c, fd, c->gone, end);
	c->gone = end;
}

void cached_end(struct cached *c, int fd)
{
	(void)posix_fadvise(fd, (off_t)c->base, 0, POSIX_FADV_DONTNEED);
}

/* SPDX-License-Identifier: MIT */
/*
 * A regular file, which gets holes and is cut back to whole records when
 * the run fails.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cached.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "sink/sink_ops.h"

/* A shorter run of zeros is written: a hole would save less than it costs. */
#define HOLE_MIN (64u << 10)
#define ZERO_VECTORS 64
/* A file system may not be able to make a file as long as a hole makes it. */
#define PROVE_MIN (1u << 30)
/* The file is cut back to whole records: any signal may stop a write. */
#define STOP_LEVEL 1

struct file_sink {
	struct avml_sink base;
	int fd;
	bool created;
	bool unsure;	      /* the disk did not confirm what was written */
	uint64_t base_offset; /* in the file where the image begins */
	uint64_t at;	      /* in the file where the next byte goes */
	uint64_t zeros;	      /* given, and neither written nor skipped */
	struct cached cached;
};

/* Write `count` vectors where the file is at. */
static int put(struct file_sink *s, struct iovec *iov, int count,
	struct avml_error *err)
{
	uint64_t done;
	int ret = sink_keep_free(&s->base, s->fd, iov, count, err);

	if (ret < 0)
		return ret;
	ret = io_writev_full(
		s->fd, iov, count, s->at, s->base.stop_level, &done);
	s->at += done;
	if (ret == -EINTR)
		return cancel_error(err);
	if (ret < 0)
		return avml_error_set_errno(err, -ret,
			"cannot write %s at offset %" PRIu64, s->base.name,
			s->at);
	ret = cached_written(&s->cached, s->fd, s->at);
	if (ret == 0)
		return 0;
	/* Which of it is not on the disk, nobody tells. */
	s->unsure = true;
	return avml_error_set_errno(err, -ret,
		"the disk did not take what was written to %s before offset "
		"%" PRIu64,
		s->base.name, s->at);
}

/* Write the zeros that wait. */
static int put_zeros(struct file_sink *s, struct avml_error *err)
{
	struct iovec iov[ZERO_VECTORS];

	while (s->zeros > 0) {
		uint64_t covered;
		int count = sink_zero_vectors(
			iov, ZERO_VECTORS, s->zeros, &covered);
		int ret = put(s, iov, count, err);

		if (ret < 0)
			return ret;
		s->zeros -= covered;
	}
	return 0;
}

static void skip_zeros(struct file_sink *s)
{
	s->at += s->zeros;
	if (s->zeros >= HOLE_MIN)
		s->base.hole_bytes += s->zeros;
	s->zeros = 0;
}

static int file_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	struct file_sink *s = (struct file_sink *)sink;
	struct iovec iov[HOLE_MIN / 4096 + 1];
	uint64_t covered;
	int count;

	if (s->zeros >= HOLE_MIN)
		skip_zeros(s);
	/* A shorter run goes out with the data, in one call. */
	count = sink_zero_vectors(iov, HOLE_MIN / 4096, s->zeros, &covered);
	s->zeros = 0;
	iov[count++] = io_vector(buf, len);
	return put(s, iov, count, err);
}

static int file_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	struct file_sink *s = (struct file_sink *)sink;
	uint64_t end;
	int ret;

	if (!sink->makes_holes) {
		s->zeros += len;
		return put_zeros(s, err);
	}
	if (__builtin_add_overflow(s->at + s->zeros, len, &end) ||
		end > INT64_MAX)
		return avml_error_set_errno(err, EFBIG,
			"%s of 0x%" PRIx64 " bytes", sink->name, end);
	s->zeros += len;
	if (s->zeros < PROVE_MIN)
		return 0;
	/* Here and now: at the end it could not be told from a full disk. */
	ret = io_truncate(s->fd, end);
	if (ret < 0)
		return avml_error_set_errno(err, -ret,
			"cannot make %s 0x%" PRIx64 " bytes long", sink->name,
			end);
	skip_zeros(s);
	return 0;
}

/* The file ends with zeros that wait: a hole, or at worst zeros. */
static int end_with_zeros(struct file_sink *s, struct avml_error *err)
{
	if (s->zeros > 0 && io_truncate(s->fd, s->at + s->zeros) == 0)
		skip_zeros(s);
	return put_zeros(s, err);
}

/* Leave a shared descriptor where the next writer expects it. */
static void leave_position(const struct file_sink *s, uint64_t len)
{
	(void)lseek(s->fd, (off_t)(s->base_offset + len), SEEK_SET);
}

static int file_finish(struct avml_sink *sink, struct avml_error *err)
{
	struct file_sink *s = (struct file_sink *)sink;
	int ret = end_with_zeros(s, err);

	if (ret < 0)
		return ret;
	leave_position(s, sink->position);
	ret = sink_sync(s->fd);
	if (ret < 0) {
		s->unsure = true;
		return avml_error_set_errno(
			err, -ret, "cannot sync %s", sink->name);
	}
	cached_end(&s->cached, s->fd);
	/* Linux closes it even when that is interrupted. */
	if (close(TAKE_FD(s->fd)) < 0 && errno != EINTR) {
		s->unsure = true;
		return avml_error_set_errno(
			err, errno, "cannot close %s", sink->name);
	}
	return 0;
}

/* Remove the file, unless its name means another file by now. */
static bool remove_created(const struct file_sink *s)
{
	struct stat ours, named;

	return fstat(s->fd, &ours) == 0 && lstat(s->base.name, &named) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino &&
	       unlink(s->base.name) == 0;
}

/* Back to what is whole. 0 or -errno. */
static int cut_back(struct file_sink *s)
{
	const uint64_t mark = s->base.mark;
	int ret = io_truncate(s->fd, s->base_offset + mark);

	if (ret < 0)
		return ret;
	leave_position(s, mark);
	/* What is left has to survive the host too. */
	if (sink_sync(s->fd) < 0)
		s->unsure = true;
	cached_end(&s->cached, s->fd);
	return 0;
}

static int file_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err)
{
	struct file_sink *s = (struct file_sink *)sink;
	int ret = 0;

	left->cut = true;
	left->len = sink->mark;
	/* It is closed already when just that failed. */
	if (s->fd >= 0 && sink->mark == 0 && s->created && remove_created(s))
		left->removed = true;
	else if (s->fd >= 0)
		ret = cut_back(s);
	/* Of a file that is gone, nothing is unsure. */
	left->unsure = s->unsure && !left->removed;
	if (s->fd >= 0)
		close(TAKE_FD(s->fd));
	if (ret == 0)
		return 0;
	left->cut = false;
	left->len = sink->position;
	return avml_error_set_errno(err, -ret,
		"cannot cut %s back to its last whole record, at offset "
		"%" PRIu64,
		sink->name, sink->mark);
}

static void file_free(struct avml_sink *sink)
{
	free(sink);
}

static const struct sink_ops file_ops = {
	.can_cut = true,
	.write = file_write,
	.zeros = file_zeros,
	.finish = file_finish,
	.abort = file_abort,
	.free = file_free,
};

int sink_file_new(struct sink_target *target, bool sparse,
	struct avml_sink **sink, struct avml_error *err)
{
	struct file_sink *s = calloc(1, sizeof(*s));
	char *name = strdup(target->path);

	if (!s || !name) {
		free(s);
		free(name);
		close(target->fd);
		if (target->created)
			unlink(target->path);
		return avml_error_set_errno(err, ENOMEM, "%s", target->path);
	}
	s->base.ops = &file_ops;
	s->base.name = name;
	s->base.stop_level = STOP_LEVEL;
	s->fd = target->fd;
	s->base.makes_holes = sparse;
	s->created = target->created;
	s->base_offset = target->base;
	s->at = target->base;
	s->cached = cached_from(target->base);
	*sink = &s->base;
	return 0;
}

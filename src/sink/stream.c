/* SPDX-License-Identifier: MIT */
/* A pipe, a socket, a device, or a descriptor we know little about. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cached.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "sink/sink_ops.h"

#define ZERO_VECTORS 64
/* Half a record is worth little: only a second signal stops a write. */
#define STOP_LEVEL 2

struct stream_sink {
	struct avml_sink base;
	int fd;
	bool has_cache; /* a file that is appended to, a disk */
	uint64_t at;	/* in it where the next byte goes, as far as is known */
	struct cached cached;
};

/* What stands behind the descriptor may go through the page cache, too. */
static void find_cache(struct stream_sink *s)
{
	struct stat st;
	off_t at;

	if (fstat(s->fd, &st) < 0 ||
		(!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)))
		return;
	at = lseek(s->fd, 0, SEEK_CUR);
	if (at < 0)
		return;
	/* Where others append as well, this is but near. */
	if (S_ISREG(st.st_mode) && st.st_size > at)
		at = st.st_size;
	s->has_cache = true;
	s->at = (uint64_t)at;
	s->cached = cached_from(s->at);
}

static int uncache(struct stream_sink *s, uint64_t len, struct avml_error *err)
{
	int ret = 0;

	s->at += len;
	if (s->has_cache)
		ret = cached_written(&s->cached, s->fd, s->at);
	if (ret < 0)
		return avml_error_set_errno(err, -ret,
			"the disk did not take what was written to %s",
			s->base.name);
	return 0;
}

/* For what must not hold a run up. */
static int wait_for_room(const struct stream_sink *s, struct avml_error *err)
{
	struct pollfd room = { .fd = s->fd, .events = POLLOUT };
	const int patience = (int)s->base.patience_ms;

	if (patience > 0 && poll(&room, 1, patience) == 0)
		return avml_error_set(err, ETIMEDOUT,
			"%s takes nothing: nobody reads it", s->base.name);
	return 0;
}

static int put(struct stream_sink *s, struct iovec *iov, int count,
	struct avml_error *err)
{
	uint64_t done;
	int ret = sink_keep_free(&s->base, s->fd, iov, count, err);

	if (ret == 0)
		ret = wait_for_room(s, err);
	if (ret < 0)
		return ret;
	ret = io_writev_full(
		s->fd, iov, count, IO_APPEND, s->base.stop_level, &done);
	if (ret == -EINTR)
		return cancel_error(err);
	if (ret == -EPIPE)
		return avml_error_set(err, EPIPE,
			"cannot write %s: the receiver has gone away",
			s->base.name);
	if (ret < 0)
		return avml_error_set_errno(
			err, -ret, "cannot write %s", s->base.name);
	return uncache(s, done, err);
}

static int stream_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	struct iovec iov = io_vector(buf, len);

	return put((struct stream_sink *)sink, &iov, 1, err);
}

static int stream_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	struct iovec iov[ZERO_VECTORS];
	uint64_t covered;

	for (; len > 0; len -= covered) {
		const int count =
			sink_zero_vectors(iov, ZERO_VECTORS, len, &covered);
		const int ret =
			put((struct stream_sink *)sink, iov, count, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int stream_finish(struct avml_sink *sink, struct avml_error *err)
{
	struct stream_sink *s = (struct stream_sink *)sink;
	int ret = sink_sync(s->fd);

	if (ret == 0 && s->has_cache)
		cached_end(&s->cached, s->fd);
	/* Linux closes it even when that is interrupted. */
	if (close(TAKE_FD(s->fd)) < 0 && errno != EINTR && ret == 0)
		ret = -errno;
	if (ret < 0)
		return avml_error_set_errno(
			err, -ret, "cannot finish %s", sink->name);
	return 0;
}

static int stream_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err)
{
	struct stream_sink *s = (struct stream_sink *)sink;

	(void)err;
	left->len = sink->position;
	if (s->fd >= 0)
		close(TAKE_FD(s->fd));
	return 0;
}

static void stream_free(struct avml_sink *sink)
{
	free(sink);
}

static const struct sink_ops stream_ops = {
	.can_cut = false,
	.write = stream_write,
	.zeros = stream_zeros,
	.finish = stream_finish,
	.abort = stream_abort,
	.free = stream_free,
};

int sink_stream_new(struct sink_target *target, struct avml_sink **sink,
	struct avml_error *err)
{
	struct stream_sink *s = calloc(1, sizeof(*s));
	char *name = strdup(target->path);

	if (!s || !name) {
		free(s);
		free(name);
		close(target->fd);
		return avml_error_set_errno(err, ENOMEM, "%s", target->path);
	}
	s->base.ops = &stream_ops;
	s->base.name = name;
	s->base.stop_level = STOP_LEVEL;
	s->fd = target->fd;
	find_cache(s);
	*sink = &s->base;
	return 0;
}

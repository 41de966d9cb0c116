/* SPDX-License-Identifier: MIT */
#include <avml/sink.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "sink/hasher.h"
#include "sink/sink_ops.h"

/* With a limit to what must stay free: bytes between two looks at it. */
#define LOOK_EVERY (16u << 20)

/* Before a byte too many is written. */
static int take(struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	if (__builtin_add_overflow(sink->taken, len, &sink->taken) ||
		(sink->max_bytes > 0 && sink->taken > sink->max_bytes))
		return avml_error_set(err, EDQUOT,
			"%s would take more than the limit of %" PRIu64
			" bytes",
			sink->name, sink->max_bytes);
	return 0;
}

int avml_sink_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	int ret = take(sink, len, err);

	if (ret < 0)
		return ret;
	ret = sink->ops->write(sink, buf, len, err);
	if (ret < 0) {
		sink->torn = true;
		return ret;
	}
	sink->position += len;
	if (sink->hasher)
		hasher_add(sink->hasher, buf, len);
	return 0;
}

int avml_sink_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	int ret = sink->makes_holes ? 0 : take(sink, len, err);

	if (ret < 0)
		return ret;
	ret = sink->ops->zeros(sink, len, err);
	if (ret == 0)
		sink->position += len;
	if (ret == 0 && sink->hasher)
		ret = hasher_zeros(sink->hasher, len, sink->stop_level, err);
	if (ret < 0)
		sink->torn = true;
	return ret;
}

bool avml_sink_makes_holes(const struct avml_sink *sink)
{
	return sink->makes_holes;
}

void avml_sink_mark(struct avml_sink *sink)
{
	sink->mark = sink->position;
	if (sink->hasher)
		hasher_mark(sink->hasher);
}

/* Of what is there now: all that was given, or what was marked. */
static void end_digest(struct avml_sink *sink, bool at_mark)
{
	if (sink->hasher && !hasher_end(sink->hasher, at_mark, sink->digest))
		sink->digest[0] = '\0';
	hasher_free(sink->hasher);
	sink->hasher = NULL;
}

int avml_sink_finish(struct avml_sink *sink, struct avml_error *err)
{
	int ret = sink->ops->finish(sink, err);

	if (ret == 0)
		end_digest(sink, false);
	return ret;
}

int avml_sink_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err)
{
	int ret;

	*left = (struct avml_sink_left){ .cut = false };
	ret = sink->ops->abort(sink, left, err);
	if (ret == 0 && !left->removed && !left->dropped &&
		(left->cut || !sink->torn))
		end_digest(sink, left->cut);
	return ret;
}

const char *avml_sink_digest(const struct avml_sink *sink)
{
	return sink->digest[0] ? sink->digest : NULL;
}

void avml_sink_free(struct avml_sink *sink)
{
	if (!sink)
		return;
	hasher_free(sink->hasher);
	free(sink->name);
	sink->ops->free(sink);
}

int avml_sink_send_file(struct avml_sink *sink,
	const struct avml_sink_file *file, struct avml_error *err)
{
	int ret;

	if (!sink->ops->send_file)
		return avml_error_set(
			err, ENOTSUP, "%s takes no files", sink->name);
	ret = sink->ops->send_file(sink, file, err);
	if (ret == 0)
		sink->position += file->len;
	return ret;
}

int avml_sink_confirm(struct avml_sink *sink, struct avml_error *err)
{
	return sink->ops->confirm ? sink->ops->confirm(sink, err) : 0;
}

bool avml_sink_remote_counts(
	const struct avml_sink *sink, struct avml_remote_counts *counts)
{
	*counts = (struct avml_remote_counts){ .blocks = 0 };
	if (sink->ops->counts)
		sink->ops->counts(sink, counts);
	return sink->ops->counts;
}

bool avml_sink_hashes(const struct avml_sink *sink)
{
	return sink->hasher != NULL;
}

bool avml_sink_can_cut(const struct avml_sink *sink)
{
	return sink->ops->can_cut;
}

uint64_t avml_sink_position(const struct avml_sink *sink)
{
	return sink->position;
}

uint64_t avml_sink_hole_bytes(const struct avml_sink *sink)
{
	return sink->hole_bytes;
}

int sink_zero_vectors(
	struct iovec *iov, int max, uint64_t len, uint64_t *covered)
{
	/* One page, over and over: zeros must not cost memory. */
	static const char zeros[4096];
	int count = 0;

	*covered = 0;
	while (count < max && len > 0) {
		const size_t part =
			len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		iov[count++] = io_vector(zeros, part);
		*covered += part;
		len -= part;
	}
	return count;
}

int sink_keep_free(struct avml_sink *sink, int fd, const struct iovec *iov,
	int count, struct avml_error *err)
{
	struct statvfs fs;
	uint64_t available, len = 0;
	int ret;

	if (sink->min_free == 0)
		return 0;
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	if (len <= sink->headroom) {
		sink->headroom -= len;
		return 0;
	}
	/* Others write to the disk too: it is looked at again and again. */
	do
		ret = fstatvfs(fd, &fs);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return avml_error_set_errno(err, errno,
			"cannot tell how much of the disk of %s is free",
			sink->name);
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (available < sink->min_free || available - sink->min_free < len)
		return avml_error_set(err, ENOSPC,
			"%s: %" PRIu64 " MiB are free on its disk, and %" PRIu64
			" MiB are to stay free (--min-free)",
			sink->name, available >> 20, sink->min_free >> 20);
	sink->headroom = available - sink->min_free;
	if (sink->headroom > LOOK_EVERY)
		sink->headroom = LOOK_EVERY;
	sink->headroom -= len < sink->headroom ? len : sink->headroom;
	return 0;
}

int sink_sync(int fd)
{
	while (fsync(fd) < 0) {
		if (errno == EINTR)
			continue;
		/* Pipes, sockets and devices have nothing to sync. */
		if (errno == EINVAL || errno == EROFS || errno == ENOTSUP)
			return 0;
		return -errno;
	}
	return 0;
}

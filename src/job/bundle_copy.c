/* SPDX-License-Identifier: MIT */
#include "job/bundle_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cached.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"

/* A file that is not whole is removed: any signal may stop a write. */
#define STOP_LEVEL 1

struct copy {
	const struct bundle_source *from;
	const struct bundle_target *to;
	int fd;
	void *buf;
	struct digest *digest;
	struct bundle_copied *copied;
	struct cached read, written;
	enum { LINE_BEGIN, LINE_ZEROS, LINE_REST } place;
};

/* --- what is in it -------------------------------------------------------- */

/*
 * In kallsyms and iomem a line begins with its address, behind blanks; behind
 * it a letter may be one that is a digit too.
 */
static void look_for_addresses(struct copy *c, const char *at, size_t len)
{
	for (size_t i = 0; i < len && !c->copied->addresses; i++) {
		if (at[i] == '\n')
			c->place = LINE_BEGIN;
		else if (c->place == LINE_REST ||
			 (c->place == LINE_BEGIN && at[i] == ' '))
			continue;
		else if (at[i] == '0')
			c->place = LINE_ZEROS;
		else {
			c->copied->addresses = (at[i] >= '1' && at[i] <= '9') ||
					       (at[i] >= 'a' && at[i] <= 'f');
			c->place = LINE_REST;
		}
	}
}

static void look_at(struct copy *c, const char *at, size_t len)
{
	if (c->copied->bytes == 0)
		memcpy(c->copied->head, at,
			len < BUNDLE_HEAD ? len : BUNDLE_HEAD - 1);
	look_for_addresses(c, at, len);
}

/* --- copying -------------------------------------------------------------- */

static int put(struct copy *c, size_t len, struct avml_error *err)
{
	struct iovec iov = io_vector(c->buf, len);
	uint64_t done;
	int ret = io_writev_full(
		c->fd, &iov, 1, c->copied->bytes, STOP_LEVEL, &done);

	if (ret == 0)
		ret = cached_written(
			&c->written, c->fd, c->copied->bytes + len);
	if (ret == -EINTR)
		return cancel_error(err);
	if (ret < 0)
		return avml_error_set_errno(err, -ret,
			"cannot write %s/%s at offset %" PRIu64,
			c->to->dir_path, c->to->name, c->copied->bytes + done);
	return 0;
}

/* The next piece: how many bytes, 0 at the end. */
static ssize_t get(struct copy *c, struct avml_error *err)
{
	const struct bundle_source *from = c->from;
	const uint64_t left = from->len - c->copied->bytes;
	const uint64_t at = from->offset + c->copied->bytes;
	ssize_t n;

	if (cancel_level() > 0)
		return cancel_error(err);
	n = io_pread_full(from->fd, c->buf,
		left < BUNDLE_PIECE ? (size_t)left : BUNDLE_PIECE, at);
	if (n < 0)
		return avml_error_set_errno(err, (int)-n,
			"cannot read %s at offset %" PRIu64, from->path, at);
	if (n == 0 && from->len != BUNDLE_TO_END && left > 0)
		return avml_error_set(err, EINVAL,
			"%s ends at offset %" PRIu64 ", within what is to be "
			"read",
			from->path, at);
	if ((uint64_t)n > from->max - c->copied->bytes)
		return avml_error_set(err, EFBIG,
			"%s is larger than %" PRIu64 " MiB", from->path,
			from->max >> 20);
	return n;
}

static int copy_all(struct copy *c, struct avml_error *err)
{
	for (;;) {
		const ssize_t n = get(c, err);
		int ret;

		if (n <= 0)
			return (int)n;
		if (digest_add(c->digest, c->buf, (size_t)n) < 0)
			return avml_error_set_errno(err, EIO, "SHA-256");
		look_at(c, c->buf, (size_t)n);
		ret = put(c, (size_t)n, err);
		if (ret < 0)
			return ret;
		c->copied->bytes += (uint64_t)n;
		cached_read(&c->read, c->from->fd,
			c->from->offset + c->copied->bytes);
	}
}

/* On its disk, and out of memory. */
static int finish(struct copy *c, struct avml_error *err)
{
	int ret;

	if (digest_end(c->digest, c->copied->sha256) < 0)
		return avml_error_set_errno(err, EIO, "SHA-256");
	do
		ret = fsync(c->fd);
	while (ret < 0 && errno == EINTR);
	/* File systems that have nothing to sync with. */
	if (ret < 0 && errno != EINVAL && errno != ENOTSUP)
		return avml_error_set_errno(err, errno, "cannot sync %s/%s",
			c->to->dir_path, c->to->name);
	cached_end(&c->written, c->fd);
	/* Linux closes it even when that is interrupted. */
	if (close(TAKE_FD(c->fd)) < 0 && errno != EINTR)
		return avml_error_set_errno(err, errno, "cannot close %s/%s",
			c->to->dir_path, c->to->name);
	return 0;
}

static int create(const struct bundle_target *to, struct avml_error *err)
{
	const int fd = io_openat(to->dir, to->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	if (fd == -EINTR)
		return cancel_error(err);
	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot create %s/%s",
			to->dir_path, to->name);
	return fd;
}

int bundle_copy(const struct bundle_source *from,
	const struct bundle_target *to, void *buf, struct bundle_copied *copied,
	struct avml_error *err)
{
	struct copy c = {
		.from = from,
		.to = to,
		.fd = -1,
		.buf = buf,
		.copied = copied,
		.read = cached_from(from->offset),
		.written = cached_from(0),
	};
	int ret;

	*copied = (struct bundle_copied){ .bytes = 0 };
	c.digest = digest_new(err);
	if (!c.digest)
		return -err->code;
	ret = create(to, err);
	if (ret < 0) {
		digest_free(c.digest);
		return ret;
	}
	c.fd = ret;
	ret = copy_all(&c, err);
	if (ret == 0)
		ret = finish(&c, err);
	cached_end(&c.read, from->fd);
	digest_free(c.digest);
	if (c.fd >= 0)
		close(c.fd);
	if (ret < 0 && unlinkat(to->dir, to->name, 0) < 0)
		avml_error_wrap(err,
			"%s/%s is incomplete, and could not be removed",
			to->dir_path, to->name);
	return ret;
}

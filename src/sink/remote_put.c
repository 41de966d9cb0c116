/* SPDX-License-Identifier: MIT */
/*
 * One HTTP PUT. Of a file the length is known, and it is read again if need
 * be; a stream goes out in chunks, through a ring from which the thread of
 * requests takes it. As long as the ring has not wrapped, the stream can begin
 * anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cancel.h"
#include "sink/remote_file.h"
#include "sink/remote_sink.h"

#define RING_LEN (4u << 20)

struct put_sink {
	struct avml_sink base;
	const struct avml_remote *remote;
	struct http *http;
	struct http_job job;
	struct remote_file file;
	uint8_t *ring; /* RING_LEN; NULL: a file is sent */
	/* Below the lock of requests; offsets in the stream. */
	uint64_t begin; /* of what is in the ring */
	uint64_t end;
	uint64_t taken; /* by the request */
	bool over;	/* nothing follows `end` */
};

static int put_headers(
	void *ctx, struct curl_slist **list, struct avml_error *err)
{
	/* Azure wants to know; others do not care. */
	const int ret = remote_add_header(list, "x-ms-blob-type: BlockBlob");

	(void)ctx;
	(void)err;
	return ret < 0 ? ret
		       : remote_add_header(list,
				 "Content-Type: application/octet-stream");
}

/* --- a stream ------------------------------------------------------------- */

/* Bytes from an offset of the stream on that are next to each other. */
static size_t in_one_piece(uint64_t at, uint64_t end, size_t max)
{
	const size_t to_wrap = (size_t)(RING_LEN - at % RING_LEN);
	const size_t len = end - at < max ? (size_t)(end - at) : max;

	return len < to_wrap ? len : to_wrap;
}

static ssize_t ring_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	struct put_sink *p = ctx;
	ssize_t len;

	(void)err;
	http_lock(p->http);
	len = (ssize_t)in_one_piece(at, p->end, size);
	if (len == 0 && !p->over)
		len = -EAGAIN;
	if (len > 0) {
		memcpy(buf, p->ring + at % RING_LEN, (size_t)len);
		p->taken = at + (uint64_t)len;
	}
	http_unlock(p->http);
	if (len > 0)
		http_body_moved(p->http);
	return len;
}

static bool ring_again(void *ctx)
{
	struct put_sink *p = ctx;
	bool whole;

	http_lock(p->http);
	whole = p->begin == 0;
	if (whole)
		p->taken = 0;
	http_unlock(p->http);
	return whole;
}

/* The request ended while there was more to send. */
static int ended_early(const struct put_sink *p, struct avml_error *err)
{
	if (p->job.state == HTTP_FAILED) {
		*err = p->job.err;
		return -err->code;
	}
	return avml_error_set(
		err, EPROTO, "%s: the request is over", p->base.name);
}

/* Called with the lock: how many bytes there is room for, without wrapping. */
static size_t make_room(struct put_sink *p, size_t wanted)
{
	const uint64_t room = RING_LEN - (p->end - p->begin);

	if (room == 0)
		p->begin = p->taken;
	return in_one_piece(p->end, p->begin + RING_LEN, wanted);
}

/* `from` is NULL for zeros. */
static int put_bytes(struct put_sink *p, const uint8_t *from, uint64_t len,
	struct avml_error *err)
{
	int ret = 0;

	http_lock(p->http);
	while (len > 0 && ret == 0) {
		size_t part = 0;

		if (p->job.state != HTTP_BUSY)
			ret = ended_early(p, err);
		else
			part = make_room(
				p, len < RING_LEN ? (size_t)len : RING_LEN);
		if (ret == 0 && part == 0)
			ret = http_wait(p->http, p->base.stop_level, err);
		if (ret < 0 || part == 0)
			continue;
		if (from)
			memcpy(p->ring + p->end % RING_LEN, from, part);
		else
			memset(p->ring + p->end % RING_LEN, 0, part);
		p->end += part;
		len -= part;
		if (from)
			from += part;
		http_unlock(p->http);
		http_wake(p->http);
		http_lock(p->http);
	}
	http_unlock(p->http);
	return ret;
}

static int put_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	return put_bytes((struct put_sink *)sink, buf, len, err);
}

static int put_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	return put_bytes((struct put_sink *)sink, NULL, len, err);
}

static int put_finish(struct avml_sink *sink, struct avml_error *err)
{
	struct put_sink *p = (struct put_sink *)sink;

	if (!p->ring)
		return 0;
	/* Without its end it is nothing: as long as it is not sent. */
	if (cancel_level() >= p->base.stop_level)
		return cancel_error(err);
	http_lock(p->http);
	p->over = true;
	http_unlock(p->http);
	http_wake(p->http);
	return http_wait_for(p->http, &p->job, p->base.stop_level, err);
}

/* --- a file --------------------------------------------------------------- */

/* The last of it only when it has not changed: then it is whole over there. */
static ssize_t file_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	const struct put_sink *p = ctx;
	const ssize_t got = remote_file_read(&p->file, at, buf, size, err);

	if (got > 0 && at + (uint64_t)got == p->file.len &&
		remote_file_check(&p->file, err) < 0)
		return -err->code;
	return got;
}

static int put_send_file(struct avml_sink *sink,
	const struct avml_sink_file *file, struct avml_error *err)
{
	struct put_sink *p = (struct put_sink *)sink;
	int ret = remote_file_init(
		&p->file, file->path, file->fd, file->len, err);

	if (ret < 0)
		return ret;
	p->job.body = (struct http_body){ file->len, file_read, NULL, p };
	http_submit(p->http, &p->job);
	http_lock(p->http);
	while (ret == 0 && p->job.state == HTTP_BUSY) {
		ret = http_wait(p->http, p->base.stop_level, err);
		http_unlock(p->http);
		remote_tell(file, atomic_load(&p->job.sent));
		http_lock(p->http);
	}
	if (ret == 0 && p->job.state == HTTP_FAILED)
		ret = ended_early(p, err);
	http_unlock(p->http);
	/* It may have been over before anybody waited. */
	if (ret == 0)
		remote_tell(file, file->len);
	return ret;
}

static int put_confirm(struct avml_sink *sink, struct avml_error *err)
{
	struct put_sink *p = (struct put_sink *)sink;

	return remote_confirm(p->http, p->remote->to, sink->position, err);
}

/* --- both ----------------------------------------------------------------- */

/* Without its end the request is none: the connection is cut. */
static int put_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err)
{
	struct put_sink *p = (struct put_sink *)sink;

	(void)err;
	http_job_release(p->http, &p->job);
	left->unknown = p->job.unsure;
	left->dropped = !left->unknown;
	left->len = sink->position;
	return 0;
}

static void put_counts(
	const struct avml_sink *sink, struct avml_remote_counts *counts)
{
	const struct put_sink *p = (const struct put_sink *)sink;

	counts->sent_bytes = sink->position;
	counts->retries = http_retries(p->http);
}

static void put_free(struct avml_sink *sink)
{
	struct put_sink *p = (struct put_sink *)sink;

	if (p->http)
		http_job_release(p->http, &p->job);
	http_free(p->http);
	if (p->ring)
		munmap(p->ring, RING_LEN);
	free(p);
}

static const struct sink_ops put_ops = {
	.can_cut = false,
	.write = put_write,
	.zeros = put_zeros,
	.finish = put_finish,
	.abort = put_abort,
	.free = put_free,
	.send_file = put_send_file,
	.confirm = put_confirm,
	.counts = put_counts,
};

static int make_ring(struct put_sink *p)
{
	p->ring = mmap(NULL, RING_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->ring != MAP_FAILED)
		return 0;
	p->ring = NULL;
	return -ENOMEM;
}

int put_new(const struct avml_remote *remote, bool of_file,
	struct avml_sink **sink, struct avml_error *err)
{
	struct put_sink *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	p->remote = remote;
	ret = remote_base(&p->base, &put_ops, remote);
	if (ret == 0 && !of_file)
		ret = make_ring(p);
	if (ret < 0)
		avml_error_set_errno(err, -ret, "an upload");
	else
		ret = http_new(remote, 1, &p->http, err);
	if (ret < 0) {
		free(p->base.name);
		put_free(&p->base);
		return ret;
	}
	p->job.method = "PUT";
	p->job.url = remote->to;
	p->job.headers = put_headers;
	if (!of_file) {
		p->job.body = (struct http_body){ HTTP_CHUNKED, ring_read,
			ring_again, p };
		http_submit(p->http, &p->job);
	}
	*sink = &p->base;
	return 0;
}

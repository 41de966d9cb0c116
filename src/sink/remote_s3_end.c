/* SPDX-License-Identifier: MIT */
/*
 * The end of a multipart upload: CompleteMultipartUpload, whose answer of 200
 * may say that it failed, or AbortMultipartUpload.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "net/backoff.h"
#include "net/url.h"
#include "net/xml.h"
#include "sink/remote_s3.h"
#include "sink/remote_sink.h"

/* Longer than that nobody waits for the end of what failed; ms. */
#define ABANDON_MS 10000
/* Between two requests to forget it. */
#define AGAIN_MS 1000

#define DOCUMENT_BEGIN              \
	"<CompleteMultipartUpload " \
	"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
#define DOCUMENT_END "</CompleteMultipartUpload>"
#define PART_FORMAT "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>"
/* Of a part beside its ETag. */
#define PART_ROOM (sizeof(PART_FORMAT) + 20)

static char *make_document(const struct s3 *s3, size_t count)
{
	size_t room = sizeof(DOCUMENT_BEGIN DOCUMENT_END);
	char *text, *to;

	for (size_t i = 0; i < count; i++)
		room += PART_ROOM + strlen(s3->etags[i]);
	text = malloc(room);
	if (!text)
		return NULL;
	to = stpcpy(text, DOCUMENT_BEGIN);
	for (size_t i = 0; i < count; i++)
		to += snprintf(to, room - (size_t)(to - text), PART_FORMAT,
			i + 1, s3->etags[i]);
	stpcpy(to, DOCUMENT_END);
	return text;
}

static ssize_t document_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	(void)err;
	memcpy(buf, (const char *)ctx + at, size);
	return (ssize_t)size;
}

/* Of what failed inside of an answer of 200, whether that may pass. */
static bool may_pass(const char *code)
{
	return strcmp(code, "InternalError") == 0 ||
	       strcmp(code, "SlowDown") == 0 ||
	       strcmp(code, "ServiceUnavailable") == 0 ||
	       strcmp(code, "RequestTimeout") == 0;
}

/* 0: it is there; -EAGAIN: ask again; another -errno. */
static int judge_completion(const struct blocks *b, const struct http_job *job,
	struct avml_error *err)
{
	const struct http_answer *answer = &job->answer;
	char root[64], code[64], said[256];

	if (!xml_root(answer->text, answer->len, root, sizeof(root)))
		return avml_error_set(err, EPROTO,
			"%s: the server answered, but confirmed nothing",
			b->base.name);
	if (strcmp(root, "CompleteMultipartUploadResult") == 0)
		return 0;
	(void)xml_find(answer->text, answer->len, "Code", code, sizeof(code));
	(void)xml_find(
		answer->text, answer->len, "Message", said, sizeof(said));
	/* A URL of a list is a secret, and may be in what they say. */
	url_scrub(job->url, said);
	avml_error_set(err, EPROTO,
		"%s: the parts are not put together: %s: %s", b->base.name,
		code[0] ? code : root, said);
	return may_pass(code) ? -EAGAIN : -EPROTO;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What is there by the object's name: see remote_look(). */
static int look(
	struct blocks *b, struct http_answer *seen, struct avml_error *err)
{
	const struct s3 *s3 = b->data;
	CLEANUP_FREE char *url = s3_url(s3, S3_OBJECT, 0);
	struct s3_request request = { b, "HEAD", url, S3_PAYLOAD_EMPTY };
	struct http_job job = {
		.url = url,
		.headers = s3_headers,
		.headers_ctx = &request,
		.bound = !s3->parts,
	};

	*seen = (struct http_answer){ .object_len = UINT64_MAX };
	return url ? remote_look(b->http, &job, seen, err) : 0;
}

int s3_confirm(struct blocks *b, struct avml_error *err)
{
	struct http_answer seen;
	const int ret = look(b, &seen, err);

	return ret < 0 ? ret : remote_judge_length(&seen, b->taken_bytes, err);
}

/*
 * An upload that is not known when it is to be put together may have been, by
 * a request of which the answer was lost: libcurl too sends one again, where a
 * connection turns out to be dead. Then another object is there than before:
 * one that was seen, or none (403 says that to those who may not list). Where
 * nobody told what was there before, nothing proves it.
 * 0: it is; else the error stays what it was, or is that of a stop.
 */
static int look_for_complete(struct blocks *b, const struct http_job *job,
	const struct http_answer *before, struct avml_error *err)
{
	struct http_answer seen;
	char code[64];

	if (before->status / 100 != 2 && before->status != 404 &&
		before->status != 403)
		return -err->code;
	if (job->answer.status != 404 ||
		!xml_find(job->answer.text, job->answer.len, "Code", code,
			sizeof(code)) ||
		strcmp(code, "NoSuchUpload") != 0)
		return -err->code;
	if (look(b, &seen, err) == 0 && seen.status / 100 == 2 &&
		seen.object_len == b->taken_bytes && seen.etag[0] &&
		strcmp(seen.etag, before->etag) != 0)
		return 0;
	return -err->code;
}

/* 0 or -EINTR. */
static int pause_ms(struct blocks *b, uint64_t ms, struct avml_error *err)
{
	const uint64_t until = now_ms() + ms;
	int ret = 0;

	http_lock(b->http);
	while (ret == 0 && now_ms() < until)
		ret = http_wait(b->http, b->base.stop_level, err);
	http_unlock(b->http);
	return ret;
}

static int complete(
	struct blocks *b, struct http_job *job, struct avml_error *err)
{
	struct backoff backoff;
	struct avml_error why;
	struct http_answer before;
	uint64_t wait_ms;
	int ret = look(b, &before, err);

	if (ret < 0)
		return ret;
	backoff_init(&backoff, b->remote->retries, b->remote->retry_s);
	for (;;) {
		http_submit(b->http, job);
		ret = http_wait_for(b->http, job, b->base.stop_level, err);
		if (ret == -EINTR)
			return ret;
		if (ret < 0)
			return look_for_complete(b, job, &before, err);
		ret = judge_completion(b, job, err);
		if (ret != -EAGAIN)
			return ret;
		if (!backoff_next(&backoff, now_ms(), 0, &wait_ms))
			return -err->code;
		if (pause_ms(b, wait_ms, &why) < 0) {
			*err = why;
			return -err->code;
		}
	}
}

int s3_commit(struct blocks *b, struct avml_error *err)
{
	struct s3 *s3 = b->data;
	CLEANUP_FREE char *url = s3_url(s3, S3_COMPLETE, 0);
	CLEANUP_FREE char *text = make_document(s3, (size_t)b->count);
	struct s3_request request = { b, "POST", url, SIGV4_UNSIGNED };
	struct http_job job = {
		.method = "POST",
		.url = url,
		.what = "the list of parts",
		.headers = s3_headers,
		.headers_ctx = &request,
		.bound = !s3->parts,
	};
	int ret;

	if (!url || !text)
		return avml_error_set_errno(err, ENOMEM, "%s", job.what);
	job.body =
		(struct http_body){ strlen(text), document_read, NULL, text };
	if (b->checksum &&
		!(checksum_reset(b->checksum) &&
			checksum_add(b->checksum, text, strlen(text)) &&
			checksum_end_hex(b->checksum, request.payload))) {
		blocks_lose_checksum(b, CHECKSUM_FAILED);
		snprintf(request.payload, sizeof(request.payload), "%s",
			SIGV4_UNSIGNED);
	}
	ret = complete(b, &job, err);
	http_job_release(b->http, &job);
	b->unsure = ret < 0 && job.unsure;
	if (ret == 0) {
		free(s3->upload_id);
		s3->upload_id = NULL;
	}
	return ret;
}

/* One request to forget it, until then: whether there is nothing any more. */
static bool forget(struct blocks *b, struct http_job *job, uint64_t until)
{
	struct avml_error ignored;
	bool gone;
	int ret = 0;

	http_submit(b->http, job);
	http_lock(b->http);
	while (ret == 0 && job->state == HTTP_BUSY && now_ms() < until)
		ret = http_wait(b->http, 2, &ignored);
	/* 404: there is no such upload, which is as good: */
	gone = job->state == HTTP_DONE &&
	       (job->answer.status / 100 == 2 || job->answer.status == 404);
	/* unless it was put together, as what is aborted was not. */
	if (gone && job->answer.status != 404)
		b->unsure = false;
	http_unlock(b->http);
	return gone;
}

static void wait_until(struct blocks *b, uint64_t until)
{
	struct avml_error ignored;

	http_lock(b->http);
	while (now_ms() < until && http_wait(b->http, 2, &ignored) == 0)
		;
	http_unlock(b->http);
}

/*
 * Parts of what is never finished are kept, and paid for: so it is tried, but
 * not for as long as anything else. A part that was under way may be taken in
 * after that (AbortMultipartUpload says so, and to abort it again).
 */
int s3_abandon(struct blocks *b, struct avml_error *err)
{
	struct s3 *s3 = b->data;
	CLEANUP_FREE char *url = s3->upload_id ? s3_url(s3, S3_ABORT, 0) : NULL;
	struct s3_request request = { b, "DELETE", url, S3_PAYLOAD_EMPTY };
	struct http_job job = {
		.method = "DELETE",
		.url = url,
		.what = "the end of the upload",
		.headers = s3_headers,
		.headers_ctx = &request,
		.bound = !s3->parts,
		.any_answer = true,
	};
	const uint64_t until = now_ms() + ABANDON_MS;
	bool gone;

	if (!s3->upload_id)
		return 0;
	gone = url && forget(b, &job, until);
	if (gone && b->cut_off && job.answer.status != 404) {
		wait_until(b, now_ms() + AGAIN_MS);
		gone = forget(b, &job, until);
	}
	http_job_release(b->http, &job);
	if (gone)
		return 0;
	return avml_error_set(err, EIO,
		"%s: the parts that were sent stay there until the upload %s "
		"is aborted",
		b->base.name, s3->upload_id);
}

/* SPDX-License-Identifier: MIT */
/* One request at a time to a server that answers as it is told. */
#ifndef CHECK_HTTP_H
#define CHECK_HTTP_H

#include "net/http.h"

#include "check_server.h"

#include <curl/curl.h>

#define SECRET "s3cr3tvalue"
#define STATUS(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"
#define PLACE(status, to)                              \
	"HTTP/1.1 " status "\r\nContent-Length: 0\r\n" \
	"Location: " to "\r\n\r\n"

/* --- what is sent ----------------------------------------------------------
 */

/* A body of `len` bytes that counts up; the rest is how it goes wrong. */
struct source {
	uint64_t len, pause_at, fail_at;
	bool once; /* it cannot be begun again */
	bool mute; /* where it fails, it does not say why */
	atomic_bool paused, resumed;
};

static inline ssize_t source_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	struct source *source = ctx;
	uint8_t *to = buf;

	if (source->fail_at > 0 && at >= source->fail_at && source->mute)
		return -ENOSPC;
	if (source->fail_at > 0 && at >= source->fail_at)
		return avml_error_set(err, EIO, "the disk is gone");
	if (source->pause_at > 0 && at >= source->pause_at &&
		!atomic_load(&source->resumed)) {
		atomic_store(&source->paused, true);
		return -EAGAIN;
	}
	if (source->pause_at > at && size > source->pause_at - at)
		size = (size_t)(source->pause_at - at);
	if (size > source->len - at)
		size = (size_t)(source->len - at);
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)((at + i) % 251);
	return (ssize_t)size;
}

static inline bool source_again(void *ctx)
{
	return !((struct source *)ctx)->once;
}

static inline void expect_body(const struct seen *seen, size_t len)
{
	ck_assert(seen->is_whole);
	ck_assert_uint_eq(seen->len, len);
	for (size_t i = 0; i < len; i++)
		TEST_ASSERT(seen->body[i] == i % 251);
}

/* --- one job ---------------------------------------------------------------
 */

/* Fresh in each test, which is a process of its own. */
static struct source source;
static struct server *server;
static struct avml_remote remote = AVML_REMOTE_DEFAULTS;
static struct http *http;
static struct http_job job;
static struct avml_error err = AVML_ERROR_INIT;
static char url[256], text[AVML_ERROR_TEXT];
static char notices[2048];

static inline void on_notice(void *ctx, const char *notice)
{
	(void)ctx;
	strncat(notices, notice, sizeof(notices) - strlen(notices) - 2);
	strcat(notices, "\n");
}

static inline int own_header(
	void *ctx, struct curl_slist **list, struct avml_error *error)
{
	(void)error;
	*list = curl_slist_append(*list, (const char *)ctx);
	return *list ? 0 : -ENOMEM;
}

/* What answers so, and what sends to it; no job yet. */
static inline void prepare(const struct reply *replies, size_t count)
{
	server = server_start(replies, count);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?sig=" SECRET,
		server->port);
	remote.notice = on_notice;
	ck_assert_int_eq(
		http_new(&remote, (unsigned int)count, &http, &err), 0);
}

/* The job is a PUT of `len` bytes, or in chunks. */
static inline void put(uint64_t len)
{
	static char header[] = "x-own: yes";

	job = (struct http_job){ .method = "PUT",
		.url = url,
		.headers = own_header,
		.headers_ctx = header,
		.body = { .len = len,
			.read = source_read,
			.again = source_again,
			.ctx = &source } };
}

static inline void begin(
	const struct reply *replies, size_t count, uint64_t len)
{
	if (len != HTTP_CHUNKED)
		source.len = len;
	prepare(replies, count);
	put(len);
	http_submit(http, &job);
}

#define BEGIN(replies, len) begin(replies, TEST_COUNT(replies), len)

/* What http_wait_for() says; then all is given back. */
static inline int end(void)
{
	const int ret = http_wait_for(http, &job, 1, &err);

	avml_error_join(&err, text, sizeof(text));
	http_job_release(http, &job);
	ck_assert_int_eq(job.state, HTTP_IDLE);
	ck_assert_ptr_null(job.attempt);
	http_free(http);
	server_stop(server);
	ck_assert_ptr_null(strstr(text, SECRET));
	ck_assert_ptr_null(strstr(notices, SECRET));
	return ret;
}

/* A failure: its text behind the place, which is named without its query. */
static inline void expect_error(const char *said)
{
	char expected[AVML_ERROR_TEXT];

	snprintf(expected, sizeof(expected), "http://127.0.0.1:%u/path: %s",
		server->port, said);
	ck_assert_str_eq(text, expected);
}

static inline void expect_seen(size_t count)
{
	ck_assert_uint_eq(server->seen_count, count);
}

#endif

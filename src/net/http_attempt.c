/* SPDX-License-Identifier: MIT */
/* One request, as libcurl makes it, and what to think of its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "net/http_parts.h"
#include "net/trust.h"
#include "net/url.h"

/* libcurl reads that much of a body at once, and holds it. */
#define UPLOAD_BUFFER (256L << 10)
/* Of a job that is not worth a long wait. */
#define BRIEF_RETRIES 2
#define BRIEF_RETRY_S 10

uint64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static unsigned int at_most(unsigned int wanted, bool brief, unsigned int most)
{
	return brief && wanted > most ? most : wanted;
}

struct http_attempt *attempt_new(
	struct http_common *common, struct http_job *job)
{
	struct http_attempt *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->common = common;
	a->job = job;
	a->easy = curl_easy_init();
	a->text = malloc(HTTP_TEXT_MAX + 1);
	if (!a->easy || !a->text) {
		attempt_free(a);
		return NULL;
	}
	a->text[0] = '\0';
	backoff_init(&a->backoff,
		at_most(common->remote->retries, job->brief, BRIEF_RETRIES),
		at_most(common->remote->retry_s, job->brief, BRIEF_RETRY_S));
	return a;
}

void attempt_free(struct http_attempt *a)
{
	if (!a)
		return;
	curl_slist_free_all(a->list);
	curl_easy_cleanup(a->easy);
	attempt_forget_places(a);
	free(a->text);
	free(a);
}

/* --- what libcurl calls --------------------------------------------------- */

static size_t slow_down(struct http_attempt *a)
{
	a->slowed = true;
	a->turn = ++a->common->turns;
	a->common->slowed++;
	return CURL_READFUNC_PAUSE;
}

static void end_pause(struct http_attempt *a)
{
	if (a->slowed)
		a->common->slowed--;
	a->starved = a->slowed = false;
}

void attempt_go_on(struct http_attempt *a)
{
	a->its_turn = a->slowed;
	end_pause(a);
	(void)curl_easy_pause(a->easy, CURLPAUSE_CONT);
}

static size_t on_read(char *buf, size_t size, size_t count, void *ctx)
{
	struct http_attempt *a = ctx;
	const struct http_body *body = &a->job->body;
	size_t wanted = size * count;
	ssize_t got;

	if (body->len != HTTP_CHUNKED && wanted > body->len - a->at)
		wanted = (size_t)(body->len - a->at);
	if (wanted == 0)
		return 0;
	if (a->common->slowed > 0 && !a->its_turn)
		return slow_down(a);
	a->its_turn = false;
	wanted = rate_take(&a->common->rate, wanted, http_now_ms());
	if (wanted == 0)
		return slow_down(a);
	got = body->read(body->ctx, a->at, buf, wanted, &a->read_err);
	if (got < (ssize_t)wanted)
		rate_give_back(
			&a->common->rate, wanted - (got > 0 ? (size_t)got : 0));
	if (got == -EAGAIN) {
		a->starved = true;
		return CURL_READFUNC_PAUSE;
	}
	if (got == 0 && body->len != HTTP_CHUNKED)
		got = avml_error_set(&a->read_err, EIO, "it ended early");
	if (got < 0) {
		if (a->read_err.code == 0)
			avml_error_set_errno(
				&a->read_err, (int)-got, "the body");
		a->read_failed = true;
		return CURL_READFUNC_ABORT;
	}
	a->ended = got == 0;
	a->at += (uint64_t)got;
	atomic_store(&a->job->sent, a->at);
	return (size_t)got;
}

bool attempt_is_whole(const struct http_attempt *a)
{
	const struct http_body *body = &a->job->body;

	if (!body->read)
		return true;
	return body->len == HTTP_CHUNKED ? a->ended : a->at == body->len;
}

/* It is over, or begins anew: what may have become of what was sent? */
static void note_the_end(struct http_attempt *a)
{
	long status = 0;

	(void)curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	if (attempt_is_whole(a) && status / 100 != 3 && status / 100 != 4)
		a->job->unsure = true;
}

bool attempt_can_begin_again(const struct http_attempt *a)
{
	const struct http_body *body = &a->job->body;

	return !body->read || !body->again || a->at == 0 ||
	       body->again(body->ctx);
}

/* A connection that was kept turned out to be dead: back to the begin. */
static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct http_attempt *a = ctx;

	if (offset != 0 || origin != SEEK_SET || !attempt_can_begin_again(a))
		return CURL_SEEKFUNC_CANTSEEK;
	note_the_end(a);
	a->at = 0;
	a->ended = false;
	return CURL_SEEKFUNC_OK;
}

/*
 * Whether an answer has gone on for longer than any: its status counts, and
 * what was read of it. Of a thing without an end nobody waits for that.
 */
static bool is_endless(struct http_attempt *a, size_t len)
{
	const uint64_t now = http_now_ms();
	const uint64_t limit_ms = (uint64_t)a->common->remote->stall_s * 1000 *
				  HTTP_ANSWER_PATIENCE;

	if (a->answer_ms == 0)
		a->answer_ms = now;
	a->answer_len += len;
	a->endless = a->answer_len > HTTP_ANSWER_MAX ||
		     (limit_ms > 0 && now - a->answer_ms > limit_ms);
	return a->endless;
}

static size_t on_text(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_attempt *a = ctx;
	const size_t len = size * count;
	size_t part = HTTP_TEXT_MAX - a->text_len;

	if (is_endless(a, len))
		return 0;
	if (part > len)
		part = len;
	memcpy(a->text + a->text_len, bytes, part);
	a->text_len += part;
	a->text[a->text_len] = '\0';
	return len;
}

/*
 * A word of 1xx on the way, or a proxy's, comes before another answer, and the
 * body may take its time in between. Behind the whole body none does, and more
 * of such words are no reason to wait longer.
 */
static void begin_answer(struct http_attempt *a)
{
	a->etag[0] = '\0';
	if (a->answer_counts)
		return;
	a->answer_ms = 0;
	a->answer_counts = attempt_is_whole(a);
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	static const char status[] = "HTTP/", name[] = "ETag:";
	struct http_attempt *a = ctx;
	size_t len = size * count;
	const char *value = line + sizeof(name) - 1;

	if (len >= sizeof(status) - 1 &&
		memcmp(line, status, sizeof(status) - 1) == 0)
		begin_answer(a);
	if (is_endless(a, len))
		return 0;
	if (len < sizeof(name) ||
		strncasecmp(line, name, sizeof(name) - 1) != 0)
		return len;
	len -= sizeof(name) - 1;
	while (len > 0 && *value == ' ') {
		value++;
		len--;
	}
	while (len > 0 && strchr("\r\n ", value[len - 1]))
		len--;
	if (len < sizeof(a->etag)) {
		memcpy(a->etag, value, len);
		a->etag[len] = '\0';
	}
	return size * count;
}

/* --- its begin ------------------------------------------------------------ */

const char *attempt_url(const struct http_attempt *a)
{
	return a->redirects > 0 ? a->places[a->redirects - 1] : a->job->url;
}

void attempt_forget_places(struct http_attempt *a)
{
	while (a->redirects > 0)
		free(a->places[--a->redirects]);
}

#define SET(option, value)                                               \
	do {                                                             \
		if (code == CURLE_OK)                                    \
			code = curl_easy_setopt(a->easy, option, value); \
	} while (0)

static CURLcode set_method(struct http_attempt *a)
{
	const struct http_job *job = a->job;
	const uint64_t len = job->body.read ? job->body.len : 0;
	CURLcode code = CURLE_OK;

	if (strcmp(job->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
		return code;
	}
	SET(CURLOPT_CUSTOMREQUEST, job->method);
	if (!job->body.read && strcmp(job->method, "DELETE") == 0)
		return code;
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	SET(CURLOPT_INFILESIZE_LARGE,
		len == HTTP_CHUNKED ? (curl_off_t)-1 : (curl_off_t)len);
	SET(CURLOPT_READFUNCTION, on_read);
	SET(CURLOPT_READDATA, a);
	SET(CURLOPT_SEEKFUNCTION, on_seek);
	SET(CURLOPT_SEEKDATA, a);
	return code;
}

static CURLcode set_all(struct http_attempt *a)
{
	CURLcode code =
		trust_set(a->easy, a->common->remote, a->common->bundle);

	SET(CURLOPT_URL, attempt_url(a));
	/* What is signed is what is sent. */
	SET(CURLOPT_PATH_AS_IS, 1L);
	if (code == CURLE_OK)
		code = set_method(a);
	SET(CURLOPT_HTTPHEADER, a->list);
	SET(CURLOPT_WRITEFUNCTION, on_text);
	SET(CURLOPT_WRITEDATA, a);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, a);
	/* What a proxy says of its tunnel is no answer. */
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_ERRORBUFFER, a->curl_error);
	SET(CURLOPT_PRIVATE, a);
	return code;
}

static bool add_header(struct http_attempt *a, const char *line)
{
	struct curl_slist *list = curl_slist_append(a->list, line);

	if (list)
		a->list = list;
	return list;
}

static int make_headers(struct http_attempt *a, struct avml_error *err)
{
	int ret = -ENOMEM;

	curl_slist_free_all(a->list);
	a->list = NULL;
	/* Some servers never answer to an Expect, which costs a second. */
	if (add_header(a, "Expect:") && add_header(a, "Accept:"))
		ret = a->job->headers ? a->job->headers(a->job->headers_ctx,
						&a->list, err)
				      : 0;
	return ret == -ENOMEM ? avml_error_set_errno(err, ENOMEM, "a request")
			      : ret;
}

int attempt_start(struct http_attempt *a, struct avml_error *err)
{
	CURLcode code;
	int ret;

	a->due_ms = 0;
	a->at = 0;
	atomic_store(&a->job->sent, 0);
	a->ended = a->its_turn = a->read_failed = false;
	avml_error_init(&a->read_err);
	a->text_len = 0;
	a->text[0] = a->etag[0] = a->curl_error[0] = '\0';
	a->answer_ms = 0;
	a->answer_counts = a->endless = false;
	a->answer_len = 0;
	a->moved = 0;
	a->moved_ms = http_now_ms();
	curl_easy_reset(a->easy);
	ret = make_headers(a, err);
	if (ret < 0)
		return ret;
	code = set_all(a);
	if (code == CURLE_OK &&
		curl_multi_add_handle(a->common->multi, a->easy) != CURLM_OK)
		code = CURLE_OUT_OF_MEMORY;
	if (code != CURLE_OK)
		return avml_error_set(err,
			code == CURLE_OUT_OF_MEMORY ? ENOMEM : EIO,
			"a request cannot be made: %s",
			curl_easy_strerror(code));
	return 0;
}

void attempt_stop(struct http_attempt *a)
{
	end_pause(a);
	note_the_end(a);
	(void)curl_multi_remove_handle(a->common->multi, a->easy);
}

/* SPDX-License-Identifier: MIT */
/* What to think of the end of a request. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_parts.h"
#include "net/url.h"

/* A URL's part that is shown. */
#define NAME_MAX_SHOWN 512

static long status_of(const struct http_attempt *a)
{
	long status = 0;

	(void)curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void fill_answer(struct http_attempt *a)
{
	struct http_answer *answer = &a->job->answer;
	curl_off_t len = -1;

	answer->status = status_of(a);
	memcpy(answer->etag, a->etag, sizeof(answer->etag));
	answer->text = a->text;
	answer->len = a->text_len;
	if (curl_easy_getinfo(a->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
		    &len) != CURLE_OK ||
		len < 0)
		answer->object_len = UINT64_MAX;
	else
		answer->object_len = (uint64_t)len;
}

/* Begin an error with whom it is about. */
static void name_it(const struct http_attempt *a, struct avml_error *err)
{
	char name[NAME_MAX_SHOWN];

	url_name(attempt_url(a), name, sizeof(name));
	if (a->job->what)
		avml_error_wrap(err, "%s: %s", name, a->job->what);
	else
		avml_error_wrap(err, "%s", name);
}

bool http_may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_AGAIN:
		return true;
	default:
		return false;
	}
}

/* Whether another attempt can be made, as far as the body goes. */
static enum http_verdict again_if_can(
	const struct http_attempt *a, struct avml_error *err)
{
	if (attempt_can_begin_again(a))
		return VERDICT_AGAIN;
	avml_error_wrap(err, "the image cannot be sent again: of a stream, "
			     "what was sent is not kept");
	return VERDICT_FAILED;
}

/* Libcurl would blame this host, which did not take more of it. */
static void tell_endless(const struct http_attempt *a, struct avml_error *err)
{
	if (a->answer_len > HTTP_ANSWER_MAX)
		avml_error_set(err, EPROTO,
			"the server's answer had no end after %u MiB",
			HTTP_ANSWER_MAX >> 20);
	else
		avml_error_set(err, EPROTO,
			"the server's answer had no end after %u s",
			a->common->remote->stall_s * HTTP_ANSWER_PATIENCE);
}

static enum http_verdict judge_failure(
	struct http_attempt *a, CURLcode code, struct avml_error *err)
{
	if (a->read_failed) {
		*err = a->read_err;
		return VERDICT_FAILED;
	}
	if (a->endless) {
		tell_endless(a, err);
		name_it(a, err);
		return again_if_can(a, err);
	}
	if (a->curl_error[0] == '\0')
		snprintf(a->curl_error, sizeof(a->curl_error), "%s",
			curl_easy_strerror(code));
	attempt_scrub(a, a->curl_error);
	avml_error_set(err, code == CURLE_OUT_OF_MEMORY ? ENOMEM : ECONNABORTED,
		"%s", a->curl_error);
	name_it(a, err);
	return http_may_pass(code) ? again_if_can(a, err) : VERDICT_FAILED;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 307 || status == 308;
}

/* Whether the server's way leads anywhere: 0 or -errno. */
static int check_redirect(
	struct http_attempt *a, const char *to, struct avml_error *err)
{
	char name[NAME_MAX_SHOWN];

	if (a->redirects == HTTP_REDIRECTS_MAX)
		return avml_error_set(err, ELOOP, "more than %d redirects",
			HTTP_REDIRECTS_MAX);
	if (url_check(to, err) < 0)
		return avml_error_wrap(err,
			"the server redirected to what is no place to send to");
	if (url_is_secure(attempt_url(a)) && !url_is_secure(to)) {
		url_name(to, name, sizeof(name));
		return avml_error_set(err, EPROTO,
			"the server redirected from https to http: %s", name);
	}
	if (!attempt_can_begin_again(a))
		return avml_error_set(err, EPROTO,
			"the server redirected, when more of the stream had "
			"been sent than is kept");
	return 0;
}

/* What is signed for one host is sent to no other. */
static void refuse_redirect(
	const struct http_attempt *a, const char *to, struct avml_error *err)
{
	char name[NAME_MAX_SHOWN], text[400];

	url_name(to, name, sizeof(name));
	attempt_explain(a, text, sizeof(text));
	url_scrub(to, text);
	avml_error_set(err, EPROTO,
		"the server redirected to %s, but a signed request goes "
		"nowhere else (are region and endpoint right?): %s",
		name, text);
}

static enum http_verdict follow(struct http_attempt *a, struct avml_error *err)
{
	const char *to = NULL;
	char *copy;

	(void)curl_easy_getinfo(a->easy, CURLINFO_REDIRECT_URL, &to);
	if (to && a->job->bound) {
		refuse_redirect(a, to, err);
		name_it(a, err);
		return VERDICT_FAILED;
	}
	if (!to) {
		avml_error_set(err, EPROTO,
			"the server answered %ld, but did not say where to go",
			status_of(a));
		name_it(a, err);
		return VERDICT_FAILED;
	}
	if (check_redirect(a, to, err) < 0) {
		name_it(a, err);
		return VERDICT_FAILED;
	}
	copy = strdup(to);
	if (!copy) {
		avml_error_set_errno(err, ENOMEM, "a redirect");
		return VERDICT_AGAIN;
	}
	a->places[a->redirects++] = copy;
	return VERDICT_ELSEWHERE;
}

/* Whether another attempt may have another answer. */
static bool answer_may_pass(const struct http_answer *answer)
{
	const long status = answer->status;

	return status / 100 == 5 || status / 100 == 2 || status == 408 ||
	       status == 429 || answer_was_on_the_way(answer);
}

/* Whether the owner of the job is to have it, though it is none of 2xx. */
static bool is_any_answer(const struct http_attempt *a)
{
	const struct http_answer *answer = &a->job->answer;

	if (!a->job->any_answer)
		return false;
	return answer->status == 501 ||
	       (answer->status / 100 == 4 && !answer_may_pass(answer));
}

static enum http_verdict judge_answer(
	struct http_attempt *a, uint64_t *wait_ms, struct avml_error *err)
{
	const long status = a->job->answer.status;
	curl_off_t after = 0;
	char text[400];

	/* One that came before all was sent is none to all of it. */
	if (status / 100 == 2 && attempt_is_whole(a))
		return VERDICT_DONE;
	if (is_redirect(status))
		return follow(a, err);
	if (is_any_answer(a))
		return VERDICT_DONE;
	attempt_explain(a, text, sizeof(text));
	avml_error_set(err, status == 403 || status == 401 ? EACCES : EPROTO,
		status / 100 == 2
			? "the server answered %ld before it had the whole "
			  "body: %s"
			: "the server answered %ld: %s",
		status, text);
	name_it(a, err);
	if (!answer_may_pass(&a->job->answer))
		return VERDICT_FAILED;
	if (curl_easy_getinfo(a->easy, CURLINFO_RETRY_AFTER, &after) ==
			CURLE_OK &&
		after > 0 && after < INT32_MAX)
		*wait_ms = (uint64_t)after * 1000;
	return again_if_can(a, err);
}

enum http_verdict attempt_judge(struct http_attempt *a, CURLcode code,
	uint64_t *wait_ms, struct avml_error *err)
{
	*wait_ms = 0;
	fill_answer(a);
	/*
	 * A refusal is one, however it ends: cut short, without an end (which
	 * was cut off here), or with a connection reset behind it.
	 */
	if (a->job->answer.status / 100 > 2 && !a->read_failed)
		code = CURLE_OK;
	if (code != CURLE_OK || a->job->answer.status == 0)
		return judge_failure(a, code, err);
	return judge_answer(a, wait_ms, err);
}

bool attempt_is_stalled(
	struct http_attempt *a, uint64_t now_ms, struct avml_error *err)
{
	const unsigned int patience = a->common->remote->stall_s;
	curl_off_t up = 0, down = 0, ready = 0;
	long head = 0;
	uint64_t moved, limit_s = patience;

	(void)curl_easy_getinfo(a->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(a->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	(void)curl_easy_getinfo(a->easy, CURLINFO_HEADER_SIZE, &head);
	(void)curl_easy_getinfo(a->easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	moved = (uint64_t)up + (uint64_t)down + (uint64_t)head;
	/* Until it is connected, that has a limit of its own. */
	if (moved != a->moved || a->starved || a->slowed || ready == 0) {
		a->moved = moved;
		a->moved_ms = now_ms;
		return false;
	}
	if (attempt_is_whole(a) && !a->job->brief)
		limit_s *= HTTP_ANSWER_PATIENCE;
	if (patience == 0 || now_ms - a->moved_ms < limit_s * 1000)
		return false;
	avml_error_set(err, ETIMEDOUT,
		attempt_is_whole(a) ? "no answer came for %" PRIu64 " s"
				    : "the server took no byte for %" PRIu64
				      " s",
		limit_s);
	name_it(a, err);
	return true;
}

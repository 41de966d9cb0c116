/* SPDX-License-Identifier: MIT */
/* Those who have requests sent, and wait for them. */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cancel.h"
#include "base/thread.h"
#include "net/http_parts.h"
#include "net/trust.h"

/* Milliseconds between two looks at a signal. */
#define LOOK_MS 200

static bool init_locks(struct http *h)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	/* The time of day may be set meanwhile. */
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	ok = pthread_cond_init(&h->changed, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	if (ok && pthread_mutex_init(&h->mutex, NULL) != 0) {
		pthread_cond_destroy(&h->changed);
		ok = false;
	}
	return ok;
}

static void release(struct http *h)
{
	(void)curl_multi_cleanup(h->common.multi);
	free(h->attempts);
	free(h->submitted);
	free(h);
}

int http_new(const struct avml_remote *remote, unsigned int at_once,
	struct http **http, struct avml_error *err)
{
	int ret = trust_init(err);
	struct http *h;

	if (ret < 0)
		return ret;
	h = calloc(1, sizeof(*h));
	if (!h)
		return avml_error_set_errno(err, ENOMEM, "requests");
	h->common.remote = remote;
	h->common.bundle = trust_bundle(remote);
	h->common.multi = curl_multi_init();
	rate_init(&h->common.rate, remote->rate, http_now_ms());
	h->attempts = calloc(at_once, sizeof(struct http_attempt *));
	h->submitted = calloc(at_once, sizeof(struct http_job *));
	h->at_once = at_once;
	if (!h->common.multi || !h->attempts || !h->submitted ||
		!init_locks(h)) {
		release(h);
		return avml_error_set_errno(err, ENOMEM, "requests");
	}
	/* Where there is none to be had, it goes without: see wait_ms(). */
	h->threaded = thread_start(&h->thread, http_thread, h) == 0;
	*http = h;
	return 0;
}

static void wake_thread(struct http *h)
{
	(void)curl_multi_wakeup(h->common.multi);
}

void http_free(struct http *http)
{
	if (!http)
		return;
	http_lock(http);
	http->over = true;
	http_unlock(http);
	wake_thread(http);
	if (http->threaded) {
		pthread_join(http->thread, NULL);
	} else {
		(void)http_turn(http, 0);
		http_end_all(http);
	}
	pthread_mutex_destroy(&http->mutex);
	pthread_cond_destroy(&http->changed);
	release(http);
}

void http_lock(struct http *http)
{
	pthread_mutex_lock(&http->mutex);
}

void http_unlock(struct http *http)
{
	pthread_mutex_unlock(&http->mutex);
}

/* Called with the lock, which is let go of: for something to change. */
static void wait_ms(struct http *h, int ms)
{
	struct timespec until;

	if (!h->threaded) {
		pthread_mutex_unlock(&h->mutex);
		(void)http_turn(h, ms);
		pthread_mutex_lock(&h->mutex);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&h->changed, &h->mutex, &until);
}

void http_submit(struct http *http, struct http_job *job)
{
	attempt_free(job->attempt);
	job->attempt = attempt_new(&http->common, job);
	memset(&job->answer, 0, sizeof(job->answer));
	avml_error_init(&job->err);
	http_lock(http);
	job->state = HTTP_BUSY;
	http->submitted[http->submitted_count++] = job;
	http_unlock(http);
	wake_thread(http);
}

void http_job_release(struct http *http, struct http_job *job)
{
	http_lock(http);
	if (job->state == HTTP_BUSY && job->attempt) {
		job->attempt->given_up = true;
		wake_thread(http);
	}
	while (job->state == HTTP_BUSY)
		wait_ms(http, LOOK_MS);
	http_unlock(http);
	attempt_free(job->attempt);
	job->attempt = NULL;
	job->state = HTTP_IDLE;
	job->answer.text = NULL;
	job->answer.len = 0;
}

/* Called with the lock, which is let go of meanwhile. */
static void tell_notices(struct http *h)
{
	const struct avml_remote *remote = h->common.remote;
	char text[HTTP_NOTICE_LEN];

	while (h->notice_count > 0) {
		memcpy(text, h->notices[0], HTTP_NOTICE_LEN);
		h->notice_count--;
		memmove(h->notices[0], h->notices[1],
			(size_t)h->notice_count * HTTP_NOTICE_LEN);
		if (!remote->notice)
			continue;
		pthread_mutex_unlock(&h->mutex);
		remote->notice(remote->ctx, text);
		pthread_mutex_lock(&h->mutex);
	}
}

int http_wait(struct http *http, int stop_level, struct avml_error *err)
{
	if (cancel_level() >= stop_level)
		return cancel_error(err);
	wait_ms(http, LOOK_MS);
	tell_notices(http);
	return 0;
}

int http_wait_for(struct http *http, struct http_job *job, int stop_level,
	struct avml_error *err)
{
	int ret = 0;

	http_lock(http);
	while (ret == 0 && job->state == HTTP_BUSY)
		ret = http_wait(http, stop_level, err);
	if (ret == 0 && job->state == HTTP_FAILED) {
		*err = job->err;
		ret = -err->code;
	}
	http_unlock(http);
	return ret;
}

void http_wake(struct http *http)
{
	http_lock(http);
	http->woken = true;
	http_unlock(http);
	wake_thread(http);
}

void http_body_moved(struct http *http)
{
	http_lock(http);
	pthread_cond_broadcast(&http->changed);
	http_unlock(http);
}

uint64_t http_retries(struct http *http)
{
	uint64_t retries;

	http_lock(http);
	retries = http->retries;
	http_unlock(http);
	return retries;
}

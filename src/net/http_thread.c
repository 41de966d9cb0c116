/* SPDX-License-Identifier: MIT */
/* The thread that sends requests: each job to its end. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/http_parts.h"

/* Milliseconds between two looks at what may be stalled. */
#define STALL_LOOK_MS 1000
/* And between two notices. */
#define NOTICE_EVERY_MS 500

/* --- what becomes of jobs ------------------------------------------------- */

static void end_job(struct http *h, struct http_attempt **place,
	enum http_state state, const struct avml_error *err)
{
	struct http_job *job = (*place)->job;

	pthread_mutex_lock(&h->mutex);
	if (err)
		job->err = *err;
	/* Without a code, who waits would take it for a success. */
	if (state == HTTP_FAILED && job->err.code == 0)
		avml_error_set_errno(&job->err, EIO, "a request");
	job->state = state;
	*place = NULL;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->mutex);
}

/* For the caller to tell; when too many wait, one is left out. */
static void leave_notice(struct http *h, const struct http_attempt *a,
	uint64_t wait_ms, const struct avml_error *err)
{
	const uint64_t now = http_now_ms();
	char why[HTTP_NOTICE_LEN - 80];

	avml_error_join(err, why, sizeof(why));
	pthread_mutex_lock(&h->mutex);
	h->retries++;
	/* What ten blocks say at the same time is said once. */
	if (h->notice_count < HTTP_NOTICES &&
		now - h->noticed_ms >= NOTICE_EVERY_MS) {
		h->noticed_ms = now;
		snprintf(h->notices[h->notice_count++], HTTP_NOTICE_LEN,
			"%s; attempt %u of %u in %.1f s", why,
			a->backoff.tried + 1,
			a->backoff.tried + a->backoff.left + 1,
			(double)wait_ms / 1000);
	}
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->mutex);
}

/* It failed for a reason that may pass: later once more, or never again. */
static void put_off(struct http *h, struct http_attempt **place,
	uint64_t at_least_ms, struct avml_error *err)
{
	struct http_attempt *a = *place;
	const uint64_t now = http_now_ms();
	uint64_t wait_ms;

	if (backoff_next(&a->backoff, now, at_least_ms, &wait_ms)) {
		attempt_forget_places(a);
		a->due_ms = now + wait_ms;
		leave_notice(h, a, wait_ms, err);
		return;
	}
	if (at_least_ms > (uint64_t)h->common.remote->retry_s * 1000)
		avml_error_wrap(err,
			"the server wants %" PRIu64 " s before another "
			"attempt, more than --retry-time allows",
			at_least_ms / 1000);
	else if (a->backoff.tried > 0)
		avml_error_wrap(err, "given up after %u attempts",
			a->backoff.tried + 1);
	end_job(h, place, HTTP_FAILED, err);
}

static void start(struct http *h, struct http_attempt **place)
{
	struct avml_error err = AVML_ERROR_INIT;

	const int ret = attempt_start(*place, &err);

	/* What is wrong with a request is so the next time too. */
	if (ret == -ENOMEM)
		put_off(h, place, 0, &err);
	else if (ret < 0)
		end_job(h, place, HTTP_FAILED, &err);
}

/* An attempt that libcurl has ended. */
static void finish(struct http *h, struct http_attempt **place, CURLcode code)
{
	struct avml_error err = AVML_ERROR_INIT;
	uint64_t wait_ms;
	const enum http_verdict verdict =
		attempt_judge(*place, code, &wait_ms, &err);

	attempt_stop(*place);
	switch (verdict) {
	case VERDICT_DONE:
		end_job(h, place, HTTP_DONE, NULL);
		return;
	case VERDICT_ELSEWHERE:
		start(h, place);
		return;
	case VERDICT_AGAIN:
		put_off(h, place, wait_ms, &err);
		return;
	case VERDICT_FAILED:
		end_job(h, place, HTTP_FAILED, &err);
		return;
	}
}

/* --- the thread ----------------------------------------------------------- */

/* A job gets what it is sent with: there are as many places as jobs. */
static void take_up(struct http *h, struct http_job *job)
{
	struct http_attempt **place = h->attempts;
	struct avml_error err = AVML_ERROR_INIT;

	while (*place)
		place++;
	*place = job->attempt;
	if (!*place) {
		avml_error_set_errno(&err, ENOMEM, "a request");
		pthread_mutex_lock(&h->mutex);
		job->err = err;
		job->state = HTTP_FAILED;
		pthread_cond_broadcast(&h->changed);
		pthread_mutex_unlock(&h->mutex);
		return;
	}
	(*place)->due_ms = 0;
	start(h, place);
}

/* What others have asked for since. False: to end. */
static bool take_orders(struct http *h, bool *woken)
{
	struct http_job *job;
	bool over;

	for (;;) {
		pthread_mutex_lock(&h->mutex);
		job = h->submitted_count > 0
			      ? h->submitted[--h->submitted_count]
			      : NULL;
		*woken = h->woken;
		over = h->over;
		if (!job)
			h->woken = false;
		pthread_mutex_unlock(&h->mutex);
		if (!job)
			return !over;
		take_up(h, job);
	}
}

static void give_up(struct http *h, struct http_attempt **place)
{
	struct avml_error err = AVML_ERROR_INIT;

	if ((*place)->due_ms == 0)
		attempt_stop(*place);
	avml_error_set(&err, ECANCELED, "given up");
	end_job(h, place, HTTP_FAILED, &err);
}

static bool is_given_up(struct http *h, const struct http_attempt *a)
{
	bool given_up;

	pthread_mutex_lock(&h->mutex);
	given_up = a->given_up;
	pthread_mutex_unlock(&h->mutex);
	return given_up;
}

/* One that waits for something: is it there? */
static void look_at(struct http *h, struct http_attempt **place, bool woken)
{
	struct http_attempt *a = *place;
	const uint64_t now = http_now_ms();
	struct avml_error err = AVML_ERROR_INIT;

	if (is_given_up(h, a)) {
		give_up(h, place);
	} else if (a->due_ms > 0) {
		if (now >= a->due_ms)
			start(h, place);
	} else if (a->starved && woken) {
		attempt_go_on(a);
	} else if (attempt_is_stalled(a, now, &err)) {
		attempt_stop(a);
		if (attempt_can_begin_again(a))
			put_off(h, place, 0, &err);
		else
			end_job(h, place, HTTP_FAILED, &err);
	}
}

/* There is room in the rate: for the one that has waited longest. */
static void give_turn(struct http *h)
{
	struct http_attempt *next = NULL;

	if (h->common.slowed == 0 ||
		rate_wait_ms(&h->common.rate, http_now_ms()) > 0)
		return;
	for (unsigned int i = 0; i < h->at_once; i++) {
		struct http_attempt *a = h->attempts[i];

		if (a && a->slowed && (!next || a->turn < next->turn))
			next = a;
	}
	if (next)
		attempt_go_on(next);
}

/* How long nothing happens but what wakes poll. */
static int idle_ms(const struct http *h)
{
	const uint64_t now = http_now_ms();
	uint64_t idle = STALL_LOOK_MS;

	for (unsigned int i = 0; i < h->at_once; i++) {
		const struct http_attempt *a = h->attempts[i];
		uint64_t wait = idle;

		if (!a)
			continue;
		if (a->due_ms > 0)
			wait = a->due_ms > now ? a->due_ms - now : 0;
		else if (a->slowed)
			wait = rate_wait_ms(&h->common.rate, now);
		if (wait < idle)
			idle = wait;
	}
	return (int)idle;
}

static struct http_attempt **place_of(struct http *h, const CURL *easy)
{
	for (unsigned int i = 0; i < h->at_once; i++) {
		if (h->attempts[i] && h->attempts[i]->easy == easy)
			return &h->attempts[i];
	}
	return NULL;
}

static void take_messages(struct http *h)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->common.multi, &left))) {
		struct http_attempt **place;

		if (message->msg != CURLMSG_DONE)
			continue;
		place = place_of(h, message->easy_handle);
		if (place)
			finish(h, place, message->data.result);
	}
}

bool http_turn(struct http *h, int most_ms)
{
	bool woken;
	int running, idle;

	if (!take_orders(h, &woken))
		return false;
	for (unsigned int i = 0; i < h->at_once; i++) {
		if (h->attempts[i])
			look_at(h, &h->attempts[i], woken);
	}
	give_turn(h);
	(void)curl_multi_perform(h->common.multi, &running);
	take_messages(h);
	idle = idle_ms(h);
	(void)curl_multi_poll(h->common.multi, NULL, 0,
		idle < most_ms ? idle : most_ms, NULL);
	return true;
}

void http_end_all(struct http *h)
{
	for (unsigned int i = 0; i < h->at_once; i++) {
		if (h->attempts[i])
			give_up(h, &h->attempts[i]);
	}
}

void *http_thread(void *arg)
{
	struct http *h = arg;

	while (http_turn(h, STALL_LOOK_MS))
		;
	http_end_all(h);
	return NULL;
}

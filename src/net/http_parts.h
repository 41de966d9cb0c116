/* SPDX-License-Identifier: MIT */
/* The parts that requests are made of: http.c has the thread. */
#ifndef NET_HTTP_PARTS_H
#define NET_HTTP_PARTS_H

#include <pthread.h>

#include <curl/curl.h>

#include "net/backoff.h"
#include "net/http.h"
#include "net/rate.h"

/* Bytes of an answer's body that are kept. */
#define HTTP_TEXT_MAX (64u << 10)
/* Bytes of an answer, head and all, after which it is taken to have no end. */
#define HTTP_ANSWER_MAX (1u << 20)
/* An answer may take so many times as long as bytes may not move. */
#define HTTP_ANSWER_PATIENCE 5
/* From one place to another, in one request. */
#define HTTP_REDIRECTS_MAX 5

/* What all requests have in common; the thread's. */
struct http_common {
	const struct avml_remote *remote;
	const char *bundle; /* whom to trust */
	CURLM *multi;
	struct rate rate;
	/* Attempts that wait for the rate go on in turn: see attempt_go_on().
	 */
	unsigned int slowed;
	uint64_t turns; /* given out */
};

/* A job under way: its request as it is made now. */
struct http_attempt {
	struct http_common *common;
	struct http_job *job;
	struct backoff backoff;
	uint64_t due_ms; /* when the next attempt begins; 0: one is made */
	bool given_up;	 /* by the owner; below the mutex of struct http */

	CURL *easy;
	struct curl_slist *list;
	char *places[HTTP_REDIRECTS_MAX]; /* where redirects led, in order */
	unsigned int redirects;		  /* how many */
	uint64_t at;			  /* offset in the body */
	bool ended;			  /* a body in chunks is at its end */
	bool starved;	   /* paused: there is nothing to read yet, */
	bool slowed;	   /* or the rate has no room, or others wait for it */
	uint64_t turn;	   /* then: the lowest is the next */
	bool its_turn;	   /* it may take of the rate, once */
	uint64_t moved;	   /* bytes, either way */
	uint64_t moved_ms; /* when that was seen to grow */
	bool read_failed;
	struct avml_error read_err;
	char curl_error[CURL_ERROR_SIZE];
	uint64_t answer_ms;  /* when it began; 0: it has not */
	bool answer_counts;  /* it began when all was sent */
	uint64_t answer_len; /* bytes so far */
	bool endless;	     /* it was cut off here */
	char *text;	     /* HTTP_TEXT_MAX and a NUL */
	size_t text_len;
	char etag[sizeof(((struct http_answer *)NULL)->etag)];
};

/* What waits to be told, and how long it may be. */
#define HTTP_NOTICES 8
#define HTTP_NOTICE_LEN 600

struct http {
	struct http_common common;
	bool threaded; /* else those who wait do its work */
	pthread_t thread;
	struct http_attempt **attempts; /* the thread's; NULL: a free place */
	unsigned int at_once;

	/* Below the mutex. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct http_job **submitted; /* that the thread has not taken up */
	unsigned int submitted_count;
	bool woken; /* there is more of a body */
	bool over;
	uint64_t retries;
	char notices[HTTP_NOTICES][HTTP_NOTICE_LEN];
	unsigned int notice_count;
	uint64_t noticed_ms; /* when the last one was left */
};

/* What came of an attempt. */
enum http_verdict {
	VERDICT_DONE,
	VERDICT_AGAIN,	   /* it may go better next time */
	VERDICT_ELSEWHERE, /* at once, and as it is: a redirect */
	VERDICT_FAILED,
};

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t http_now_ms(void);

/* What a connection can fail with, and need not fail with the next time. */
bool http_may_pass(CURLcode code);

/* NULL when memory is out. */
struct http_attempt *attempt_new(
	struct http_common *common, struct http_job *job);
void attempt_free(struct http_attempt *a);

/* Begin the request, from the body's begin. 0 or -errno; -ENOMEM may pass. */
int attempt_start(struct http_attempt *a, struct avml_error *err);

/* Where the request goes: to the job's URL, or a redirect's. */
const char *attempt_url(const struct http_attempt *a);

/* Whether all of the body was read, to be sent. */
bool attempt_is_whole(const struct http_attempt *a);

/* The next attempt begins at the job's URL. */
void attempt_forget_places(struct http_attempt *a);

/* Whether the body can be had once more. */
bool attempt_can_begin_again(const struct http_attempt *a);

/*
 * One that waited goes on. When it waited for the rate it may take of that
 * once, though others wait: so that each gets its share, and no server sees
 * one of several requests silent for long.
 */
void attempt_go_on(struct http_attempt *a);

/* Take it off the multi handle; its connection may stay for the next. */
void attempt_stop(struct http_attempt *a);

/*
 * What libcurl said at its end, judged; the job's answer is filled. The error
 * says why it is not done, and `wait_ms` how long the server wants to be left
 * alone.
 */
enum http_verdict attempt_judge(struct http_attempt *a, CURLcode code,
	uint64_t *wait_ms, struct avml_error *err);

/* Whether nothing has moved for longer than may be: and the error. */
bool attempt_is_stalled(
	struct http_attempt *a, uint64_t now_ms, struct avml_error *err);

/* Whether 400 is about what went wrong on the way, and need not again. */
bool answer_was_on_the_way(const struct http_answer *answer);

/*
 * Take what nobody may see out of a text: the secrets of each place on the way,
 * and of the request's headers.
 */
void attempt_scrub(const struct http_attempt *a, char *text);

/*
 * What the server said of a failure, in one line of at most `size` bytes:
 * code and message of an XML error, else the text that there is. Scrubbed.
 */
void attempt_explain(const struct http_attempt *a, char *text, size_t size);

/* Of http_thread.c: `arg` is the struct http. */
void *http_thread(void *arg);

/* One turn of it, of so many milliseconds at the most. False: it is to end. */
bool http_turn(struct http *h, int most_ms);

/* What is still under way is given up. */
void http_end_all(struct http *h);

#endif

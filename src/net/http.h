/* SPDX-License-Identifier: MIT */
/*
 * Requests of HTTP, sent by a thread of their own, or where there is none to be
 * had, while one waits for them: several at a time, each made again as long as
 * its failures may pass.
 *
 * A job is one request with all its attempts. Its owner fills it, submits it
 * and leaves it alone until it is HTTP_DONE or HTTP_FAILED. Between
 * http_lock() and http_unlock() states can be looked at, and http_wait()
 * waits for one to change.
 *
 * An attempt succeeds by an answer of 2xx to the whole request. It is made
 * again after failures of the connection, 408, 429, 5xx, and 400 of a store
 * that says that the body was too slow or came damaged: 1 s later, then 2, up
 * to 60, each less up to a half by chance (RFC 9110, 10.2.3: no earlier than
 * Retry-After says). Redirects are followed with the same method and body,
 * never from https to http, and not by a request that is signed: another host
 * has no use for its signature, and none for a session's token. Everything else
 * fails at once, with the code and the text of the server, secrets removed.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <avml/remote.h>

struct curl_slist;

/* A body whose length is not known: it is sent in chunks. */
#define HTTP_CHUNKED UINT64_MAX

/* What is sent; called by the thread of requests. */
struct http_body {
	uint64_t len; /* bytes, or HTTP_CHUNKED */
	/*
	 * Up to `size` bytes at offset `at`: how many; 0 at the end of what
	 * is chunked; -EAGAIN: there are none yet, and http_wake() follows;
	 * another -errno: the job fails.
	 */
	ssize_t (*read)(void *ctx, uint64_t at, void *buf, size_t size,
		struct avml_error *err);
	/* Whether it can be read from its begin again. NULL: always. */
	bool (*again)(void *ctx);
	void *ctx;
};

struct http_answer {
	long status;
	char etag[128];	     /* "" if there was none */
	uint64_t object_len; /* Content-Length of a HEAD; UINT64_MAX: none */
	const char *text;    /* the body, with a NUL; at most 64 KiB of it */
	size_t len;
};

enum http_state {
	HTTP_IDLE,
	HTTP_BUSY,
	HTTP_DONE,
	HTTP_FAILED, /* and `err` says why */
};

struct http_attempt; /* of http_parts.h */

struct http_job {
	/* The owner's. Strings live until the job is over. */
	const char *method;
	const char *url;
	const char *what; /* in messages: "block 3"; NULL: the request itself */
	/*
	 * Add what the request has of its own, for each attempt anew; in the
	 * thread of requests. 0; -ENOMEM, which may pass; another -errno and
	 * the error: the job fails. NULL: nothing.
	 */
	int (*headers)(
		void *ctx, struct curl_slist **list, struct avml_error *err);
	void *headers_ctx;
	struct http_body body; /* without `read`: there is none */
	/*
	 * Statuses of 4xx that do not pass, and 501, are no failure: see
	 * answer.status.
	 */
	bool any_answer;
	/*
	 * It is not worth a long wait: two attempts more at the most, within
	 * 10 s after the first has failed.
	 */
	bool brief;
	bool bound; /* to its URL, by a signature: redirects are not followed */

	/* Of the thread. */
	enum http_state state;
	struct http_answer answer;
	struct avml_error err;
	atomic_ullong sent; /* bytes of the body, by the attempt at hand */
	/*
	 * An attempt has sent all of it, and was not refused (3xx, 4xx): unless
	 * the job is HTTP_DONE, the server may have done it, and nobody knows.
	 * It stays when the job is submitted again.
	 */
	bool unsure;
	struct http_attempt *attempt;
};

struct http;

/*
 * The thread is started. `remote` must outlive it. `at_once` is how many jobs
 * there are at a time, at most.
 */
int http_new(const struct avml_remote *remote, unsigned int at_once,
	struct http **http, struct avml_error *err);

/* What is still under way is given up. NULL is fine. */
void http_free(struct http *http);

/* `job` may be one that is over. */
void http_submit(struct http *http, struct http_job *job);

/* A job is over, and what it holds goes back. One that is busy is given up. */
void http_job_release(struct http *http, struct http_job *job);

void http_lock(struct http *http);
void http_unlock(struct http *http);

/*
 * Called with the lock: wait until a job or a body has changed, or a moment.
 * What became of attempts is told meanwhile. 0, or -EINTR at that level of
 * the wish to stop.
 */
int http_wait(struct http *http, int stop_level, struct avml_error *err);

/* Wait for this one: 0, or the negative errno of its error or of the stop. */
int http_wait_for(struct http *http, struct http_job *job, int stop_level,
	struct avml_error *err);

/* There is more to read of a body. */
void http_wake(struct http *http);
/* In the body's thread: http_wait() is to look again. */
void http_body_moved(struct http *http);

/* How often attempts were made again. */
uint64_t http_retries(struct http *http);

#endif

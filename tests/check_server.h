/* SPDX-License-Identifier: MIT */
/*
 * A server of HTTP in a thread of the test, on loopback: it answers as a list
 * says, one request after the other, and keeps what it was asked.
 *
 * What was seen can be looked at when server_stop() has returned.
 */
#ifndef CHECK_SERVER_H
#define CHECK_SERVER_H

#include "check_main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>

#define SERVER_SEEN_MAX 16
#define SERVER_HEAD_MAX 4096

/* To see how long something took. */
static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum reply_kind {
	REPLY_WHOLE, /* when the body is there */
	REPLY_EARLY, /* behind the head; the body is read and dropped */
	REPLY_GONE,  /* behind the head: then the connection is closed */
	REPLY_CUT,   /* no answer: closed after `take` bytes of the body */
	REPLY_STALL, /* as that, but nothing happens any more */
};

struct reply {
	const char *text; /* all of the answer */
	enum reply_kind kind;
	size_t take;
	const char *first; /* what is sent behind the head already; or NULL */
};

#define REPLY_OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

struct seen {
	char head[SERVER_HEAD_MAX]; /* with the lines' ends */
	uint8_t *body;
	size_t len;
	bool is_whole, is_chunked;
	bool on_new_connection;
};

struct server {
	const struct reply *replies;
	size_t reply_count;
	int listener, over; /* over: an eventfd */
	unsigned int port;
	pthread_t thread;
	struct seen seen[SERVER_SEEN_MAX];
	size_t seen_count;
};

/* A connection that is read from. */
struct reader {
	int fd, over;
	char bytes[16384];
	size_t at, len;
};

/* A socket that listens on a free port of 127.0.0.1. */
static inline int server_listen(unsigned int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* What nobody reads has to be felt soon. */
	const int room = 65536;

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* Whether `fd` has something before it is over. */
static inline bool server_wait(int fd, int over)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
		{ .fd = over, .events = POLLIN } };

	return poll(fds, 2, -1) > 0 && fds[1].revents == 0;
}

/* The next byte, or -1. */
static inline int reader_next(struct reader *r)
{
	if (r->at == r->len) {
		const ssize_t got =
			server_wait(r->fd, r->over)
				? recv(r->fd, r->bytes, sizeof(r->bytes), 0)
				: 0;

		if (got <= 0)
			return -1;
		r->at = 0;
		r->len = (size_t)got;
	}
	return (unsigned char)r->bytes[r->at++];
}

/* Up to and with what ends it; false when it ends before. */
static inline bool reader_until(
	struct reader *r, char *to, size_t size, const char *end)
{
	const size_t end_len = strlen(end);
	size_t len = 0;
	int c;

	while (len + 1 < size && (c = reader_next(r)) >= 0) {
		to[len++] = (char)c;
		to[len] = '\0';
		if (len >= end_len && strcmp(to + len - end_len, end) == 0)
			return true;
	}
	return false;
}

/* Bytes of a body: false when it ends before. */
static inline bool reader_body(struct reader *r, struct seen *seen, size_t len)
{
	uint8_t *body = realloc(seen->body, seen->len + len + 1);
	int c;

	if (!body)
		return false;
	seen->body = body;
	for (; len > 0; len--) {
		c = reader_next(r);
		if (c < 0)
			return false;
		seen->body[seen->len++] = (uint8_t)c;
	}
	return true;
}

static inline const char *seen_header(const struct seen *seen, const char *name)
{
	const char *line = strcasestr(seen->head, name);

	return line ? line + strlen(name) : NULL;
}

static inline bool reader_chunks(struct reader *r, struct seen *seen)
{
	char line[64];
	size_t len;

	do {
		if (!reader_until(r, line, sizeof(line), "\r\n"))
			return false;
		len = strtoul(line, NULL, 16);
		if (!reader_body(r, seen, len) ||
			!reader_until(r, line, sizeof(line), "\r\n"))
			return false;
	} while (len > 0);
	return true;
}

/* All of the body, or as much of it as the reply wants. */
static inline void take_body(
	struct reader *r, struct seen *seen, const struct reply *reply)
{
	const char *length = seen_header(seen, "\r\nContent-Length: ");

	seen->is_chunked =
		seen_header(seen, "\r\nTransfer-Encoding: chunked") != NULL;
	if (reply->kind == REPLY_EARLY || reply->kind == REPLY_GONE)
		return;
	if (reply->kind != REPLY_WHOLE)
		(void)reader_body(r, seen, reply->take);
	else if (seen->is_chunked)
		seen->is_whole = reader_chunks(r, seen);
	else
		seen->is_whole = reader_body(
			r, seen, length ? strtoul(length, NULL, 10) : 0);
}

/* One request; whether the connection stays. */
static inline bool server_answer(
	struct server *s, struct reader *r, bool is_new)
{
	struct seen *seen = &s->seen[s->seen_count];
	const struct reply *reply = &s->replies[s->seen_count];

	if (!reader_until(r, seen->head, sizeof(seen->head), "\r\n\r\n"))
		return false;
	s->seen_count++;
	seen->on_new_connection = is_new;
	if (reply->first)
		(void)send(r->fd, reply->first, strlen(reply->first),
			MSG_NOSIGNAL);
	take_body(r, seen, reply);
	/* The next one comes by another connection. */
	if (reply->kind == REPLY_STALL)
		(void)server_wait(s->listener, s->over);
	if (!reply->text)
		return false;
	if (reply->kind == REPLY_WHOLE && !seen->is_whole)
		return false;
	if (send(r->fd, reply->text, strlen(reply->text), MSG_NOSIGNAL) < 0)
		return false;
	/* Closed at once, the answer might be lost with what is unread. */
	if (reply->kind == REPLY_EARLY) {
		shutdown(r->fd, SHUT_WR);
		while (reader_next(r) >= 0)
			;
	}
	return reply->kind == REPLY_WHOLE &&
	       !strcasestr(reply->text, "Connection: close");
}

static inline void *server_thread(void *arg)
{
	struct server *s = arg;

	while (s->seen_count < s->reply_count &&
		server_wait(s->listener, s->over)) {
		struct reader r = { .over = s->over };
		bool is_new = true;

		r.fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		while (r.fd >= 0 && s->seen_count < s->reply_count &&
			server_answer(s, &r, is_new))
			is_new = false;
		if (r.fd >= 0)
			close(r.fd);
	}
	return NULL;
}

/* `replies` live until server_stop(). */
static inline struct server *server_start(
	const struct reply *replies, size_t count)
{
	struct server *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_le(count, SERVER_SEEN_MAX);
	s->replies = replies;
	s->reply_count = count;
	s->listener = server_listen(&s->port);
	s->over = eventfd(0, EFD_CLOEXEC);
	ck_assert_int_ge(s->over, 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, server_thread, s), 0);
	return s;
}

static inline void server_stop(struct server *s)
{
	ck_assert_int_eq(eventfd_write(s->over, 1), 0);
	ck_assert_int_eq(pthread_join(s->thread, NULL), 0);
	close(s->over);
	close(s->listener);
	s->listener = -1;
}

static inline void server_free(struct server *s)
{
	for (size_t i = 0; i < s->seen_count; i++)
		free(s->seen[i].body);
	free(s);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A connection without TLS to receivers of every kind; of two threads, the
 * test's and the receiver's.
 */
#include "net/connect.h"

#include <avml/sink.h>

#include "check_server.h"

#include <signal.h>
#include <time.h>

#include "base/cancel.h"

#define MIB (1u << 20)
/* More than lies between two sockets. */
#define LONG_LEN (16 * MIB)
#define SHORT_LEN 20000
/* More than a receiver has room for, and less than both sides have. */
#define UNREAD_LEN 300000

struct receiver;

static uint8_t *bytes; /* what is sent: LONG_LEN */
static struct avml_remote remote = AVML_REMOTE_DEFAULTS;
static struct avml_error err = AVML_ERROR_INIT;
static struct connection *connection;
static char to[64], text[AVML_ERROR_TEXT], notices[1024];

/* One connection is taken, and treated in this way. */
struct receiver {
	void (*treat)(struct receiver *r, int fd);
	int listener, over;
	unsigned int port;
	pthread_t thread;
	uint8_t *got;
	size_t len;
};

static void on_notice(void *ctx, const char *notice)
{
	(void)ctx;
	strncat(notices, notice, sizeof(notices) - strlen(notices) - 1);
}

/* Up to so many bytes, or all: the sender's end is one always. */
static void take(struct receiver *r, int fd, size_t most)
{
	ssize_t got = 1;

	while (r->len < most && got > 0) {
		got = recv(fd, r->got + r->len,
			most - r->len < MIB ? most - r->len : MIB, 0);
		if (got > 0)
			r->len += (size_t)got;
	}
}

static void *receiver_thread(void *arg)
{
	struct receiver *r = arg;
	int fd;

	if (!server_wait(r->listener, r->over))
		return NULL;
	fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return NULL;
	r->treat(r, fd);
	close(fd);
	return NULL;
}

static struct receiver receiver_start(void (*treat)(struct receiver *, int))
{
	struct receiver r = { .treat = treat };

	r.listener = server_listen(&r.port);
	r.over = eventfd(0, EFD_CLOEXEC);
	r.got = malloc(LONG_LEN + 1);
	bytes = malloc(LONG_LEN);
	ck_assert(r.got && bytes && r.over >= 0);
	for (size_t i = 0; i < LONG_LEN; i++)
		bytes[i] = (uint8_t)(i % 251);
	snprintf(to, sizeof(to), "127.0.0.1:%u", r.port);
	remote.kind = AVML_REMOTE_TCP;
	remote.to = to;
	remote.notice = on_notice;
	return r;
}

/* The thread has `r` from here on. */
static void receiver_run(struct receiver *r)
{
	ck_assert_int_eq(
		pthread_create(&r->thread, NULL, receiver_thread, r), 0);
	ck_assert_int_eq(connection_open(&remote, 1, &connection, &err), 0);
}

static void receiver_stop(struct receiver *r)
{
	avml_error_join(&err, text, sizeof(text));
	ck_assert_int_eq(eventfd_write(r->over, 1), 0);
	ck_assert_int_eq(pthread_join(r->thread, NULL), 0);
	close(r->over);
	close(r->listener);
}

static void receiver_free(struct receiver *r)
{
	free(r->got);
	free(bytes);
}

static void expect_got(const struct receiver *r, size_t len)
{
	ck_assert_uint_eq(r->len, len);
	ck_assert(memcmp(r->got, bytes, len) == 0);
}

/* Write, end, free: 0 or the first failure. */
static int send_all(size_t len, bool *unsure)
{
	int ret = connection_write(connection, bytes, len, 1, &err);

	if (ret == 0)
		ret = connection_end(connection, 1, unsure, &err);
	connection_free(connection);
	return ret;
}

/* --- receivers -------------------------------------------------------------
 */

static void takes_all(struct receiver *r, int fd)
{
	take(r, fd, LONG_LEN + 1);
}

static void closes_in_the_middle(struct receiver *r, int fd)
{
	take(r, fd, 1000);
}

/* It will send nothing, says so, and reads. */
static void half_closes_early(struct receiver *r, int fd)
{
	shutdown(fd, SHUT_WR);
	take(r, fd, LONG_LEN + 1);
}

/* It says so while bytes lie there that it has not read, and reads them. */
static void half_closes_late(struct receiver *r, int fd)
{
	const struct timespec moment = { .tv_nsec = 500000000 };

	(void)server_wait(fd, r->over);
	nanosleep(&moment, NULL);
	shutdown(fd, SHUT_WR);
	nanosleep(&moment, NULL);
	take(r, fd, LONG_LEN + 1);
}

/* Or it drops them. */
static void half_closes_unread(struct receiver *r, int fd)
{
	const struct timespec moment = { .tv_nsec = 500000000 };

	(void)server_wait(fd, r->over);
	nanosleep(&moment, NULL);
	shutdown(fd, SHUT_WR);
	nanosleep(&moment, NULL);
}

static void never_reads(struct receiver *r, int fd)
{
	(void)fd;
	(void)server_wait(r->over, r->over);
}

/* Everything, and then it stays where it is. */
static void never_closes(struct receiver *r, int fd)
{
	take(r, fd, LONG_LEN + 1);
	(void)server_wait(r->over, r->over);
}

/* It has everything long before it is done with it. */
static void closes_late(struct receiver *r, int fd)
{
	const struct timespec moment = { .tv_sec = 1 };

	take(r, fd, LONG_LEN + 1);
	nanosleep(&moment, NULL);
}

/* What it says on the way is not for anyone. */
static void talks(struct receiver *r, int fd)
{
	static const char word[] = "ready\n";

	(void)send(fd, word, sizeof(word), MSG_NOSIGNAL);
	take(r, fd, LONG_LEN + 1);
	(void)send(fd, word, sizeof(word), MSG_NOSIGNAL);
}

static void resets(struct receiver *r, int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	take(r, fd, 1000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* --- tests -----------------------------------------------------------------
 */

static const struct {
	void (*treat)(struct receiver *r, int fd);
	size_t len;
	bool unsure;
} good[] = {
	{ takes_all, LONG_LEN, false },
	{ takes_all, 1, false },
	{ takes_all, 0, false },
	{ closes_late, SHORT_LEN, false },
	{ talks, LONG_LEN, false },
	{ half_closes_early, LONG_LEN, true },
	{ half_closes_early, SHORT_LEN, true },
	{ half_closes_late, UNREAD_LEN, true },
	{ never_closes, SHORT_LEN, true },
};

START_TEST(connect_all_arrives)
{
	struct receiver r = receiver_start(good[_i].treat);
	const struct timespec moment = { .tv_nsec = 100000000 };
	bool unsure = !good[_i].unsure;

	receiver_run(&r);
	/* For what it says first to be there. */
	nanosleep(&moment, NULL);
	ck_assert_uint_eq(connection_retries(connection), 0);
	ck_assert_msg(send_all(good[_i].len, &unsure) == 0, "%s", err.text);
	ck_assert_int_eq(unsure, good[_i].unsure);
	receiver_stop(&r);
	expect_got(&r, good[_i].len);
	ck_assert_str_eq(notices, "");
	receiver_free(&r);
}
END_TEST

static const struct {
	void (*treat)(struct receiver *r, int fd);
	size_t len;
} bad[] = {
	{ closes_in_the_middle, LONG_LEN },
	{ resets, LONG_LEN },
	/* All of it was written before it went away. */
	{ closes_in_the_middle, SHORT_LEN },
	{ resets, SHORT_LEN },
	{ half_closes_unread, UNREAD_LEN },
};

START_TEST(connect_end_in_the_middle_is_an_error)
{
	struct receiver r = receiver_start(bad[_i].treat);
	bool unsure = false;

	receiver_run(&r);
	ck_assert_int_lt(send_all(bad[_i].len, &unsure), 0);
	ck_assert(!unsure);
	receiver_stop(&r);
	ck_assert_ptr_nonnull(strstr(text, "the receiver has gone away"));
	ck_assert_ptr_null(strstr(text, "127.0.0.1"));
	receiver_free(&r);
}
END_TEST

START_TEST(connect_stall_is_an_error)
{
	struct receiver r = receiver_start(never_reads);
	bool unsure = false;
	time_t since;

	remote.stall_s = 1;
	receiver_run(&r);
	since = time(NULL);
	ck_assert_int_eq(send_all(LONG_LEN, &unsure), -ETIMEDOUT);
	ck_assert_int_le(time(NULL) - since, 10);
	receiver_stop(&r);
	ck_assert_str_eq(text, "the receiver took no byte for 1 s");
	receiver_free(&r);
}
END_TEST

/* What fills the sockets' room without a stall cannot be acknowledged. */
START_TEST(connect_end_wants_all_acknowledged)
{
	struct receiver r = receiver_start(never_reads);
	bool unsure = true;

	remote.stall_s = 1;
	receiver_run(&r);
	/* More than its room, and less than both sides'. */
	ck_assert_int_eq(connection_write(connection, bytes, MIB, 1, &err), 0);
	ck_assert_int_eq(
		connection_end(connection, 1, &unsure, &err), -ETIMEDOUT);
	ck_assert(!unsure);
	connection_free(connection);
	receiver_stop(&r);
	ck_assert_str_eq(text, "the receiver took no byte for 1 s");
	receiver_free(&r);
}
END_TEST

START_TEST(connect_goes_as_slow_as_it_shall)
{
	struct receiver r = receiver_start(takes_all);
	struct timespec since, now;
	bool unsure = true;

	remote.rate = 200000;
	receiver_run(&r);
	clock_gettime(CLOCK_MONOTONIC, &since);
	ck_assert_int_eq(send_all(300001, &unsure), 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	ck_assert_double_ge(
		(double)(now.tv_sec - since.tv_sec) +
			1e-9 * (double)(now.tv_nsec - since.tv_nsec),
		1.3);
	receiver_stop(&r);
	expect_got(&r, 300001);
	receiver_free(&r);
}
END_TEST

/* A port at which nobody listens. */
static void use_no_port(void)
{
	unsigned int port;

	close(server_listen(&port));
	snprintf(to, sizeof(to), "127.0.0.1:%u", port);
	remote.kind = AVML_REMOTE_TCP;
	remote.to = to;
	remote.notice = on_notice;
}

START_TEST(connect_refused_is_tried_again)
{
	use_no_port();
	remote.retries = (unsigned int)_i;
	ck_assert_int_eq(
		connection_open(&remote, 1, &connection, &err), -ECONNABORTED);
	avml_error_join(&err, text, sizeof(text));
	if (_i == 0) {
		ck_assert_str_eq(notices, "");
		ck_assert_ptr_null(strstr(text, "attempts"));
	} else {
		ck_assert_int_eq(strncmp(notices, to, strlen(to)), 0);
		ck_assert_ptr_nonnull(strstr(notices, "; attempt 2 of 2 in "));
		ck_assert_int_eq(
			strncmp(text, "given up after 2 attempts: ", 27), 0);
	}
}
END_TEST

static int unheard; /* a socket at a port, at which nobody listens yet */

static void hear(void *ctx, const char *notice)
{
	(void)ctx;
	(void)notice;
	listen(unheard, 1);
}

/* Also when the run has failed, and its connection is gone. */
START_TEST(connect_retries_of_a_sink_are_counted)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	const struct avml_sink_options options = { .remote = &remote };
	struct avml_remote_counts counts;
	struct avml_sink_left left;
	struct avml_sink *sink;

	unheard = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(unheard, (struct sockaddr *)&at, len), 0);
	ck_assert_int_eq(getsockname(unheard, (struct sockaddr *)&at, &len), 0);
	snprintf(to, sizeof(to), "127.0.0.1:%u", ntohs(at.sin_port));
	remote.kind = AVML_REMOTE_TCP;
	remote.to = to;
	remote.notice = hear;
	ck_assert_int_eq(avml_sink_open("it", &options, &sink, &err), 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert(avml_sink_remote_counts(sink, &counts));
	ck_assert_uint_eq(counts.retries, 1);
	avml_sink_free(sink);
	close(unheard);
}
END_TEST

START_TEST(connect_wait_ends_by_a_signal)
{
	struct receiver r = receiver_start(never_reads);

	receiver_run(&r);
	cancel_request(SIGINT);
	ck_assert_int_eq(
		connection_write(connection, bytes, LONG_LEN, 1, &err), -EINTR);
	connection_free(connection);
	ck_assert_int_eq(
		connection_open(&remote, 1, &connection, &err), -EINTR);
	receiver_stop(&r);
	receiver_free(&r);
}
END_TEST

START_TEST(connect_place_is_checked)
{
	remote.kind = AVML_REMOTE_TCP;
	remote.to = "host";
	ck_assert_int_eq(
		connection_open(&remote, 1, &connection, &err), -EINVAL);
	connection_free(NULL);
}
END_TEST

static Suite *connect_suite(void)
{
	Suite *suite = suite_create("connect");
	TCase *tcase = tcase_create("connect");

	tcase_add_loop_test(tcase, connect_all_arrives, 0, TEST_COUNT(good));
	tcase_add_loop_test(tcase, connect_end_in_the_middle_is_an_error, 0,
		TEST_COUNT(bad));
	tcase_add_test(tcase, connect_stall_is_an_error);
	tcase_add_test(tcase, connect_end_wants_all_acknowledged);
	tcase_add_test(tcase, connect_goes_as_slow_as_it_shall);
	tcase_add_loop_test(tcase, connect_refused_is_tried_again, 0, 2);
	tcase_add_test(tcase, connect_retries_of_a_sink_are_counted);
	tcase_add_test(tcase, connect_wait_ends_by_a_signal);
	tcase_add_test(tcase, connect_place_is_checked);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(connect_suite)

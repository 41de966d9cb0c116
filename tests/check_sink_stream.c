/* SPDX-License-Identifier: MIT */
/* The stream sink: every byte goes out, and nothing comes back. */
#include "check_paths.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <avml/sink.h>

#include "base/cancel.h"

#define STREAM_MAX (4u << 20)

/* The other end of a stream, read to its end in a thread. */
struct receiver {
	pthread_t thread;
	int ends[2]; /* read, write */
	useconds_t pause_us;
	uint8_t *bytes;
	size_t len;
};

static void *receive(void *arg)
{
	struct receiver *r = arg;
	ssize_t n;

	do {
		usleep(r->pause_us);
		n = read(r->ends[0], r->bytes + r->len, STREAM_MAX - r->len);
		r->len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return NULL;
}

static struct avml_sink *open_fd(int fd)
{
	const struct avml_sink_options options = { .no_sparse = false };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;
	const int ret = avml_sink_open(
		test_text("/dev/fd/%d", fd), &options, &sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	ck_assert(!avml_sink_can_cut(sink));
	return sink;
}

static struct avml_sink *begin(struct receiver *r, bool is_socket)
{
	struct avml_sink *sink;

	r->bytes = malloc(STREAM_MAX);
	ck_assert_ptr_nonnull(r->bytes);
	if (is_socket)
		ck_assert_int_eq(
			socketpair(AF_UNIX, SOCK_STREAM, 0, r->ends), 0);
	else
		ck_assert_int_eq(pipe(r->ends), 0);
	sink = open_fd(r->ends[1]);
	return sink;
}

static void end(struct receiver *r)
{
	/* The sink has closed its own by now. */
	close(r->ends[1]);
	ck_assert_int_eq(pthread_join(r->thread, NULL), 0);
	close(r->ends[0]);
}

static void give(struct avml_sink *sink)
{
	static char text[100000];
	struct avml_error err = AVML_ERROR_INIT;

	memset(text, 't', sizeof(text));
	ck_assert_int_eq(avml_sink_write(sink, text, sizeof(text), &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, 1, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, 1000000, &err), 0);
	avml_sink_mark(sink);
	ck_assert_int_eq(avml_sink_write(sink, text, 1, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, 0, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, 65536, &err), 0);
	ck_assert_uint_eq(avml_sink_position(sink), 1165538);
	ck_assert_uint_eq(avml_sink_hole_bytes(sink), 0);
}

static void assert_given(const struct receiver *r)
{
	ck_assert_uint_eq(r->len, 1165538);
	for (size_t i = 0; i < r->len; i++)
		TEST_ASSERT(
			r->bytes[i] == (i < 100000 || i == 1100001 ? 't' : 0));
}

START_TEST(sink_stream_zeros_are_sent)
{
	struct receiver r = { .len = 0 };
	struct avml_sink *sink = begin(&r, _i == 1);
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(pthread_create(&r.thread, NULL, receive, &r), 0);
	give(sink);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	avml_sink_free(sink);
	end(&r);
	assert_given(&r);
	free(r.bytes);
}
END_TEST

/* Whoever shares the pipe may have made it so. */
START_TEST(sink_stream_non_blocking_waits)
{
	struct receiver r = { .pause_us = 1000 };
	struct avml_sink *sink = begin(&r, _i == 1);
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(fcntl(r.ends[1], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(pthread_create(&r.thread, NULL, receive, &r), 0);
	give(sink);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	avml_sink_free(sink);
	end(&r);
	assert_given(&r);
	free(r.bytes);
}
END_TEST

START_TEST(sink_stream_abort_leaves_what_was_sent)
{
	struct receiver r = { .len = 0 };
	struct avml_sink *sink = begin(&r, false);
	struct avml_sink_left left = { .cut = true, .removed = true };
	struct avml_error err;

	ck_assert_int_eq(pthread_create(&r.thread, NULL, receive, &r), 0);
	give(sink);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert(!left.cut);
	ck_assert(!left.removed);
	ck_assert_uint_eq(left.len, 1165538);
	avml_sink_free(sink);
	/* The receiver comes to its end: the descriptor is closed. */
	end(&r);
	assert_given(&r);
	free(r.bytes);
}
END_TEST

START_TEST(sink_stream_receiver_gone_is_an_error)
{
	const int fill[] = { 5, 0 };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink_left left;
	struct avml_sink *sink;
	int ends[2], ret;

	/* As the program does it: an error instead of a death. */
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	sink = open_fd(ends[1]);
	ck_assert_int_eq(avml_sink_write(sink, "12345", 5, &err), 0);
	close(ends[0]);
	ret = fill[_i] ? avml_sink_write(sink, "67890", 5, &err)
		       : avml_sink_zeros(sink, 100000, &err);
	ck_assert_int_eq(ret, -EPIPE);
	ck_assert_ptr_nonnull(strstr(
		avml_error_message(&err, 0), test_text("/dev/fd/%d", ends[1])));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "receiver has gone"));
	ck_assert_uint_eq(avml_sink_position(sink), 5);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert_uint_eq(left.len, 5);
	avml_sink_free(sink);
	close(ends[1]);
}
END_TEST

START_TEST(sink_stream_full_device_is_an_error)
{
	const struct avml_sink_options options = { .no_sparse = false };
	struct avml_sink_left left;
	struct avml_sink *sink;
	struct avml_error err;
	int ret;

	ck_assert_int_eq(avml_sink_open("/dev/full", &options, &sink, &err), 0);
	ret = _i ? avml_sink_write(sink, "x", 1, &err)
		 : avml_sink_zeros(sink, 1, &err);
	ck_assert_int_eq(ret, -ENOSPC);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), "/dev/full"));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), strerror(ENOSPC)));
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert_int_eq(access("/dev/full", F_OK), 0);
	avml_sink_free(sink);
}
END_TEST

/* Half a record is worth little: one signal lets a write end. */
START_TEST(sink_stream_second_signal_stops_writes)
{
	struct receiver r = { .len = 0 };
	struct avml_sink *sink = begin(&r, false);
	struct avml_error err;

	cancel_request(SIGINT);
	ck_assert_int_eq(avml_sink_write(sink, "1", 1, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, 1, &err), 0);
	cancel_request(SIGTERM);
	ck_assert_int_eq(avml_sink_write(sink, "2", 1, &err), -EINTR);
	ck_assert_int_eq(avml_sink_zeros(sink, 1, &err), -EINTR);
	/* The first one is the one that counts. */
	ck_assert_str_eq(avml_error_message(&err, 0), "stopped by SIGINT");
	ck_assert_uint_eq(avml_sink_position(sink), 2);
	ck_assert_int_eq(
		avml_sink_abort(sink, &(struct avml_sink_left){ 0 }, &err), 0);
	avml_sink_free(sink);
	close(r.ends[0]);
	close(r.ends[1]);
	free(r.bytes);
}
END_TEST

static Suite *sink_stream_suite(void)
{
	Suite *suite = suite_create("sink_stream");
	TCase *tc = tcase_create("sink_stream");

	/* Each with a pipe and with a socket. */
	tcase_add_loop_test(tc, sink_stream_zeros_are_sent, 0, 2);
	tcase_add_loop_test(tc, sink_stream_non_blocking_waits, 0, 2);
	tcase_add_test(tc, sink_stream_abort_leaves_what_was_sent);
	tcase_add_loop_test(tc, sink_stream_receiver_gone_is_an_error, 0, 2);
	tcase_add_loop_test(tc, sink_stream_full_device_is_an_error, 0, 2);
	tcase_add_test(tc, sink_stream_second_signal_stops_writes);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(sink_stream_suite)

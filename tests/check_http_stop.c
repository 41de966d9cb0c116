/* SPDX-License-Identifier: MIT */
/*
 * Requests that are given up, at whatever stage they are; of two threads, that
 * of requests and that of the server.
 */
#include "net/http.h"

#include "check_http.h"

#include <sched.h>
#include <signal.h>

#include "base/cancel.h"
#include "net/http_parts.h"

/* More than lies between two sockets. */
#define LONG_LEN (16u << 20)

/* Stages that a job can be in when it is not wanted any more. */
static const struct {
	struct reply replies[2];
	unsigned int wait_ms;
} stages[] = {
	{ { { .kind = REPLY_STALL }, { .text = REPLY_OK } }, 0 },
	{ { { .kind = REPLY_STALL, .take = 1000 }, { .text = REPLY_OK } },
		300 },
	/* Between two attempts. */
	{ { { .text = STATUS("500 Error") }, { .text = REPLY_OK } }, 300 },
};

static void begin_stage(int i)
{
	const struct timespec moment = { .tv_nsec =
						 stages[i].wait_ms * 1000000L };

	BEGIN(stages[i].replies, LONG_LEN);
	nanosleep(&moment, NULL);
}

START_TEST(http_busy_job_can_be_released)
{
	uint64_t since;

	begin_stage(_i);
	since = now_ms();
	http_job_release(http, &job);
	ck_assert_uint_lt(now_ms() - since, 5000);
	ck_assert_int_eq(job.state, HTTP_IDLE);
	ck_assert_ptr_null(job.attempt);
	http_free(http);
	server_stop(server);
	server_free(server);
}
END_TEST

START_TEST(http_can_be_freed_while_busy)
{
	begin_stage(_i);
	http_free(http);
	ck_assert_int_eq(job.state, HTTP_FAILED);
	ck_assert_int_eq(job.err.code, ECANCELED);
	attempt_free(job.attempt);
	server_stop(server);
	server_free(server);
}
END_TEST

START_TEST(http_nothing_can_be_freed)
{
	http_free(NULL);
	ck_assert_int_eq(http_new(&remote, 1, &http, &err), 0);
	http_job_release(http, &job);
	http_free(http);
}
END_TEST

/* Another job can be sent where one was given up. */
START_TEST(http_place_of_a_released_job_is_free)
{
	static const struct reply replies[] = { { .kind = REPLY_STALL },
		{ .text = REPLY_OK } };

	BEGIN(replies, 1000);
	/* Then the server sees it, sooner or later. */
	while (atomic_load(&job.sent) == 0)
		sched_yield();
	http_job_release(http, &job);
	http_submit(http, &job);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(2);
	expect_body(&server->seen[1], 1000);
	server_free(server);
}
END_TEST

START_TEST(http_wait_ends_by_a_signal)
{
	begin_stage(1);
	cancel_request(SIGINT);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), -EINTR);
	http_lock(http);
	ck_assert_int_eq(http_wait(http, 2, &err), 0);
	ck_assert_int_eq(job.state, HTTP_BUSY);
	http_unlock(http);
	cancel_request(SIGINT);
	ck_assert_int_eq(http_wait_for(http, &job, 2, &err), -EINTR);
	http_job_release(http, &job);
	http_free(http);
	server_stop(server);
	server_free(server);
}
END_TEST

static Suite *http_stop_suite(void)
{
	Suite *suite = suite_create("http_stop");
	TCase *tcase = tcase_create("http_stop");

	tcase_add_loop_test(
		tcase, http_busy_job_can_be_released, 0, TEST_COUNT(stages));
	tcase_add_loop_test(
		tcase, http_can_be_freed_while_busy, 0, TEST_COUNT(stages));
	tcase_add_test(tcase, http_nothing_can_be_freed);
	tcase_add_test(tcase, http_place_of_a_released_job_is_free);
	tcase_add_test(tcase, http_wait_ends_by_a_signal);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(http_stop_suite)

/* SPDX-License-Identifier: MIT */
/*
 * Requests that fail, and are made again; of two threads, that of requests and
 * that of the server.
 */
#include "net/http.h"

#include "check_http.h"

#define MIB (1u << 20)
/* More than lies between two sockets. */
#define LONG_LEN (16 * MIB)

/* --- what may pass ---------------------------------------------------------
 */

START_TEST(http_500_twice_is_made_good)
{
	static const struct reply replies[] = {
		{ .text = STATUS("500 Internal Server Error") },
		{ .text = STATUS("502 Bad Gateway") }, { .text = REPLY_OK }
	};
	const uint64_t since = now_ms();

	BEGIN(replies, 100000);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_uint_eq(http_retries(http), 2);
	ck_assert_int_eq(end(), 0);
	/* At least half a second, then one. */
	ck_assert_uint_ge(now_ms() - since, 1500);
	expect_seen(3);
	for (size_t i = 0; i < 3; i++)
		expect_body(&server->seen[i], 100000);
	ck_assert_ptr_nonnull(strstr(notices,
		"/path: the server answered 500: Internal Server Error; "
		"attempt 2 of 11 in "));
	ck_assert_ptr_nonnull(strstr(notices,
		"/path: the server answered 502: Bad Gateway; attempt 3 of 11 "
		"in "));
	server_free(server);
}
END_TEST

static const char *const passing[] = {
	STATUS("408 Request Timeout"),
	STATUS("429 Too Many Requests"),
	STATUS("503 Service Unavailable"),
	STATUS("599 What"),
};

START_TEST(http_status_that_may_pass_is_tried_again)
{
	const struct reply replies[] = { { .text = passing[_i] },
		{ .text = REPLY_OK } };

	BEGIN(replies, 10);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(2);
	server_free(server);
}
END_TEST

static const struct {
	const char *answer;
	int code;
	const char *says;
} lasting[] = {
	{ STATUS("400 Bad Request"), -EPROTO, "400: Bad Request" },
	{ STATUS("401 Unauthorized"), -EACCES, "401: Unauthorized" },
	{ STATUS("403 Forbidden"), -EACCES, "403: Forbidden" },
	{ STATUS("404 Not Found"), -EPROTO, "404: Not Found" },
	{ STATUS("409 Conflict"), -EPROTO, "409: Conflict" },
	{ STATUS("413 Too Large"), -EPROTO, "413: Content Too Large" },
	{ STATUS("418 Teapot"), -EPROTO, "418: no explanation" },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 21\r\n\r\n"
	  "no " SECRET "\n\x1b[31m!",
		-EPROTO, "404: no [removed] [31m!" },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 44\r\n\r\n"
	  "<html><title>404 Nothing here</title>x</html",
		-EPROTO, "404: Nothing here" },
};

START_TEST(http_status_that_lasts_fails_at_once)
{
	const struct reply replies[] = { { .text = lasting[_i].answer },
		{ .text = REPLY_OK } };
	char says[128];

	BEGIN(replies, 10);
	ck_assert_int_eq(end(), lasting[_i].code);
	snprintf(
		says, sizeof(says), "the server answered %s", lasting[_i].says);
	expect_error(says);
	ck_assert_str_eq(notices, "");
	expect_seen(1);
	server_free(server);
}
END_TEST

START_TEST(http_status_of_4xx_may_be_an_answer)
{
	static const struct reply replies[] = { { .text = STATUS(
							  "404 Not Found") } };

	prepare(replies, 1);
	job = (struct http_job){
		.method = "HEAD", .url = url, .any_answer = true
	};
	http_submit(http, &job);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_int_eq(job.answer.status, 404);
	ck_assert_int_eq(end(), 0);
	server_free(server);
}
END_TEST

/* No server means these as an answer to the question: it is asked again. */
START_TEST(http_status_that_passes_is_none)
{
	static const char *const answers[] = { STATUS("408 Timeout"),
		STATUS("429 Slow Down"), STATUS("503 Busy") };
	const struct reply replies[] = { { .text = answers[_i / 2] },
		{ .text = STATUS("404 Not Found") } };

	prepare(replies, 2);
	job = (struct http_job){ .method = _i % 2 ? "HEAD" : "DELETE",
		.url = url,
		.any_answer = true };
	http_submit(http, &job);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_int_eq(job.answer.status, 404);
	ck_assert_int_eq(end(), 0);
	expect_seen(2);
	ck_assert_ptr_nonnull(strstr(notices, "attempt 2 of 11 in "));
	server_free(server);
}
END_TEST

START_TEST(http_server_is_left_alone_as_long_as_it_wants)
{
	static const struct reply replies[] = {
		{ .text = "HTTP/1.1 429 Slow Down\r\nRetry-After: 2\r\n"
			  "Content-Length: 0\r\n\r\n" },
		{ .text = REPLY_OK },
	};
	const uint64_t since = now_ms();

	BEGIN(replies, 10);
	ck_assert_msg(end() == 0, "%s", text);
	ck_assert_uint_ge(now_ms() - since, 2000);
	ck_assert_ptr_nonnull(strstr(notices, "attempt 2 of 11 in 2.0 s"));
	server_free(server);
}
END_TEST

START_TEST(http_retries_have_an_end)
{
	static const struct reply replies[] = { { .text = STATUS("500 Error") },
		{ .text = STATUS("500 Error") }, { .text = REPLY_OK } };

	remote.retries = (unsigned int)_i;
	BEGIN(replies, 10);
	ck_assert_int_eq(end(), -EPROTO);
	expect_seen((size_t)_i + 1);
	if (_i == 0) {
		expect_error("the server answered 500: Internal Server Error");
		ck_assert_str_eq(notices, "");
	} else {
		ck_assert_int_eq(
			strncmp(text, "given up after 2 attempts: http:", 32),
			0);
	}
	server_free(server);
}
END_TEST

/* --- connections -----------------------------------------------------------
 */

START_TEST(http_cut_in_the_body_is_made_good)
{
	static const struct reply replies[] = { { .kind = REPLY_CUT,
							.take = 100000 },
		{ .kind = REPLY_CUT, .take = 0 }, { .text = REPLY_OK } };

	BEGIN(replies, 2 * MIB);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(3);
	expect_body(&server->seen[2], 2 * MIB);
	ck_assert_uint_eq(atomic_load(&job.sent), 2 * MIB);
	server_free(server);
}
END_TEST

/* What is not kept is not sent again, and what is not sent is no success. */
START_TEST(http_cut_of_a_stream_fails)
{
	static const struct reply replies[] = {
		{ .kind = REPLY_CUT, .take = 100000 }, { .text = REPLY_OK }
	};

	source.once = true;
	source.len = 2 * MIB;
	BEGIN(replies, HTTP_CHUNKED);
	ck_assert_int_lt(end(), 0);
	ck_assert_int_eq(
		strncmp(text, "the image cannot be sent again: ", 32), 0);
	expect_seen(1);
	server_free(server);
}
END_TEST

/* Behind the whole body, too: nothing is confirmed. */
START_TEST(http_no_answer_is_no_success)
{
	static const struct reply replies[] = {
		{ .kind = REPLY_CUT, .take = 1000 }, { .text = REPLY_OK }
	};

	BEGIN(replies, 1000);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(2);
	expect_body(&server->seen[1], 1000);
	server_free(server);
}
END_TEST

/* An answer to a part of it confirms no more than that. */
START_TEST(http_early_success_is_none)
{
	static const struct reply replies[] = {
		{ .text = REPLY_OK, .kind = REPLY_GONE }, { .text = REPLY_OK }
	};

	BEGIN(replies, LONG_LEN);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(2);
	ck_assert(server->seen[1].is_whole);
	ck_assert_uint_eq(server->seen[1].len, LONG_LEN);
	server_free(server);
}
END_TEST

/* It says so, and does not want the rest. */
START_TEST(http_early_refusal_is_heard)
{
	static const struct reply replies[] = {
		{ .text = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n"
			  "Connection: close\r\n\r\n",
			.kind = REPLY_EARLY },
		{ .text = REPLY_OK }
	};

	BEGIN(replies, LONG_LEN);
	ck_assert_int_eq(end(), -EPROTO);
	expect_error("the server answered 413: Content Too Large");
	expect_seen(1);
	server_free(server);
}
END_TEST

START_TEST(http_refused_connection_is_tried_again)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	server = server_start(replies, 1);
	server_stop(server);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/path?sig=" SECRET,
		server->port);
	server_free(server);
	server = server_start(replies, 1);
	remote.notice = on_notice;
	remote.retries = 1;
	ck_assert_int_eq(http_new(&remote, 1, &http, &err), 0);
	put(10);
	http_submit(http, &job);
	ck_assert_int_eq(end(), -ECONNABORTED);
	ck_assert_int_eq(
		strncmp(text, "given up after 2 attempts: http:", 32), 0);
	ck_assert_ptr_nonnull(strstr(notices, "attempt 2 of 2 in "));
	server_free(server);
}
END_TEST

/* Whether the server has it, nobody knows: that is nothing of this host's. */
START_TEST(http_answer_without_an_end_is_tried_again)
{
	static char endless[2 * MIB] =
		"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n";
	const struct reply replies[] = { { .text = endless },
		{ .text = REPLY_OK } };
	const size_t head = strlen(endless);

	memset(endless + head, 'x', sizeof(endless) - head - 1);
	remote.retries = (unsigned int)_i;
	BEGIN(replies, 10);
	if (_i == 0) {
		ck_assert_int_eq(end(), -EPROTO);
		expect_error("the server's answer had no end after 1 MiB");
	} else {
		ck_assert_msg(end() == 0, "%s", text);
		expect_seen(2);
		ck_assert_ptr_nonnull(strstr(notices, "had no end after"));
	}
	server_free(server);
}
END_TEST

/* --- what cannot be made ---------------------------------------------------
 */

static int header_code;

/* Once, or always. */
static int no_header(
	void *ctx, struct curl_slist **list, struct avml_error *error)
{
	const int code = header_code;

	(void)ctx;
	(void)list;
	if (code == ENOMEM)
		header_code = 0;
	return code ? avml_error_set(error, code, "there is no key") : 0;
}

/* Of what will not go better, nobody waits for the next attempt. */
START_TEST(http_request_that_cannot_be_made_fails)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	header_code = _i == 0 ? EINVAL : ENOMEM;
	source.len = 10;
	prepare(replies, 1);
	put(10);
	job.headers = no_header;
	http_submit(http, &job);
	if (_i == 0) {
		ck_assert_int_eq(end(), -EINVAL);
		ck_assert_str_eq(text, "there is no key");
		ck_assert_str_eq(notices, "");
		expect_seen(0);
	} else {
		ck_assert_int_eq(end(), 0);
		ck_assert_ptr_nonnull(strstr(notices, "a request: Cannot"));
		expect_seen(1);
	}
	server_free(server);
}
END_TEST

/* --- what takes no byte ----------------------------------------------------
 */

START_TEST(http_stall_is_made_good)
{
	static const struct reply replies[] = {
		{ .kind = REPLY_STALL, .take = 100000 }, { .text = REPLY_OK }
	};
	uint64_t took;

	remote.stall_s = 1;
	took = now_ms();
	BEGIN(replies, LONG_LEN);
	ck_assert_msg(end() == 0, "%s", text);
	took = now_ms() - took;
	ck_assert_uint_ge(took, 1500);
	expect_seen(2);
	ck_assert(server->seen[1].is_whole);
	ck_assert_uint_eq(server->seen[1].len, LONG_LEN);
	ck_assert_ptr_nonnull(strstr(
		notices, "/path: the server took no byte for 1 s; attempt 2"));
	server_free(server);
}
END_TEST

START_TEST(http_stall_of_a_stream_fails)
{
	static const struct reply replies[] = {
		{ .kind = REPLY_STALL, .take = 1 }, { .text = REPLY_OK }
	};

	remote.stall_s = 1;
	source.once = true;
	source.len = LONG_LEN;
	BEGIN(replies, HTTP_CHUNKED);
	ck_assert_int_eq(end(), -ETIMEDOUT);
	expect_error("the server took no byte for 1 s");
	expect_seen(1);
	server_free(server);
}
END_TEST

/* To a whole body, five times as long. */
START_TEST(http_answer_is_waited_for)
{
	static const struct reply replies[] = { { .kind = REPLY_STALL,
		.take = 1000 } };
	const uint64_t since = now_ms();

	remote.stall_s = 1;
	remote.retries = 0;
	BEGIN(replies, 1000);
	ck_assert_int_eq(end(), -ETIMEDOUT);
	expect_error("no answer came for 5 s");
	ck_assert_uint_ge(now_ms() - since, 5000);
	server_free(server);
}
END_TEST

static Suite *http_fail_suite(void)
{
	Suite *suite = suite_create("http_fail");
	TCase *tcase = tcase_create("http_fail");

	tcase_add_test(tcase, http_500_twice_is_made_good);
	tcase_add_loop_test(tcase, http_status_that_may_pass_is_tried_again, 0,
		TEST_COUNT(passing));
	tcase_add_loop_test(tcase, http_status_that_lasts_fails_at_once, 0,
		TEST_COUNT(lasting));
	tcase_add_test(tcase, http_status_of_4xx_may_be_an_answer);
	tcase_add_loop_test(tcase, http_status_that_passes_is_none, 0, 6);
	tcase_add_test(tcase, http_server_is_left_alone_as_long_as_it_wants);
	tcase_add_loop_test(tcase, http_retries_have_an_end, 0, 2);
	tcase_add_test(tcase, http_cut_in_the_body_is_made_good);
	tcase_add_test(tcase, http_cut_of_a_stream_fails);
	tcase_add_test(tcase, http_no_answer_is_no_success);
	tcase_add_test(tcase, http_early_success_is_none);
	tcase_add_test(tcase, http_early_refusal_is_heard);
	tcase_add_test(tcase, http_refused_connection_is_tried_again);
	tcase_add_loop_test(
		tcase, http_answer_without_an_end_is_tried_again, 0, 2);
	tcase_add_loop_test(
		tcase, http_request_that_cannot_be_made_fails, 0, 2);
	tcase_add_test(tcase, http_stall_is_made_good);
	tcase_add_test(tcase, http_stall_of_a_stream_fails);
	tcase_add_test(tcase, http_answer_is_waited_for);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(http_fail_suite)

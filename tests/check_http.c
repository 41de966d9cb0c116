/* SPDX-License-Identifier: MIT */
/*
 * Requests as a server sees them, and redirects; of two threads, that of
 * requests and that of the server. Failures are check_http_fail.c's.
 */
#include "net/http.h"

#include "check_http.h"

#define SECRET2 "0ther-secret"
#define LAST_OK \
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

/* --- what goes well --------------------------------------------------------
 */

START_TEST(http_any_2xx_is_success)
{
	static const char *const answers[] = { STATUS("200 OK"),
		STATUS("201 Created"), STATUS("299 Fine"),
		"HTTP/1.1 204 No Content\r\n\r\n" };
	const struct reply replies[] = { { .text = answers[_i] } };
	const struct seen *seen;

	BEGIN(replies, 300001);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(1);
	seen = &server->seen[0];
	expect_body(seen, 300001);
	ck_assert_uint_eq(atomic_load(&job.sent), 300001);
	/* What the server was asked, to the letter. */
	ck_assert_int_eq(
		strncmp(seen->head, "PUT /path?sig=" SECRET " HTTP/1.1\r\n",
			strlen("PUT /path?sig=" SECRET " HTTP/1.1\r\n")),
		0);
	ck_assert_ptr_nonnull(
		seen_header(seen, "\r\nContent-Length: 300001\r\n"));
	ck_assert_ptr_nonnull(seen_header(seen, "\r\nx-own: yes\r\n"));
	ck_assert_ptr_nonnull(seen_header(seen, "\r\nUser-Agent: avml/"));
	ck_assert_ptr_null(seen_header(seen, "\r\nExpect:"));
	ck_assert_ptr_null(seen_header(seen, "\r\nTransfer-Encoding:"));
	ck_assert_str_eq(notices, "");
	server_free(server);
}
END_TEST

/* An answer begins with the last of its status lines. */
START_TEST(http_upload_may_take_long_behind_a_first_word)
{
	static const struct reply replies[] = { {
		.first = "HTTP/1.1 100 Continue\r\nETag: no\r\n\r\n",
		.text = REPLY_OK,
	} };

	/* Longer than any answer. */
	remote.stall_s = 1;
	remote.rate = 10000;
	BEGIN(replies, 60001);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_str_eq(job.answer.etag, "");
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(1);
	expect_body(&server->seen[0], 60001);
	ck_assert_str_eq(notices, "");
	server_free(server);
}
END_TEST

START_TEST(http_body_of_no_bytes_has_a_length)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	BEGIN(replies, 0);
	ck_assert_msg(end() == 0, "%s", text);
	expect_body(&server->seen[0], 0);
	ck_assert_ptr_nonnull(
		seen_header(&server->seen[0], "\r\nContent-Length: 0\r\n"));
	server_free(server);
}
END_TEST

START_TEST(http_body_of_unknown_length_is_chunked)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	source.len = 300001;
	BEGIN(replies, HTTP_CHUNKED);
	ck_assert_msg(end() == 0, "%s", text);
	expect_body(&server->seen[0], 300001);
	ck_assert(server->seen[0].is_chunked);
	ck_assert_ptr_null(
		seen_header(&server->seen[0], "\r\nContent-Length:"));
	ck_assert_ptr_null(seen_header(&server->seen[0], "\r\nExpect:"));
	server_free(server);
}
END_TEST

START_TEST(http_request_may_have_no_body)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	static const char *const methods[] = { "DELETE", "POST" };
	char line[32];

	prepare(replies, 1);
	job = (struct http_job){ .method = methods[_i], .url = url };
	http_submit(http, &job);
	ck_assert_msg(end() == 0, "%s", text);
	snprintf(line, sizeof(line), "%s /path?", methods[_i]);
	ck_assert_int_eq(strncmp(server->seen[0].head, line, strlen(line)), 0);
	ck_assert(!server->seen[0].is_chunked);
	/* To a POST, some servers want one that says so. */
	if (_i == 1)
		ck_assert_ptr_nonnull(seen_header(
			&server->seen[0], "\r\nContent-Length: 0\r\n"));
	server_free(server);
}
END_TEST

START_TEST(http_head_tells_of_the_object)
{
	static const struct reply replies[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n"
			  "etag:  \"a b\" \r\n\r\n" }
	};

	prepare(replies, 1);
	job = (struct http_job){ .method = "HEAD", .url = url };
	http_submit(http, &job);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_int_eq(job.answer.status, 200);
	ck_assert_uint_eq(job.answer.object_len, 77);
	ck_assert_str_eq(job.answer.etag, "\"a b\"");
	ck_assert_uint_eq(job.answer.len, 0);
	ck_assert_int_eq(end(), 0);
	server_free(server);
}
END_TEST

/* At most 64 KiB of it; the rest is read and dropped. */
START_TEST(http_answer_is_kept_up_to_a_limit)
{
	static char long_text[100000] =
		"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n";
	const struct reply replies[] = { { .text = long_text },
		{ .text = REPLY_OK } };
	const size_t head = strlen(long_text);

	memset(long_text + head, 'x', 90000);
	BEGIN(replies, 5);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_uint_eq(job.answer.len, 65536);
	ck_assert_uint_eq(strspn(job.answer.text, "x"), 65536);
	ck_assert_uint_eq(strlen(job.answer.text), 65536);
	/* And the connection is good for the next. */
	http_submit(http, &job);
	ck_assert_int_eq(http_wait_for(http, &job, 1, &err), 0);
	ck_assert_uint_eq(job.answer.len, 0);
	ck_assert_uint_eq(job.answer.object_len, 0);
	ck_assert_int_eq(end(), 0);
	expect_seen(2);
	ck_assert(!server->seen[1].on_new_connection);
	server_free(server);
}
END_TEST

START_TEST(http_jobs_are_sent_at_the_same_time)
{
	static const struct reply replies[] = { { .text = LAST_OK },
		{ .text = LAST_OK }, { .text = LAST_OK } };
	struct http_job jobs[3];
	struct source sources[3];

	prepare(replies, 3);
	for (size_t i = 0; i < 3; i++) {
		sources[i] = (struct source){ .len = 1000 + i };
		jobs[i] = (struct http_job){ .method = "PUT",
			.url = url,
			.body = { .len = 1000 + i,
				.read = source_read,
				.ctx = &sources[i] } };
		http_submit(http, &jobs[i]);
	}
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(http_wait_for(http, &jobs[i], 1, &err), 0);
	for (size_t i = 0; i < 3; i++)
		http_job_release(http, &jobs[i]);
	job.state = HTTP_IDLE;
	ck_assert_int_eq(end(), 0);
	expect_seen(3);
	for (size_t i = 0; i < 3; i++)
		expect_body(&server->seen[i], server->seen[i].len);
	ck_assert_uint_eq(
		server->seen[0].len + server->seen[1].len + server->seen[2].len,
		3003);
	server_free(server);
}
END_TEST

/* --- redirects -------------------------------------------------------------
 */

START_TEST(http_redirect_keeps_method_and_body)
{
	static const char *const places[] = {
		PLACE("301 Moved Permanently", "/else?where=1"),
		PLACE("302 Found", "/else?where=1"),
		PLACE("307 Temporary Redirect", "/else?where=1"),
		PLACE("308 Permanent Redirect", "/else?where=1"),
	};
	const struct reply replies[] = { { .text = places[_i] },
		{ .text = REPLY_OK } };

	BEGIN(replies, 100000);
	ck_assert_msg(end() == 0, "%s", text);
	expect_seen(2);
	ck_assert_int_eq(strncmp(server->seen[1].head,
				 "PUT /else?where=1 HTTP/1.1\r\n", 28),
		0);
	ck_assert_ptr_nonnull(
		seen_header(&server->seen[1], "\r\nx-own: yes\r\n"));
	expect_body(&server->seen[1], 100000);
	ck_assert_uint_eq(source.len, 100000);
	server_free(server);
}
END_TEST

#define TO_SELF PLACE("307 Temporary Redirect", "/path?again=1")

START_TEST(http_redirects_have_an_end)
{
	static const struct reply replies[] = { { .text = TO_SELF },
		{ .text = TO_SELF }, { .text = TO_SELF }, { .text = TO_SELF },
		{ .text = TO_SELF }, { .text = TO_SELF },
		{ .text = REPLY_OK } };

	BEGIN(replies, 10);
	ck_assert_int_eq(end(), -ELOOP);
	expect_error("more than 5 redirects");
	expect_seen(6);
	server_free(server);
}
END_TEST

static const struct {
	const char *answer, *says;
} nowhere[] = {
	{ PLACE("303 See Other", "/else"),
		"the server answered 303: See Other, which confirms nothing" },
	{ STATUS("307 Temporary Redirect"),
		"the server answered 307, but did not say where to go" },
	{ PLACE("307 Temporary Redirect", "ftp://host/x?" SECRET),
		"the server redirected to what is no place to send to: the "
		"URL's scheme is \"ftp\", not http or https" },
	{ STATUS("304 Not Modified"),
		"the server answered 304: no explanation" },
};

START_TEST(http_redirect_to_nowhere_fails)
{
	const struct reply replies[] = { { .text = nowhere[_i].answer },
		{ .text = REPLY_OK } };

	BEGIN(replies, 10);
	ck_assert_int_lt(end(), 0);
	expect_error(nowhere[_i].says);
	expect_seen(1);
	server_free(server);
}
END_TEST

/* A stream that is not kept cannot be sent to another place. */
START_TEST(http_redirect_wants_the_body_again)
{
	static const struct reply replies[] = {
		{ .text = PLACE("307 Temporary Redirect", "/else") },
		{ .text = REPLY_OK }
	};

	source.once = true;
	BEGIN(replies, 10);
	ck_assert_int_eq(end(), -EPROTO);
	expect_error("the server redirected, when more of the stream had been "
		     "sent than is kept");
	expect_seen(1);
	server_free(server);
}
END_TEST

/* A place that it names has secrets of its own. */
START_TEST(http_redirect_has_secrets_too)
{
	static const struct reply replies[] = {
		{ .text = PLACE(
			  "307 Temporary Redirect", "/else?sig=" SECRET2) },
		{ .text = "HTTP/1.1 403 No\r\nContent-Length: 24\r\n\r\n"
			  "not " SECRET2 ", really" },
	};

	BEGIN(replies, 10);
	ck_assert_int_eq(end(), -EACCES);
	ck_assert_ptr_null(strstr(text, SECRET2));
	ck_assert_ptr_nonnull(strstr(
		text, "/else: the server answered 403: not [removed], really"));
	server_free(server);
}
END_TEST

/* --- bodies ----------------------------------------------------------------
 */

static void wait_for_pause(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	while (!atomic_load(&source.paused))
		nanosleep(&moment, NULL);
}

/* Nothing to read is no fault of the server's, however long it takes. */
START_TEST(http_body_may_pause)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	const struct timespec pause = { .tv_sec = 2, .tv_nsec = 500000000 };

	remote.stall_s = 1;
	source.len = 300001;
	source.pause_at = _i == 0 ? 100000 : 300001;
	BEGIN(replies, HTTP_CHUNKED);
	wait_for_pause();
	nanosleep(&pause, NULL);
	http_lock(http);
	ck_assert_int_eq(job.state, HTTP_BUSY);
	http_unlock(http);
	ck_assert_uint_eq(atomic_load(&job.sent), source.pause_at);
	atomic_store(&source.resumed, true);
	http_wake(http);
	ck_assert_msg(end() == 0, "%s", text);
	expect_body(&server->seen[0], 300001);
	ck_assert_str_eq(notices, "");
	server_free(server);
}
END_TEST

START_TEST(http_body_that_fails_is_the_end)
{
	static const struct reply replies[] = { { .text = REPLY_OK },
		{ .text = REPLY_OK } };

	source.fail_at = 100000;
	source.pause_at = 100000;
	BEGIN(replies, 300001);
	ck_assert_int_eq(end(), -EIO);
	ck_assert_str_eq(text, "the disk is gone");
	ck_assert_str_eq(notices, "");
	/* That can be before the server has looked. */
	ck_assert_uint_le(server->seen_count, 1);
	ck_assert(!server->seen[0].is_whole);
	server_free(server);
}
END_TEST

/* By its code, if there is nothing else. */
START_TEST(http_body_that_fails_without_a_word_fails)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	source.fail_at = 100000;
	source.pause_at = 100000;
	source.mute = true;
	BEGIN(replies, 300001);
	ck_assert_int_eq(end(), -ENOSPC);
	ck_assert_str_eq(text, "the body: No space left on device");
	server_free(server);
}
END_TEST

START_TEST(http_body_that_is_too_short_fails)
{
	static const struct reply replies[] = { { .text = REPLY_OK },
		{ .text = REPLY_OK } };

	prepare(replies, 2);
	source.len = 500;
	put(1000);
	http_submit(http, &job);
	ck_assert_int_eq(end(), -EIO);
	ck_assert_str_eq(text, "it ended early");
	/* That can be before the server has looked. */
	ck_assert_uint_le(server->seen_count, 1);
	server_free(server);
}
END_TEST

START_TEST(http_body_goes_as_slow_as_it_shall)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	const uint64_t since = now_ms();

	remote.rate = 200000;
	remote.stall_s = 1;
	BEGIN(replies, 300001);
	ck_assert_msg(end() == 0, "%s", text);
	ck_assert_uint_ge(now_ms() - since, 1300);
	expect_body(&server->seen[0], 300001);
	server_free(server);
}
END_TEST

static Suite *http_suite(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_add_loop_test(tcase, http_any_2xx_is_success, 0, 4);
	tcase_add_test(tcase, http_upload_may_take_long_behind_a_first_word);
	tcase_add_test(tcase, http_body_of_no_bytes_has_a_length);
	tcase_add_test(tcase, http_body_of_unknown_length_is_chunked);
	tcase_add_loop_test(tcase, http_request_may_have_no_body, 0, 2);
	tcase_add_test(tcase, http_head_tells_of_the_object);
	tcase_add_test(tcase, http_answer_is_kept_up_to_a_limit);
	tcase_add_test(tcase, http_jobs_are_sent_at_the_same_time);
	tcase_add_loop_test(tcase, http_redirect_keeps_method_and_body, 0, 4);
	tcase_add_test(tcase, http_redirects_have_an_end);
	tcase_add_loop_test(
		tcase, http_redirect_to_nowhere_fails, 0, TEST_COUNT(nowhere));
	tcase_add_test(tcase, http_redirect_wants_the_body_again);
	tcase_add_test(tcase, http_redirect_has_secrets_too);
	tcase_add_loop_test(tcase, http_body_may_pause, 0, 2);
	tcase_add_test(tcase, http_body_that_fails_is_the_end);
	tcase_add_test(tcase, http_body_that_fails_without_a_word_fails);
	tcase_add_test(tcase, http_body_that_is_too_short_fails);
	tcase_add_test(tcase, http_body_goes_as_slow_as_it_shall);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(http_suite)

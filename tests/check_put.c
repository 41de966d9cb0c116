/* SPDX-License-Identifier: MIT */
/*
 * An image by one PUT, as a stream and as a file; of three threads, the test's,
 * that of requests and that of the server.
 */
#include "net/http.h"

#include "check_remote.h"

/* More than is kept of a stream, and more than lies between two sockets. */
#define LONG_LEN (16 * MIB + 5)
#define GONE "the image cannot be sent again: "

static void open_put(const struct reply *replies, size_t count, bool of_file)
{
	open_sink(replies, count, AVML_REMOTE_PUT, of_file);
}

#define OPEN(replies, of_file) open_put(replies, TEST_COUNT(replies), of_file)

static void expect_head(const struct seen *seen)
{
	expect_begin(seen, "PUT /a/b?sig=" SECRET "%2B HTTP/1.1\r\n");
	ck_assert_ptr_nonnull(
		seen_header(seen, "\r\nx-ms-blob-type: BlockBlob\r\n"));
	ck_assert_ptr_nonnull(seen_header(
		seen, "\r\nContent-Type: application/octet-stream\r\n"));
	ck_assert_ptr_null(seen_header(seen, "\r\nExpect:"));
}

/* --- streams -------------------------------------------------------------- */

static const size_t lengths[] = { LONG_LEN, 4 * MIB, 1, 0 };

START_TEST(put_stream_arrives)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	struct avml_remote_counts counts;

	make_image(lengths[_i]);
	OPEN(replies, false);
	ck_assert_int_eq(write_image(), 0);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	ck_assert(avml_sink_remote_counts(sink, &counts));
	ck_assert_uint_eq(counts.sent_bytes, image_len);
	ck_assert_uint_eq(counts.blocks, 0);
	ck_assert_uint_eq(counts.retries, 0);
	close_sink();
	ck_assert_uint_eq(server->seen_count, 1);
	expect_head(&server->seen[0]);
	ck_assert(server->seen[0].is_chunked);
	expect_bytes(&server->seen[0], image, image_len);
	release();
}
END_TEST

START_TEST(put_stream_has_zeros)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	const uint64_t zeros = 9 * MIB + 3;

	make_image(LONG_LEN);
	memset(image + 1000, 0, zeros);
	OPEN(replies, false);
	ck_assert_int_eq(avml_sink_write(sink, image, 1000, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, zeros, &err), 0);
	ck_assert_int_eq(avml_sink_write(sink, image + 1000 + zeros,
				 image_len - 1000 - zeros, &err),
		0);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	close_sink();
	expect_bytes(&server->seen[0], image, image_len);
	release();
}
END_TEST

/* As long as all of it is there still: 4 MiB. */
static const struct {
	struct reply first;
	size_t len;
} again[] = {
	{ { .kind = REPLY_CUT, .take = 0 }, 1000 },
	{ { .kind = REPLY_CUT, .take = MIB }, 4 * MIB },
	{ { .text = STATUS("503 Busy") }, 4 * MIB },
	{ { .text = STATUS("503 Busy") }, 1 },
	/* Before it had anything of it. */
	{ { .text = REPLY_OK, .kind = REPLY_GONE }, 4 * MIB },
	{ { .text = "HTTP/1.1 307 There\r\nContent-Length: 0\r\n"
		    "Location: /a/b?sig=" SECRET "%2B\r\n\r\n" },
		4 * MIB },
};

START_TEST(put_stream_begins_again)
{
	const struct reply replies[] = { again[_i].first,
		{ .text = REPLY_OK } };

	make_image(again[_i].len);
	OPEN(replies, false);
	ck_assert_int_eq(write_image(), 0);
	ck_assert_msg(avml_sink_finish(sink, &err) == 0, "%s", err.text);
	close_sink();
	ck_assert_uint_eq(server->seen_count, 2);
	expect_head(&server->seen[1]);
	expect_bytes(&server->seen[1], image, image_len);
	release();
}
END_TEST

/* Whether write() or finish() says so is up to what was sent by then. */
static int write_and_finish(void)
{
	const int ret = write_image();

	return ret == 0 ? avml_sink_finish(sink, &err) : ret;
}

static const struct {
	struct reply first;
	size_t len;
	int code;
	const char *says;
} lost[] = {
	{ { .kind = REPLY_CUT, .take = 9 * MIB }, LONG_LEN, ECONNABORTED,
		GONE },
	{ { .text = STATUS("503 Busy") }, LONG_LEN, EPROTO, GONE },
	{ { .text = STATUS("403 No"), .kind = REPLY_EARLY }, LONG_LEN, EACCES,
		"the server answered 403: Forbidden" },
	{ { .text = STATUS("404 No") }, 10, EPROTO,
		"the server answered 404: Not Found" },
	{ { .text = "HTTP/1.1 307 There\r\nContent-Length: 0\r\n"
		    "Location: /else\r\n\r\n" },
		LONG_LEN, EPROTO,
		"the server redirected, when more of the stream had been sent "
		"than is kept" },
};

START_TEST(put_stream_that_is_lost_fails)
{
	const struct reply replies[] = { lost[_i].first, { .text = REPLY_OK } };

	make_image(lost[_i].len);
	OPEN(replies, false);
	ck_assert_int_lt(write_and_finish(), 0);
	abort_sink();
	ck_assert_msg(strstr(text, lost[_i].says), "%s", text);
	ck_assert_int_eq(err.code, lost[_i].code);
	ck_assert_uint_eq(server->seen_count, 1);
	release();
}
END_TEST

/* Without the end of its chunks it is no request. */
static const size_t aborted[] = { LONG_LEN, 100000, 0 };

START_TEST(put_stream_given_up_has_no_end)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	make_image(aborted[_i]);
	OPEN(replies, false);
	ck_assert_int_eq(write_image(), 0);
	abort_sink();
	ck_assert_uint_eq(left.len, image_len);
	ck_assert_uint_le(server->seen_count, 1);
	ck_assert(!server->seen[0].is_whole);
	release();
}
END_TEST

START_TEST(put_stream_stops_by_a_signal)
{
	static const struct reply replies[] = { { .kind = REPLY_STALL } };

	make_image(_i == 0 ? LONG_LEN : 10);
	OPEN(replies, false);
	cancel_request(SIGINT);
	ck_assert_int_eq(write_and_finish(), -EINTR);
	abort_sink();
	ck_assert(left.dropped);
	ck_assert_str_eq(notices, "");
	release();
}
END_TEST

/* --- files ---------------------------------------------------------------- */

START_TEST(put_file_arrives)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };
	char line[64];

	make_file(_i == 0 ? LONG_LEN : 1);
	OPEN(replies, true);
	ck_assert_int_eq(send_file(), 0);
	ck_assert_uint_eq(avml_sink_position(sink), image_len);
	close_sink();
	ck_assert_uint_eq(server->seen_count, 1);
	expect_head(&server->seen[0]);
	snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", image_len);
	ck_assert_ptr_nonnull(seen_header(&server->seen[0], line));
	ck_assert(!server->seen[0].is_chunked);
	expect_bytes(&server->seen[0], image, image_len);
	ck_assert_uint_eq(atomic_load(&told), image_len);
	release();
}
END_TEST

START_TEST(put_file_is_sent_again)
{
	static const struct reply replies[] = { { .kind = REPLY_CUT,
							.take = 9 * MIB },
		{ .text = STATUS("500 Error") }, { .text = REPLY_OK } };
	struct avml_remote_counts counts;

	make_file(LONG_LEN);
	OPEN(replies, true);
	ck_assert_msg(send_file() == 0, "%s", err.text);
	ck_assert(avml_sink_remote_counts(sink, &counts));
	ck_assert_uint_eq(counts.retries, 2);
	close_sink();
	expect_bytes(&server->seen[1], image, image_len);
	expect_bytes(&server->seen[2], image, image_len);
	release();
}
END_TEST

/* At its begin, and when all but the last of it is over there. */
static const uint64_t moments[] = { 0, LONG_LEN - 1 };

START_TEST(put_file_that_changes_never_arrives)
{
	static const struct reply replies[] = { { .text = REPLY_OK },
		{ .text = REPLY_OK } };
	const size_t change = (size_t)_i / TEST_COUNT(moments);

	make_file(LONG_LEN);
	OPEN(replies, true);
	meanwhile = changes[change].meanwhile;
	meanwhile_at = moments[(size_t)_i % TEST_COUNT(moments)];
	ck_assert_int_eq(send_file(), -changes[change].code);
	abort_sink();
	ck_assert_ptr_nonnull(strstr(text, image_path));
	ck_assert_ptr_nonnull(strstr(text, changes[change].says));
	ck_assert_uint_le(server->seen_count, 1);
	ck_assert(!server->seen[0].is_whole);
	release();
}
END_TEST

START_TEST(put_file_is_as_long_as_was_said)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	make_file(1000);
	OPEN(replies, true);
	ck_assert_int_eq(send_file_of(_i == 0 ? 999 : 1001), -ESTALE);
	abort_sink();
	ck_assert_ptr_nonnull(strstr(text, _i == 0 ? "grew" : "shrank"));
	ck_assert_uint_eq(server->seen_count, 0);
	release();
}
END_TEST

START_TEST(put_file_stops_by_a_signal)
{
	static const struct reply replies[] = { { .kind = REPLY_STALL } };

	make_file(LONG_LEN);
	OPEN(replies, true);
	cancel_request(SIGINT);
	ck_assert_int_eq(send_file(), -EINTR);
	abort_sink();
	release();
}
END_TEST

/* --- what fails at its very end ------------------------------------------- */

/*
 * The whole was sent. Only a server that refused has nothing of it for sure;
 * one that did so after it had lost an answer may have.
 */
static const struct {
	struct reply replies[2];
	bool unknown;
} ends[] = {
	{ { { .kind = REPLY_WHOLE }, { .kind = REPLY_WHOLE } }, true },
	{ { { .text = STATUS("500 Oh") }, { .text = STATUS("500 Oh") } },
		true },
	{ { { .kind = REPLY_WHOLE }, { .text = STATUS("403 No") } }, true },
	{ { { .text = STATUS("403 No") }, { .text = NULL } }, false },
	{ { { .text = STATUS("429 No") }, { .text = STATUS("409 No") } },
		false },
	{ { { .kind = REPLY_CUT, .take = 1 }, { .text = STATUS("409 No") } },
		false },
};

START_TEST(put_that_fails_at_its_end_may_be_there)
{
	const bool of_file = _i % 2;
	const size_t end = (size_t)_i / 2;
	const bool cut = ends[end].replies[0].kind == REPLY_CUT;

	/* What is cut is more than lies between two sockets. */
	make_file(cut ? LONG_LEN : 1000);
	remote.retries = cut && !of_file ? 0 : 1;
	OPEN(ends[end].replies, of_file);
	ck_assert_int_lt(of_file ? send_file() : write_and_finish(), 0);
	abort_sink();
	ck_assert_int_eq(left.unknown, ends[end].unknown);
	release();
}
END_TEST

START_TEST(put_stopped_at_its_end_may_be_there)
{
	const struct reply replies[] = { { .kind = REPLY_STALL,
		.take = 1000 } };

	make_file(1000);
	OPEN(replies, _i);
	stop_soon();
	ck_assert_int_eq(_i ? send_file() : write_and_finish(), -EINTR);
	abort_sink();
	ck_assert(left.unknown);
	release();
}
END_TEST

/* --- what is over there then ---------------------------------------------- */

#define OF_1000 "bytes of it, of 1000 that were sent"
#define NOTHING \
	"the server confirmed it, and now has nothing there: it answered "

static const struct {
	const char *answer, *says; /* NULL: it is confirmed */
} lengths_told[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", NULL },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", OF_1000 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", OF_1000 },
	{ STATUS("404 Not Found"), NOTHING "404" },
	{ STATUS("410 Gone"), NOTHING "410" },
	/* Who does not tell takes nothing back. */
	{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", NULL },
	{ STATUS("403 Forbidden"), NULL },
	{ STATUS("405 Method Not Allowed"), NULL },
	{ NULL, NULL },
};

START_TEST(put_length_over_there_is_confirmed)
{
	/* libcurl itself asks once more where a connection was kept. */
	const struct reply replies[] = { { .text = REPLY_OK },
		{ .text = lengths_told[_i].answer }, { .kind = REPLY_WHOLE } };
	const char *says = lengths_told[_i].says;

	make_file(1000);
	remote.retries = 0;
	OPEN(replies, true);
	ck_assert_int_eq(send_file(), 0);
	ck_assert_int_eq(avml_sink_confirm(sink, &err), says ? -EIO : 0);
	join();
	close_sink();
	expect_begin(&server->seen[1], "HEAD /a/b?sig=" SECRET "%2B HTTP/1.1");
	ck_assert(!says || strstr(text, says));
	release();
}
END_TEST

/* Long waits are for the image, not for what is asked about it. */
static const struct {
	const char *answer;
	size_t asked;
	uint64_t most_ms;
} no_answers[] = {
	{ STATUS("501 Not Implemented"), 1, 900 },
	{ STATUS("503 Busy"), 3, 8000 },
	{ "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\n"
	  "Content-Length: 0\r\n\r\n",
		1, 900 },
};

START_TEST(put_confirmation_is_not_waited_for)
{
	const struct reply replies[] = { { .text = REPLY_OK },
		{ .text = no_answers[_i].answer },
		{ .text = no_answers[_i].answer },
		{ .text = no_answers[_i].answer }, { .kind = REPLY_STALL } };
	uint64_t since;

	make_file(1000);
	OPEN(replies, true);
	ck_assert_int_eq(send_file(), 0);
	since = now_ms();
	ck_assert_int_eq(avml_sink_confirm(sink, &err), 0);
	ck_assert_uint_le(now_ms() - since, no_answers[_i].most_ms);
	close_sink();
	ck_assert_uint_eq(server->seen_count, 1 + no_answers[_i].asked);
	if (no_answers[_i].asked > 1)
		ck_assert_ptr_nonnull(strstr(notices, "attempt 2 of 3 in "));
	release();
}
END_TEST

/* Nobody is to take that for a confirmation. */
START_TEST(put_confirmation_stops_by_a_signal)
{
	static const struct reply replies[] = { { .text = REPLY_OK },
		{ .kind = REPLY_STALL } };

	make_file(1000);
	OPEN(replies, true);
	ck_assert_int_eq(send_file(), 0);
	cancel_request(SIGINT);
	ck_assert_int_eq(avml_sink_confirm(sink, &err), -EINTR);
	join();
	ck_assert_str_eq(text, "stopped by SIGINT");
	close_sink();
	release();
}
END_TEST

static Suite *put_suite(void)
{
	Suite *suite = suite_create("put");
	TCase *tcase = tcase_create("put");

	tcase_add_loop_test(tcase, put_stream_arrives, 0, TEST_COUNT(lengths));
	tcase_add_test(tcase, put_stream_has_zeros);
	tcase_add_loop_test(
		tcase, put_stream_begins_again, 0, TEST_COUNT(again));
	tcase_add_loop_test(
		tcase, put_stream_that_is_lost_fails, 0, TEST_COUNT(lost));
	tcase_add_loop_test(
		tcase, put_stream_given_up_has_no_end, 0, TEST_COUNT(aborted));
	tcase_add_loop_test(tcase, put_stream_stops_by_a_signal, 0, 2);
	tcase_add_loop_test(tcase, put_file_arrives, 0, 2);
	tcase_add_test(tcase, put_file_is_sent_again);
	tcase_add_loop_test(tcase, put_file_that_changes_never_arrives, 0,
		TEST_COUNT(changes) * TEST_COUNT(moments));
	tcase_add_loop_test(tcase, put_file_is_as_long_as_was_said, 0, 2);
	tcase_add_test(tcase, put_file_stops_by_a_signal);
	tcase_add_loop_test(tcase, put_that_fails_at_its_end_may_be_there, 0,
		TEST_COUNT(ends) * 2);
	tcase_add_loop_test(tcase, put_stopped_at_its_end_may_be_there, 0, 2);
	tcase_add_loop_test(tcase, put_length_over_there_is_confirmed, 0,
		TEST_COUNT(lengths_told));
	tcase_add_loop_test(tcase, put_confirmation_is_not_waited_for, 0,
		TEST_COUNT(no_answers));
	tcase_add_test(tcase, put_confirmation_stops_by_a_signal);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(put_suite)

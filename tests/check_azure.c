/* SPDX-License-Identifier: MIT */
/*
 * An image as a block blob; of three threads, the test's, that of requests and
 * that of the server.
 */
#include "net/http.h"

#include "check_blob.h"

/* Of three blocks, the last one short. */
#define LONG_LEN (11 * MIB + 5)
#define BLOCKS 3

/* One request after the other, which is what the server can do. */
static void open_blob(const struct reply *replies, size_t count, bool of_file)
{
	remote.concurrency = 1;
	open_sink(replies, count, AVML_REMOTE_BLOB, of_file);
}

#define OPEN(replies, of_file) open_blob(replies, TEST_COUNT(replies), of_file)

static const struct reply all_well[] = { { .text = STATUS("201 Created") },
	{ .text = STATUS("201 Created") }, { .text = STATUS("201 Created") },
	{ .text = STATUS("201 Created") } };

/* --- what arrives --------------------------------------------------------- */

static int write_and_finish(void)
{
	const int ret = write_image();

	return ret == 0 ? avml_sink_finish(sink, &err) : ret;
}

static int send_all(bool of_file)
{
	return of_file ? send_file() : write_and_finish();
}

static const struct {
	size_t len, blocks;
} sizes[] = {
	{ LONG_LEN, BLOCKS },
	{ 2 * BLOCK, 2 },
	{ BLOCK + 1, 2 },
	{ 1, 1 },
};

static void expect_counts(size_t blocks, uint64_t retries)
{
	struct avml_remote_counts counts;

	ck_assert(avml_sink_remote_counts(sink, &counts));
	ck_assert_uint_eq(counts.sent_bytes, image_len);
	ck_assert_uint_eq(counts.blocks, blocks);
	ck_assert_uint_eq(counts.block_size, BLOCK);
	ck_assert_uint_eq(counts.retries, retries);
}

START_TEST(azure_image_arrives)
{
	const bool of_file = _i % 2;
	const size_t size = (size_t)_i / 2;

	make_file(sizes[size].len);
	OPEN(all_well, of_file);
	ck_assert_msg(send_all(of_file) == 0, "%s", err.text);
	expect_counts(sizes[size].blocks, 0);
	close_sink();
	ck_assert_str_eq(notices, "");
	expect_blob(sizes[size].blocks);
	release();
}
END_TEST

START_TEST(azure_zeros_arrive)
{
	make_image(LONG_LEN);
	memset(image + 1, 0, BLOCK);
	OPEN(all_well, false);
	ck_assert_int_eq(avml_sink_write(sink, image, 1, &err), 0);
	ck_assert_int_eq(avml_sink_zeros(sink, BLOCK, &err), 0);
	ck_assert_int_eq(avml_sink_write(sink, image + 1 + BLOCK,
				 image_len - 1 - BLOCK, &err),
		0);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	close_sink();
	expect_blob(BLOCKS);
	release();
}
END_TEST

/* A blob of nothing is one. */
START_TEST(azure_stream_may_be_empty)
{
	make_image(0);
	OPEN(all_well, false);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	close_sink();
	expect_blob(0);
	release();
}
END_TEST

#define NO_CHECKSUM "/a/b: what is sent from here on has no checksum: OpenSSL "

/* Told once. */
static void expect_no_checksum(const char *why)
{
	const char *said = strstr(notices, NO_CHECKSUM);

	ck_assert_msg(said, "said: %s", notices);
	ck_assert_str_eq(said + strlen(NO_CHECKSUM), why);
	ck_assert_int_eq(strncmp(notices, "http://127.0.0.1:", 17), 0);
}

/* Of a host without MD5, and where it was said that none is wanted. */
START_TEST(azure_goes_without_a_checksum)
{
	const bool of_file = _i % 2;

	no_md5 = _i < 2;
	remote.no_checksum = _i >= 2;
	make_file(LONG_LEN);
	OPEN(all_well, of_file);
	/* Before anything is sent. */
	if (no_md5)
		expect_no_checksum("here has no MD5 (FIPS?)");
	ck_assert_int_eq(send_all(of_file), 0);
	close_sink();
	if (no_md5)
		expect_no_checksum("here has no MD5 (FIPS?)");
	else
		ck_assert_str_eq(notices, "");
	expect_blob(BLOCKS);
	release();
}
END_TEST

static const struct {
	enum digest_call call;
	unsigned int fails_at;
	size_t with; /* requests that have a checksum, of three blocks' */
} checksum_failures[] = {
	{ DIGEST_INIT, 3, 1 }, /* the second block's, after a first one */
	{ DIGEST_INIT, 5, 3 }, /* the list's */
	{ DIGEST_UPDATE, 1, 0 },
	{ DIGEST_FINAL, 2, 1 },
	{ DIGEST_FINAL, 4, 3 },
};

START_TEST(azure_checksum_that_fails_is_told)
{
	const size_t which = (size_t)_i / 2;
	char id[ID_LEN + 1];

	fails_at[checksum_failures[which].call] =
		checksum_failures[which].fails_at;
	make_file(LONG_LEN);
	OPEN(all_well, _i % 2);
	ck_assert_msg(send_all(_i % 2) == 0, "%s", err.text);
	close_sink();
	expect_no_checksum("fails to take it");
	ck_assert_uint_eq(server->seen_count, BLOCKS + 1);
	for (size_t i = 0; i < BLOCKS; i++) {
		no_md5 = i >= checksum_failures[which].with;
		expect_block(&server->seen[i], i, id);
	}
	no_md5 = true;
	expect_head(&server->seen[BLOCKS]);
	release();
}
END_TEST

START_TEST(azure_without_memory_for_a_checksum_is_not_opened)
{
	const struct avml_sink_options options = { .remote = &remote,
		.most = 1 };

	no_memory = true;
	remote.kind = AVML_REMOTE_BLOB;
	remote.to = "http://localhost/a/b";
	remote.notice = on_notice;
	ck_assert_int_eq(avml_sink_open("it", &options, &sink, &err), -ENOMEM);
	ck_assert_str_eq(notices, "");
}
END_TEST

/* What was committed of one run is no block of another. */
START_TEST(azure_ids_are_of_one_run)
{
	char ids[2][ID_LEN + 1];

	for (int i = 0; i < 2; i++) {
		make_image(10);
		OPEN(all_well, false);
		ck_assert_int_eq(write_and_finish(), 0);
		close_sink();
		block_id(&server->seen[0], ids[i]);
		release();
	}
	ck_assert_str_ne(ids[0], ids[1]);
}
END_TEST

/* --- what fails ----------------------------------------------------------- */

/*
 * One block alone is sent again, and as it was. What is cut is the first
 * request of a connection: of another libcurl would make it again by itself.
 */
START_TEST(azure_block_is_sent_again)
{
	static const struct reply replies[] = {
		{ .kind = REPLY_CUT, .take = MIB },
		{ .text = STATUS("201 Created") },
		{ .text = STATUS("503 Busy") },
		{ .text = STATUS("201 Created") },
		{ .text = STATUS("201 Created") },
		{ .text = STATUS("500 Error") },
		{ .text = STATUS("201 Created") },
	};
	/* Which block is in which request. */
	static const size_t blocks[] = { 0, 0, 1, 1, 2 };
	char ids[IDS_MAX][ID_LEN + 1], id[ID_LEN + 1];

	make_file(LONG_LEN);
	OPEN(replies, _i == 1);
	ck_assert_msg(send_all(_i == 1) == 0, "%s", err.text);
	expect_counts(BLOCKS, 3);
	close_sink();
	ck_assert_ptr_nonnull(strstr(notices, "/a/b: block 0: "));
	ck_assert_ptr_nonnull(strstr(notices, "/a/b: block 1: "));
	ck_assert_ptr_nonnull(strstr(notices, "/a/b: the list of blocks: "));
	ck_assert_uint_eq(server->seen_count, 7);
	block_id(&server->seen[0], ids[0]);
	for (size_t i = 1; i < TEST_COUNT(blocks); i++) {
		expect_block(&server->seen[i], blocks[i], id);
		if (blocks[i] == blocks[i - 1])
			ck_assert_str_eq(id, ids[blocks[i]]);
		memcpy(ids[blocks[i]], id, sizeof(id));
	}
	expect_list(&server->seen[5], ids, BLOCKS);
	expect_list(&server->seen[6], ids, BLOCKS);
	release();
}
END_TEST

#define AZURE_ERROR                                                       \
	"HTTP/1.1 403 Forbidden\r\nContent-Length: 104\r\n\r\n"           \
	"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code>" \
	"<Message>no " SECRET "+ </Message></Error>"

static const struct {
	struct reply replies[4];
	size_t seen; /* requests, all of blocks but where there are four */
	const char *says;
} failures[] = {
	{ { { .text = AZURE_ERROR } }, 1,
		"block 0: the server answered 403: AuthenticationFailed: no "
		"[removed]" },
	{ { { .text = STATUS("201 Created") }, { .text = STATUS("413 No") } },
		2, "block 1: the server answered 413: Content Too Large" },
	{ { { .text = STATUS("201 Created") },
		  { .text = STATUS("201 Created") },
		  { .text = STATUS("503 Busy") } },
		3, "block 2: the server answered 503: Service Unavailable" },
	{ { { .text = STATUS("201 Created") },
		  { .text = STATUS("201 Created") },
		  { .text = STATUS("201 Created") },
		  { .text = STATUS("400 Bad") } },
		4, "the list of blocks: the server answered 400: Bad Request" },
};

START_TEST(azure_failure_commits_nothing)
{
	const bool of_file = _i % 2;
	const size_t at = (size_t)_i / 2;

	remote.retries = 0;
	make_file(LONG_LEN);
	OPEN(failures[at].replies, of_file);
	ck_assert_int_lt(send_all(of_file), 0);
	abort_sink();
	ck_assert_msg(strstr(text, failures[at].says), "%s", text);
	ck_assert_uint_eq(server->seen_count, failures[at].seen);
	if (failures[at].seen < 4)
		expect_no_list();
	release();
}
END_TEST

/* All of it is there, and it is not wanted after all. */
START_TEST(azure_stream_given_up_is_not_committed)
{
	make_image(_i == 0 ? 2 * BLOCK : 10);
	OPEN(all_well, false);
	ck_assert_int_eq(write_image(), 0);
	abort_sink();
	ck_assert_uint_eq(left.len, image_len);
	expect_no_list();
	release();
}
END_TEST

START_TEST(azure_stops_by_a_signal)
{
	static const struct reply replies[] = { { .kind = REPLY_STALL } };

	make_file(LONG_LEN);
	OPEN(replies, _i == 1);
	cancel_request(SIGINT);
	ck_assert_int_eq(send_all(_i == 1), -EINTR);
	abort_sink();
	expect_no_list();
	release();
}
END_TEST

/* In the first block, and in the last byte. */
static const uint64_t moments[] = { 0, LONG_LEN - 1 };

START_TEST(azure_file_that_changes_is_not_committed)
{
	const size_t change = (size_t)_i / TEST_COUNT(moments);

	make_file(LONG_LEN);
	OPEN(all_well, true);
	meanwhile = changes[change].meanwhile;
	meanwhile_at = moments[(size_t)_i % TEST_COUNT(moments)];
	ck_assert_int_eq(send_file(), -changes[change].code);
	abort_sink();
	ck_assert_ptr_nonnull(strstr(text, image_path));
	ck_assert_ptr_nonnull(strstr(text, changes[change].says));
	expect_no_list();
	release();
}
END_TEST

START_TEST(azure_file_is_as_long_as_was_said)
{
	make_file(1000);
	OPEN(all_well, true);
	ck_assert_int_eq(send_file_of(_i == 0 ? 999 : 1001), -ESTALE);
	abort_sink();
	ck_assert_ptr_nonnull(strstr(text, _i == 0 ? "grew" : "shrank"));
	ck_assert_uint_eq(server->seen_count, 0);
	release();
}
END_TEST

/* Of a list that was sent, only a refusal says that there is no blob. */
static const struct {
	struct reply list;
	bool unknown;
} lists[] = {
	{ { .text = STATUS("403 No") }, false },
	{ { .text = STATUS("500 Oh") }, true },
	{ { .kind = REPLY_WHOLE }, true },
	{ { .kind = REPLY_STALL, .take = 1 }, true },
};

START_TEST(azure_list_without_an_answer_may_be_taken)
{
	const struct reply replies[] = { { .text = STATUS("201 Created") },
		lists[_i].list, { .kind = REPLY_WHOLE } };

	make_file(1);
	remote.retries = 0;
	OPEN(replies, false);
	if (lists[_i].list.kind == REPLY_STALL)
		stop_soon();
	ck_assert_int_lt(write_and_finish(), 0);
	abort_sink();
	ck_assert_int_eq(left.unknown, lists[_i].unknown);
	release();
}
END_TEST

/* While a block is read for its checksum, and before it is read at all. */
START_TEST(azure_file_stops_while_it_is_read)
{
	make_file(LONG_LEN);
	OPEN(all_well, true);
	if (_i == 0)
		meanwhile = stop_run;
	else
		cancel_request(SIGINT);
	ck_assert_int_eq(send_file(), -EINTR);
	ck_assert_uint_le(atomic_load(&asked_bytes), _i == 0 ? MIB : 0);
	abort_sink();
	ck_assert_uint_eq(server->seen_count, 0);
	release();
}
END_TEST

/* With all blocks there, and their list not yet sent. */
START_TEST(azure_nothing_is_put_together_after_a_signal)
{
	const struct timespec moment = { .tv_nsec = 300000000 };

	make_file(BLOCK);
	OPEN(all_well, false);
	ck_assert_int_eq(write_image(), 0);
	nanosleep(&moment, NULL);
	cancel_request(SIGINT);
	ck_assert_int_eq(avml_sink_finish(sink, &err), -EINTR);
	abort_sink();
	ck_assert(left.dropped);
	expect_no_list();
	release();
}
END_TEST

static Suite *azure_suite(void)
{
	Suite *suite = suite_create("azure");
	TCase *tcase = tcase_create("azure");

	tcase_add_loop_test(
		tcase, azure_image_arrives, 0, 2 * TEST_COUNT(sizes));
	tcase_add_test(tcase, azure_zeros_arrive);
	tcase_add_test(tcase, azure_stream_may_be_empty);
	tcase_add_loop_test(tcase, azure_goes_without_a_checksum, 0, 4);
	tcase_add_loop_test(tcase, azure_checksum_that_fails_is_told, 0,
		2 * TEST_COUNT(checksum_failures));
	tcase_add_test(
		tcase, azure_without_memory_for_a_checksum_is_not_opened);
	tcase_add_test(tcase, azure_ids_are_of_one_run);
	tcase_add_loop_test(tcase, azure_block_is_sent_again, 0, 2);
	tcase_add_loop_test(tcase, azure_failure_commits_nothing, 0,
		2 * TEST_COUNT(failures));
	tcase_add_loop_test(
		tcase, azure_stream_given_up_is_not_committed, 0, 2);
	tcase_add_loop_test(tcase, azure_stops_by_a_signal, 0, 2);
	tcase_add_loop_test(tcase, azure_file_that_changes_is_not_committed, 0,
		TEST_COUNT(changes) * TEST_COUNT(moments));
	tcase_add_loop_test(tcase, azure_file_is_as_long_as_was_said, 0, 2);
	tcase_add_loop_test(tcase, azure_list_without_an_answer_may_be_taken, 0,
		TEST_COUNT(lists));
	tcase_add_loop_test(tcase, azure_file_stops_while_it_is_read, 0, 2);
	tcase_add_test(tcase, azure_nothing_is_put_together_after_a_signal);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(azure_suite)

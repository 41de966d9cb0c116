/* SPDX-License-Identifier: MIT */
/*
 * A disk that refuses, when it comes to writing back, what it took before:
 * sync_file_range() is the one to say so, once.
 */
#include <avml/sink.h>

#include "base/cached.h"
#include "check_paths.h"
#include "check_wrap.h"

#define RECORD ((size_t)CACHED_WINDOW)

static int error; /* of the call that waits */
static size_t waits;

int WRAP(sync_file_range)(int fd, off_t from, off_t len, unsigned int how)
{
	(void)fd;
	(void)from;
	(void)len;
	if (how == SYNC_FILE_RANGE_WRITE)
		return 0;
	waits++;
	errno = error;
	return error ? -1 : 0;
}

static struct avml_sink *open_sink(const char *path)
{
	const struct avml_sink_options options = { .no_sparse = false };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;

	ck_assert_int_eq(avml_sink_open(path, &options, &sink, &err), 0);
	return sink;
}

/* Records, each marked when it is whole, until one fails. */
static int write_records(
	struct avml_sink *sink, size_t count, struct avml_error *err)
{
	static uint8_t record[RECORD];
	int ret = 0;

	memset(record, 'm', sizeof(record));
	for (size_t i = 0; i < count && ret == 0; i++) {
		ret = avml_sink_write(sink, record, sizeof(record), err);
		if (ret == 0)
			avml_sink_mark(sink);
	}
	return ret;
}

START_TEST(sink_file_that_is_written_back_is_whole)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *path = test_text("%s/image", test_dir());
	struct avml_sink *sink = open_sink(path);
	struct stat st;

	ck_assert_int_eq(write_records(sink, 4, &err), 0);
	ck_assert_uint_eq(waits, 3);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	avml_sink_free(sink);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 4 * (off_t)RECORD);
}
END_TEST

static const int losses[] = { EIO, ENOSPC, ETIMEDOUT };

/* Of what is left nobody knows whether it is on the disk. */
START_TEST(sink_file_lost_on_the_way_is_cut_back_and_unsure)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *path = test_text("%s/image", test_dir());
	struct avml_sink *sink = open_sink(path);
	struct avml_sink_left left;
	struct stat st;

	error = losses[_i];
	ck_assert_int_eq(write_records(sink, 4, &err), -losses[_i]);
	ck_assert_int_eq(err.code, losses[_i]);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	ck_assert(left.unsure);
	ck_assert(!left.removed);
	ck_assert_uint_eq(left.len, RECORD);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)RECORD);
}
END_TEST

START_TEST(sink_file_lost_in_its_first_record_is_gone)
{
	static uint8_t part[RECORD];
	struct avml_error err = AVML_ERROR_INIT;
	const char *path = test_text("%s/image", test_dir());
	struct avml_sink *sink = open_sink(path);
	struct avml_sink_left left;

	error = EIO;
	memset(part, 'm', sizeof(part));
	ck_assert_int_eq(avml_sink_write(sink, part, sizeof(part), &err), 0);
	ck_assert_int_eq(avml_sink_write(sink, part, sizeof(part), &err), -EIO);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	ck_assert(left.removed);
	ck_assert(!left.unsure);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* What a shell opened by >> is a stream, and goes through the cache too. */
START_TEST(sink_append_lost_on_the_way_is_an_error)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *path = test_file("log", "old\n", 4);
	const int fd = open(path, O_WRONLY | O_APPEND);
	struct avml_sink *sink = open_sink(test_text("/dev/fd/%d", fd));
	struct avml_sink_left left;

	ck_assert_int_eq(close(fd), 0);
	ck_assert(!avml_sink_can_cut(sink));
	error = EIO;
	ck_assert_int_eq(write_records(sink, 4, &err), -EIO);
	ck_assert_uint_eq(waits, 1);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
}
END_TEST

static Suite *sink_cached_suite(void)
{
	Suite *suite = suite_create("sink_cached");
	TCase *tcase = tcase_create("sink_cached");

	tcase_add_test(tcase, sink_file_that_is_written_back_is_whole);
	tcase_add_loop_test(tcase,
		sink_file_lost_on_the_way_is_cut_back_and_unsure, 0,
		TEST_COUNT(losses));
	tcase_add_test(tcase, sink_file_lost_in_its_first_record_is_gone);
	tcase_add_test(tcase, sink_append_lost_on_the_way_is_an_error);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(sink_cached_suite)

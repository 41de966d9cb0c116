/* SPDX-License-Identifier: MIT */
/*
 * The file sink: what it writes where, what it leaves out, and what a
 * failed run leaves behind. Some system calls are this program's own: they
 * keep a log of the very writes, and fail on purpose.
 */
#include "check_paths.h"
#include "check_wrap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <avml/sink.h>

#include "base/cancel.h"

#define HOLE_MIN 65536
#define IMAGE_MAX (2 << 20)

static struct {
	bool interrupted;	   /* every other write, by a signal */
	size_t most;		   /* bytes a write; 0: any */
	bool truncate_interrupted; /* once */
	int truncate_error, sync_error, close_error;
	size_t writes, syncs;
	bool written[IMAGE_MAX]; /* a byte each, from the log */
} calls;

static size_t iov_bytes(const struct iovec *iov, int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += iov[i].iov_len;
	return bytes;
}

ssize_t WRAP64(pwritev)(
	int fd, const struct iovec *iov, int count, off_t offset)
{
	struct iovec part;
	ssize_t n;

	calls.writes++;
	if (calls.interrupted && calls.writes % 2 == 1) {
		errno = EINTR;
		return -1;
	}
	if (calls.most > 0 && iov_bytes(iov, count) > calls.most) {
		part = iov[0];
		if (part.iov_len > calls.most)
			part.iov_len = calls.most;
		iov = &part;
		count = 1;
	}
	n = REAL64(pwritev)(fd, iov, count, offset);
	for (ssize_t i = 0; i < n; i++)
		calls.written[offset + i] = true;
	return n;
}

int WRAP64(ftruncate)(int fd, off_t len)
{
	if (calls.truncate_error || calls.truncate_interrupted) {
		errno = calls.truncate_interrupted ? EINTR
						   : calls.truncate_error;
		calls.truncate_interrupted = false;
		return -1;
	}
	return REAL64(ftruncate)(fd, len);
}

int WRAP(fsync)(int fd)
{
	calls.syncs++;
	/* An interruption is survived, any other error is one. */
	if (calls.sync_error) {
		errno = calls.sync_error;
		if (calls.sync_error == EINTR)
			calls.sync_error = 0;
		return -1;
	}
	return REAL(fsync)(fd);
}

int WRAP(close)(int fd)
{
	const int error = calls.close_error;
	const int ret = REAL(close)(fd);

	if (error) {
		calls.close_error = 0;
		errno = error;
		return -1;
	}
	return ret;
}

/*
 * What a sink is given: positive for bytes, negative for zeros, 0 for the
 * end. And what should have come of it.
 */
struct image {
	uint8_t bytes[IMAGE_MAX];
	bool hole[IMAGE_MAX];
	size_t len, hole_bytes;
};

static struct image image;

static void expect(const long *given)
{
	uint64_t seed = 1;
	size_t run = 0;

	for (; *given != 0; given++) {
		const size_t len = (size_t)labs(*given);

		ck_assert_uint_le(image.len + len, IMAGE_MAX);
		for (size_t i = 0; i < len; i++) {
			if (*given > 0)
				image.bytes[image.len] =
					(uint8_t)(1 + test_random(&seed) % 255);
			run = *given > 0 ? 0 : run + 1;
			image.len++;
			/* The run is a hole only from a length on. */
			if (run == HOLE_MIN)
				memset(image.hole + image.len - run, true, run);
			else if (run > HOLE_MIN)
				image.hole[image.len - 1] = true;
		}
	}
	for (size_t i = 0; i < image.len; i++)
		image.hole_bytes += image.hole[i];
	/* At the end no run is written, but a short one saves nothing. */
	memset(image.hole + image.len - run, true, run);
}

static void give(struct avml_sink *sink, const long *given)
{
	struct avml_error err = AVML_ERROR_INIT;
	size_t at = 0;

	for (; *given != 0; given++) {
		const size_t len = (size_t)labs(*given);
		const int ret = *given > 0
					? avml_sink_write(sink,
						  image.bytes + at, len, &err)
					: avml_sink_zeros(sink, len, &err);

		ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
		at += len;
		ck_assert_uint_eq(avml_sink_position(sink), at);
	}
}

static struct avml_sink *open_sink(const char *path, bool no_sparse)
{
	const struct avml_sink_options options = { .no_sparse = no_sparse };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;
	const int ret = avml_sink_open(path, &options, &sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	ck_assert(avml_sink_can_cut(sink));
	return sink;
}

static void assert_file(const char *path, const void *bytes, size_t len)
{
	size_t got_len;
	char *got = test_load(path, &got_len);

	ck_assert_uint_eq(got_len, len);
	ck_assert(memcmp(got, bytes, len) == 0);
	free(got);
}

static void assert_size(const char *path, off_t size)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, size);
}

static void finish(struct avml_sink *sink)
{
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = avml_sink_finish(sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
}

static const long feeds[][10] = {
	{ 0 },
	{ 1 },
	{ 300000 },
	{ 32, -HOLE_MIN, 100 },
	{ 32, -HOLE_MIN + 1, 100 },
	{ 32, -HOLE_MIN - 1, 100 },
	{ -HOLE_MIN },
	{ -1 },
	{ -HOLE_MIN, 1 },
	{ -HOLE_MIN + 1, 1 },
	/* Runs that only together are long enough. */
	{ 100, -HOLE_MIN / 2, -HOLE_MIN / 2, 100 },
	{ 100, -1, -HOLE_MIN + 2, 100 },
	{ 100, -1, -HOLE_MIN + 1, 100 },
	{ 100, -4096, -4096, -4096, -53248, -1, 100 },
	/* Zeros among the bytes break no run that there is not. */
	{ 5000, -4096, 1, -61440, 1, -4096, 5000 },
	{ 4096, -HOLE_MIN + 4096, 4096, -HOLE_MIN, 4096, -1, 7 },
	/* At the end. */
	{ 100, -1 },
	{ 100, -HOLE_MIN + 1 },
	{ 100, -HOLE_MIN },
	{ 100, -300000, -300000 },
	{ 1, -1000000, 1 },
	{ -1000000, 1, -1000000 },
};

START_TEST(sink_file_zeros_become_holes_where_promised)
{
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);

	expect(feeds[_i]);
	give(sink, feeds[_i]);
	finish(sink);
	assert_file(path, image.bytes, image.len);
	ck_assert_uint_eq(avml_sink_position(sink), image.len);
	ck_assert_uint_eq(avml_sink_hole_bytes(sink), image.hole_bytes);
	/* What is no hole was written, zeros or not, and nothing else. */
	for (size_t i = 0; i < image.len; i++)
		TEST_ASSERT(calls.written[i] != image.hole[i]);
	avml_sink_free(sink);
}
END_TEST

START_TEST(sink_file_no_sparse_writes_every_byte)
{
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, true);

	expect(feeds[_i]);
	give(sink, feeds[_i]);
	finish(sink);
	assert_file(path, image.bytes, image.len);
	ck_assert_uint_eq(avml_sink_hole_bytes(sink), 0);
	for (size_t i = 0; i < image.len; i++)
		TEST_ASSERT(calls.written[i]);
	avml_sink_free(sink);
}
END_TEST

START_TEST(sink_file_interrupted_and_short_writes_go_on)
{
	static const size_t most[] = { 0, 4096, 100000 };

	expect(feeds[_i]);
	for (size_t i = 0; i < TEST_COUNT(most); i++) {
		const char *path = test_path("image");
		struct avml_sink *sink = open_sink(path, i == 2);

		calls.interrupted = true;
		calls.truncate_interrupted = true;
		calls.most = most[i];
		give(sink, feeds[_i]);
		calls.sync_error = EINTR;
		finish(sink);
		assert_file(path, image.bytes, image.len);
		avml_sink_free(sink);
	}
}
END_TEST

/* A short run goes out with the bytes behind it: a call each is dear. */
START_TEST(sink_file_short_zeros_share_a_write)
{
	static const long given[] = { 4096, -HOLE_MIN + 1, 4096, 0 };
	struct avml_sink *sink = open_sink(test_path("image"), false);

	expect(given);
	give(sink, given);
	ck_assert_uint_eq(calls.writes, 2);
	finish(sink);
	avml_sink_free(sink);
}
END_TEST

/* Whether the file system that tests run on makes holes at all. */
static bool makes_holes(void)
{
	const char *path = test_path("probe");
	struct stat st;

	test_make_file(path, "x", 1);
	ck_assert_int_eq(truncate(path, 1 << 20), 0);
	return stat(path, &st) == 0 && st.st_blocks < 256;
}

START_TEST(sink_file_holes_take_no_room)
{
	static const long given[] = { 32, -IMAGE_MAX / 2, 32, 0 };
	const char *sparse = test_path("sparse"), *full = test_path("full");
	struct avml_sink *sink;
	struct stat st;

	expect(given);
	sink = open_sink(sparse, false);
	give(sink, given);
	finish(sink);
	avml_sink_free(sink);
	ck_assert_int_eq(stat(sparse, &st), 0);
	if (makes_holes())
		ck_assert_int_le(st.st_blocks, IMAGE_MAX / 4 / 512);
	sink = open_sink(full, true);
	give(sink, given);
	finish(sink);
	avml_sink_free(sink);
	assert_file(sparse, image.bytes, image.len);
	assert_file(full, image.bytes, image.len);
}
END_TEST

/* A file system that cannot make a file longer without bytes. */
START_TEST(sink_file_end_that_is_no_hole_is_written)
{
	static const long given[] = { 100, -200000, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);

	expect(given);
	give(sink, given);
	calls.truncate_error = EPERM;
	finish(sink);
	ck_assert_uint_eq(avml_sink_hole_bytes(sink), 0);
	avml_sink_free(sink);
	for (size_t i = 0; i < image.len; i++)
		TEST_ASSERT(calls.written[i]);
	assert_file(path, image.bytes, image.len);
}
END_TEST

/* Linux has closed the file even then. */
START_TEST(sink_file_interrupted_close_is_no_error)
{
	struct avml_sink *sink = open_sink(test_path("image"), false);

	calls.close_error = EINTR;
	finish(sink);
	avml_sink_free(sink);
}
END_TEST

START_TEST(sink_file_finish_syncs)
{
	struct avml_sink *sink = open_sink(test_path("image"), false);

	finish(sink);
	ck_assert_uint_eq(calls.syncs, 1);
	avml_sink_free(sink);
}
END_TEST

/* --- a run that failed ------------------------------------------------ */

static struct avml_sink_left abandon(struct avml_sink *sink, int ret)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink_left left = { .removed = true, .unsure = true };

	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), ret);
	avml_sink_free(sink);
	return left;
}

static const struct {
	const char *name;
	long whole[4], rest[4]; /* before the mark, and behind it */
} cuts[] = {
	{ "bytes behind it", { 100 }, { 50 } },
	{ "nothing behind it", { 100 }, { 0 } },
	{ "zeros behind it", { 100 }, { -10 } },
	{ "a hole behind it", { 100 }, { -200000 } },
	{ "a hole and bytes behind it", { 100 }, { -200000, 9 } },
	{ "zeros before it", { 100, -10 }, { 9 } },
	{ "a hole before it", { 100, -200000 }, { 9 } },
	/* The file is longer than what was written to it so far. */
	{ "zeros that wait", { 100, -10 }, { 0 } },
	{ "a hole that waits", { 100, -200000 }, { 0 } },
	{ "a hole that goes on behind it", { 100, -200000 }, { -5 } },
};

START_TEST(sink_file_abort_cuts_back_to_mark)
{
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;
	size_t len;

	expect(cuts[_i].whole);
	len = image.len;
	give(sink, cuts[_i].whole);
	avml_sink_mark(sink);
	for (const long *given = cuts[_i].rest; *given; given++) {
		static const uint8_t junk[256] = { 0xee };
		struct avml_error err;
		const size_t part = (size_t)labs(*given);

		ck_assert_int_eq(
			*given > 0 ? avml_sink_write(sink, junk, part, &err)
				   : avml_sink_zeros(sink, part, &err),
			0);
	}
	calls.truncate_interrupted = true;
	left = abandon(sink, 0);
	ck_assert(left.cut);
	ck_assert(!left.removed);
	ck_assert(!left.unsure);
	ck_assert_uint_eq(left.len, len);
	assert_file(path, image.bytes, len);
	/* What was acquired has to survive the host. */
	ck_assert_uint_eq(calls.syncs, 1);
}
END_TEST

START_TEST(sink_file_abort_without_mark_removes_what_it_created)
{
	static const long given[] = { 100, -200000, 9, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;

	expect(given);
	give(sink, given);
	left = abandon(sink, 0);
	ck_assert(left.removed);
	ck_assert_uint_eq(left.len, 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(sink_file_abort_without_mark_keeps_what_was_there)
{
	static const long given[] = { 100, 0 };
	const char *path = test_path("image");
	struct avml_sink_left left;
	struct avml_sink *sink;

	test_make_file(path, "old", 3);
	sink = open_sink(path, false);
	expect(given);
	give(sink, given);
	left = abandon(sink, 0);
	ck_assert(!left.removed);
	ck_assert(left.cut);
	ck_assert_uint_eq(left.len, 0);
	assert_size(path, 0);
}
END_TEST

/* Its name may be another file's by now, which is not ours to remove. */
START_TEST(sink_file_abort_does_not_remove_another_file)
{
	static const long given[] = { 100, 0 };
	const char *path = test_path("image");
	const char *moved = test_text("%s.moved", path);
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;

	expect(given);
	give(sink, given);
	ck_assert_int_eq(rename(path, moved), 0);
	if (_i == 1)
		test_make_file(path, "another", 7);
	left = abandon(sink, 0);
	ck_assert(!left.removed);
	ck_assert(left.cut);
	assert_size(moved, 0);
	if (_i == 1)
		assert_file(path, "another", 7);
	else
		ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(sink_file_abort_that_cannot_cut_says_so)
{
	static const long given[] = { 100, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;
	struct avml_error err;

	expect(given);
	give(sink, given);
	avml_sink_mark(sink);
	ck_assert_int_eq(avml_sink_write(sink, "more", 4, &err), 0);
	calls.truncate_error = EIO;
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), -EIO);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert(!left.cut);
	ck_assert(!left.removed);
	ck_assert_uint_eq(left.len, 104);
	avml_sink_free(sink);
	assert_size(path, 104);
}
END_TEST

static const struct {
	const char *name;
	int sync_error, close_error;
} endings[] = {
	{ "sync", EIO, 0 },
	{ "sync of a full disk", ENOSPC, 0 },
	{ "close", 0, EIO },
};

START_TEST(sink_file_failed_finish_is_an_error)
{
	static const long given[] = { 60, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;
	struct avml_error err;

	expect(given);
	give(sink, given);
	avml_sink_mark(sink);
	calls.sync_error = endings[_i].sync_error;
	calls.close_error = endings[_i].close_error;
	ck_assert_int_eq(avml_sink_finish(sink, &err),
		-(endings[_i].sync_error + endings[_i].close_error));
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	calls.sync_error = 0;
	left = abandon(sink, 0);
	ck_assert(left.cut);
	/* A sync that works now says nothing of what was lost before. */
	ck_assert(left.unsure);
	ck_assert_uint_eq(left.len, image.len);
	assert_file(path, image.bytes, image.len);
}
END_TEST

START_TEST(sink_file_abort_that_cannot_sync_is_unsure)
{
	static const long given[] = { 60, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;

	expect(given);
	give(sink, given);
	avml_sink_mark(sink);
	calls.sync_error = EIO;
	left = abandon(sink, 0);
	ck_assert(left.cut);
	ck_assert(left.unsure);
	assert_file(path, image.bytes, image.len);
}
END_TEST

/* The limit stands in for a full disk. */
static void limit_file_size(rlim_t len)
{
	const struct rlimit limit = { len, len };

	/* Ignored, the signal leaves the error of the write. */
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(sink_file_write_error_names_file_and_offset)
{
	static const long given[] = { 6000, 0 };
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;
	struct avml_error err;

	expect(given);
	give(sink, given);
	avml_sink_mark(sink);
	limit_file_size(10000);
	ck_assert_int_eq(
		avml_sink_write(sink, image.bytes, 6000, &err), -EFBIG);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "offset 10000"));
	/* What was not taken whole does not count. */
	ck_assert_uint_eq(avml_sink_position(sink), 6000);
	left = abandon(sink, 0);
	ck_assert(left.cut);
	ck_assert_uint_eq(left.len, 6000);
	assert_file(path, image.bytes, 6000);
}
END_TEST

START_TEST(sink_file_zeros_that_do_not_fit_are_an_error)
{
	static const long given[] = { 6000, 0 };
	const bool no_sparse = _i == 1;
	struct avml_sink *sink = open_sink(test_path("image"), no_sparse);
	struct avml_error err;
	int ret;

	expect(given);
	give(sink, given);
	limit_file_size(10000);
	ret = avml_sink_zeros(sink, 200000, &err);
	/* A hole at the end is made only there. */
	if (!no_sparse) {
		ck_assert_int_eq(ret, 0);
		ret = avml_sink_finish(sink, &err);
	}
	ck_assert_int_eq(ret, -EFBIG);
	ck_assert(abandon(sink, 0).removed);
}
END_TEST

START_TEST(sink_file_first_signal_stops_writes)
{
	struct avml_sink *sink = open_sink(test_path("image"), false);
	struct avml_error err;

	cancel_request(SIGTERM);
	ck_assert_int_eq(avml_sink_write(sink, "x", 1, &err), -EINTR);
	ck_assert_str_eq(avml_error_message(&err, 0), "stopped by SIGTERM");
	ck_assert(abandon(sink, 0).removed);
}
END_TEST

static Suite *sink_suite(void)
{
	Suite *suite = suite_create("sink");
	TCase *tc = tcase_create("writes");
	const int count = TEST_COUNT(feeds);

	tcase_add_loop_test(
		tc, sink_file_zeros_become_holes_where_promised, 0, count);
	tcase_add_loop_test(
		tc, sink_file_no_sparse_writes_every_byte, 0, count);
	tcase_add_loop_test(
		tc, sink_file_interrupted_and_short_writes_go_on, 0, count);
	tcase_add_test(tc, sink_file_short_zeros_share_a_write);
	tcase_add_test(tc, sink_file_holes_take_no_room);
	tcase_add_test(tc, sink_file_end_that_is_no_hole_is_written);
	tcase_add_test(tc, sink_file_interrupted_close_is_no_error);
	tcase_add_test(tc, sink_file_finish_syncs);
	suite_add_tcase(suite, tc);
	tc = tcase_create("ends");
	tcase_add_loop_test(
		tc, sink_file_abort_cuts_back_to_mark, 0, TEST_COUNT(cuts));
	tcase_add_test(
		tc, sink_file_abort_without_mark_removes_what_it_created);
	tcase_add_test(tc, sink_file_abort_without_mark_keeps_what_was_there);
	tcase_add_loop_test(
		tc, sink_file_abort_does_not_remove_another_file, 0, 2);
	tcase_add_test(tc, sink_file_abort_that_cannot_cut_says_so);
	tcase_add_loop_test(tc, sink_file_failed_finish_is_an_error, 0,
		TEST_COUNT(endings));
	tcase_add_test(tc, sink_file_abort_that_cannot_sync_is_unsure);
	tcase_add_test(tc, sink_file_write_error_names_file_and_offset);
	tcase_add_loop_test(
		tc, sink_file_zeros_that_do_not_fit_are_an_error, 0, 2);
	tcase_add_test(tc, sink_file_first_signal_stops_writes);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(sink_suite)

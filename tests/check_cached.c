/* SPDX-License-Identifier: MIT */
/*
 * What is asked of the kernel for a file that is written or read: a log of
 * the calls, which fail on purpose.
 */
#include "base/cached.h"

#include "check_main.h"
#include "check_wrap.h"

#define W ((uint64_t)CACHED_WINDOW)
#define FD 77

enum what { BEGIN = 1, WAIT, DROP };

static struct {
	size_t count;
	struct call {
		enum what what;
		uint64_t from, to;
	} calls[64];
	int error; /* of sync_file_range() */
	size_t interruptions;
	bool only_waits; /* the error is of those alone */
} kernel;

#define BACK ((uint64_t)2 << 20)

static void called(enum what what, off_t from, off_t len)
{
	ck_assert_uint_lt(kernel.count, TEST_COUNT(kernel.calls));
	ck_assert_int_ge(len, 0);
	/* No length is all the rest. */
	kernel.calls[kernel.count++] = (struct call){ what, (uint64_t)from,
		len > 0 ? (uint64_t)(from + len) : UINT64_MAX };
}

int WRAP(sync_file_range)(int fd, off_t from, off_t len, unsigned int how)
{
	ck_assert_int_eq(fd, FD);
	if (kernel.interruptions > 0) {
		kernel.interruptions--;
		errno = EINTR;
		return -1;
	}
	called(how == SYNC_FILE_RANGE_WRITE ? BEGIN : WAIT, from, len);
	if (how != SYNC_FILE_RANGE_WRITE)
		ck_assert_uint_eq(how, SYNC_FILE_RANGE_WAIT_BEFORE |
					       SYNC_FILE_RANGE_WRITE |
					       SYNC_FILE_RANGE_WAIT_AFTER);
	if (kernel.only_waits && how == SYNC_FILE_RANGE_WRITE)
		return 0;
	errno = kernel.error;
	return kernel.error ? -1 : 0;
}

int WRAP64(posix_fadvise)(int fd, off_t from, off_t len, int how)
{
	ck_assert_int_eq(fd, FD);
	ck_assert_int_eq(how, POSIX_FADV_DONTNEED);
	called(DROP, from, len);
	/* A wish that is not granted is none of our business. */
	return EINVAL;
}

static void assert_call(size_t i, enum what what, uint64_t from, uint64_t to)
{
	ck_assert_uint_lt(i, kernel.count);
	ck_assert_int_eq((int)kernel.calls[i].what, (int)what);
	ck_assert_uint_eq(kernel.calls[i].from, from);
	ck_assert_uint_eq(kernel.calls[i].to, to);
}

START_TEST(cached_written_below_a_window_asks_for_nothing)
{
	struct cached c = cached_from(5);

	ck_assert_int_eq(cached_written(&c, FD, W - 1), 0);
	ck_assert_int_eq(cached_written(&c, FD, W), 0);
	ck_assert_uint_eq(kernel.count, 0);
}
END_TEST

/* Begun a window at a time, waited for a window later, and gone then. */
START_TEST(cached_written_leaves_two_windows_at_most)
{
	struct cached c = cached_from(0);
	uint64_t first, second;

	for (uint64_t at = 0; at <= 3 * W; at += 100000)
		ck_assert_int_eq(cached_written(&c, FD, at), 0);
	ck_assert_uint_eq(kernel.count, 5);
	first = kernel.calls[0].to;
	second = kernel.calls[2].to;
	assert_call(0, BEGIN, 0, first);
	assert_call(1, DROP, 0, first);
	assert_call(2, BEGIN, first, second);
	assert_call(3, WAIT, 0, first);
	assert_call(4, DROP, 0, second);
	/* Whole pages of any size. */
	ck_assert_uint_eq(first % 65536, 0);
	ck_assert_uint_eq(second % 65536, 0);
	ck_assert_uint_ge(first, W);
	ck_assert_uint_lt(second, 2 * W + 200000);
}
END_TEST

START_TEST(cached_written_over_a_hole_goes_on_behind_it)
{
	struct cached c = cached_from(0);

	ck_assert_int_eq(cached_written(&c, FD, 100 * W), 0);
	ck_assert_int_eq(cached_written(&c, FD, 101 * W + 65535), 0);
	ck_assert_int_eq(cached_written(&c, FD, 102 * W), 0);
	ck_assert_uint_eq(kernel.count, 8);
	assert_call(2, BEGIN, 100 * W, 101 * W);
	assert_call(3, WAIT, 0, 100 * W);
	assert_call(5, BEGIN, 101 * W, 102 * W);
	assert_call(6, WAIT, 100 * W, 101 * W);
	/* Pages that are kept together reach out of a range. */
	assert_call(7, DROP, 100 * W - BACK, 102 * W);
}
END_TEST

/* The first image in a file may begin anywhere. */
START_TEST(cached_from_an_odd_offset_begins_there)
{
	struct cached c = cached_from(1234567);

	ck_assert_int_eq(cached_written(&c, FD, 1234567 + W + 65536), 0);
	ck_assert_uint_eq(kernel.count, 2);
	ck_assert_uint_eq(kernel.calls[0].from, 1234567);
	/* What was in the file before is not touched. */
	ck_assert_uint_eq(kernel.calls[1].from, 1234567);
}
END_TEST

static const int refusals[] = { EIO, ENOSPC, EDQUOT };

START_TEST(cached_written_refused_by_the_disk_is_an_error)
{
	struct cached c = cached_from(0);

	ck_assert_int_eq(cached_written(&c, FD, W), 0);
	kernel.error = refusals[_i];
	ck_assert_int_eq(cached_written(&c, FD, 2 * W), -refusals[_i]);
}
END_TEST

static const int losses[] = { EIO, ENOSPC, EDQUOT, ETIMEDOUT, ENODATA, ENOMEM };

/* What writing it came to is told here, and never again. */
START_TEST(cached_written_lost_on_the_way_is_an_error)
{
	struct cached c = cached_from(0);

	kernel.error = losses[_i];
	kernel.only_waits = true;
	ck_assert_int_eq(cached_written(&c, FD, W), 0);
	ck_assert_int_eq(cached_written(&c, FD, 2 * W), -losses[_i]);
}
END_TEST

static const int lacks[] = { ENOSYS, EINVAL, ESPIPE, EPERM };

/* Then to drop is all that is asked for: it begins to write what is dirty. */
START_TEST(cached_written_without_the_call_still_drops)
{
	struct cached c = cached_from(0);

	kernel.error = lacks[_i];
	for (uint64_t at = W; at <= 3 * W; at += W)
		ck_assert_int_eq(cached_written(&c, FD, at), 0);
	ck_assert_uint_eq(kernel.count, 1 + 3);
	assert_call(0, BEGIN, 0, W);
	assert_call(1, DROP, 0, W);
	assert_call(2, DROP, 0, 2 * W);
	assert_call(3, DROP, W - BACK, 3 * W);
}
END_TEST

START_TEST(cached_written_interrupted_is_taken_up_again)
{
	struct cached c = cached_from(0);

	kernel.interruptions = 3;
	ck_assert_int_eq(cached_written(&c, FD, W), 0);
	ck_assert_uint_eq(kernel.count, 2);
	ck_assert_uint_eq(kernel.interruptions, 0);
}
END_TEST

START_TEST(cached_read_drops_a_window_at_a_time)
{
	struct cached c = cached_from(0);

	for (uint64_t at = 0; at <= 2 * W; at += 65536)
		cached_read(&c, FD, at);
	ck_assert_uint_eq(kernel.count, 2);
	assert_call(0, DROP, 0, W);
	assert_call(1, DROP, W - BACK, 2 * W);
}
END_TEST

START_TEST(cached_end_drops_all_from_the_beginning)
{
	struct cached c = cached_from(4321);

	cached_end(&c, FD);
	ck_assert_uint_eq(kernel.count, 1);
	assert_call(0, DROP, 4321, UINT64_MAX);
}
END_TEST

static Suite *cached_suite(void)
{
	Suite *suite = suite_create("cached");
	TCase *tcase = tcase_create("cached");

	tcase_add_test(tcase, cached_written_below_a_window_asks_for_nothing);
	tcase_add_test(tcase, cached_written_leaves_two_windows_at_most);
	tcase_add_test(tcase, cached_written_over_a_hole_goes_on_behind_it);
	tcase_add_test(tcase, cached_from_an_odd_offset_begins_there);
	tcase_add_loop_test(tcase,
		cached_written_refused_by_the_disk_is_an_error, 0,
		TEST_COUNT(refusals));
	tcase_add_loop_test(tcase, cached_written_lost_on_the_way_is_an_error,
		0, TEST_COUNT(losses));
	tcase_add_loop_test(tcase, cached_written_without_the_call_still_drops,
		0, TEST_COUNT(lacks));
	tcase_add_test(tcase, cached_written_interrupted_is_taken_up_again);
	tcase_add_test(tcase, cached_read_drops_a_window_at_a_time);
	tcase_add_test(tcase, cached_end_drops_all_from_the_beginning);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(cached_suite)

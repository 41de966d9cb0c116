/* SPDX-License-Identifier: MIT */
/*
 * A file sink with a limit to what must stay free on its disk. fstatvfs()
 * is this program's own: a disk of made-up room, which others write to.
 * What the sink writes is counted.
 */
#include "check_paths.h"
#include "check_wrap.h"

#include <sys/statvfs.h>
#include <sys/uio.h>

#include <avml/sink.h>

#define MIB ((uint64_t)1 << 20)
#define FRAGMENT 512u
#define CHUNK (256u << 10)

static struct {
	uint64_t room;	 /* bytes on the empty disk */
	uint64_t others; /* of them that others have taken */
	uint64_t taken;	 /* by the image */
	int failure;
	size_t interruptions; /* to come, by signals */
	size_t looks;
} disk;

/* What reaches the file: file systems count blocks in ways of their own. */
ssize_t WRAP64(pwritev)(
	int fd, const struct iovec *iov, int count, off_t offset)
{
	const ssize_t n = REAL64(pwritev)(fd, iov, count, offset);

	disk.taken += n > 0 ? (uint64_t)n : 0;
	return n;
}

ssize_t WRAP(writev)(int fd, const struct iovec *iov, int count)
{
	const ssize_t n = REAL(writev)(fd, iov, count);

	disk.taken += n > 0 ? (uint64_t)n : 0;
	return n;
}

int WRAP64(fstatvfs)(int fd, struct statvfs *fs)
{
	const uint64_t used = disk.others + disk.taken;

	(void)fd;
	disk.looks++;
	if (disk.interruptions > 0) {
		disk.interruptions--;
		errno = EINTR;
		return -1;
	}
	if (disk.failure) {
		errno = disk.failure;
		return -1;
	}
	memset(fs, 0, sizeof(*fs));
	fs->f_bsize = 4096;
	fs->f_frsize = FRAGMENT;
	fs->f_bavail = used < disk.room ? (disk.room - used) / FRAGMENT : 0;
	/* What only root may have is not for an image. */
	fs->f_bfree = disk.room;
	return 0;
}

static struct avml_sink *open_sink(
	const char *path, uint64_t min_free_mib, bool no_sparse)
{
	const struct avml_sink_options options = {
		.min_free_mib = min_free_mib,
		.no_sparse = no_sparse,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;

	ck_assert_msg(avml_sink_open(path, &options, &sink, &err) == 0, "%s",
		avml_error_message(&err, 0));
	disk.looks = 0;
	return sink;
}

/* Write up to `most` bytes in chunks; how many it took. */
static uint64_t fill(
	struct avml_sink *sink, uint64_t most, struct avml_error *err)
{
	static char chunk[CHUNK];
	uint64_t done = 0;

	memset(chunk, 'm', sizeof(chunk));
	*err = (struct avml_error)AVML_ERROR_INIT;
	while (done < most && avml_sink_write(sink, chunk, CHUNK, err) == 0)
		done += CHUNK;
	return done;
}

static void abandon(struct avml_sink *sink, uint64_t len)
{
	struct avml_sink_left left;
	struct avml_error err;

	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert(left.cut);
	ck_assert_uint_eq(left.len, len);
	avml_sink_free(sink);
}

static void finish(struct avml_sink *sink)
{
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_msg(avml_sink_finish(sink, &err) == 0, "%s",
		avml_error_message(&err, 0));
	avml_sink_free(sink);
}

/* In MiB: all that may be written is, and not a chunk more. */
static const struct {
	uint64_t room, min_free;
} rooms[] = { { 40, 0 }, { 40, 1 }, { 40, 39 }, { 40, 40 }, { 17, 1 },
	{ 16, 1 }, { 33, 1 }, { 5, 4 }, { 1, 2 }, { 40, UINT64_MAX } };

START_TEST(sink_writes_until_the_last_that_may)
{
	const uint64_t room = rooms[_i].room, min_free = rooms[_i].min_free;
	const uint64_t most = min_free == 0	? 50 * MIB
			      : min_free < room ? (room - min_free) * MIB
						: 0;
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, min_free, false);
	struct avml_error err;
	uint64_t done;

	disk.room = room * MIB;
	done = fill(sink, 50 * MIB, &err);
	ck_assert_uint_eq(done, most);
	if (min_free == 0) {
		ck_assert_uint_eq(disk.looks, 0);
		finish(sink);
		return;
	}
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "--min-free"));
	/* Not at each write. */
	ck_assert_uint_le(disk.looks, 3 + done / (16 * MIB) + 2);
	abandon(sink, 0);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* What was whole stays. */
START_TEST(sink_is_cut_back_to_its_mark)
{
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, 10, false);
	struct avml_error err;
	struct stat st;

	disk.room = 20 * MIB;
	ck_assert_uint_eq(fill(sink, 3 * MIB, &err), 3 * MIB);
	avml_sink_mark(sink);
	ck_assert_uint_eq(fill(sink, 20 * MIB, &err), 7 * MIB);
	abandon(sink, 3 * MIB);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 3 * MIB);
}
END_TEST

/* Others take room: that is seen after 16 MiB at the latest. */
START_TEST(sink_sees_what_others_take)
{
	struct avml_sink *sink = open_sink(test_path("image"), 10, false);
	struct avml_error err;
	uint64_t more;

	disk.room = 1000 * MIB;
	ck_assert_uint_eq(fill(sink, 20 * MIB, &err), 20 * MIB);
	/* Of the ten that are left of 30, none may be written. */
	disk.others = 970 * MIB;
	more = fill(sink, 50 * MIB, &err);
	ck_assert_uint_le(more, 16 * MIB);
	ck_assert_int_eq(err.code, ENOSPC);
	/* And when they give it back, it may go on. */
	disk.others = 0;
	ck_assert_uint_eq(fill(sink, MIB, &err), MIB);
	abandon(sink, 0);
}
END_TEST

/* Holes take nothing; zeros that are written do. */
START_TEST(sink_zeros_take_room_where_they_are_written)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, 10, _i == 1);
	struct stat st;
	int ret;

	disk.room = 14 * MIB;
	ck_assert_uint_eq(fill(sink, MIB, &err), MIB);
	ret = avml_sink_zeros(sink, 100 * MIB, &err);
	if (_i == 1) {
		ck_assert_int_eq(ret, -ENOSPC);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_le(st.st_size, 4 * MIB);
		abandon(sink, 0);
		return;
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(fill(sink, 4 * MIB, &err), 3 * MIB);
	finish(sink);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 104 * MIB);
}
END_TEST

/* Short runs of zeros go out with the data, and are counted like it. */
START_TEST(sink_short_zeros_are_counted)
{
	static char byte = 'b';
	struct avml_sink *sink = open_sink(test_path("image"), 1, false);
	struct avml_error err = AVML_ERROR_INIT;
	uint64_t given = 0;

	/* A block a time, and a disk that has no more than they are. */
	disk.room = 3 * MIB;
	while (given < 10 * MIB) {
		if (avml_sink_zeros(sink, 4095, &err) < 0 ||
			avml_sink_write(sink, &byte, 1, &err) < 0)
			break;
		given += 4096;
	}
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_uint_eq(given, 2 * MIB);
	abandon(sink, 0);
}
END_TEST

START_TEST(sink_interrupted_while_it_looks_goes_on)
{
	struct avml_sink *sink = open_sink(test_path("image"), 1, false);
	struct avml_error err;

	disk.room = 3 * MIB;
	disk.interruptions = 3;
	ck_assert_uint_eq(fill(sink, 5 * MIB, &err), 2 * MIB);
	ck_assert_uint_eq(disk.interruptions, 0);
	ck_assert_int_eq(err.code, ENOSPC);
	abandon(sink, 0);
}
END_TEST

START_TEST(sink_that_cannot_look_stops)
{
	struct avml_sink *sink = open_sink(test_path("image"), 1, false);
	struct avml_error err;

	disk.room = 100 * MIB;
	disk.failure = EIO;
	ck_assert_uint_eq(fill(sink, MIB, &err), 0);
	ck_assert_int_eq(err.code, EIO);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "cannot tell"));
	abandon(sink, 0);
}
END_TEST

/* A file that was opened by the caller is one of a disk too, in any way. */
START_TEST(sink_on_a_descriptor_keeps_the_limit)
{
	const char *path = test_file("image", "old", 3);
	const int fd =
		open(path, O_WRONLY | O_CLOEXEC | (_i == 1 ? O_APPEND : 0));
	struct avml_sink_left left;
	struct avml_sink *sink;
	struct avml_error err;

	ck_assert_int_ge(fd, 0);
	/* One that appends is a stream, which ends where it ends. */
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 3);
	sink = open_sink(test_text("/dev/fd/%d", fd), 10, false);
	ck_assert(avml_sink_can_cut(sink) == (_i == 0));
	disk.room = 12 * MIB;
	ck_assert_uint_eq(fill(sink, 5 * MIB, &err), 2 * MIB);
	ck_assert_int_eq(err.code, ENOSPC);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert_uint_eq(left.len, _i == 0 ? 0 : 2 * MIB);
	avml_sink_free(sink);
	close(fd);
}
END_TEST

START_TEST(sink_without_a_limit_does_not_look)
{
	static const char *const names[] = { "/dev/null", NULL };
	struct avml_sink *sink =
		open_sink(names[_i] ? names[_i] : test_path("image"), 0, false);
	struct avml_error err;

	disk.failure = EIO;
	ck_assert_uint_eq(fill(sink, 20 * MIB, &err), 20 * MIB);
	ck_assert_uint_eq(disk.looks, 0);
	finish(sink);
}
END_TEST

static Suite *sink_free_suite(void)
{
	Suite *suite = suite_create("sink_free");
	TCase *tc = tcase_create("sink_free");

	tcase_add_loop_test(
		tc, sink_writes_until_the_last_that_may, 0, TEST_COUNT(rooms));
	tcase_add_test(tc, sink_is_cut_back_to_its_mark);
	tcase_add_test(tc, sink_sees_what_others_take);
	tcase_add_loop_test(
		tc, sink_zeros_take_room_where_they_are_written, 0, 2);
	tcase_add_test(tc, sink_short_zeros_are_counted);
	tcase_add_test(tc, sink_interrupted_while_it_looks_goes_on);
	tcase_add_test(tc, sink_that_cannot_look_stops);
	tcase_add_loop_test(tc, sink_on_a_descriptor_keeps_the_limit, 0, 2);
	tcase_add_loop_test(tc, sink_without_a_limit_does_not_look, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(sink_free_suite)

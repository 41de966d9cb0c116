/* SPDX-License-Identifier: MIT */
/* What jobs tell of how far they are. */
#include "check_machine.h"

#include <signal.h>

#include <avml/convert.h>
#include <avml/verify.h>

#include "base/cancel.h"
#include "job/progress.h"

#define PIECE (256u << 10)
#define MIB (1u << 20)

static const unsigned int thread_counts[] = { 1, 3 };

/* The first and the last that was told, and what must hold for all. */
struct told {
	pthread_t caller;
	struct avml_progress first, last;
	size_t count;
	uint64_t longest; /* step */
	size_t stop_at;	  /* ask for a stop then; 0: never */
};

static void on_progress(void *ctx, const struct avml_progress *now)
{
	struct told *told = ctx;

	TEST_ASSERT(pthread_equal(pthread_self(), told->caller));
	if (told->count++ == 0)
		told->first = told->last = *now;
	TEST_ASSERT(now->done_bytes >= told->last.done_bytes);
	TEST_ASSERT(now->bad_bytes >= told->last.bad_bytes);
	TEST_ASSERT(now->written_bytes >= told->last.written_bytes);
	TEST_ASSERT(now->all_bytes == 0 || now->done_bytes <= now->all_bytes);
	if (now->done_bytes - told->last.done_bytes > told->longest)
		told->longest = now->done_bytes - told->last.done_bytes;
	told->last = *now;
	if (told->stop_at == told->count)
		cancel_request(SIGTERM);
}

static struct told told_of(void)
{
	return (struct told){ .caller = pthread_self() };
}

/* All of `all` bytes, from the first to the last. */
static void assert_told(const struct told *told, uint64_t all)
{
	ck_assert_uint_ge(told->count, 2);
	ck_assert_uint_eq(told->first.done_bytes, 0);
	ck_assert_uint_eq(told->first.written_bytes, 0);
	ck_assert_uint_eq(told->first.all_bytes, all);
	ck_assert_uint_eq(told->last.done_bytes, all);
	ck_assert_uint_eq(told->last.all_bytes, all);
}

START_TEST(progress_never_goes_back_nor_past_the_end)
{
	struct told told = told_of();
	struct progress p = { &told, on_progress, { .all_bytes = 100 } };

	progress_at(&p, 0);
	progress_at(&p, 60);
	progress_at(&p, 40);
	ck_assert_uint_eq(told.last.done_bytes, 60);
	progress_at(&p, 100);
	ck_assert_uint_eq(told.last.all_bytes, 100);
	/* Longer than it was said to be: how long is not known. */
	progress_at(&p, 101);
	ck_assert_uint_eq(told.last.done_bytes, 101);
	ck_assert_uint_eq(told.last.all_bytes, 0);
	p.tell = NULL;
	progress_at(&p, 200);
	ck_assert_uint_eq(told.count, 5);
}
END_TEST

static int snapshot(struct told *told, unsigned int threads, bool cut,
	struct avml_snapshot_result *result)
{
	const struct machine m = machine_new();
	const char *memory = test_path("memory");
	struct avml_snapshot_options options = machine_options(&m);
	const struct avml_snapshot_events events = {
		.ctx = told,
		.progress = on_progress,
	};
	struct avml_error err;

	options.threads = threads;
	if (cut) {
		options.source = memory;
		machine_write_memory(&m, memory);
		ck_assert_int_eq(truncate(memory, 0x3401000), 0);
	}
	return machine_snapshot(&options, &events, result, &err);
}

START_TEST(progress_of_snapshot_is_memory)
{
	struct told told = told_of();
	struct avml_snapshot_result result;

	ck_assert_int_eq(snapshot(&told, thread_counts[_i], false, &result), 0);
	ck_assert_uint_gt(result.read_bytes, 0x1000000);
	assert_told(&told, result.read_bytes);
	ck_assert_uint_le(told.longest, PIECE);
	ck_assert_uint_eq(told.last.written_bytes, result.written_bytes);
	ck_assert_uint_eq(told.last.bad_bytes, 0);
}
END_TEST

START_TEST(progress_of_snapshot_counts_unreadable)
{
	struct told told = told_of();
	struct avml_snapshot_result result;

	ck_assert_int_eq(snapshot(&told, thread_counts[_i], true, &result), 0);
	assert_told(&told, result.read_bytes);
	ck_assert_uint_eq(result.unreadable_bytes, 0x1f000);
	ck_assert_uint_eq(told.last.bad_bytes, result.unreadable_bytes);
}
END_TEST

START_TEST(progress_of_snapshot_that_ends_early_says_how_far_it_came)
{
	struct told told = told_of();
	struct avml_snapshot_result result;

	told.stop_at = 10;
	ck_assert_int_eq(
		snapshot(&told, thread_counts[_i], false, &result), -EINTR);
	ck_assert_uint_ge(told.count, 11);
	ck_assert_uint_gt(told.last.done_bytes, 0);
	ck_assert_uint_lt(told.last.done_bytes, told.last.all_bytes);
}
END_TEST

static struct avml_convert_result convert(const char *from, const char *to,
	enum avml_image_format format, unsigned int threads, struct told *told)
{
	const struct avml_convert_options options = {
		.source = from,
		.destination = to,
		.format = format,
		.salvage = true,
		.threads = threads,
	};
	const struct avml_convert_events events = {
		.ctx = told,
		.progress = told ? on_progress : NULL,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_convert_result result;

	ck_assert_msg(avml_convert(&options, &events, &result, &err) == 0, "%s",
		avml_error_message(&err, 0));
	return result;
}

static void ignore(void *ctx, const struct avml_verify_finding *finding)
{
	(void)ctx;
	(void)finding;
}

static struct avml_verify_result verify(
	const char *path, unsigned int threads, struct told *told)
{
	const struct avml_verify_options options = {
		.image = path,
		.threads = threads,
	};
	const struct avml_verify_events events = {
		.ctx = told,
		.finding = ignore,
		.progress = on_progress,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_verify_result result;

	ck_assert_msg(avml_verify(&options, &events, &result, &err) == 0, "%s",
		avml_error_message(&err, 0));
	return result;
}

/* An image of version 2, of 4 MiB that hardly compress. */
static const char *make_image(size_t *len)
{
	static uint8_t memory[4 * MIB];
	struct test_image image = { .len = 0 };
	uint64_t seed = 1;
	const char *v1, *v2 = test_path("v2");
	struct stat st;

	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(test_random(&seed) % 60);
	test_image_range(&image, (struct avml_range){ 0x1000, 0x401000 },
		memory, 16 * MIB, true);
	v1 = test_text("%s", test_file("v1", image.bytes, image.len));
	test_image_release(&image);
	convert(v1, v2, AVML_IMAGE_LIME_COMPRESSED, 1, NULL);
	ck_assert_int_eq(stat(v2, &st), 0);
	*len = (size_t)st.st_size;
	return v2;
}

START_TEST(progress_of_conversion_is_of_the_image_that_is_read)
{
	struct told told = told_of();
	size_t len;
	const char *v2 = make_image(&len);
	const struct avml_convert_result result = convert(v2, test_path("out"),
		AVML_IMAGE_LIME, thread_counts[_i], &told);

	assert_told(&told, len);
	ck_assert_uint_ge(told.count, 16);
	ck_assert_uint_eq(told.last.written_bytes, result.written_bytes);
	ck_assert_uint_eq(told.last.bad_bytes, 0);
}
END_TEST

START_TEST(progress_of_verification_is_of_the_image)
{
	struct told told = told_of();
	size_t len;
	const char *v2 = make_image(&len);

	verify(v2, thread_counts[_i], &told);
	assert_told(&told, len);
	ck_assert_uint_ge(told.count, 16);
	ck_assert_uint_eq(told.last.written_bytes, 0);
	ck_assert_uint_eq(told.last.bad_bytes, 0);
}
END_TEST

/* A bit in a chunk's memory: 64 KiB are lost, or damaged. */
START_TEST(progress_counts_what_is_damaged)
{
	struct told converted = told_of(), verified = told_of();
	size_t len;
	const char *v2 = make_image(&len);
	int fd = open(v2, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	ck_assert_int_eq(pread(fd, &byte, 1, 1000000), 1);
	byte ^= 1;
	ck_assert_int_eq(pwrite(fd, &byte, 1, 1000000), 1);
	ck_assert_int_eq(close(fd), 0);
	convert(v2, test_path("out"), AVML_IMAGE_LIME, thread_counts[_i],
		&converted);
	assert_told(&converted, len);
	ck_assert_uint_eq(converted.last.bad_bytes, 65536);
	ck_assert_uint_eq(verify(v2, thread_counts[_i], &verified).faults, 1);
	assert_told(&verified, len);
	ck_assert_uint_eq(verified.last.bad_bytes, 65536);
}
END_TEST

struct pouring {
	const char *path;
	int fd;
};

static void *pour(void *arg)
{
	const struct pouring *p = arg;
	size_t len;
	char *bytes = test_load(p->path, &len);

	for (size_t done = 0; done < len;) {
		const ssize_t n = write(p->fd, bytes + done, len - done);

		TEST_ASSERT(n > 0);
		done += (size_t)n;
	}
	close(p->fd);
	free(bytes);
	return NULL;
}

START_TEST(progress_of_a_pipe_does_not_know_the_end)
{
	struct told told = told_of();
	struct pouring pouring;
	pthread_t thread;
	int ends[2];
	size_t len;

	pouring.path = make_image(&len);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pouring.fd = ends[1];
	ck_assert_int_ge(dup2(ends[0], STDIN_FILENO), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, pour, &pouring), 0);
	verify("-", thread_counts[_i], &told);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(told.first.all_bytes, 0);
	ck_assert_uint_eq(told.last.all_bytes, 0);
	ck_assert_uint_eq(told.last.done_bytes, len);
}
END_TEST

/* Only what stands behind the place where stdin is. */
START_TEST(progress_of_stdin_begins_where_it_stands)
{
	struct told told = told_of();
	size_t len;
	char *bytes = test_load(make_image(&len), &len);
	const char *path = test_path("behind");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(pwrite(fd, bytes, len, 5000), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 5000, SEEK_SET), 5000);
	ck_assert_int_ge(dup2(fd, STDIN_FILENO), 0);
	verify("-", 1, &told);
	assert_told(&told, len);
	free(bytes);
}
END_TEST

static Suite *progress_suite(void)
{
	Suite *suite = suite_create("progress");
	TCase *tc = tcase_create("progress");
	const int n = TEST_COUNT(thread_counts);

	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_test(tc, progress_never_goes_back_nor_past_the_end);
	tcase_add_loop_test(tc, progress_of_snapshot_is_memory, 0, n);
	tcase_add_loop_test(tc, progress_of_snapshot_counts_unreadable, 0, n);
	tcase_add_loop_test(tc,
		progress_of_snapshot_that_ends_early_says_how_far_it_came, 0,
		n);
	tcase_add_loop_test(
		tc, progress_of_conversion_is_of_the_image_that_is_read, 0, n);
	tcase_add_loop_test(tc, progress_of_verification_is_of_the_image, 0, n);
	tcase_add_loop_test(tc, progress_counts_what_is_damaged, 0, n);
	tcase_add_loop_test(tc, progress_of_a_pipe_does_not_know_the_end, 0, n);
	tcase_add_test(tc, progress_of_stdin_begins_where_it_stands);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(progress_suite)

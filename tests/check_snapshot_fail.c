/* SPDX-License-Identifier: MIT */
/*
 * Acquisitions of made-up machines that stop before their end, or are
 * refused before they begin: what is said, and what is left behind.
 */
#include "check_machine.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/cancel.h"
#include "check_kcore_file.h"
#include "check_wrap.h"

/* Blocks that a user may take; 0: as many as there are. */
static fsblkcnt_t blocks_free;

int WRAP64(statvfs)(const char *path, struct statvfs *fs)
{
	(void)path;
	memset(fs, 0, sizeof(*fs));
	fs->f_frsize = 1 << 20;
	fs->f_blocks = 1000;
	fs->f_bfree = 500;
	fs->f_bavail = blocks_free ? blocks_free : 500;
	return 0;
}

/* Of the image's file, when it is done. */
static int sync_error;

int WRAP(fsync)(int fd)
{
	(void)fd;
	errno = sync_error;
	return sync_error ? -1 : 0;
}

static struct test_image expected;
static struct events events;

static const char *iomem_file(const char *text)
{
	const char *path = test_path("iomem");

	test_make_file(path, text, strlen(text));
	return path;
}

/* One of the messages contains all of the text. */
static void assert_message(
	const struct avml_error *err, unsigned int i, const char *text)
{
	const char *message = avml_error_message(err, i);

	ck_assert_ptr_nonnull(message);
	ck_assert_msg(strstr(message, text) != NULL, "\"%s\" lacks \"%s\"",
		message, text);
}

/* --- asked to stop ----------------------------------------------------- */

static const unsigned int thread_counts[] = { 1, 2, 7 };

/* Asks for a stop when that many records are written. */
static struct {
	size_t after, count;
} stop;

static void stop_at_record(void *ctx, const struct avml_image_record *record)
{
	machine_on_record(ctx, record);
	if (++stop.count == stop.after)
		cancel_request(SIGTERM);
}

static void stop_at_range(void *ctx, struct avml_range range)
{
	machine_on_range(ctx, range);
	cancel_request(SIGINT);
}

/* After each record but the last, with each number of threads. */
START_TEST(snapshot_stopped_in_the_middle_leaves_whole_records)
{
	const size_t after = 1 + (size_t)_i / TEST_COUNT(thread_counts);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_events listeners = machine_listeners(&events);
	struct avml_snapshot_result result;
	struct avml_error err;

	stop.after = after;
	listeners.record = stop_at_record;
	options.threads = thread_counts[(size_t)_i % TEST_COUNT(thread_counts)];
	machine_image(&m, 4096, false, &expected);
	ck_assert_uint_gt(expected.count, after);
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EINTR);
	ck_assert_uint_eq(result.records, after);
	ck_assert_uint_eq(machine_count(&events, 'c'), after);
	assert_message(&err, 0, options.destination);
	assert_message(&err, 0,
		test_text("%zu whole records, %zu bytes", after,
			expected.records[after].offset));
	assert_message(&err, 1, "stopped by SIGTERM");
	test_image_assert_file(
		&expected, expected.records[after].offset, options.destination);
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_stopped_before_a_record_leaves_nothing_new)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_events listeners = machine_listeners(&events);
	struct avml_snapshot_result result;
	struct avml_error err;
	struct stat st;

	if (_i == 1)
		test_make_file(options.destination, "old", 3);
	listeners.range = stop_at_range;
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EINTR);
	ck_assert_uint_eq(machine_count(&events, 'c'), 0);
	ck_assert_uint_eq(result.records, 0);
	assert_message(&err, 1, "stopped by SIGINT");
	if (_i == 0) {
		assert_message(&err, 0, "was removed");
		ck_assert_int_eq(access(options.destination, F_OK), -1);
	} else {
		/* It was there before: only its bytes were ours. */
		assert_message(&err, 0, "0 whole records, 0 bytes");
		ck_assert_int_eq(stat(options.destination, &st), 0);
		ck_assert_int_eq(st.st_size, 0);
	}
}
END_TEST

static void stop_at_trimmed(void *ctx, struct avml_range range)
{
	machine_on_trimmed(ctx, range);
	cancel_request(SIGHUP);
}

/* Before the destination is touched, whatever is there. */
START_TEST(snapshot_stopped_early_changes_nothing)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_events listeners = machine_listeners(&events);
	struct stat before = { .st_ino = 0 }, after = { .st_ino = 0 };
	struct avml_snapshot_result result;
	struct avml_error err;

	if (_i > 0)
		test_make_file(options.destination, "old", 3);
	/* One of two names would make way for a new file. */
	if (_i > 1)
		ck_assert_int_eq(
			link(options.destination, test_path("other")), 0);
	stat(options.destination, &before);
	listeners.trimmed = stop_at_trimmed;
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EINTR);
	assert_message(&err, 0, "stopped by SIGHUP");
	stat(options.destination, &after);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(before.st_size, after.st_size);
	ck_assert_uint_eq(before.st_nlink, after.st_nlink);
}
END_TEST

/* --- the destination fails ---------------------------------------------- */

START_TEST(snapshot_full_disk_leaves_whole_records)
{
	/* In the header of the fourth record, and within its bytes. */
	static const rlim_t within[] = { 7, 100000 };
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;
	struct rlimit limit;
	size_t whole = 3, len;

	machine_image(&m, 4096, false, &expected);
	len = expected.records[whole].offset;
	limit.rlim_cur = limit.rlim_max = len + within[_i];
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	options.threads = 2;
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EFBIG);
	assert_message(&err, 0,
		test_text("cut back to its %zu whole records, %zu bytes", whole,
			len));
	assert_message(&err, 1, options.destination);
	assert_message(&err, 1,
		test_text("offset %llu", (unsigned long long)limit.rlim_cur));
	ck_assert_uint_eq(result.records, whole);
	test_image_assert_file(&expected, len, options.destination);
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_receiver_gone_ends_the_run)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	options.destination = test_text("/dev/fd/%d", ends[1]);
	options.threads = 7;
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EPIPE);
	assert_message(&err, 0, "it ended after 0 whole records, 0 bytes");
	assert_message(&err, 1, "receiver has gone away");
	close(ends[1]);
}
END_TEST

START_TEST(snapshot_full_device_ends_the_run)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	options.destination = "/dev/full";
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -ENOSPC);
	assert_message(&err, 0, "/dev/full is incomplete");
	assert_message(&err, 1, strerror(ENOSPC));
	ck_assert_int_eq(access("/dev/full", F_OK), 0);
}
END_TEST

START_TEST(snapshot_disk_that_does_not_confirm_is_told)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	sync_error = EIO;
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), -EIO);
	assert_message(&err, 0, "did not confirm");
	assert_message(&err, 0,
		test_text("%zu whole records, %zu bytes", expected.count,
			expected.len));
	assert_message(&err, 1, "cannot sync");
	test_image_assert_file(&expected, expected.len, options.destination);
	test_image_release(&expected);
}
END_TEST

/* --- refused ------------------------------------------------------------ */

/* What is wrong, in the options or in the machine. */
typedef void prepare_fn(
	struct avml_snapshot_options *options, struct machine *m);

static void no_iomem(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = NULL;
}

static void missing_iomem(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = test_path("missing");
}

static void hidden_iomem(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = iomem_file("00000000-00000000 : System RAM\n");
}

static void no_ram(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = iomem_file("00000000-00000fff : Reserved\n");
}

static void broken_ram(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = iomem_file("00002000-00001fff : Reserved\n"
				    "00002000-00000fff : System RAM\n");
}

static void no_whole_page(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->iomem = iomem_file("00001001-00002ffe : System RAM\n");
	options->page_size = 16384;
}

static void too_many_others(
	struct avml_snapshot_options *options, struct machine *m)
{
	static const struct avml_sink_input
		others[AVML_SNAPSHOT_OTHERS_MAX + 1];

	(void)m;
	options->others = others;
	options->other_count = TEST_COUNT(others);
}

static void missing_source(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->source = test_path("missing");
}

static void folder_source(
	struct avml_snapshot_options *options, struct machine *m)
{
	options->source = m->proc;
}

/* Nothing at any of the places that are probed. */
static void empty_source(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->source = test_path("empty");
	test_make_file(options->source, "", 0);
}

/* An image of memory is not memory. */
static void image_source(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->source = test_path("image");
	test_make_file(options->source, "EMiL\1", 6);
}

static void odd_page(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->page_size = 12288;
}

static void small_page(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->page_size = 2048;
}

static void large_page(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->page_size = 512 << 10;
}

static void no_kcore(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->source = NULL;
}

/* An iomem that was asked for is to be mended, not done without. */
static void kcore_and_hidden_iomem(
	struct avml_snapshot_options *options, struct machine *m)
{
	static const struct test_phdr segment = { 0x1000, 0x1000, 0x1000 };
	const int fd =
		test_kcore_create(test_text("%s/kcore", m->proc), &segment, 1);

	test_pwrite(fd, m->bytes + 0x1000, 0x1000, 0x1000);
	close(fd);
	options->source = NULL;
	hidden_iomem(options, m);
}

static void kcore_and_missing_iomem(
	struct avml_snapshot_options *options, struct machine *m)
{
	kcore_and_hidden_iomem(options, m);
	missing_iomem(options, m);
}

static void small_limit(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->max_disk_usage_mib = 19;
}

static void small_share(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->max_disk_usage_percentage = 50;
}

static void no_clobber(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->no_clobber = true;
	options->destination = test_path("old");
	test_make_file(options->destination, "old", 3);
}

static void onto_source(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->destination = options->source;
}

static void onto_iomem(struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->destination = options->iomem;
}

static void onto_hard_link(
	struct avml_snapshot_options *options, struct machine *m)
{
	ck_assert_int_eq(link(m->memory, options->destination), 0);
}

static void onto_link(struct avml_snapshot_options *options, struct machine *m)
{
	ck_assert_int_eq(symlink(m->iomem, options->destination), 0);
}

static void into_nowhere(
	struct avml_snapshot_options *options, struct machine *m)
{
	(void)m;
	options->destination = test_text("%s/image", test_path("missing"));
}

static const struct {
	const char *name;
	prepare_fn *prepare;
	int ret;
	const char *message;
} refusals[] = {
	{ "a file without ranges", no_iomem, -EINVAL, "--iomem" },
	{ "no such iomem", missing_iomem, -ENOENT, "cannot open" },
	{ "an iomem of zeros", hidden_iomem, -EPERM, "root" },
	{ "an iomem without RAM", no_ram, -ENODATA, "no System RAM" },
	{ "an iomem that makes no sense", broken_ram, -EINVAL,
		"before it begins" },
	{ "RAM without a whole page", no_whole_page, -ENODATA, "no page" },
	{ "no such source", missing_source, -ENOENT, "cannot open" },
	{ "a folder as source", folder_source, -EISDIR, "directory" },
	{ "a source that cannot be read", empty_source, -EIO,
		"ends before it" },
	{ "an image as source", image_source, -EINVAL, "image already" },
	{ "pages of three times 4 KiB", odd_page, -EINVAL, "12288" },
	{ "pages below 4 KiB", small_page, -EINVAL, "2048" },
	{ "pages above 256 KiB", large_page, -EINVAL, "524288" },
	{ "no source at all", no_kcore, -ENOENT, "does not exist" },
	{ "kcore, an iomem of zeros", kcore_and_hidden_iomem, -EPERM, "root" },
	{ "kcore, no such iomem", kcore_and_missing_iomem, -ENOENT,
		"cannot open" },
	{ "a limit of MiB", small_limit, -EDQUOT, "19 MiB" },
	{ "a limit of percent", small_share, -EDQUOT, "50.00 %" },
	{ "a file that is there", no_clobber, -EEXIST, "cannot create" },
	{ "onto the source", onto_source, -EINVAL, "same file" },
	{ "onto iomem", onto_iomem, -EINVAL, "same file" },
	{ "onto another name of the source", onto_hard_link, -EINVAL,
		"same file" },
	{ "onto a symbolic link", onto_link, -ELOOP, "symbolic link" },
	{ "beside too many files", too_many_others, -EINVAL, "more than 4" },
	{ "into no folder", into_nowhere, -ENOENT, "cannot create" },
};

START_TEST(snapshot_refused_changes_nothing)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct stat before = { .st_ino = 0 }, after = { .st_ino = 0 };
	struct avml_snapshot_result result;
	struct avml_error err;
	int ret;

	refusals[_i].prepare(&options, &m);
	lstat(options.destination, &before);
	ret = machine_snapshot(&options, &listeners, &result, &err);
	lstat(options.destination, &after);
	ck_assert_msg(ret == refusals[_i].ret, "%s: %d: %s", refusals[_i].name,
		ret, avml_error_message(&err, 0));
	assert_message(&err, 0, refusals[_i].message);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_int_eq(before.st_size, after.st_size);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	ck_assert_int_eq(before.st_ctim.tv_sec, after.st_ctim.tv_sec);
	ck_assert_int_eq(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	ck_assert_uint_eq(machine_count(&events, 'c'), 0);
	ck_assert_uint_eq(result.records, 0);
	ck_assert_uint_eq(result.written_bytes, 0);
}
END_TEST

/* A machine that runs has memory that is not zero; a file may be so. */
START_TEST(snapshot_live_memory_of_zeros_is_an_error)
{
	static const struct test_phdr segment = { 0x100000, 0x10000, 0x10000 };
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const char *kcore = test_text("%s/kcore", m.proc);
	struct avml_snapshot_result result;
	struct avml_error err;

	close(test_kcore_create(kcore, &segment, 1));
	ck_assert_int_eq(truncate(kcore, 0x20000), 0);
	options.source = NULL;
	options.iomem = iomem_file("00100000-0010ffff : System RAM\n");
	ck_assert_int_eq(machine_snapshot(&options, &listeners, &result, &err),
		-ENODATA);
	assert_message(&err, 0, "was removed");
	assert_message(&err, 1, kcore);
	ck_assert_int_eq(access(options.destination, F_OK), -1);
}
END_TEST

/* What might fit after all, thanks to zeros, is not refused. */
START_TEST(snapshot_little_room_is_a_warning)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	blocks_free = 15;
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), 0);
	ck_assert_uint_eq(machine_count(&events, 'w'), 1);
	ck_assert_ptr_nonnull(strstr(
		machine_find(&events, 'w', 0)->text, "might not fit: 15 MiB"));
	test_image_assert_file(&expected, expected.len, options.destination);
	test_image_release(&expected);
}
END_TEST

static Suite *snapshot_fail_suite(void)
{
	Suite *suite = suite_create("snapshot_fail");
	TCase *tc = tcase_create("snapshot_fail");

	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(tc,
		snapshot_stopped_in_the_middle_leaves_whole_records, 0,
		4 * TEST_COUNT(thread_counts));
	tcase_add_loop_test(
		tc, snapshot_stopped_before_a_record_leaves_nothing_new, 0, 2);
	tcase_add_loop_test(tc, snapshot_stopped_early_changes_nothing, 0, 3);
	tcase_add_loop_test(tc, snapshot_full_disk_leaves_whole_records, 0, 2);
	tcase_add_test(tc, snapshot_receiver_gone_ends_the_run);
	tcase_add_test(tc, snapshot_full_device_ends_the_run);
	tcase_add_test(tc, snapshot_disk_that_does_not_confirm_is_told);
	tcase_add_test(tc, snapshot_live_memory_of_zeros_is_an_error);
	tcase_add_loop_test(
		tc, snapshot_refused_changes_nothing, 0, TEST_COUNT(refusals));
	tcase_add_test(tc, snapshot_little_room_is_a_warning);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(snapshot_fail_suite)

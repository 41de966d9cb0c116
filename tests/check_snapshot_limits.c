/* SPDX-License-Identifier: MIT */
/*
 * Acquisitions that would harm their host, or whose image has no room: on
 * a made-up file system.
 */
#include "check_disk.h"
#include "check_kcore_file.h"
#include "check_machine.h"

static struct test_image expected;
static struct events events;

static struct avml_snapshot_options options_of(const struct machine *m)
{
	struct avml_snapshot_options options = machine_options(m);

	disk.available = 1000;
	disk.size = disk.free = 2000;
	/* Nothing is there. */
	options.dev_dir = test_text("%s", test_dir());
	return options;
}

static int run(const struct avml_snapshot_options *options,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);

	return machine_snapshot(options, &listeners, result, err);
}

static void assert_says(
	const struct avml_error *err, unsigned int i, const char *part)
{
	const char *message = avml_error_message(err, i);

	ck_assert_ptr_nonnull(message);
	ck_assert_msg(strstr(message, part) != NULL, "\"%s\" lacks \"%s\"",
		message, part);
}

/* --- room that stays free ------------------------------------------------- */

/* So many MiB may be written; the image has nearly 20 with all zeros. */
START_TEST(snapshot_min_free_leaves_whole_records)
{
	static const uint64_t rooms[] = { 1, 2, 5, 17, 19 };
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	const uint64_t room = rooms[_i];
	struct avml_error err;
	size_t whole = 0;

	options.keep_zeros = options.no_sparse = true;
	machine_image(&m, 4096, true, &expected);
	ck_assert_uint_gt(expected.len, 19 * MIB);
	/* A piece of 256 KiB is written in one, or not at all. */
	while (whole + 1 < expected.count &&
		expected.records[whole + 1].offset + (256 << 10) <= room * MIB)
		whole++;
	disk.available = 100 + room;
	options.min_free_mib = 100;
	/* What is written is taken from it. */
	disk.taken_by = options.destination;
	ck_assert_int_eq(run(&options, &result, &err), -ENOSPC);
	assert_says(&err, err.depth - 1, "--min-free");
	ck_assert_uint_ge(result.records, whole);
	ck_assert_uint_lt(result.records, expected.count);
	if (result.records == 0) {
		ck_assert_int_eq(access(options.destination, F_OK), -1);
	} else {
		test_image_assert_file(&expected,
			expected.records[result.records].offset,
			options.destination);
		ck_assert_uint_le(
			expected.records[result.records].offset, room * MIB);
	}
	/* It was announced. */
	ck_assert_uint_eq(machine_count(&events, 'w'), 1);
	ck_assert_ptr_nonnull(
		strstr(machine_find(&events, 'w', 0)->text, "might not fit"));
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_with_room_enough_is_whole)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	disk.available = 121;
	options.min_free_mib = 100;
	disk.taken_by = options.destination;
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(run(&options, &result, &err), 0);
	test_image_assert_file(&expected, expected.len, options.destination);
	ck_assert_uint_eq(machine_count(&events, 'w'), 0);
	test_image_release(&expected);
}
END_TEST

/* It is so already: nothing is begun. */
START_TEST(snapshot_below_min_free_is_refused)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	disk.available = 99;
	options.min_free_mib = 100;
	options.force = _i == 1;
	ck_assert_int_eq(run(&options, &result, &err), -ENOSPC);
	assert_says(&err, 0, "99 MiB are free");
	ck_assert_uint_eq(machine_count(&events, 'c'), 0);
	ck_assert_int_eq(access(options.destination, F_OK), -1);
}
END_TEST

START_TEST(snapshot_min_free_of_a_stream_is_refused)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	options.destination = test_text("/dev/fd/%d", ends[1]);
	options.min_free_mib = 1;
	ck_assert_int_eq(run(&options, &result, &err), -ENOTSUP);
	assert_says(&err, 0, "--min-free");
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* --- what cannot fit ------------------------------------------------------ */

/* By its own proc, which tells how much of memory is free. */
START_TEST(snapshot_that_cannot_fit_is_refused)
{
	static const char meminfo[] = "MemTotal: 9999999 kB\nMemFree: 9 kB\n";
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	test_make_file(
		test_text("%s/meminfo", m.proc), meminfo, sizeof(meminfo) - 1);
	disk.available = options.min_free_mib = 100;
	ck_assert_int_eq(run(&options, &result, &err), -ENOSPC);
	assert_says(&err, 0, "cannot fit");
	ck_assert_int_eq(access(options.destination, F_OK), -1);
	/* It may be tried all the same, and ends where the room does. */
	options.force = true;
	ck_assert_int_eq(run(&options, &result, &err), -ENOSPC);
	assert_says(&err, 0, "nothing was written");
	assert_says(&err, 1, "--min-free");
}
END_TEST

/* Of which nothing is known may come to nothing. */
START_TEST(snapshot_of_a_file_of_holes_may_fit)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	options.source = test_path("holes");
	test_make_file(options.source, "", 0);
	ck_assert_int_eq(truncate(options.source, MACHINE_SIZE), 0);
	disk.available = options.min_free_mib = 100;
	ck_assert_int_eq(run(&options, &result, &err), 0);
	ck_assert_uint_eq(result.records, 0);
}
END_TEST

/*
 * A kcore that is said to lie on a proc: then it is this machine's memory,
 * and the machine is used by what is written.
 */
static void host_kcore(
	const struct machine *m, struct avml_snapshot_options *options)
{
	static const struct test_phdr segment = { 0x200000, 0x1100000,
		0x10000 };
	const char *path = test_text("%s/kcore", m->proc);
	const char *iomem = "00200000-012fffff : System RAM\n";
	const int fd = test_kcore_create(path, &segment, 1);

	for (uint64_t at = 0; at < segment.len; at += 4096) {
		if (!test_all_zero(m->bytes + segment.paddr + at, 4096))
			test_pwrite(fd, m->bytes + segment.paddr + at, 4096,
				segment.offset + at);
	}
	close(fd);
	/* Its end may be a hole. */
	ck_assert_int_eq(
		truncate(path, (off_t)(segment.offset + segment.len)), 0);
	disk.open_type = PROC_SUPER_MAGIC;
	options->source = "kcore";
	options->iomem = test_path("iomem");
	test_make_file(options->iomem, iomem, strlen(iomem));
}

/*
 * Of 17 MiB so much is free, and so may be zeros: a 22nd of the rest. Or
 * less than 17 MiB is memory that was ever used.
 */
#define ALL "MemTotal: 99999999 kB\n"
static const struct {
	const char *meminfo; /* NULL: none */
	bool fits;
} frees[] = {
	{ NULL, true },
	{ "MemFree: 0 kB\n", true },
	{ ALL, false },
	{ ALL "MemFree: 17000 kB\n", false },
	{ ALL "MemFree: 17408 kB\n", true },
	{ ALL "MemFree: 99999999 kB\n", true },
	{ "MemTotal: 5000 kB\nMemFree: 4000 kB\n", false },
	{ "MemTotal: 5000 kB\nMemFree: 5000 kB\n", true },
	{ ALL "MemFree: 9 kB\nHugePages_Free: 8\nHugepagesize: 2048 kB\n",
		false },
	{ ALL "MemFree: 9 kB\nHugePages_Free: 9\nHugepagesize: 2048 kB\n",
		true },
	{ ALL "MemFree: 9 kB\nHugePages_Free: 9\n"
	      "Hugepagesize: 99999999999999999 kB\n",
		true },
};

START_TEST(snapshot_of_this_machine_takes_what_is_not_free)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	host_kcore(&m, &options);
	if (frees[_i].meminfo)
		test_make_file(test_text("%s/meminfo", m.proc),
			frees[_i].meminfo, strlen(frees[_i].meminfo));
	disk.available = options.min_free_mib = 100;
	ck_assert_int_eq(run(&options, &result, &err), -ENOSPC);
	/* Either at once, or when there is something to be written. */
	if (frees[_i].fits)
		assert_says(&err, 0, "nothing was written");
	else
		assert_says(&err, 0, "cannot fit");
	ck_assert_int_eq(access(options.destination, F_OK), -1);
}
END_TEST

/* --- in memory ------------------------------------------------------------ */

START_TEST(snapshot_of_this_machine_into_its_memory_is_refused)
{
	static const long types[] = { TMPFS_MAGIC, RAMFS_MAGIC };
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	host_kcore(&m, &options);
	disk.type = types[_i];
	ck_assert_int_eq(run(&options, &result, &err), -EINVAL);
	assert_says(&err, 0, "tmpfs or ramfs");
	assert_says(&err, 0, options.destination);
	ck_assert_int_eq(access(options.destination, F_OK), -1);
	options.force = true;
	ck_assert_int_eq(run(&options, &result, &err), 0);
	ck_assert_uint_gt(result.records, 0);
	/* That it is this machine's was believed. */
	ck_assert_uint_ge(machine_count(&events, 'w'), 1);
	ck_assert_ptr_nonnull(
		strstr(machine_find(&events, 'w', 0)->text, "kpageflags"));
}
END_TEST

/* A copy of another's memory may be turned into an image anywhere. */
START_TEST(snapshot_of_a_copy_into_memory_is_written)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = options_of(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	disk.type = TMPFS_MAGIC;
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(run(&options, &result, &err), 0);
	test_image_assert_file(&expected, expected.len, options.destination);
	ck_assert_uint_eq(machine_count(&events, 'w'), 0);
	test_image_release(&expected);
}
END_TEST

static Suite *snapshot_limits_suite(void)
{
	Suite *suite = suite_create("snapshot_limits");
	TCase *tc = tcase_create("snapshot_limits");

	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(tc, snapshot_min_free_leaves_whole_records, 0, 5);
	tcase_add_test(tc, snapshot_with_room_enough_is_whole);
	tcase_add_loop_test(tc, snapshot_below_min_free_is_refused, 0, 2);
	tcase_add_test(tc, snapshot_min_free_of_a_stream_is_refused);
	tcase_add_test(tc, snapshot_that_cannot_fit_is_refused);
	tcase_add_test(tc, snapshot_of_a_file_of_holes_may_fit);
	tcase_add_loop_test(tc, snapshot_of_this_machine_takes_what_is_not_free,
		0, TEST_COUNT(frees));
	tcase_add_loop_test(
		tc, snapshot_of_this_machine_into_its_memory_is_refused, 0, 2);
	tcase_add_test(tc, snapshot_of_a_copy_into_memory_is_written);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(snapshot_limits_suite)

/* SPDX-License-Identifier: MIT */
/*
 * Acquisitions of made-up machines, from the options to the bytes of the
 * image. pread() is this program's own: some of the memory is bad.
 */
#include "check_machine.h"

#include <sys/resource.h>

#include <avml/pipeline.h>
#include <avml/source.h>

#include "check_kcore_file.h"
#include "check_wrap.h"

/* File offsets that give an error; none at first. */
static struct {
	uint64_t from, to;
	int error;
} bad[4];

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	const uint64_t at = (uint64_t)offset;

	for (size_t i = 0; i < TEST_COUNT(bad); i++) {
		if (at >= bad[i].from && at < bad[i].to) {
			errno = bad[i].error;
			return -1;
		}
		if (at < bad[i].from && at + len > bad[i].from)
			len = bad[i].from - at;
	}
	return REAL64(pread)(fd, buf, len, offset);
}

static const unsigned int thread_counts[] = { 1, 2, 7 };
static const size_t page_sizes[] = { 4096, 16384, 65536 };

static struct test_image expected;
static struct events events;

/* A run that goes well, and gives the image that is expected. */
static struct avml_snapshot_result run_well(
	const struct avml_snapshot_options *options)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct avml_snapshot_result result;
	struct avml_error err;
	const int ret = machine_snapshot(options, &listeners, &result, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	test_image_assert_file(&expected, expected.len, options->destination);
	ck_assert_uint_eq(result.written_bytes, expected.len);
	ck_assert_uint_eq(result.records, expected.count);
	ck_assert_uint_eq(result.dropped_bytes, expected.dropped);
	ck_assert_uint_eq(machine_count(&events, 'c'), expected.count);
	for (size_t i = 0; i < expected.count; i++)
		machine_assert_event(&events, 'c', i,
			expected.records[i].range.start,
			expected.records[i].range.end,
			expected.records[i].offset);
	return result;
}

/* The ranges, and what was cut off them, are told before anything else. */
static void assert_ranges_told(
	const struct avml_snapshot_result *result, uint64_t page)
{
	uint64_t bytes = 0, trimmed_bytes = 0;
	size_t ranges = 0, trimmed = 0;

	for (size_t i = 0; i < TEST_COUNT(machine_ram); i++) {
		const struct avml_range ram = machine_ram[i];
		const struct avml_range whole = machine_whole(ram, page);

		if (ram.start < whole.start)
			machine_assert_event(&events, 't', trimmed++, ram.start,
				whole.start, 0);
		if (whole.end < ram.end)
			machine_assert_event(
				&events, 't', trimmed++, whole.end, ram.end, 0);
		if (whole.start < whole.end)
			machine_assert_event(&events, 'r', ranges++,
				whole.start, whole.end, 0);
		bytes += avml_range_len(whole);
		trimmed_bytes += avml_range_len(ram) - avml_range_len(whole);
	}
	ck_assert_uint_eq(machine_count(&events, 'r'), ranges);
	ck_assert_uint_eq(machine_count(&events, 't'), trimmed);
	/* And the one source that was tried, between the two kinds. */
	for (size_t i = 0; i < trimmed; i++)
		ck_assert_int_eq(events.log[i].kind, 't');
	ck_assert_int_eq(events.log[trimmed].kind, 's');
	for (size_t i = 0; i < ranges; i++)
		ck_assert_int_eq(events.log[trimmed + 1 + i].kind, 'r');
	ck_assert_uint_eq(machine_count(&events, 's'), 1);
	machine_assert_event(&events, 's', 0, true, 0, AVML_SOURCE_USABLE);
	ck_assert_str_eq(machine_find(&events, 's', 0)->text, result->source);
	ck_assert_uint_eq(result->ranges, ranges);
	ck_assert_uint_eq(result->read_bytes, bytes);
	ck_assert_uint_eq(result->ram_bytes, bytes);
	ck_assert_uint_eq(result->trimmed_bytes, trimmed_bytes);
}

static const struct {
	size_t page_size;
	unsigned int threads;
	int ways; /* of the two flags; some make large images */
} runs[] = { { 4096, 1, 1 }, { 4096, 2, 4 }, { 4096, 7, 1 }, { 16384, 7, 2 },
	{ 65536, 7, 1 } };

START_TEST(snapshot_image_equals_a_naive_writers)
{
	const size_t page = runs[_i].page_size;
	struct machine m = machine_new();

	for (int way = 0; way < runs[_i].ways; way++) {
		struct avml_snapshot_options options = machine_options(&m);
		struct avml_snapshot_result result;

		options.page_size = page;
		options.threads = runs[_i].threads;
		options.keep_zeros = way & 1;
		options.no_sparse = way & 2;
		machine_image(&m, page, options.keep_zeros, &expected);
		result = run_well(&options);
		assert_ranges_told(&result, page);
		ck_assert_str_eq(result.source, m.memory);
		ck_assert_uint_eq(result.unreadable_bytes, 0);
		ck_assert_uint_eq(result.uncovered_bytes, 0);
		ck_assert_uint_eq(machine_count(&events, 'u'), 0);
		ck_assert_uint_eq(machine_count(&events, 'w'), 0);
		if (options.no_sparse)
			ck_assert_uint_eq(result.hole_bytes, 0);
		else
			ck_assert_uint_gt(result.hole_bytes, 0);
		test_image_release(&expected);
		ck_assert_int_eq(unlink(options.destination), 0);
	}
}
END_TEST

START_TEST(snapshot_large_range_is_cut_into_blocks)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const char *iomem = "03500000-056234ff : System RAM\n";

	options.iomem = test_path("iomem");
	options.threads = _i ? 7 : 1;
	test_make_file(options.iomem, iomem, strlen(iomem));
	test_image_range(&expected, machine_whole(machine_large, 4096),
		m.bytes + machine_large.start, 16 << 20, false);
	/* The one in the middle is all zeros. */
	ck_assert_uint_eq(expected.count, 2);
	ck_assert_uint_eq(run_well(&options).dropped_bytes, 16 << 20);
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_holes_are_exactly_the_long_zero_runs)
{
	/* Whole 4 KiB units of zeros, of which there are 64 KiB or more. */
	static const uint64_t zeros[] = { 0x1241000 - 0x1231000,
		0x1253000 - 0x1242000, 0x1300000 - 0x1254000,
		0x1312000 - 0x1301000 };
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const char *iomem = "01200000-01322fff : System RAM\n";
	const struct avml_range ram = { 0x1200000, 0x1323000 };
	uint64_t holes = 0;

	for (size_t i = 0; i < TEST_COUNT(zeros); i++)
		holes += zeros[i];
	options.iomem = test_path("iomem");
	test_make_file(options.iomem, iomem, strlen(iomem));
	test_image_range(&expected, ram, m.bytes + ram.start, 16 << 20, false);
	ck_assert_uint_eq(run_well(&options).hole_bytes, holes);
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_default_threads_and_no_listener_work)
{
	const struct avml_snapshot_events nobody = { .ctx = NULL };
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;

	options.threads = 0;
	/* What is not there is no reason to fail. */
	bad[0].from = 0x1200000;
	bad[0].to = 0x1210000;
	bad[0].error = EIO;
	memset(m.bytes + 0x1200000, 0, 0x10000);
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(machine_snapshot(&options, &nobody, &result, &err), 0);
	test_image_assert_file(&expected, expected.len, options.destination);
	ck_assert_uint_eq(result.unreadable_bytes, 0x10000);
	test_image_release(&expected);
}
END_TEST

/* More than the library has room for: fewer, or an error, but no overflow. */
START_TEST(snapshot_too_many_threads_do_no_harm)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;
	int ret;

	options.threads = AVML_PIPELINE_THREADS_MAX + (_i ? 136 : 1);
	machine_image(&m, 4096, false, &expected);
	ret = machine_snapshot(&options, &listeners, &result, &err);
	ck_assert(ret == 0 || ret == -EINVAL);
	if (ret == 0)
		test_image_assert_file(
			&expected, expected.len, options.destination);
	test_image_release(&expected);
}
END_TEST

/* Each thread wants a descriptor; the image needs one too. */
START_TEST(snapshot_few_descriptors_are_enough)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const int next = dup(STDOUT_FILENO);
	const rlim_t most = (rlim_t)next + 1 + (rlim_t)_i;
	const struct rlimit limit = { most, most };

	ck_assert_int_ge(next, 0);
	close(next);
	options.threads = 7;
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	run_well(&options);
	test_image_release(&expected);
}
END_TEST

struct drain {
	int fd;
	struct test_image image;
};

static void *drain(void *arg)
{
	struct drain *d = arg;
	char part[65536];

	for (ssize_t n; (n = read(d->fd, part, sizeof(part))) > 0;)
		test_image_append(&d->image, part, (size_t)n);
	return NULL;
}

START_TEST(snapshot_stream_gets_the_same_bytes)
{
	const struct avml_snapshot_events listeners =
		machine_listeners(&events);
	static struct drain d;
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	struct avml_error err;
	pthread_t thread;
	int ends[2];

	options.threads = thread_counts[_i];
	machine_image(&m, 4096, false, &expected);
	ck_assert_int_eq(pipe(ends), 0);
	d.fd = ends[0];
	options.destination = test_text("/dev/fd/%d", ends[1]);
	ck_assert_int_eq(pthread_create(&thread, NULL, drain, &d), 0);
	ck_assert_int_eq(
		machine_snapshot(&options, &listeners, &result, &err), 0);
	close(ends[1]);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	close(ends[0]);
	ck_assert_uint_eq(d.image.len, expected.len);
	ck_assert(memcmp(d.image.bytes, expected.bytes, expected.len) == 0);
	ck_assert_uint_eq(result.hole_bytes, 0);
	test_image_release(&d.image);
	test_image_release(&expected);
}
END_TEST

/* --- memory that cannot be read ----------------------------------------- */

static void make_bad(size_t i, uint64_t from, uint64_t to, int error,
	const struct machine *m)
{
	bad[i].from = from;
	bad[i].to = to;
	bad[i].error = error;
	memset(m->bytes + from, 0, to - from);
}

START_TEST(snapshot_unreadable_pages_are_zeros_and_told_together)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	uint64_t told = 0;

	/* Over the border of blocks; another reason; of pieces; at the end. */
	make_bad(0, 0x11f0000, 0x1210000, EFAULT, &m);
	make_bad(1, 0x1210000, 0x1220000, EIO, &m);
	make_bad(2, 0x1230000, 0x1250000, EIO, &m);
	make_bad(3, 0x3410000, 0x3420000, EIO, &m);
	options.page_size = page_sizes[_i];
	options.threads = thread_counts[_i];
	machine_image(&m, options.page_size, false, &expected);
	result = run_well(&options);
	ck_assert_uint_eq(machine_count(&events, 'u'), TEST_COUNT(bad));
	for (size_t i = 0; i < TEST_COUNT(bad); i++) {
		machine_assert_event(&events, 'u', i, bad[i].from, bad[i].to,
			(uint64_t)bad[i].error);
		told += bad[i].to - bad[i].from;
	}
	ck_assert_uint_eq(result.unreadable_bytes, told);
	ck_assert_uint_eq(result.uncovered_bytes, 0);
	assert_ranges_told(&result, options.page_size);
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_source_that_ends_early_is_zeros_from_there)
{
	/* Within a page, whose first part is kept. */
	const uint64_t end = 0x1312801;
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;

	options.source = test_path("short");
	machine_write_memory(&m, options.source);
	ck_assert_int_eq(truncate(options.source, (off_t)end), 0);
	memset(m.bytes + end, 0, MACHINE_SIZE - end);
	options.threads = thread_counts[_i];
	machine_image(&m, 4096, false, &expected);
	result = run_well(&options);
	machine_assert_event(
		&events, 'u', 0, 0x1312000, 0x1323000, AVML_PAGE_END);
	machine_assert_event(
		&events, 'u', 1, 0x3000000, 0x3040000, AVML_PAGE_END);
	machine_assert_event(
		&events, 'u', 2, 0x3101000, 0x31ff000, AVML_PAGE_END);
	machine_assert_event(
		&events, 'u', 3, 0x3400000, 0x3420000, AVML_PAGE_END);
	ck_assert_uint_eq(machine_count(&events, 'u'), 4);
	ck_assert_uint_eq(
		result.unreadable_bytes, 0x11000 + 0x40000 + 0xfe000 + 0x20000);
	test_image_release(&expected);
}
END_TEST

/* --- kcore ---------------------------------------------------------------- */

/* Where each part of memory is in kcore; text lies over the direct map. */
static const struct test_phdr segments[] = {
	{ 0x1200000, 0x8000, 0x9000000 },
	{ UINT64_MAX, 0x1000, 0x8000000 },
	{ 0x1000, 0x9e000, 0x10000 },
	{ 0x200000, 0x1010000, 0x100000 },
	/* 0x1210000-0x1220000 is in no segment. */
	{ 0x1220000, 0x103000, 0x2200000 },
	{ 0x3000000, 0x40000, 0x2400000 },
	{ 0x3101000, 0xfe000, 0x2500000 },
	/* Of 0x3400000-0x3420000 there is only a part. */
	{ 0x340c000, 0x8000, 0x2700000 },
};

static const struct avml_range covered[] = { { 0x1000, 0x9f000 },
	{ 0x200000, 0x1210000 }, { 0x1220000, 0x1323000 },
	{ 0x3000000, 0x3040000 }, { 0x3101000, 0x31ff000 },
	{ 0x340c000, 0x3414000 } };

static void make_kcore(const struct machine *m)
{
	static const char wrong[0x8000] = "text is not to be read from here";
	const int fd = test_kcore_create(
		test_text("%s/kcore", m->proc), segments, TEST_COUNT(segments));

	test_pwrite(fd, wrong, sizeof(wrong), segments[0].offset);
	for (size_t i = 2; i < TEST_COUNT(segments); i++) {
		const uint8_t *bytes = m->bytes + segments[i].paddr;

		for (uint64_t at = 0; at < segments[i].len; at += 4096) {
			if (!test_all_zero(bytes + at, 4096))
				test_pwrite(fd, bytes + at, 4096,
					segments[i].offset + at);
		}
	}
	close(fd);
}

static void covered_image(const struct machine *m)
{
	for (size_t i = 0; i < TEST_COUNT(covered); i++)
		test_image_range(&expected, covered[i],
			m->bytes + covered[i].start, 16 << 20, false);
}

START_TEST(snapshot_kcore_reads_what_is_ram_and_covered)
{
	static const char *const sources[] = { NULL, "kcore", "/proc/kcore" };
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;

	make_kcore(&m);
	options.source = sources[_i];
	options.threads = thread_counts[_i];
	/* One of them with the iomem of the same proc. */
	options.iomem = _i ? NULL : m.iomem;
	covered_image(&m);
	result = run_well(&options);
	ck_assert_str_eq(result.source, test_text("%s/kcore", m.proc));
	ck_assert_uint_eq(result.ranges, TEST_COUNT(covered));
	for (size_t i = 0; i < TEST_COUNT(covered); i++)
		machine_assert_event(
			&events, 'r', i, covered[i].start, covered[i].end, 0);
	ck_assert_uint_eq(machine_count(&events, 'u'), 3);
	machine_assert_event(
		&events, 'u', 0, 0x1210000, 0x1220000, AVML_PAGE_UNCOVERED);
	machine_assert_event(
		&events, 'u', 1, 0x3400000, 0x340c000, AVML_PAGE_UNCOVERED);
	machine_assert_event(
		&events, 'u', 2, 0x3414000, 0x3420000, AVML_PAGE_UNCOVERED);
	ck_assert_uint_eq(result.uncovered_bytes, 0x10000 + 0xc000 + 0xc000);
	ck_assert_uint_eq(result.unreadable_bytes, result.uncovered_bytes);
	ck_assert_uint_eq(
		result.ram_bytes, result.read_bytes + result.uncovered_bytes);
	test_image_release(&expected);
}
END_TEST

/* What Linux shows to those who may not see, and no file at all. */
START_TEST(snapshot_kcore_without_iomem_tells_its_own_ranges)
{
	static const char hidden[] = "00000000-00000000 : Reserved\n"
				     "00000000-00000000 : System RAM\n";
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	struct avml_snapshot_result result;
	const char *warning;

	make_kcore(&m);
	ck_assert_int_eq(unlink(m.iomem), 0);
	if (_i == 1)
		test_make_file(m.iomem, hidden, sizeof(hidden) - 1);
	options.source = NULL;
	options.iomem = NULL;
	covered_image(&m);
	result = run_well(&options);
	ck_assert_uint_eq(result.ranges, TEST_COUNT(covered));
	ck_assert_uint_eq(result.uncovered_bytes, 0);
	ck_assert_uint_eq(result.trimmed_bytes, 0);
	ck_assert_uint_eq(machine_count(&events, 'w'), 1);
	warning = machine_find(&events, 'w', 0)->text;
	ck_assert_ptr_nonnull(strstr(warning, m.iomem));
	ck_assert_ptr_nonnull(strstr(warning, "taken for RAM"));
	test_image_release(&expected);
}
END_TEST

/* --- what is said -------------------------------------------------------- */

START_TEST(snapshot_of_zeros_writes_no_record_and_says_so)
{
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const char *iomem = "00300000-003fffff : System RAM\n";
	const struct avml_range ram = { 0x300000, 0x400000 };

	options.iomem = test_path("iomem");
	options.keep_zeros = _i == 1;
	test_make_file(options.iomem, iomem, strlen(iomem));
	test_image_range(&expected, ram, m.bytes + ram.start, 16 << 20,
		options.keep_zeros);
	run_well(&options);
	ck_assert_uint_eq(machine_count(&events, 'w'), _i == 1 ? 0 : 1);
	if (_i == 0)
		ck_assert_ptr_nonnull(strstr(
			machine_find(&events, 'w', 0)->text, "no record"));
	test_image_release(&expected);
}
END_TEST

START_TEST(snapshot_strange_lines_of_iomem_are_told)
{
	static const char iomem[] = "00001000-00002fff : System RAM\n"
				    "what is this\n"
				    "and this\n";
	const struct avml_range ram = { 0x1000, 0x3000 };
	struct machine m = machine_new();
	struct avml_snapshot_options options = machine_options(&m);
	const char *warning;

	options.iomem = test_path("iomem");
	test_make_file(options.iomem, iomem, sizeof(iomem) - 1);
	test_image_range(&expected, ram, m.bytes + ram.start, 16 << 20, false);
	run_well(&options);
	ck_assert_uint_eq(machine_count(&events, 'w'), 1);
	warning = machine_find(&events, 'w', 0)->text;
	ck_assert_ptr_nonnull(strstr(warning, options.iomem));
	ck_assert_ptr_nonnull(strstr(warning, ": 2,"));
	ck_assert_ptr_nonnull(strstr(warning, "line 2"));
	test_image_release(&expected);
}
END_TEST

static Suite *snapshot_suite(void)
{
	Suite *suite = suite_create("snapshot");
	TCase *tc = tcase_create("whole");
	const int threads = TEST_COUNT(thread_counts);

	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(
		tc, snapshot_image_equals_a_naive_writers, 0, TEST_COUNT(runs));
	tcase_add_loop_test(tc, snapshot_large_range_is_cut_into_blocks, 0, 2);
	tcase_add_test(tc, snapshot_holes_are_exactly_the_long_zero_runs);
	tcase_add_test(tc, snapshot_default_threads_and_no_listener_work);
	tcase_add_loop_test(tc, snapshot_too_many_threads_do_no_harm, 0, 2);
	tcase_add_loop_test(tc, snapshot_few_descriptors_are_enough, 1, 3);
	tcase_add_loop_test(
		tc, snapshot_stream_gets_the_same_bytes, 1, threads);
	suite_add_tcase(suite, tc);
	tc = tcase_create("unreadable");
	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(tc,
		snapshot_unreadable_pages_are_zeros_and_told_together, 0,
		threads);
	tcase_add_loop_test(tc,
		snapshot_source_that_ends_early_is_zeros_from_there, 0,
		threads);
	suite_add_tcase(suite, tc);
	tc = tcase_create("kcore");
	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(
		tc, snapshot_kcore_reads_what_is_ram_and_covered, 0, threads);
	tcase_add_loop_test(
		tc, snapshot_kcore_without_iomem_tells_its_own_ranges, 0, 2);
	suite_add_tcase(suite, tc);
	tc = tcase_create("told");
	tcase_add_unchecked_fixture(tc, machine_setup, machine_teardown);
	tcase_add_loop_test(
		tc, snapshot_of_zeros_writes_no_record_and_says_so, 0, 2);
	tcase_add_test(tc, snapshot_strange_lines_of_iomem_are_told);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(snapshot_suite)

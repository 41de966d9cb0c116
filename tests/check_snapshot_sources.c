/* SPDX-License-Identifier: MIT */
/*
 * Acquisitions of a made-up machine with several sources: which bytes come
 * from where, in pages of every size. See check_tree.h.
 */
#include "check_tree.h"

#include <avml/snapshot.h>

#include "check_image.h"

/* Whole pages, of whatever size. */
static const char iomem[] = "00010000-0008ffff : System RAM\n"
			    "00100000-0013ffff : System RAM\n";
static const struct avml_range ram[] = { { 0x10000, 0x90000 },
	{ 0x100000, TREE_END } };

#define EVENTS_MAX 32

static struct {
	struct verdicts verdicts;
	size_t warnings, unreadable, filled;
	char warning[512];
	struct {
		struct avml_range range;
		unsigned int status;
	} pages[EVENTS_MAX];
	struct {
		struct avml_range range;
		char path[TEST_PATH_MAX];
	} fillings[EVENTS_MAX];
} told;

static struct test_image expected;

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	told.warnings++;
	snprintf(told.warning, sizeof(told.warning), "%s", text);
}

static void on_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	(void)ctx;
	ck_assert_uint_lt(told.unreadable, EVENTS_MAX);
	told.pages[told.unreadable].range = range;
	told.pages[told.unreadable++].status = status;
}

static void on_filled(void *ctx, struct avml_range range, const char *path)
{
	(void)ctx;
	ck_assert_uint_lt(told.filled, EVENTS_MAX);
	told.fillings[told.filled].range = range;
	snprintf(told.fillings[told.filled++].path, TEST_PATH_MAX, "%s", path);
}

static void on_source(void *ctx, const struct avml_source_verdict *verdict)
{
	(void)ctx;
	tree_on_verdict(&told.verdicts, verdict);
}

static struct avml_snapshot_options options_of(const struct tree *t)
{
	return (struct avml_snapshot_options){
		.destination = test_path("image"),
		.proc_dir = t->proc,
		.dev_dir = t->dev,
		.page_size = 4096,
		.threads = 1,
	};
}

static struct tree machine_with(unsigned int with)
{
	struct tree t = tree_new(with);

	test_make_file(test_text("%s/iomem", t.proc), iomem, sizeof(iomem) - 1);
	return t;
}

static int run(const struct avml_snapshot_options *options,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	const struct avml_snapshot_events events = {
		.warning = on_warning,
		.unreadable = on_unreadable,
		.filled = on_filled,
		.source = on_source,
	};

	/* Nothing of this machine's, whatever a test leaves out. */
	ck_assert(
		strncmp(options->proc_dir, test_root, strlen(test_root)) == 0);
	ck_assert(strncmp(options->dev_dir, test_root, strlen(test_root)) == 0);
	memset(&told, 0, sizeof(told));
	*err = (struct avml_error)AVML_ERROR_INIT;
	return avml_snapshot(options, &events, result, err);
}

static struct avml_snapshot_result run_well(
	const struct avml_snapshot_options *options)
{
	struct avml_snapshot_result result;
	struct avml_error err;
	const int ret = run(options, &result, &err);

	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	return result;
}

/* What memory must have become: who gave which page, by the first byte. */
static uint8_t memory[TREE_END];

static void give(uint64_t from, uint64_t to, uint8_t twist)
{
	for (uint64_t at = from; at < to; at++)
		memory[at] = byte_at(at) ^ twist;
}

static void take(uint64_t from, uint64_t to)
{
	memset(memory + from, 0, to - from);
}

static void assert_image(const char *path)
{
	memset(&expected, 0, sizeof(expected));
	for (size_t i = 0; i < TEST_COUNT(ram); i++)
		test_image_range(&expected, ram[i], memory + ram[i].start,
			16 << 20, false);
	test_image_assert_file(&expected, expected.len, path);
	test_image_release(&expected);
}

static void assert_unreadable(
	size_t i, uint64_t start, uint64_t end, unsigned int status)
{
	ck_assert_uint_lt(i, told.unreadable);
	ck_assert_msg(told.pages[i].range.start == start &&
			      told.pages[i].range.end == end &&
			      told.pages[i].status == status,
		"%zu: 0x%llx-0x%llx %u", i,
		(unsigned long long)told.pages[i].range.start,
		(unsigned long long)told.pages[i].range.end,
		told.pages[i].status);
}

static const struct {
	size_t page;
	unsigned int threads;
} ways[] = { { 4096, 1 }, { 4096, 4 }, { 16384, 1 }, { 16384, 3 }, { 65536, 1 },
	{ 65536, 3 } };

/* Marks, faults and fillings in one run. */
START_TEST(snapshot_of_several_sources_has_the_best_of_each)
{
	static uint64_t words[TREE_END / 4096];
	const size_t page = ways[_i].page;
	struct tree t = machine_with(7);
	struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;

	options.page_size = page;
	options.threads = ways[_i].threads;
	words[0x20000 / page] = 1 << 19;
	words[0x30000 / page] = 1 << 23;
	words[0x80000 / page] = 1 << 20;
	words[0x110000 / page] = 1 << 19;
	words[0x110000 / page + 1] = page < 65536 ? 1 << 19 : 0;
	test_make_file(
		test_text("%s/kpageflags", t.proc), words, sizeof(words));
	/* From kcore, from mem, from nobody. */
	tree_break(&t, CRASH, 0x40000, 0x40001, EFAULT);
	tree_break(&t, CRASH, 0x50000, 0x50001, EFAULT);
	tree_break(&t, KCORE, 0x50000, 0x50001, EIO);
	tree_break(&t, CRASH, 0x130000, 0x130001, EFAULT);
	tree_break(&t, KCORE, 0x130000, 0x130001, EIO);
	tree_break(&t, MEM, 0x130000, 0x130001, EPERM);
	give(0, TREE_END, tree_twists[CRASH]);
	give(0x40000, 0x40000 + page, tree_twists[KCORE]);
	give(0x50000, 0x50000 + page, tree_twists[MEM]);
	take(0x20000, 0x20000 + page);
	take(0x30000, 0x30000 + page);
	take(0x80000, 0x80000 + page);
	take(0x110000, 0x110000 + (page < 65536 ? 2 * page : page));
	take(0x130000, 0x130000 + page);
	result = run_well(&options);
	assert_image(options.destination);
	ck_assert_str_eq(result.source, t.paths[CRASH]);
	ck_assert_uint_eq(result.filled_bytes, 2 * page);
	ck_assert_uint_eq(
		result.unreadable_bytes, (page < 65536 ? 6 : 5) * page);
	ck_assert_uint_eq(result.uncovered_bytes, 0);
	ck_assert_uint_eq(told.unreadable, 5);
	assert_unreadable(0, 0x20000, 0x20000 + page, AVML_PAGE_POISONED);
	assert_unreadable(1, 0x30000, 0x30000 + page, AVML_PAGE_OFFLINE);
	assert_unreadable(2, 0x80000, 0x80000 + page, AVML_PAGE_NO_PAGE);
	assert_unreadable(3, 0x110000,
		0x110000 + (page < 65536 ? 2 * page : page),
		AVML_PAGE_POISONED);
	assert_unreadable(4, 0x130000, 0x130000 + page, EFAULT);
	/* Neither of the copies was asked for what is marked. */
	for (size_t i = 0; i < TREE_SOURCES; i += 2)
		ck_assert_uint_eq(tree_asked(&t, (enum tree_source)i, 0x20000,
					  0x20000 + page),
			0);
	ck_assert_uint_eq(told.filled, 2);
	ck_assert_uint_eq(told.fillings[0].range.start, 0x40000);
	ck_assert_uint_eq(told.fillings[0].range.end, 0x40000 + page);
	ck_assert_str_eq(told.fillings[0].path, t.paths[KCORE]);
	ck_assert_uint_eq(told.fillings[1].range.start, 0x50000);
	ck_assert_uint_eq(told.fillings[1].range.end, 0x50000 + page);
	ck_assert_str_eq(told.fillings[1].path, t.paths[MEM]);
	ck_assert_uint_eq(told.warnings, 1);
	ck_assert_ptr_nonnull(strstr(told.warning, "another source"));
	tree_release(&t);
}
END_TEST

/* Of any set: the first, all of it, and each told of once. */
START_TEST(snapshot_is_of_the_first_that_works)
{
	const unsigned int with = (unsigned int)_i;
	struct tree t = machine_with(with);
	const struct avml_snapshot_options options = options_of(&t);
	const struct avml_snapshot_result result = run_well(&options);
	size_t first = 0;

	while (!(with & 1u << first))
		first++;
	give(0, TREE_END, tree_twists[first]);
	assert_image(options.destination);
	ck_assert_str_eq(result.source, t.paths[first]);
	ck_assert_uint_eq(told.verdicts.count, TREE_SOURCES);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert(told.verdicts.items[i].primary == (i == first));
	ck_assert_uint_eq(result.filled_bytes, 0);
	ck_assert_uint_eq(result.unreadable_bytes, 0);
	ck_assert_uint_eq(told.warnings, 0);
	tree_release(&t);
}
END_TEST

/* Kernels before 4.11: the addresses are found by iomem. */
START_TEST(snapshot_of_old_kcore_is_at_its_addresses)
{
	static const struct test_phdr phdrs[] = {
		{ UINT64_MAX, 0x1fffffff000, 0x100000000 },
		{ 0x100000, 0x40000, 0x20000 },
		{ 0x77ff81000000, 0x1c00000, 0x200000000 },
		{ 0x10000, 0x80000, 0x80000 },
	};
	struct tree t = machine_with(0);
	struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;
	const int fd =
		test_kcore_create_old(t.paths[KCORE], phdrs, TEST_COUNT(phdrs));

	tree_write(fd, 0x20000, 0x100000, 0x40000, tree_twists[KCORE]);
	tree_write(fd, 0x80000, 0x10000, 0x80000, tree_twists[KCORE]);
	close(fd);
	options.page_size = ways[_i].page;
	options.threads = ways[_i].threads;
	result = run_well(&options);
	give(0, TREE_END, tree_twists[KCORE]);
	assert_image(options.destination);
	ck_assert_uint_eq(result.unreadable_bytes, 0);
	ck_assert_uint_eq(told.warnings, 0);
	tree_release(&t);
}
END_TEST

START_TEST(snapshot_of_old_kcore_without_iomem_is_refused)
{
	struct tree t = tree_empty();
	const struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;
	struct avml_error err;

	close(test_kcore_create_old(
		t.paths[KCORE], tree_phdrs, TEST_COUNT(tree_phdrs)));
	ck_assert_int_eq(run(&options, &result, &err), -ENODATA);
	ck_assert_int_eq(
		told.verdicts.items[KCORE].reason, AVML_SOURCE_HEADERS);
	ck_assert_ptr_nonnull(strstr(
		told.verdicts.items[KCORE].message, "which ranges are RAM"));
	ck_assert_int_eq(access(options.destination, F_OK), -1);
	tree_release(&t);
}
END_TEST

/* Memory is known to be bad, and which it is cannot be told. */
START_TEST(snapshot_at_a_risk_is_only_what_was_asked_for)
{
	struct tree t = machine_with(7);
	struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;
	struct avml_error err;

	tree_make_meminfo(
		&t, _i ? "Unaccepted: 4 kB\n" : "HardwareCorrupted: 4 kB\n");
	ck_assert_int_eq(run(&options, &result, &err), -EPERM);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(
			told.verdicts.items[i].reason, AVML_SOURCE_UNSAFE);
	ck_assert_int_eq(access(options.destination, F_OK), -1);
	options.source = "mem";
	run_well(&options);
	ck_assert_uint_eq(told.warnings, 1);
	ck_assert_ptr_nonnull(strstr(told.warning, "kpageflags"));
	give(0, TREE_END, tree_twists[MEM]);
	assert_image(options.destination);
	tree_release(&t);
}
END_TEST

/* An explicit source has no help: what it lacks is zeros. */
START_TEST(snapshot_of_one_source_is_not_filled)
{
	struct tree t = machine_with(7);
	struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;

	tree_break(&t, CRASH, 0x40000, 0x42000, EFAULT);
	options.source = "/dev/crash";
	result = run_well(&options);
	ck_assert_uint_eq(told.verdicts.count, 1);
	ck_assert_uint_eq(result.unreadable_bytes, 0x2000);
	ck_assert_uint_eq(result.filled_bytes, 0);
	assert_unreadable(0, 0x40000, 0x42000, EFAULT);
	give(0, TREE_END, tree_twists[CRASH]);
	take(0x40000, 0x42000);
	assert_image(options.destination);
	tree_release(&t);
}
END_TEST

/* What is read, of whichever source, is not what is written. */
START_TEST(snapshot_onto_what_is_read_is_refused)
{
	static const char *const names[] = { "iomem", "meminfo", "kpageflags",
		"kcore", "crash", "mem" };
	struct tree t = machine_with(7);
	struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;
	struct avml_error err;
	struct stat before, after;

	tree_make_meminfo(&t, "MemFree: 4 kB\n");
	tree_make_flags(&t, 0, 0);
	options.destination =
		test_text("%s/%s", _i < 4 ? t.proc : t.dev, names[_i]);
	ck_assert_int_eq(stat(options.destination, &before), 0);
	ck_assert_int_eq(run(&options, &result, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), "same file"));
	ck_assert_int_eq(stat(options.destination, &after), 0);
	ck_assert_int_eq(before.st_size, after.st_size);
	tree_release(&t);
}
END_TEST

/*
 * A source that gave pages when it was probed, and none, or nothing but
 * zeros, afterwards: which of it is told.
 */
static const struct tree *failing;

static void on_range(void *ctx, struct avml_range range)
{
	(void)ctx;
	(void)range;
	if (!failing)
		return;
	tree_break(failing, CRASH, 0, TREE_END, EIO);
	failing = NULL;
}

START_TEST(snapshot_that_reads_nothing_says_so)
{
	static const struct test_phdr little = { 0x100000, 0x2000, 0x10000 };
	struct tree t = machine_with(1u << CRASH);
	const struct avml_snapshot_options options = options_of(&t);
	const struct avml_snapshot_events events = { .range = on_range };
	struct avml_snapshot_result result;
	struct avml_error err;
	bool said = false;

	if (_i == 0) {
		failing = &t;
	} else if (_i == 1) {
		/* What is there is zeros. */
		ck_assert_int_eq(truncate(t.paths[CRASH], 0), 0);
		ck_assert_int_eq(truncate(t.paths[CRASH], TREE_END), 0);
	} else {
		/* And most of it has no place in the source. */
		ck_assert_int_eq(unlink(t.paths[CRASH]), 0);
		close(test_kcore_create(t.paths[KCORE], &little, 1));
		ck_assert_int_eq(truncate(t.paths[KCORE], 0x20000), 0);
	}
	ck_assert_int_eq(
		avml_snapshot(&options, &events, &result, &err), -ENODATA);
	for (unsigned int i = 0; i < err.depth; i++)
		said = said ||
		       strstr(avml_error_message(&err, i),
			       _i == 0 ? "not a page" : "is zero") != NULL;
	ck_assert_msg(said, "%s", avml_error_message(&err, 1));
	ck_assert_int_eq(access(options.destination, F_OK), -1);
	tree_release(&t);
}
END_TEST

/* A copy and a device of this machine are not of one memory. */
START_TEST(snapshot_does_not_mix_copies_and_devices)
{
	struct tree t = machine_with(1u << CRASH);
	const struct avml_snapshot_options options = options_of(&t);
	struct avml_snapshot_result result;

	ck_assert_int_eq(symlink("/dev/zero", t.paths[MEM]), 0);
	tree_break(&t, CRASH, 0x40000, 0x42000, EFAULT);
	result = run_well(&options);
	ck_assert_int_eq(told.verdicts.items[MEM].reason, AVML_SOURCE_OTHER);
	ck_assert_ptr_nonnull(strstr(
		told.verdicts.items[MEM].message, "is this machine's memory"));
	ck_assert_uint_eq(result.unreadable_bytes, 0x2000);
	ck_assert_uint_eq(result.filled_bytes, 0);
	tree_release(&t);
}
END_TEST

static Suite *snapshot_sources_suite(void)
{
	Suite *suite = suite_create("snapshot_sources");
	TCase *tc = tcase_create("snapshot_sources");

	tcase_add_loop_test(tc,
		snapshot_of_several_sources_has_the_best_of_each, 0,
		TEST_COUNT(ways));
	tcase_add_loop_test(tc, snapshot_is_of_the_first_that_works, 1, 8);
	tcase_add_loop_test(tc, snapshot_of_old_kcore_is_at_its_addresses, 0,
		TEST_COUNT(ways));
	tcase_add_test(tc, snapshot_of_old_kcore_without_iomem_is_refused);
	tcase_add_loop_test(
		tc, snapshot_at_a_risk_is_only_what_was_asked_for, 0, 2);
	tcase_add_test(tc, snapshot_of_one_source_is_not_filled);
	tcase_add_loop_test(tc, snapshot_onto_what_is_read_is_refused, 0, 6);
	tcase_add_loop_test(tc, snapshot_that_reads_nothing_says_so, 0, 3);
	tcase_add_test(tc, snapshot_does_not_mix_copies_and_devices);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(snapshot_sources_suite)

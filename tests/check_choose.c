/* SPDX-License-Identifier: MIT */
/*
 * Which of the sources below a made-up proc and dev is read, and what
 * becomes of pages that it cannot read.
 */
#include "check_tree.h"

#include <signal.h>

#include "base/cancel.h"

#define ALL 7u

static struct avml_source *choose(const char *what,
	const struct avml_source_config *config, struct verdicts *verdicts)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source = NULL;
	int ret;

	*verdicts = (struct verdicts){ .count = 0 };
	ret = avml_source_choose(
		what, config, tree_on_verdict, verdicts, &source, &err);
	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	return source;
}

/* --- the order ----------------------------------------------------------- */

/* Of any set of them the first is the primary. */
START_TEST(choose_first_that_works_is_primary)
{
	const unsigned int with = (unsigned int)_i;
	struct tree t = tree_new(with);
	const struct avml_source_config config = tree_config(&t);
	const int next = tree_next_fd();
	struct verdicts verdicts;
	struct avml_source *source = choose(NULL, &config, &verdicts);
	bool first = true;

	ck_assert_uint_eq(verdicts.count, TREE_SOURCES);
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		const struct verdict *v = &verdicts.items[i];
		const bool there = with & 1u << i;

		ck_assert_str_eq(v->name, tree_names[i]);
		ck_assert_str_eq(v->path, t.paths[i]);
		ck_assert_int_eq(v->reason,
			there ? AVML_SOURCE_USABLE : AVML_SOURCE_MISSING);
		ck_assert(v->primary == (there && first));
		ck_assert((v->remedy[0] != '\0') == !there);
		if (there && first)
			ck_assert_str_eq(avml_source_path(source), t.paths[i]);
		first = first && !there;
	}
	ck_assert(avml_source_is_live(source));
	/* Files are no memory of this machine, wherever they lie. */
	ck_assert(!avml_source_is_host(source));
	ck_assert_uint_eq(avml_source_page_size(source), 4096);
	avml_source_free(source);
	ck_assert_int_eq(tree_next_fd(), next);
	tree_release(&t);
}
END_TEST

/* A dev that was not named is not that of a made-up proc. */
START_TEST(choose_below_a_copied_proc_looks_only_there)
{
	struct tree t = tree_new(1u << KCORE);
	struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source;
	struct avml_error err;

	config.dev_dir = NULL;
	source = choose(NULL, &config, &verdicts);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_str_eq(verdicts.items[0].name, "kcore");
	ck_assert(verdicts.items[0].primary);
	avml_source_free(source);
	/* Of the only one the error is told as it is. */
	ck_assert_int_eq(unlink(t.paths[KCORE]), 0);
	verdicts.count = 0;
	ck_assert_int_eq(avml_source_choose(NULL, &config, tree_on_verdict,
				 &verdicts, &source, &err),
		-ENOENT);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_ptr_null(source);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), t.paths[KCORE]));
	tree_release(&t);
}
END_TEST

START_TEST(choose_without_a_listener_works)
{
	struct tree t = tree_new(ALL);
	const struct avml_source_config config = tree_config(&t);
	struct avml_source *source;
	struct avml_error err;

	ck_assert_int_eq(
		avml_source_choose(NULL, &config, NULL, NULL, &source, &err),
		0);
	avml_source_free(source);
	ck_assert_uint_eq(avml_source_survey(&config, NULL, NULL), 3);
	ck_assert_int_eq(unlink(t.paths[MEM]), 0);
	ck_assert_int_eq(
		avml_source_choose("mem", &config, NULL, NULL, &source, &err),
		-ENOENT);
	tree_release(&t);
}
END_TEST

static void stop_at_verdict(
	void *ctx, const struct avml_source_verdict *verdict)
{
	tree_on_verdict(ctx, verdict);
	cancel_request(SIGTERM);
}

/* What has not been tried then is not tried any more. */
START_TEST(choose_stopped_opens_no_more)
{
	struct tree t = tree_new(ALL);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts = { .count = 0 };
	const int next = tree_next_fd();
	struct avml_source *source;
	struct avml_error err;

	ck_assert_int_eq(avml_source_choose(NULL, &config, stop_at_verdict,
				 &verdicts, &source, &err),
		-EINTR);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_ptr_null(source);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), "SIGTERM"));
	ck_assert_int_eq(tree_next_fd(), next);
	tree_release(&t);
}
END_TEST

/* --- reading -------------------------------------------------------------- */

/*
 * A letter a page, of who must have given it: 'c', 'k', 'm'; '.' for what
 * nobody has, with the status that is the first's.
 */
static void assert_pages(const struct avml_source *source, uint64_t addr,
	const char *pages, uint8_t status_of_none)
{
	const size_t count = strlen(pages);
	uint8_t *bytes = malloc(count * 4096), *status = malloc(count);
	struct avml_source_reader *reader;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	(void)avml_source_read(reader, addr, bytes, count * 4096, status);
	avml_source_reader_free(reader);
	for (size_t i = 0; i < count; i++) {
		const bool none = pages[i] == '.';
		const uint8_t twist = pages[i] == 'c'	? tree_twists[CRASH]
				      : pages[i] == 'k' ? tree_twists[KCORE]
							: tree_twists[MEM];

		ck_assert_msg(status[i] == (none ? status_of_none : 0),
			"page %zu of %s: status %u", i, pages, status[i]);
		assert_page_bytes(bytes + i * 4096, addr + i * 4096, 4096,
			none ? 0 : 4096, none ? 0 : twist);
	}
	free(bytes);
	free(status);
}

START_TEST(choose_pages_come_from_the_first_that_has_them)
{
	struct tree t = tree_new(ALL);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source = choose(NULL, &config, &verdicts);

	assert_pages(source, 0x100000, "cccccccc", 0);
	ck_assert_uint_eq(avml_source_filled(source), 0);
	tree_break(&t, CRASH, 0x102000, 0x106000, EFAULT);
	tree_break(&t, KCORE, 0x104000, 0x107000, EIO);
	tree_break(&t, MEM, 0x105000, 0x106000, EPERM);
	assert_pages(source, 0x100000, "cckkm.cc", EFAULT);
	ck_assert_uint_eq(avml_source_filled(source), 3 * 4096);
	/* Low memory too: mem has shown that it gives what is above. */
	tree_break(&t, CRASH, 0x1000, 0x4000, EFAULT);
	tree_break(&t, KCORE, 0x2000, 0x4000, EFAULT);
	assert_pages(source, 0x1000, "kmmc", 0);
	/* Both copies know no bounds but their ends. */
	assert_pages(source, 0x9f000, "cc", 0);
	assert_pages(source, TREE_END - 4096, "c..", AVML_PAGE_END);
	ck_assert_ptr_null(avml_source_coverage(source));
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* STRICT_DEVMEM gives false zeros there, and nothing shows that it is not. */
START_TEST(choose_mem_that_proved_nothing_fills_no_low_memory)
{
	struct tree t = tree_new(1u << CRASH | 1u << MEM);
	struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source;

	/* All RAM is below 1 MiB, or just one page of it is above. */
	t.ram.count = 1;
	if (_i == 1)
		ck_assert_int_eq(
			avml_range_list_add(&t.ram, MIB, MIB + 4096), 0);
	source = choose(NULL, &config, &verdicts);
	ck_assert_int_eq(verdicts.items[MEM].reason, AVML_SOURCE_USABLE);
	tree_break(&t, CRASH, 0x2000, 0x4000, EFAULT);
	assert_pages(source, 0x1000, _i == 1 ? "cmmc" : "c..c", EFAULT);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* As the only one that there is, it is read all the same. */
START_TEST(choose_mem_alone_is_read_below_1_mib)
{
	struct tree t = tree_new(1u << MEM);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source = choose(NULL, &config, &verdicts);

	assert_pages(source, 0x1000, "mmmm", 0);
	ck_assert_uint_eq(avml_source_filled(source), 0);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* What kcore has no header for may be had elsewhere. */
START_TEST(choose_uncovered_pages_are_asked_of_mem)
{
	struct tree t = tree_new(1u << KCORE | 1u << MEM);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source = choose(NULL, &config, &verdicts);

	ck_assert_ptr_null(avml_source_coverage(source));
	assert_pages(source, 0x9d000, "kkmm", 0);
	tree_break(&t, MEM, 0xa0000, 0xa1000, EPERM);
	assert_pages(source, 0x9e000, "km.m", AVML_PAGE_UNCOVERED);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* Where an error reads as zeros, zeros may be one. */
START_TEST(choose_zeros_of_kcore_fill_nothing)
{
	static const char zeros[4096];
	struct tree t = tree_new(ALL);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source;
	const int fd = open(t.paths[KCORE], O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	/* Its second and third page above 1 MiB. */
	test_pwrite(fd, zeros, 4096, 0x201000);
	test_pwrite(fd, zeros, 4096, 0x202000);
	close(fd);
	source = choose(NULL, &config, &verdicts);
	tree_break(&t, CRASH, 0x100000, 0x103000, EFAULT);
	tree_break(&t, MEM, 0x102000, 0x103000, EIO);
	assert_pages(source, 0x100000, "km.c", EFAULT);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* What it covers is little, and at no place that is tried otherwise. */
START_TEST(choose_kcore_is_probed_where_it_has_memory)
{
	static const struct test_phdr little = { 0x108000, 0x2000, 0x10000 };
	struct tree t = tree_empty();
	const struct avml_source_config config = tree_config(&t);
	const int fd = test_kcore_create(t.paths[KCORE], &little, 1);
	struct verdicts verdicts;
	struct avml_source *source;

	tree_write(fd, 0x10000, 0x108000, 0x2000, tree_twists[KCORE]);
	close(fd);
	source = choose(NULL, &config, &verdicts);
	assert_pages(source, 0x107000, ".kk.", AVML_PAGE_UNCOVERED);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* --- one that was asked for ----------------------------------------------- */

static const struct {
	const char *what;
	enum tree_source which;
} called[] = { { "crash", CRASH }, { "/dev/crash", CRASH }, { "kcore", KCORE },
	{ "/proc/kcore", KCORE }, { "mem", MEM }, { "/dev/mem", MEM } };

START_TEST(choose_explicit_source_is_alone)
{
	const enum tree_source which = called[_i].which;
	struct tree t = tree_new(ALL);
	const struct avml_source_config config = tree_config(&t);
	static const char *const letters[] = { "ccc", "kkk", "mmm" };
	struct verdicts verdicts;
	struct avml_source *source =
		choose(called[_i].what, &config, &verdicts);

	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_str_eq(verdicts.items[0].name, tree_names[which]);
	ck_assert_str_eq(verdicts.items[0].path, t.paths[which]);
	ck_assert(verdicts.items[0].primary);
	ck_assert_str_eq(avml_source_path(source), t.paths[which]);
	assert_pages(source, 0x100000, letters[which], 0);
	/* And no other fills what it has not. */
	tree_break(&t, which, 0x100000, 0x103000, EIO);
	assert_pages(source, 0x100000, "...", EIO);
	ck_assert_uint_eq(avml_source_filled(source), 0);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

START_TEST(choose_explicit_source_that_fails_is_not_replaced)
{
	const enum tree_source which = called[_i].which;
	struct tree t = tree_new(ALL & ~(1u << which));
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	struct avml_error err;

	ck_assert_int_eq(avml_source_choose(called[_i].what, &config,
				 tree_on_verdict, &verdicts, &source, &err),
		-ENOENT);
	ck_assert_ptr_null(source);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_int_eq(verdicts.items[0].reason, AVML_SOURCE_MISSING);
	ck_assert(!verdicts.items[0].primary);
	/* The reason and the remedy, in one line. */
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), t.paths[which]));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), verdicts.items[0].remedy));
	tree_release(&t);
}
END_TEST

/* Below a copied proc this machine's devices are not meant by a name. */
START_TEST(choose_explicit_device_goes_with_its_dev)
{
	struct tree t = tree_new(ALL);
	struct avml_source_config config = tree_config(&t);
	const bool is_kcore = called[_i].which == KCORE;
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	struct avml_error err;
	int ret;

	config.dev_dir = NULL;
	ret = avml_source_choose(called[_i].what, &config, tree_on_verdict,
		&verdicts, &source, &err);
	ck_assert_int_eq(ret, is_kcore ? 0 : -EXDEV);
	if (ret < 0) {
		ck_assert_ptr_null(source);
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), t.proc));
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), "--dev"));
	}
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

START_TEST(choose_explicit_file_needs_its_own_ranges)
{
	struct tree t = tree_new(0);
	struct avml_source_config config = tree_config(&t);
	const char *path = test_path("copy");
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	struct avml_error err;

	tree_make_copy(path, tree_twists[MEM]);
	ck_assert_int_eq(avml_source_choose(path, &config, tree_on_verdict,
				 &verdicts, &source, &err),
		-EINVAL);
	ck_assert_int_eq(verdicts.items[0].reason, AVML_SOURCE_NO_RAM);
	ck_assert_str_eq(verdicts.items[0].name, "file");
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "--iomem FILE"));
	config.ram_given = true;
	source = choose(path, &config, &verdicts);
	ck_assert_str_eq(avml_source_path(source), path);
	ck_assert(!avml_source_is_live(source));
	assert_pages(source, 0x100000, "mmm", 0);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* A copy under the name of a device is a file still; a kcore is a kcore. */
START_TEST(choose_explicit_path_is_what_it_looks_like)
{
	struct tree t = tree_new(ALL);
	struct avml_source_config config = tree_config(&t);
	struct tree other = tree_empty();
	struct verdicts verdicts;

	config.proc_dir = other.proc;
	config.dev_dir = other.dev;
	config.ram_given = true;
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		struct avml_source *source =
			choose(t.paths[i], &config, &verdicts);

		ck_assert_str_eq(
			verdicts.items[0].name, i == KCORE ? "kcore" : "file");
		ck_assert_str_eq(avml_source_path(source), t.paths[i]);
		ck_assert(
			(avml_source_coverage(source) != NULL) == (i == KCORE));
		avml_source_free(source);
	}
	tree_release(&other);
	tree_release(&t);
}
END_TEST

/* --- a survey ------------------------------------------------------------- */

START_TEST(survey_counts_what_works_and_keeps_nothing)
{
	for (unsigned int with = 0; with <= ALL; with++) {
		struct tree t = tree_new(with);
		const struct avml_source_config config = tree_config(&t);
		const int next = tree_next_fd();
		struct verdicts verdicts = { .count = 0 };
		const size_t usable =
			avml_source_survey(&config, tree_on_verdict, &verdicts);

		ck_assert_uint_eq(usable, (size_t)__builtin_popcount(with));
		ck_assert_uint_eq(verdicts.count, TREE_SOURCES);
		for (size_t i = 0; i < TREE_SOURCES; i++) {
			const struct verdict *v = &verdicts.items[i];

			ck_assert_str_eq(v->name, tree_names[i]);
			ck_assert((v->reason == AVML_SOURCE_USABLE) ==
				  !!(with & 1u << i));
			/* The lowest of the bits. */
			ck_assert(v->primary == ((with & -with) == 1u << i));
		}
		ck_assert_int_eq(tree_next_fd(), next);
		tree_release(&t);
	}
}
END_TEST

START_TEST(choose_probing_touches_no_marked_page)
{
	struct tree t = tree_new(1u << CRASH | 1u << MEM);
	const struct avml_source_config config = tree_config(&t);
	struct verdicts verdicts;
	struct avml_source *source;

	/* All of what is above 1 MiB but its last page. */
	tree_make_flags(&t, MIB, TREE_END - 4096);
	source = choose(NULL, &config, &verdicts);
	ck_assert(avml_source_is_filtered(source));
	for (size_t i = 0; i < TREE_SOURCES; i += 2) {
		ck_assert_int_eq(verdicts.items[i].reason, AVML_SOURCE_USABLE);
		ck_assert_uint_eq(tree_asked(&t, (enum tree_source)i, MIB,
					  TREE_END - 4096),
			0);
		ck_assert_uint_eq(tree_asked(&t, (enum tree_source)i,
					  TREE_END - 4096, TREE_END),
			1);
	}
	/* And nor does reading, of whichever of them. */
	assert_pages(source, TREE_END - 3 * 4096, "..c", AVML_PAGE_POISONED);
	ck_assert_uint_eq(tree_asked(&t, CRASH, MIB, TREE_END - 4096) +
				  tree_asked(&t, MEM, MIB, TREE_END - 4096),
		0);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* Pages of 16 and of 64 KiB: what is read and what is looked up. */
START_TEST(choose_page_size_is_that_of_all)
{
	static const size_t page_sizes[] = { 4096, 16384, 65536 };
	const size_t page = page_sizes[_i];
	struct tree t = tree_new(ALL);
	struct avml_source_config config = tree_config(&t);
	uint64_t words[TREE_END / 4096] = { 0 };
	uint8_t *bytes = malloc(4 * page), status[4];
	struct avml_source_reader *reader;
	struct verdicts verdicts;
	struct avml_source *source;
	struct avml_error err;

	words[MIB / page + 2] = 1 << 19;
	test_make_file(
		test_text("%s/kpageflags", t.proc), words, sizeof(words));
	tree_break(&t, CRASH, MIB + page, MIB + page + 1, EFAULT);
	t.ram.items[0] = (struct avml_range){ page, 0x90000 };
	config.page_size = page;
	source = choose(NULL, &config, &verdicts);
	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	ck_assert_uint_eq(
		avml_source_read(reader, MIB, bytes, 4 * page, status), 1);
	ck_assert_int_eq(status[2], AVML_PAGE_POISONED);
	assert_page_bytes(bytes, MIB, page, page, tree_twists[CRASH]);
	assert_page_bytes(
		bytes + page, MIB + page, page, page, tree_twists[KCORE]);
	assert_page_bytes(bytes + 2 * page, MIB + 2 * page, page, 0, 0);
	assert_page_bytes(bytes + 3 * page, MIB + 3 * page, page, page,
		tree_twists[CRASH]);
	avml_source_reader_free(reader);
	avml_source_free(source);
	free(bytes);
	tree_release(&t);
}
END_TEST

static Suite *choose_suite(void)
{
	Suite *suite = suite_create("choose");
	TCase *tc = tcase_create("choose");

	tcase_add_loop_test(tc, choose_first_that_works_is_primary, 1, ALL + 1);
	tcase_add_test(tc, choose_below_a_copied_proc_looks_only_there);
	tcase_add_test(tc, choose_without_a_listener_works);
	tcase_add_test(tc, choose_stopped_opens_no_more);
	tcase_add_test(tc, choose_pages_come_from_the_first_that_has_them);
	tcase_add_loop_test(
		tc, choose_mem_that_proved_nothing_fills_no_low_memory, 0, 2);
	tcase_add_test(tc, choose_mem_alone_is_read_below_1_mib);
	tcase_add_test(tc, choose_uncovered_pages_are_asked_of_mem);
	tcase_add_test(tc, choose_zeros_of_kcore_fill_nothing);
	tcase_add_test(tc, choose_kcore_is_probed_where_it_has_memory);
	tcase_add_loop_test(
		tc, choose_explicit_source_is_alone, 0, TEST_COUNT(called));
	tcase_add_loop_test(tc,
		choose_explicit_source_that_fails_is_not_replaced, 0,
		TEST_COUNT(called));
	tcase_add_loop_test(tc, choose_explicit_device_goes_with_its_dev, 0,
		TEST_COUNT(called));
	tcase_add_test(tc, choose_explicit_file_needs_its_own_ranges);
	tcase_add_test(tc, choose_explicit_path_is_what_it_looks_like);
	tcase_add_test(tc, survey_counts_what_works_and_keeps_nothing);
	tcase_add_test(tc, choose_probing_touches_no_marked_page);
	tcase_add_loop_test(tc, choose_page_size_is_that_of_all, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(choose_suite)

/* SPDX-License-Identifier: MIT */
/*
 * RAM that comes and goes while it is read: told by itself, and through
 * acquisitions of made-up machines that change on the way.
 */
#include "job/changes.h"

#include <avml/snapshot.h>

#include "check_tree.h"

#define LINE_RAM "00001000-0009ffff : System RAM\n"
#define LINE_HIGH "00100000-0013ffff : System RAM\n"

/* What was told: ranges, and texts. */
static struct {
	size_t late_count, warning_count;
	struct avml_range late[8];
	char warnings[8][512];
} told;

static void on_warning(void *ctx, const char *text)
{
	ck_assert_ptr_eq(ctx, &told);
	ck_assert_uint_lt(told.warning_count, TEST_COUNT(told.warnings));
	snprintf(told.warnings[told.warning_count++], sizeof(told.warnings[0]),
		"%s", text);
}

static void on_late(void *ctx, struct avml_range range)
{
	ck_assert_ptr_eq(ctx, &told);
	ck_assert_uint_lt(told.late_count, TEST_COUNT(told.late));
	told.late[told.late_count++] = range;
}

static void assert_warning(size_t i, const char *part)
{
	ck_assert_uint_lt(i, told.warning_count);
	ck_assert_msg(strstr(told.warnings[i], part) != NULL,
		"\"%s\" lacks \"%s\"", told.warnings[i], part);
}

/* --- by themselves -------------------------------------------------------- */

#define RANGES_MAX 4

/* RAM was at 0x1000 to 0x9f000 and 0x100000 to 0x140000. */
static const struct {
	const char *name, *iomem;
	struct avml_range late[RANGES_MAX];
	const char *gone[RANGES_MAX];
} cases[] = {
	{ "nothing changed", "00001000-0009efff : System RAM\n" LINE_HIGH,
		{ { 0 } }, { NULL } },
	/* It had parts of pages at first, and has others now. */
	{ "only parts of pages",
		"00000800-0009f7ff : System RAM\n"
		"000ffc00-001403ff : System RAM\n",
		{ { 0 } }, { NULL } },
	{ "a range came",
		"00001000-0009efff : System RAM\n" LINE_HIGH
		"100000000-107ffffff : System RAM\n",
		{ { 0x100000000, 0x108000000 } }, { NULL } },
	{ "a range grew at its end",
		"00001000-0009efff : System RAM\n"
		"00100000-0017ffff : System RAM\n",
		{ { 0x140000, 0x180000 } }, { NULL } },
	{ "a page that was not whole is now", LINE_RAM LINE_HIGH,
		{ { 0x9f000, 0xa0000 } }, { NULL } },
	{ "ranges came in several places",
		"00000000-000dffff : System RAM\n"
		"00100000-0013ffff : System RAM (kmem)\n"
		"00200000-00200fff : System RAM\n",
		{ { 0, 0x1000 }, { 0x9f000, 0xe0000 }, { 0x200000, 0x201000 } },
		{ NULL } },
	{ "a range went", "00001000-0009efff : System RAM\n", { { 0 } },
		{ "0x0000000000100000-0x0000000000140000 was RAM" } },
	{ "the middle of a range went",
		"00001000-0009efff : System RAM\n"
		"00100000-0010ffff : System RAM\n"
		"00120000-0013ffff : System RAM\n",
		{ { 0 } },
		{ "0x0000000000110000-0x0000000000120000 was RAM" } },
	{ "one came and others went",
		"00002000-0009efff : System RAM\n"
		"00200000-0023ffff : System RAM\n",
		{ { 0x200000, 0x240000 } },
		{ "0x0000000000001000-0x0000000000002000 was RAM",
			"0x0000000000100000-0x0000000000140000 was RAM" } },
};

/* A source that knows of no headers, or of made-up ones. */
static struct faulty source_of(size_t page)
{
	static struct source_ops ops;
	struct faulty f = faulty(page, "....");

	ops = faulty_ops;
	ops.recheck = faulty_recheck;
	f.base.ops = &ops;
	return f;
}

static struct changes changes_of(const char *iomem,
	const struct avml_range_list *ram, const struct faulty *f)
{
	memset(&told, 0, sizeof(told));
	return (struct changes){
		.warning = { &told, on_warning },
		.ctx = &told,
		.late = on_late,
		.iomem_path = iomem,
		.ram = ram,
		.source = &f->base,
	};
}

static const char *iomem_file(const char *text)
{
	return test_text("%s", test_file("iomem", text, strlen(text)));
}

START_TEST(changes_of_iomem_are_told)
{
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);
	const struct changes c =
		changes_of(iomem_file(cases[_i].iomem), &t.ram, &f);
	size_t late = 0, gone = 0;

	changes_tell(&c);
	while (late < RANGES_MAX && cases[_i].late[late].end > 0)
		late++;
	while (gone < RANGES_MAX && cases[_i].gone[gone])
		gone++;
	ck_assert_msg(told.late_count == late && told.warning_count == gone,
		"%s: %zu came, %zu warnings", cases[_i].name, told.late_count,
		told.warning_count);
	for (size_t i = 0; i < late; i++) {
		ck_assert_uint_eq(told.late[i].start, cases[_i].late[i].start);
		ck_assert_uint_eq(told.late[i].end, cases[_i].late[i].end);
	}
	for (size_t i = 0; i < gone; i++)
		assert_warning(i, cases[_i].gone[i]);
	tree_release(&t);
}
END_TEST

/* In larger pages less of it is a page. */
START_TEST(changes_are_whole_pages_of_the_source)
{
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	struct faulty f = source_of(65536);
	const struct changes c =
		changes_of(iomem_file("00010000-0009efff : System RAM\n"
				      "00104000-0014ffff : System RAM\n"
				      "00200000-0020ffff : System RAM\n"),
			&ram, &f);

	ck_assert_int_eq(avml_range_list_add(&ram, 0x10000, 0x90000), 0);
	ck_assert_int_eq(avml_range_list_add(&ram, 0x110000, 0x150000), 0);
	changes_tell(&c);
	ck_assert_uint_eq(told.warning_count, 0);
	ck_assert_uint_eq(told.late_count, 1);
	ck_assert_uint_eq(told.late[0].start, 0x200000);
	avml_range_list_release(&ram);
}
END_TEST

START_TEST(changes_that_cannot_be_told_are_a_warning)
{
	static const struct {
		const char *text; /* NULL: no file */
		const char *says;
	} files[] = {
		{ NULL, "cannot open" },
		{ "", "" },
		{ "00000000-00000000 : System RAM\n", "root" },
		{ "00000000-00000fff : Reserved\n", "no System RAM" },
		{ "00002000-00001000 : System RAM\n", "before it begins" },
	};
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);

	for (size_t i = 0; i < TEST_COUNT(files); i++) {
		const struct changes c =
			changes_of(files[i].text ? iomem_file(files[i].text)
						 : test_path("missing"),
				&t.ram, &f);

		changes_tell(&c);
		ck_assert_uint_eq(told.late_count, 0);
		ck_assert_uint_eq(told.warning_count, 1);
		assert_warning(0, "cannot be told");
		assert_warning(0, c.iomem_path);
		assert_warning(0, files[i].says);
		/* And the headers are looked at all the same. */
		ck_assert_uint_eq(f.rechecks, i + 1);
	}
	tree_release(&t);
}
END_TEST

START_TEST(changes_without_iomem_are_those_of_headers)
{
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);
	const struct changes c = changes_of(NULL, &t.ram, &f);

	/* Of what is no RAM nothing is told. */
	f.added = (struct avml_range){ 0x80000, 0x110000 };
	f.gone = (struct avml_range){ 0x120000, 0x300000 };
	changes_tell(&c);
	ck_assert_uint_eq(told.late_count, 0);
	ck_assert_uint_eq(told.warning_count, 3);
	assert_warning(0, "0x0000000000080000-0x000000000009f000 came into");
	assert_warning(1, "0x0000000000100000-0x0000000000110000 came into");
	assert_warning(2, "0x0000000000120000-0x0000000000140000 went out of");
	f.added = f.gone = (struct avml_range){ 0x200000, 0x300000 };
	memset(&told, 0, sizeof(told));
	changes_tell(&c);
	ck_assert_uint_eq(told.warning_count, 0);
	f.recheck_error = EACCES;
	changes_tell(&c);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0, "cannot be told");
	assert_warning(0, strerror(EACCES));
	tree_release(&t);
}
END_TEST

/* Where they are all that tells of RAM, what came into them is RAM. */
START_TEST(changes_of_headers_that_are_ram_are_late)
{
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);
	struct changes c = changes_of(NULL, &t.ram, &f);

	c.ram_of_source = true;
	f.added = (struct avml_range){ 0x200000, 0x300000 };
	f.gone = (struct avml_range){ 0x120000, 0x140000 };
	changes_tell(&c);
	ck_assert_uint_eq(told.late_count, 1);
	ck_assert_uint_eq(told.late[0].start, 0x200000);
	ck_assert_uint_eq(told.late[0].end, 0x300000);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0, "0x0000000000120000-0x0000000000140000 went out of");
	tree_release(&t);
}
END_TEST

START_TEST(changes_without_a_listener_do_no_harm)
{
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);
	struct changes c = changes_of(test_path("missing"), &t.ram, &f);

	c.warning.tell = NULL;
	f.gone = (struct avml_range){ 0x120000, 0x140000 };
	changes_tell(&c);
	ck_assert_uint_eq(told.warning_count, 0);
	tree_release(&t);
}
END_TEST

/* A pipe gave all that it had, and a FIFO would keep us waiting. */
START_TEST(changes_of_iomem_that_is_no_file_cannot_be_told)
{
	const char *fifo = test_path("fifo");
	struct tree t = tree_empty();
	struct faulty f = source_of(4096);
	const struct changes c = changes_of(fifo, &t.ram, &f);

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	changes_tell(&c);
	ck_assert_uint_eq(told.late_count, 0);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0, "cannot be told");
	assert_warning(0, "no regular file");
	tree_release(&t);
}
END_TEST

/* --- of kcore ------------------------------------------------------------- */

static const struct test_phdr changed_phdrs[] = {
	{ 0x1000, 0x50000, 0x10000 },
	{ 0x100000, 0x40000, 0x200000 },
	{ 0x140000, 0x10000, 0x280000 },
};

static void change_kcore(const struct tree *t)
{
	ck_assert_int_eq(unlink(t->paths[KCORE]), 0);
	close(test_kcore_create(
		t->paths[KCORE], changed_phdrs, TEST_COUNT(changed_phdrs)));
}

START_TEST(recheck_of_kcore_gives_the_difference)
{
	struct tree t = tree_new(1u << KCORE);
	const struct avml_source_config config = tree_config(&t);
	struct avml_range_list added = AVML_RANGE_LIST_INIT;
	struct avml_range_list gone = AVML_RANGE_LIST_INIT;
	struct avml_source *source;
	struct avml_error err;
	int next;

	ck_assert_int_eq(avml_source_open("kcore", &config, &source, &err), 0);
	next = tree_next_fd();
	ck_assert_int_eq(avml_source_recheck(source, &added, &gone, &err), 0);
	ck_assert_uint_eq(added.count + gone.count, 0);
	change_kcore(&t);
	ck_assert_int_eq(avml_source_recheck(source, &added, &gone, &err), 0);
	ck_assert_uint_eq(added.count, 1);
	ck_assert_uint_eq(added.items[0].start, 0x140000);
	ck_assert_uint_eq(added.items[0].end, 0x150000);
	ck_assert_uint_eq(gone.count, 1);
	ck_assert_uint_eq(gone.items[0].start, 0x51000);
	ck_assert_uint_eq(gone.items[0].end, 0x9f000);
	/* The source itself does not change. */
	ck_assert_uint_eq(avml_source_coverage(source)->count, 2);
	ck_assert_uint_eq(avml_source_coverage(source)->items[0].end, 0x9f000);
	ck_assert_int_eq(truncate(t.paths[KCORE], 10), 0);
	ck_assert_int_eq(
		avml_source_recheck(source, &added, &gone, &err), -EINVAL);
	ck_assert_uint_eq(added.count + gone.count, 0);
	ck_assert_int_eq(unlink(t.paths[KCORE]), 0);
	ck_assert_int_eq(
		avml_source_recheck(source, &added, &gone, &err), -ENOENT);
	ck_assert_int_eq(tree_next_fd(), next);
	avml_range_list_release(&added);
	avml_range_list_release(&gone);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* One without addresses is understood by the RAM that there was. */
START_TEST(recheck_of_old_kcore_gives_the_difference)
{
	static const struct test_phdr fewer[] = { { 0x1000, 0x9e000, 0x10000 },
		{ 0x100000, 0x3f000, 0x200000 } };
	struct tree t = tree_empty();
	const struct avml_source_config config = tree_config(&t);
	struct avml_range_list added = AVML_RANGE_LIST_INIT;
	struct avml_range_list gone = AVML_RANGE_LIST_INIT;
	struct avml_source *source;
	struct avml_error err;

	close(test_kcore_create_old(
		t.paths[KCORE], tree_phdrs, TEST_COUNT(tree_phdrs)));
	ck_assert_int_eq(avml_source_open("kcore", &config, &source, &err), 0);
	/* That list was the caller's. */
	t.ram.items[0].start = t.ram.items[1].start = 5;
	ck_assert_int_eq(avml_source_recheck(source, &added, &gone, &err), 0);
	ck_assert_uint_eq(added.count + gone.count, 0);
	ck_assert_int_eq(unlink(t.paths[KCORE]), 0);
	close(test_kcore_create_old(t.paths[KCORE], fewer, 2));
	ck_assert_int_eq(avml_source_recheck(source, &added, &gone, &err), 0);
	ck_assert_uint_eq(added.count, 0);
	ck_assert_uint_eq(gone.count, 1);
	ck_assert_uint_eq(gone.items[0].start, 0x13f000);
	avml_range_list_release(&added);
	avml_range_list_release(&gone);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* --- on the way ----------------------------------------------------------- */

static const char *changing;	   /* the path of iomem */
static const char *changed;	   /* what it has then; NULL: it is gone */
static const struct tree *rewired; /* its kcore is another then */

static void on_range(void *ctx, struct avml_range range)
{
	(void)ctx;
	(void)range;
	if (changing) {
		ck_assert_int_eq(unlink(changing), 0);
		if (changed)
			test_make_file(changing, changed, strlen(changed));
	}
	if (rewired)
		change_kcore(rewired);
	changing = NULL;
	rewired = NULL;
}

static struct {
	size_t count;
	struct avml_range range;
	unsigned int status;
} unreadable;

static void on_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	(void)ctx;
	unreadable.count++;
	unreadable.range = range;
	unreadable.status = status;
}

static struct avml_snapshot_result run(const struct tree *t, const char *iomem)
{
	const struct avml_snapshot_options options = {
		.destination = test_path("image"),
		.proc_dir = t->proc,
		.dev_dir = t->dev,
		.iomem = iomem,
		.page_size = 4096,
		.threads = 1,
	};
	const struct avml_snapshot_events events = {
		.ctx = &told,
		.warning = on_warning,
		.range = on_range,
		.unreadable = on_unreadable,
	};
	struct avml_snapshot_result result;
	struct avml_error err;
	int ret;

	memset(&told, 0, sizeof(told));
	unreadable.count = 0;
	ret = avml_snapshot(&options, &events, &result, &err);
	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	return result;
}

static const char *make_iomem(const struct tree *t)
{
	const char *path = test_text("%s/iomem", t->proc);

	test_make_file(path, LINE_RAM LINE_HIGH, strlen(LINE_RAM LINE_HIGH));
	return path;
}

START_TEST(snapshot_ram_that_came_is_unreadable)
{
	struct tree t = tree_new(1u << CRASH);
	struct avml_snapshot_result before, result;

	changing = make_iomem(&t);
	changed = LINE_RAM LINE_HIGH "00200000-0027ffff : System RAM\n";
	before = run(&t, NULL);
	ck_assert_ptr_null(changing);
	ck_assert_uint_eq(before.late_bytes, 0x80000);
	ck_assert_uint_eq(before.unreadable_bytes, 0x80000);
	ck_assert_uint_eq(before.ram_bytes, 0x9f000 + 0x40000 + 0x80000);
	ck_assert_uint_eq(before.read_bytes, 0x9f000 + 0x40000);
	ck_assert_uint_eq(unreadable.count, 1);
	ck_assert_uint_eq(unreadable.range.start, 0x200000);
	ck_assert_uint_eq(unreadable.range.end, 0x280000);
	ck_assert_uint_eq(unreadable.status, AVML_PAGE_LATE);
	ck_assert_uint_eq(told.warning_count, 0);
	/* In the next run it is RAM like any. */
	result = run(&t, NULL);
	ck_assert_uint_eq(result.late_bytes, 0);
	ck_assert_uint_eq(result.read_bytes, 0x9f000 + 0x40000 + 0x80000);
	ck_assert_uint_eq(unreadable.status, AVML_PAGE_END);
	tree_release(&t);
}
END_TEST

START_TEST(snapshot_ram_that_went_is_a_warning)
{
	struct tree t = tree_new(1u << CRASH);
	struct avml_snapshot_result result;

	changing = make_iomem(&t);
	changed = _i ? NULL : LINE_RAM;
	result = run(&t, NULL);
	ck_assert_uint_eq(result.late_bytes, 0);
	ck_assert_uint_eq(result.unreadable_bytes, 0);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0, _i ? "cannot be told" : "is not any more");
	tree_release(&t);
}
END_TEST

/* What a caller gave is no fact of the machine: it may be a pipe. */
START_TEST(snapshot_iomem_that_was_given_is_read_once)
{
	struct tree t = tree_new(1u << CRASH);
	const char *iomem = make_iomem(&t);

	changing = iomem;
	changed = NULL;
	ck_assert_uint_eq(run(&t, iomem).late_bytes, 0);
	ck_assert_ptr_null(changing);
	ck_assert_uint_eq(told.warning_count, 0);
	tree_release(&t);
}
END_TEST

/* Also where kcore is not the one that is read first. */
START_TEST(snapshot_headers_that_change_are_a_warning)
{
	struct tree t = tree_new(_i ? 1u << CRASH | 1u << KCORE : 1u << KCORE);

	make_iomem(&t);
	rewired = &t;
	run(&t, NULL);
	ck_assert_ptr_null(rewired);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0,
		"0x0000000000051000-0x000000000009f000 went out of the "
		"program headers of kcore");
	tree_release(&t);
}
END_TEST

/* The ranges of the headers were RAM, so that those of iomem are not. */
START_TEST(snapshot_without_iomem_rereads_headers_only)
{
	struct tree t = tree_new(1u << KCORE);
	struct avml_snapshot_result result;

	rewired = &t;
	result = run(&t, NULL);
	ck_assert_uint_eq(told.warning_count, 2);
	assert_warning(0, "taken for RAM");
	assert_warning(1, "went out of");
	ck_assert_uint_eq(result.late_bytes, 0x10000);
	ck_assert_uint_eq(unreadable.count, 1);
	ck_assert_uint_eq(unreadable.range.start, 0x140000);
	ck_assert_uint_eq(unreadable.status, AVML_PAGE_LATE);
	tree_release(&t);
}
END_TEST

START_TEST(snapshot_bytes_of_another_source_are_told)
{
	struct tree t = tree_new(7);
	struct avml_snapshot_result result;

	make_iomem(&t);
	tree_break(&t, CRASH, 0x102000, 0x105000, EFAULT);
	result = run(&t, NULL);
	ck_assert_uint_eq(result.filled_bytes, 0x3000);
	ck_assert_uint_eq(result.unreadable_bytes, 0);
	ck_assert_str_eq(result.source, t.paths[CRASH]);
	ck_assert_uint_eq(told.warning_count, 1);
	assert_warning(0, "12288 bytes");
	assert_warning(0, t.paths[CRASH]);
	/* And what none of them has is the rest. */
	tree_break(&t, KCORE, 0x103000, 0x104000, EFAULT);
	tree_break(&t, MEM, 0x103000, 0x104000, EPERM);
	result = run(&t, NULL);
	ck_assert_uint_eq(result.filled_bytes, 0x2000);
	ck_assert_uint_eq(result.unreadable_bytes, 0x1000);
	ck_assert_uint_eq(unreadable.count, 1);
	ck_assert_uint_eq(unreadable.range.start, 0x103000);
	ck_assert_uint_eq(unreadable.status, EFAULT);
	tree_release(&t);
}
END_TEST

static Suite *changes_suite(void)
{
	Suite *suite = suite_create("changes");
	TCase *tc = tcase_create("changes");

	tcase_add_loop_test(
		tc, changes_of_iomem_are_told, 0, TEST_COUNT(cases));
	tcase_add_test(tc, changes_are_whole_pages_of_the_source);
	tcase_add_test(tc, changes_that_cannot_be_told_are_a_warning);
	tcase_add_test(tc, changes_without_iomem_are_those_of_headers);
	tcase_add_test(tc, changes_of_headers_that_are_ram_are_late);
	tcase_add_test(tc, changes_without_a_listener_do_no_harm);
	tcase_add_test(tc, changes_of_iomem_that_is_no_file_cannot_be_told);
	tcase_add_test(tc, recheck_of_kcore_gives_the_difference);
	tcase_add_test(tc, recheck_of_old_kcore_gives_the_difference);
	tcase_add_test(tc, snapshot_ram_that_came_is_unreadable);
	tcase_add_loop_test(tc, snapshot_ram_that_went_is_a_warning, 0, 2);
	tcase_add_test(tc, snapshot_iomem_that_was_given_is_read_once);
	tcase_add_loop_test(
		tc, snapshot_headers_that_change_are_a_warning, 0, 2);
	tcase_add_test(tc, snapshot_without_iomem_rereads_headers_only);
	tcase_add_test(tc, snapshot_bytes_of_another_source_are_told);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(changes_suite)

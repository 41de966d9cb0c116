/* SPDX-License-Identifier: MIT */
/*
 * The sources that are devices, on files and harmless devices in their
 * place: what may be opened, and which reads it gets. See check_tree.h.
 */
#include "check_tree.h"

static const size_t page_sizes[] = { 4096, 16384, 65536 };

static const struct source_ops *const devices[] = { &source_crash,
	&source_mem };

/* Opened by hand, past the rules of which path is tried. */
static int open_place(const struct source_ops *ops, const char *path,
	bool copy_allowed, struct avml_source **source,
	struct source_refusal *why, struct avml_error *err)
{
	const struct source_place place = {
		.path = path,
		.page_size = 4096,
		.copy_allowed = copy_allowed,
	};

	*source = NULL;
	*why = (struct source_refusal){ .reason = AVML_SOURCE_OTHER };
	*err = (struct avml_error)AVML_ERROR_INIT;
	return ops->open(&place, source, why, err);
}

START_TEST(device_copy_is_refused_where_none_was_named)
{
	struct tree t = tree_new(1u << CRASH | 1u << MEM);
	const char *path = t.paths[_i ? MEM : CRASH];
	const int next = tree_next_fd();
	struct avml_source *source;
	struct source_refusal why;
	struct avml_error err;

	ck_assert_int_eq(
		open_place(devices[_i], path, false, &source, &why, &err),
		-ENODEV);
	ck_assert_ptr_null(source);
	ck_assert_int_eq(why.reason, AVML_SOURCE_MASKED);
	ck_assert_ptr_nonnull(why.remedy);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "no character device"));
	ck_assert_int_eq(tree_next_fd(), next);
	ck_assert_int_eq(
		open_place(devices[_i], path, true, &source, &why, &err), 0);
	ck_assert(source->live);
	ck_assert(!source->host);
	ck_assert(source->covers_all);
	/* One that may be longer than it seems: no end is the end of all. */
	ck_assert(!source->flat);
	free(source);
	tree_release(&t);
}
END_TEST

/* Before it is opened: to open some is to use them. */
START_TEST(device_of_a_wrong_kind_is_not_opened)
{
	static const bool copies[] = { false, true };
	const char *fifo = test_path("fifo");
	const char *null = test_path("null");
	const char *paths[3];

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(symlink("/dev/null", null), 0);
	paths[0] = fifo;
	paths[1] = null;
	paths[2] = test_text("%s", test_dir());
	for (size_t i = 0; i < TEST_COUNT(paths); i++) {
		for (size_t k = 0; k < TEST_COUNT(copies); k++) {
			struct avml_source *source;
			struct source_refusal why;
			struct avml_error err;

			ck_assert_int_eq(
				open_place(devices[_i], paths[i], copies[k],
					&source, &why, &err),
				-ENODEV);
			ck_assert_int_eq(why.reason, AVML_SOURCE_MASKED);
		}
	}
}
END_TEST

/* A device is one of this machine, wherever its node lies. */
START_TEST(device_that_is_one_is_of_this_host)
{
	const char *path = test_path("device");
	struct avml_source *source;
	struct source_refusal why;
	struct avml_error err;

	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	for (int copy = 0; copy < 2; copy++) {
		ck_assert_int_eq(open_place(devices[_i], path, copy, &source,
					 &why, &err),
			0);
		ck_assert(source->live);
		ck_assert(source->host);
		free(source);
	}
}
END_TEST

START_TEST(device_missing_says_what_makes_it)
{
	static const char *const helps[] = { "modprobe crash", "DEVMEM" };
	struct avml_source *source;
	struct source_refusal why;
	struct avml_error err;

	ck_assert_int_eq(open_place(devices[_i], test_path("missing"), false,
				 &source, &why, &err),
		-ENOENT);
	ck_assert_int_eq(why.reason, AVML_SOURCE_MISSING);
	ck_assert_ptr_nonnull(strstr(why.remedy, helps[_i]));
	/* A folder that is a file: that is something else. */
	ck_assert_int_eq(
		open_place(devices[_i],
			test_text("%s/crash", test_file("file", "", 0)), false,
			&source, &why, &err),
		-ENOTDIR);
	ck_assert_int_eq(why.reason, AVML_SOURCE_OTHER);
}
END_TEST

/* --- reading -------------------------------------------------------------- */

static struct avml_source *open_one(
	const struct tree *t, enum tree_source which, size_t page)
{
	struct avml_source_config config = tree_config(t);
	struct avml_source *source;
	struct avml_error err;

	config.page_size = page;
	ck_assert_int_eq(
		avml_source_open(tree_names[which], &config, &source, &err), 0);
	return source;
}

/* 'e' is behind the end; letters as in check_faulty.h; else good. */
static size_t read_pages(const struct avml_source *source,
	enum tree_source which, uint64_t addr, const char *pages)
{
	const size_t page = avml_source_page_size(source);
	const size_t count = strlen(pages);
	uint8_t *bytes = malloc(count * page), *status = malloc(count);
	struct avml_source_reader *reader;
	struct avml_error err;
	size_t reads;

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	tree_reads = 0;
	(void)avml_source_read(reader, addr, bytes, count * page, status);
	reads = tree_reads;
	for (size_t i = 0; i < count; i++) {
		const uint8_t want =
			pages[i] == 'e' ? AVML_PAGE_END : status_of(pages[i]);

		ck_assert_msg(status[i] == want, "page %zu: %u, not %u", i,
			status[i], want);
		assert_page_bytes(bytes + i * page, addr + i * page, page,
			want ? 0 : page, tree_twists[which]);
	}
	avml_source_reader_free(reader);
	free(bytes);
	free(status);
	return reads;
}

/* Whatever is asked for: each read is one page, at a page's border. */
static void assert_page_reads(size_t page)
{
	ck_assert_uint_le(tree_reads, FAULTY_LOG);
	for (size_t i = 0; i < tree_reads; i++) {
		ck_assert_uint_eq(tree_log[i].len, page);
		ck_assert_uint_eq(tree_log[i].offset % page, 0);
	}
}

START_TEST(crash_is_read_page_by_page)
{
	const size_t page = page_sizes[_i];
	struct tree t = tree_new(1u << CRASH);
	struct avml_source *source = open_one(&t, CRASH, page);

	ck_assert_uint_eq(read_pages(source, CRASH, MIB, "...."), 4);
	assert_page_reads(page);
	ck_assert_uint_eq(read_pages(source, CRASH, MIB, "."), 1);
	/* A bad page costs itself, and halving; none before it is read again.
	 */
	tree_break(&t, CRASH, MIB + page, MIB + page + 1, EFAULT);
	ck_assert_uint_le(read_pages(source, CRASH, MIB, ".f.."), 6);
	assert_page_reads(page);
	tree_break(&t, CRASH, MIB + 2 * page + 5, MIB + 2 * page + 6, EIO);
	read_pages(source, CRASH, MIB, ".fi.");
	assert_page_reads(page);
	/* The end of a copy is its own. */
	read_pages(source, CRASH, TREE_END - page, ".e");
	assert_page_reads(page);
	read_pages(source, CRASH, TREE_END + 4 * page, "ee");
	assert_page_reads(page);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* It ends within a page: what there is of it is kept. */
START_TEST(device_copy_cut_within_a_page_keeps_its_part)
{
	const enum tree_source which = _i ? MEM : CRASH;
	struct tree t = tree_new(1u << which);
	struct avml_source_reader *reader;
	uint8_t bytes[2 * 4096], status[2];
	struct avml_source *source;
	struct avml_error err;
	size_t parts = 0;

	ck_assert_int_eq(truncate(t.paths[which], MIB + 4096 + 100), 0);
	source = open_one(&t, which, 4096);
	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	tree_reads = 0;
	ck_assert_uint_eq(
		avml_source_read(reader, MIB, bytes, sizeof(bytes), status), 1);
	/* Each read comes to the end once; a part of a page is not asked for.
	 */
	for (size_t i = 0; i < tree_reads; i++)
		parts += tree_log[i].offset % 4096 != 0;
	ck_assert_uint_le(parts, 2);
	ck_assert_int_eq(status[0], AVML_PAGE_READ);
	ck_assert_int_eq(status[1], AVML_PAGE_END);
	assert_page_bytes(
		bytes + 4096, MIB + 4096, 4096, 100, tree_twists[which]);
	avml_source_reader_free(reader);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* mem takes any length, and a read that fails says nothing of its parts. */
START_TEST(mem_is_read_in_large_parts)
{
	const size_t page = page_sizes[_i];
	struct tree t = tree_new(1u << MEM);
	struct avml_source *source = open_one(&t, MEM, page);

	ck_assert_uint_eq(read_pages(source, MEM, MIB, "...."), 1);
	tree_break(&t, MEM, MIB + 2 * page, MIB + 2 * page + 1, EPERM);
	/* All, its first half, its second half, and that page by page. */
	ck_assert_uint_le(read_pages(source, MEM, MIB, "..p."), 5);
	for (size_t i = 0; i < tree_reads; i++)
		ck_assert_uint_eq(tree_log[i].len % page, 0);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

START_TEST(device_readers_have_their_own_descriptors)
{
	const enum tree_source which = _i ? MEM : CRASH;
	struct tree t = tree_new(1u << which);
	struct avml_source *source = open_one(&t, which, 4096);
	const int next = tree_next_fd();
	struct avml_source_reader *a, *b;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &a, &err), 0);
	ck_assert_int_eq(avml_source_reader_new(source, &b, &err), 0);
	ck_assert_int_ne(a->fd, b->fd);
	ck_assert_int_eq(fcntl(a->fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(a->fd, F_GETFD), FD_CLOEXEC);
	avml_source_reader_free(a);
	avml_source_reader_free(b);
	ck_assert_int_eq(tree_next_fd(), next);
	ck_assert_int_eq(unlink(t.paths[which]), 0);
	ck_assert_int_eq(avml_source_reader_new(source, &a, &err), -ENOENT);
	avml_source_free(source);
	tree_release(&t);
}
END_TEST

/* By its path: a device named crash is one, with its rules; no other is. */
START_TEST(device_is_known_by_its_path)
{
	static const char *const names[] = { "crash", "other", "mem" };
	const struct tree t = tree_empty();
	const char *path = test_path(names[_i]);
	const struct avml_source_config config = {
		.proc_dir = t.proc,
		.page_size = 4096,
		.ram = &t.ram,
	};
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	struct avml_error err;
	struct tree mine = t;

	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(avml_source_choose(path, &config, tree_on_verdict,
				 &verdicts, &source, &err),
		0);
	ck_assert_str_eq(verdicts.items[0].name, _i == 0 ? "crash" : "file");
	ck_assert(avml_source_is_live(source));
	ck_assert(avml_source_is_host(source));
	ck_assert(!avml_source_is_filtered(source));
	avml_source_free(source);
	/* The filter is in front of any device. */
	tree_make_flags(&t, 0, 4096);
	ck_assert_int_eq(avml_source_choose(path, &config, tree_on_verdict,
				 &verdicts, &source, &err),
		0);
	ck_assert(avml_source_is_filtered(source));
	avml_source_free(source);
	tree_release(&mine);
}
END_TEST

static Suite *device_suite(void)
{
	Suite *suite = suite_create("device");
	TCase *tc = tcase_create("device");
	const int sizes = TEST_COUNT(page_sizes);

	tcase_add_loop_test(
		tc, device_copy_is_refused_where_none_was_named, 0, 2);
	tcase_add_loop_test(tc, device_of_a_wrong_kind_is_not_opened, 0, 2);
	tcase_add_loop_test(tc, device_that_is_one_is_of_this_host, 0, 2);
	tcase_add_loop_test(tc, device_missing_says_what_makes_it, 0, 2);
	tcase_add_loop_test(tc, crash_is_read_page_by_page, 0, sizes);
	tcase_add_loop_test(
		tc, device_copy_cut_within_a_page_keeps_its_part, 0, 2);
	tcase_add_loop_test(tc, mem_is_read_in_large_parts, 0, sizes);
	tcase_add_loop_test(
		tc, device_readers_have_their_own_descriptors, 0, 2);
	tcase_add_loop_test(tc, device_is_known_by_its_path, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(device_suite)

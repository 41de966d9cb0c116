/* SPDX-License-Identifier: MIT */
/*
 * A list of sources as one: its readers, what it is, and what came from
 * whom. See check_list.h.
 */
#include "check_list.h"

#include <pthread.h>

#include "check_paths.h"

/* --- readers -------------------------------------------------------------- */

START_TEST(fallback_readers_of_others_are_opened_when_needed)
{
	static const char *const patterns[] = { "..i.", "i.f.", "....", NULL };
	struct avml_source_reader *reader;
	uint8_t bytes[4096], status;
	struct avml_error err;
	struct list list;

	list_init(&list, 4096, 16 * MIB, patterns);
	list_unite(&list);
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	ck_assert_uint_eq(list.members[0].readers, 1);
	for (int way = 0; way < 3; way++) {
		ck_assert_uint_eq(avml_source_read(reader, 16 * MIB, bytes,
					  4096, &status),
			0);
		ck_assert_uint_eq(list.members[1].readers, way > 0);
		ck_assert_uint_eq(list.members[2].readers, way > 0);
		ck_assert_uint_eq(avml_source_read(reader, 16 * MIB + 2 * 4096,
					  bytes, 4096, &status),
			0);
	}
	/* And once a reader. */
	ck_assert_uint_eq(list.members[0].readers, 1);
	ck_assert_uint_eq(list.members[1].readers, 1);
	ck_assert_uint_eq(list.members[2].readers, 1);
	avml_source_reader_free(reader);
	list_free(&list);
}
END_TEST

START_TEST(fallback_reader_that_cannot_be_had_is_tried_once)
{
	static const char *const patterns[] = { "iiii", "....", "..i.", NULL };
	struct list list;

	list_init(&list, 4096, 16 * MIB, patterns);
	list.members[1].reader_error = EMFILE;
	list_unite(&list);
	read_list(&list, 4);
	ck_assert_uint_eq(list.members[1].readers, 1);
	ck_assert_uint_eq(list.members[1].reads, 0);
	list_free(&list);
}
END_TEST

START_TEST(fallback_without_the_first_reader_there_is_none)
{
	static const char *const patterns[] = { "....", "....", NULL };
	struct avml_source_reader *reader;
	struct avml_error err;
	struct list list;

	list_init(&list, 4096, 16 * MIB, patterns);
	list.members[0].reader_error = EMFILE;
	list_unite(&list);
	ck_assert_int_eq(
		avml_source_reader_new(list.source, &reader, &err), -EMFILE);
	ck_assert_uint_eq(list.members[1].readers, 0);
	list_free(&list);
}
END_TEST

/* --- what came from whom -------------------------------------------------- */

static void assert_filled(const struct list *list, size_t i,
	const struct avml_range *ranges, size_t count)
{
	const struct avml_range_list *filled =
		avml_source_filled_by(list->source, i);

	ck_assert_ptr_nonnull(filled);
	ck_assert_uint_eq(filled->count, count);
	for (size_t k = 0; k < count; k++) {
		ck_assert_uint_eq(
			filled->items[k].start, 16 * MIB + ranges[k].start);
		ck_assert_uint_eq(
			filled->items[k].end, 16 * MIB + ranges[k].end);
	}
}

START_TEST(fallback_pages_are_told_by_their_giver)
{
	static const char *const patterns[] = { "..iiii.i", "..f..f..",
		"........", "........", NULL };
	static const struct avml_range second[] = { { 0x3000, 0x5000 },
		{ 0x7000, 0x8000 } };
	static const struct avml_range third[] = { { 0x2000, 0x3000 },
		{ 0x5000, 0x6000 } };
	struct list list;

	list_init(&list, 4096, 16 * MIB, patterns);
	list_unite(&list);
	assert_filled(&list, 1, NULL, 0);
	/* Read twice, they are told once. */
	read_list(&list, 8);
	for (size_t i = 0; i < list.count; i++)
		list.members[i].reads = 0;
	read_list(&list, 8);
	assert_filled(&list, 0, NULL, 0);
	assert_filled(&list, 1, second, 2);
	assert_filled(&list, 2, third, 2);
	assert_filled(&list, 3, NULL, 0);
	ck_assert_ptr_null(avml_source_filled_by(list.source, 4));
	/* Of a single source nothing is. */
	ck_assert_ptr_null(avml_source_filled_by(&list.members[0].base, 0));
	list_free(&list);
}
END_TEST

/* Where errors read as zeros, zeros are no answer. */
START_TEST(fallback_false_zeros_are_not_taken)
{
	static const char *const patterns[] = { "iiii", "....", "i..p", NULL };
	struct source_ops zeros = faulty_ops;
	struct list list;
	struct avml_source_reader *reader;
	uint8_t bytes[4 * 4096], status[4];
	struct avml_error err;

	zeros.false_zeros = _i == 1;
	list_init(&list, 4096, 16 * MIB, patterns);
	list.members[1].base.ops = &zeros;
	/* All of it is zeros but the first byte of the second page. */
	list.members[1].zero_from = 16 * MIB + 4096 + 1;
	list_unite(&list);
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	(void)avml_source_read(reader, 16 * MIB, bytes, sizeof(bytes), status);
	avml_source_reader_free(reader);
	assert_page_bytes(bytes, 16 * MIB, 4096, 4096, twists[1]);
	assert_page_bytes(bytes + 4096, 16 * MIB + 4096, 4096, 1, twists[1]);
	if (_i == 0) {
		assert_page_bytes(bytes + 2 * 4096, 0, 4096, 0, 0);
		ck_assert_int_eq(status[2], AVML_PAGE_READ);
		ck_assert_int_eq(status[3], AVML_PAGE_READ);
	} else {
		/* From the next, or an error as the first gave it. */
		assert_page_bytes(bytes + 2 * 4096, 16 * MIB + 2 * 4096, 4096,
			4096, twists[2]);
		ck_assert_int_eq(status[2], AVML_PAGE_READ);
		ck_assert_int_eq(status[3], EIO);
	}
	assert_page_bytes(bytes + 3 * 4096, 0, 4096, 0, 0);
	ck_assert_uint_eq(
		avml_source_filled(list.source), _i == 1 ? 3 * 4096 : 4 * 4096);
	list_free(&list);
}
END_TEST

/* The first is believed, whatever it is. */
START_TEST(fallback_zeros_of_the_first_are_taken)
{
	static const char *const patterns[] = { "..", "..", NULL };
	struct source_ops zeros = faulty_ops;
	struct list list;
	struct avml_source_reader *reader;
	uint8_t bytes[2 * 4096], status[2];
	struct avml_error err;

	zeros.false_zeros = true;
	list_init(&list, 4096, 16 * MIB, patterns);
	list.members[0].base.ops = &zeros;
	list.members[0].zero_from = 16 * MIB;
	list_unite(&list);
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	ck_assert_uint_eq(avml_source_read(reader, 16 * MIB, bytes,
				  sizeof(bytes), status),
		0);
	avml_source_reader_free(reader);
	ck_assert_uint_eq(list.members[1].reads, 0);
	list_free(&list);
}
END_TEST

#define THREADS 4

struct share {
	const struct avml_source *source;
	uint64_t addr;
	size_t count, failed;
	uint8_t *bytes, *status;
};

static void *read_share(void *arg)
{
	struct share *s = arg;
	struct avml_source_reader *reader;
	struct avml_error err;

	TEST_ASSERT(avml_source_reader_new(s->source, &reader, &err) == 0);
	/* In pieces, so that the threads meet. */
	for (size_t n = 0; n < s->count; n += 8)
		s->failed += avml_source_read(reader, s->addr + n * 4096,
			s->bytes + n * 4096, 8 * 4096, s->status + n);
	avml_source_reader_free(reader);
	return NULL;
}

/* Several threads, each with a reader, and one count of what was filled. */
START_TEST(fallback_threads_share_a_list)
{
	static char pages[3][THREADS * 32 + 1];
	const char *const patterns[] = { pages[0], pages[1], pages[2], NULL };
	struct share shares[THREADS];
	pthread_t threads[THREADS];
	struct list list;
	uint64_t others = 0;

	for (size_t n = 0; n < THREADS * 32; n++) {
		pages[0][n] = n % 3 ? 'i' : '.';
		pages[1][n] = n % 2 ? 'f' : '.';
		pages[2][n] = n % 7 ? '.' : 'p';
	}
	list_init(&list, 4096, 16 * MIB, patterns);
	list_unite(&list);
	for (size_t t = 0; t < THREADS; t++) {
		shares[t] = (struct share){ .source = list.source,
			.addr = 16 * MIB + t * 32 * 4096,
			.count = 32,
			.bytes = malloc(32 * 4096),
			.status = malloc(32) };
		ck_assert_int_eq(pthread_create(&threads[t], NULL, read_share,
					 &shares[t]),
			0);
	}
	for (size_t t = 0; t < THREADS; t++)
		ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
	for (size_t n = 0; n < THREADS * 32; n++) {
		const struct share *s = &shares[n / 32];
		const size_t by = giver(&list, n), at = n % 32;

		ck_assert_int_eq(s->status[at], by == MEMBERS_MAX ? EIO : 0);
		assert_page_bytes(s->bytes + at * 4096, s->addr + at * 4096,
			4096, by == MEMBERS_MAX ? 0 : 4096,
			by == MEMBERS_MAX ? 0 : twists[by]);
		others += by > 0 && by < MEMBERS_MAX;
	}
	ck_assert_uint_eq(avml_source_filled(list.source), others * 4096);
	ck_assert_uint_eq(list.members[0].readers, THREADS);
	for (size_t t = 0; t < THREADS; t++) {
		free(shares[t].bytes);
		free(shares[t].status);
	}
	list_free(&list);
}
END_TEST

/* --- what the list is ----------------------------------------------------- */

static void cover(struct faulty *f, uint64_t start, uint64_t end)
{
	f->base.covers_all = false;
	ck_assert_int_eq(avml_range_list_add(&f->base.coverage, start, end), 0);
}

START_TEST(fallback_coverage_is_that_of_any)
{
	static const char *const patterns[] = { "....", "....", "....", NULL };
	const struct avml_range_list *coverage;
	struct list list;

	list_init(&list, 4096, 16 * MIB, patterns);
	cover(&list.members[0], 0x100000, 0x200000);
	cover(&list.members[0], 0x400000, 0x500000);
	cover(&list.members[1], 0x300000, 0x400000);
	cover(&list.members[1], 0x480000, 0x600000);
	cover(&list.members[2], 0x1000, 0x2000);
	list_unite(&list);
	coverage = avml_source_coverage(list.source);
	ck_assert_ptr_nonnull(coverage);
	ck_assert_uint_eq(coverage->count, 3);
	ck_assert_uint_eq(coverage->items[0].start, 0x1000);
	ck_assert_uint_eq(coverage->items[0].end, 0x2000);
	ck_assert_uint_eq(coverage->items[1].start, 0x100000);
	ck_assert_uint_eq(coverage->items[1].end, 0x200000);
	ck_assert_uint_eq(coverage->items[2].start, 0x300000);
	ck_assert_uint_eq(coverage->items[2].end, 0x600000);
	list_free(&list);
	/* One that could have anything: then it is not known. */
	for (size_t i = 0; i < 3; i++) {
		list_init(&list, 4096, 16 * MIB, patterns);
		for (size_t k = 0; k < 3; k++) {
			if (k != i)
				cover(&list.members[k], 0x1000, 0x2000);
		}
		list_unite(&list);
		ck_assert_ptr_null(avml_source_coverage(list.source));
		list_free(&list);
	}
}
END_TEST

START_TEST(fallback_is_what_its_members_are)
{
	static const char *const patterns[] = { "....", "....", NULL };

	for (int way = 0; way < 16; way++) {
		struct list list;

		list_init(&list, way & 1 ? 4096 : 16384, 16 * MIB, patterns);
		list.members[0].base.live = way & 2;
		list.members[1].base.live = way & 4;
		list.members[0].base.host = way & 4;
		list.members[1].base.host = way & 8;
		list_unite(&list);
		ck_assert_str_eq(avml_source_path(list.source), "member0");
		ck_assert_uint_eq(avml_source_page_size(list.source),
			way & 1 ? 4096 : 16384);
		ck_assert(avml_source_is_live(list.source) == !!(way & 6));
		ck_assert(avml_source_is_host(list.source) == !!(way & 12));
		ck_assert(!avml_source_is_filtered(list.source));
		ck_assert_uint_eq(avml_source_filled(list.source), 0);
		list_free(&list);
	}
}
END_TEST

START_TEST(fallback_recheck_is_of_the_one_that_knows)
{
	static const char *const patterns[] = { "....", "....", "....", NULL };
	struct source_ops knowing = faulty_ops;
	struct avml_range_list added = AVML_RANGE_LIST_INIT;
	struct avml_range_list gone = AVML_RANGE_LIST_INIT;
	struct avml_error err;
	struct list list;

	knowing.recheck = faulty_recheck;
	list_init(&list, 4096, 16 * MIB, patterns);
	list_unite(&list);
	/* What was in the lists before is no more. */
	avml_range_list_add(&added, 1, 2);
	ck_assert_int_eq(
		avml_source_recheck(list.source, &added, &gone, &err), 0);
	ck_assert_uint_eq(added.count + gone.count, 0);
	for (size_t i = 0; i < 3; i++) {
		list.members[i].base.ops = &knowing;
		list.members[i].added = (struct avml_range){ i + 1, 10 };
		list.members[i].gone = (struct avml_range){ 20, 30 + i };
		ck_assert_int_eq(
			avml_source_recheck(list.source, &added, &gone, &err),
			0);
		ck_assert_uint_eq(added.count, 1);
		ck_assert_uint_eq(added.items[0].start, i + 1);
		ck_assert_uint_eq(gone.count, 1);
		ck_assert_uint_eq(gone.items[0].end, 30 + i);
		list.members[i].recheck_error = EIO;
		ck_assert_int_eq(
			avml_source_recheck(list.source, &added, &gone, &err),
			-EIO);
		list.members[i].base.ops = &faulty_ops;
	}
	avml_range_list_release(&added);
	avml_range_list_release(&gone);
	list_free(&list);
}
END_TEST

/* --- the page filter ------------------------------------------------------ */

/* One in front of all: what is marked is asked of nobody. */
START_TEST(fallback_marked_pages_are_asked_of_nobody)
{
	static const char *const patterns[] = { "i.ii.i", "......", NULL };
	const uint64_t marks[6] = { 0, 0, 1 << 19, 0, 1 << 23, 0 };
	uint8_t bytes[6 * 4096], status[6];
	struct avml_source_reader *reader;
	struct avml_error err;
	struct list list;
	int fd;

	list_init(&list, 4096, 0, patterns);
	list.fills_low[1] = true;
	ck_assert_int_eq(
		avml_page_flags_open(test_file("kpageflags", marks, 40),
			&list.members[0].base.flags, &err),
		0);
	fd = list.members[0].base.flags.fd;
	list.members[0].base.cautious = true;
	list_unite(&list);
	ck_assert(avml_source_is_filtered(list.source));
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	ck_assert_uint_eq(
		avml_source_read(reader, 0, bytes, sizeof(bytes), status), 3);
	avml_source_reader_free(reader);
	ck_assert_int_eq(status[2], AVML_PAGE_POISONED);
	ck_assert_int_eq(status[4], AVML_PAGE_OFFLINE);
	/* The file tells of five, and there is reason for caution. */
	ck_assert_int_eq(status[5], AVML_PAGE_UNMARKED);
	for (size_t n = 0; n < 6; n++) {
		const bool touched = status[n] == AVML_PAGE_READ;

		ck_assert(touched == (n < 4 && n != 2));
		ck_assert((faulty_asked(&list.members[0], n * 4096) > 0) ==
			  touched);
		ck_assert_uint_eq(faulty_asked(&list.members[1], n * 4096),
			n == 0 || n == 3);
	}
	/* It is the list's, and closed with it. */
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
	list_free(&list);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static Suite *fallback_list_suite(void)
{
	Suite *suite = suite_create("fallback_list");
	TCase *tc = tcase_create("fallback_list");

	tcase_add_test(tc, fallback_readers_of_others_are_opened_when_needed);
	tcase_add_test(tc, fallback_reader_that_cannot_be_had_is_tried_once);
	tcase_add_test(tc, fallback_without_the_first_reader_there_is_none);
	tcase_add_test(tc, fallback_pages_are_told_by_their_giver);
	tcase_add_loop_test(tc, fallback_false_zeros_are_not_taken, 0, 2);
	tcase_add_test(tc, fallback_zeros_of_the_first_are_taken);
	tcase_add_test(tc, fallback_threads_share_a_list);
	tcase_add_test(tc, fallback_coverage_is_that_of_any);
	tcase_add_test(tc, fallback_is_what_its_members_are);
	tcase_add_test(tc, fallback_recheck_is_of_the_one_that_knows);
	tcase_add_test(tc, fallback_marked_pages_are_asked_of_nobody);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(fallback_list_suite)

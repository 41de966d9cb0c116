/* SPDX-License-Identifier: MIT */
/*
 * Several sources as one: what the first cannot read is asked of the
 * others, page by page. All of them are made up.
 */
#include "check_list.h"

#define PAGES_MAX 130

static const size_t page_sizes[] = { 4096, 16384, 65536 };

static const char *const lists[][MEMBERS_MAX + 1] = {
	{ "....", "....", NULL },
	{ "i", ".", NULL },
	{ "ii", "i.", NULL },
	{ ".i..", "....", NULL },
	{ "i...", "....", NULL },
	{ "...i", "....", NULL },
	{ "iiii", "....", NULL },
	{ "iiii", "ffff", NULL },
	/* The reason is the first's, whatever the others say. */
	{ "ifpu", "pppp", NULL },
	{ ".fi.", "..p.", NULL },
	/* In order: the third only where the second fails too. */
	{ "iiii....", "..ffff..", "..p.....", NULL },
	{ "ffffffff", "pppppppp", "........", NULL },
	{ "i.i.i.i.", "iii.iii.", "i.iii.ii", "......ii", NULL },
	{ "uuuuuuuu", "....pppp", "iiii....", "pppppppp", NULL },
	{ "yzZx....", "pppp....", "yzZx....", NULL },
};

START_TEST(fallback_pages_are_filled_in_order)
{
	for (size_t i = 0; i < TEST_COUNT(lists); i++) {
		for (enum manner m = WHOLE; m <= RAGGED; m++) {
			struct list list;

			list_init(&list, page_sizes[_i], 16 * MIB, lists[i]);
			for (size_t k = 0; k < list.count; k++)
				list.members[k].manner = m;
			list_unite(&list);
			read_list(&list, strlen(lists[i][0]));
			list_free(&list);
		}
	}
}
END_TEST

START_TEST(fallback_random_lists_give_what_any_has)
{
	uint64_t seed = 0x66616c6c6261;

	for (int round = 0; round < 200; round++) {
		static char pages[MEMBERS_MAX][PAGES_MAX + 1];
		const char *patterns[MEMBERS_MAX + 1] = { NULL };
		const size_t members = 2 + test_random(&seed) % 3;
		const size_t count = 1 + test_random(&seed) % (PAGES_MAX - 1);
		struct list list;

		memset(pages, 0, sizeof(pages));
		for (size_t k = 0; k < members; k++) {
			const uint64_t odds = 1 + test_random(&seed) % 9;

			for (size_t n = 0; n < count; n++)
				pages[k][n] =
					test_random(&seed) % odds
						? '.'
						: "ifpu"[test_random(&seed) %
							  4];
			patterns[k] = pages[k];
		}
		list_init(&list, 4096, MIB - 64 * 4096, patterns);
		for (size_t k = 0; k < members; k++) {
			list.members[k].manner =
				(enum manner)(test_random(&seed) % 3);
			list.fills_low[k] = test_random(&seed) % 2;
			if (k > 0 && test_random(&seed) % 5 == 0)
				list.members[k].reader_error = EPERM;
		}
		list_unite(&list);
		read_list(&list, count);
		list_free(&list);
	}
}
END_TEST

/* Where STRICT_DEVMEM answers with false zeros, it may not fill. */
START_TEST(fallback_low_memory_is_filled_by_those_that_may)
{
	static const char *const patterns[] = { "iiii", "....", "....", NULL };

	for (int way = 0; way < 4; way++) {
		struct list list;

		/* Two pages below 1 MiB, and two above it. */
		list_init(&list, 4096, MIB - 2 * 4096, patterns);
		list.fills_low[1] = way & 1;
		list.fills_low[2] = way & 2;
		list_unite(&list);
		read_list(&list, 4);
		list_free(&list);
	}
}
END_TEST

/* Whatever is said of the first: it is always asked. */
START_TEST(fallback_low_memory_is_read_from_the_first)
{
	static const char *const patterns[] = { "....", "....", NULL };
	struct list list;

	list_init(&list, 4096, 0, patterns);
	list.fills_low[0] = false;
	list_unite(&list);
	read_list(&list, 4);
	list_free(&list);
}
END_TEST

/* --- pages of which there is a part -------------------------------------- */

/* The last page, of which each member has so many bytes. */
static const struct {
	size_t len[3];
	size_t by;   /* who gives all of it; 3: nobody */
	size_t good; /* bytes that are kept of the first's */
} parts[] = {
	{ { 100, 4096, 4096 }, 1, 0 },
	{ { 100, 200, 4096 }, 2, 0 },
	{ { 4095, 4095, 4096 }, 2, 0 },
	/* What the others wrote over it is no more there. */
	{ { 100, 4095, 50 }, 3, 100 },
	{ { 4095, 100, 0 }, 3, 4095 },
	{ { 0, 4095, 100 }, 3, 0 },
	{ { 1, 0, 0 }, 3, 1 },
};

START_TEST(fallback_part_of_a_page_is_none)
{
	static const char *const patterns[] = { "..", "..", "..", NULL };
	uint8_t bytes[2 * 4096], status[2];
	struct avml_source_reader *reader;
	struct avml_error err;
	struct list list;
	const uint64_t addr = 16 * MIB + 4096;
	const size_t by = parts[_i].by;

	list_init(&list, 4096, 16 * MIB, patterns);
	for (size_t i = 0; i < 3; i++)
		list.members[i].len = 4096 + parts[_i].len[i];
	list_unite(&list);
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	ck_assert_uint_eq(avml_source_read(reader, 16 * MIB, bytes,
				  sizeof(bytes), status),
		by == 3);
	avml_source_reader_free(reader);
	ck_assert_int_eq(status[0], AVML_PAGE_READ);
	ck_assert_int_eq(status[1], by == 3 ? AVML_PAGE_END : AVML_PAGE_READ);
	assert_page_bytes(bytes + 4096, addr, 4096,
		by == 3 ? parts[_i].good : 4096, by == 3 ? 0 : twists[by]);
	ck_assert_uint_eq(avml_source_filled(list.source), by == 3 ? 0 : 4096);
	list_free(&list);
}
END_TEST

/* A quarter of each page can be read, the rest of it is an error. */
static ssize_t torn_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	struct faulty *f = faulty_of(reader->source);
	const size_t page = f->base.page_size, at = addr % page;
	const size_t part = len < page ? len : page / 4;

	if (f->base.ops->whole_pages)
		ck_assert_uint_eq(len % page, 0);
	atomic_fetch_add(&f->reads, 1);
	memset(buf, 0xee, len);
	if (at >= page / 4)
		return -EIO;
	for (size_t i = 0; i < part; i++)
		((uint8_t *)buf)[i] = byte_at(addr + i) ^ f->twist;
	return (ssize_t)part;
}

/* The part is kept, with the reason why there is not more, if it tells. */
START_TEST(fallback_torn_page_of_the_first_has_its_reason)
{
	static const char *const patterns[] = { "..", "f.", NULL };
	uint8_t bytes[2 * 4096], status[2];
	struct source_ops torn = faulty_ops;
	struct avml_source_reader *reader;
	struct avml_error err;
	struct list list;

	torn.read = torn_read;
	torn.whole_pages = _i == 1;
	list_init(&list, 4096, 16 * MIB, patterns);
	list.members[0].base.ops = &torn;
	list_unite(&list);
	ck_assert_int_eq(avml_source_reader_new(list.source, &reader, &err), 0);
	ck_assert_uint_eq(avml_source_read(reader, 16 * MIB, bytes,
				  sizeof(bytes), status),
		1);
	avml_source_reader_free(reader);
	/* One that cannot be asked for the rest does not say. */
	ck_assert_int_eq(status[0], _i == 1 ? AVML_PAGE_END : EIO);
	ck_assert_int_eq(status[1], AVML_PAGE_READ);
	assert_page_bytes(bytes, 16 * MIB, 4096, 1024, 0);
	assert_page_bytes(bytes + 4096, 16 * MIB + 4096, 4096, 4096, twists[1]);
	list_free(&list);
}
END_TEST

static Suite *fallback_suite(void)
{
	Suite *suite = suite_create("fallback");
	TCase *tc = tcase_create("fallback");

	tcase_add_loop_test(tc, fallback_pages_are_filled_in_order, 0,
		TEST_COUNT(page_sizes));
	tcase_add_test(tc, fallback_random_lists_give_what_any_has);
	tcase_add_test(tc, fallback_low_memory_is_filled_by_those_that_may);
	tcase_add_test(tc, fallback_low_memory_is_read_from_the_first);
	tcase_add_loop_test(
		tc, fallback_part_of_a_page_is_none, 0, TEST_COUNT(parts));
	tcase_add_loop_test(
		tc, fallback_torn_page_of_the_first_has_its_reason, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(fallback_suite)

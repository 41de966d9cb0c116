/* SPDX-License-Identifier: MIT */
#include <avml/range.h>

#include <stdbool.h>

#include "check_main.h"
#include "check_wrap.h"

#define RANGES_MAX 8

/* A literal list: ends at the first { 0, 0 }. */
struct literal {
	struct avml_range items[RANGES_MAX];
};

/* Calls to come that succeed; the library's lists grow by reallocarray(). */
static unsigned int allocations_left = UINT32_MAX;

void *WRAP(reallocarray)(void *old, size_t count, size_t size)
{
	size_t len;

	if (allocations_left == 0 ||
		__builtin_mul_overflow(count, size, &len)) {
		errno = ENOMEM;
		return NULL;
	}
	allocations_left--;
	return realloc(old, len);
}

static size_t literal_count(const struct literal *literal)
{
	size_t n = 0;

	while (n < RANGES_MAX && literal->items[n].end != 0)
		n++;
	return n;
}

static struct avml_range_list list_of(const struct literal *literal)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	for (size_t i = 0; i < literal_count(literal); i++)
		ck_assert_int_eq(
			avml_range_list_add(&list, literal->items[i].start,
				literal->items[i].end),
			0);
	return list;
}

static void assert_list(
	const struct avml_range_list *list, const struct literal *expected)
{
	const size_t count = literal_count(expected);

	ck_assert_uint_eq(list->count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(
			list->items[i].start, expected->items[i].start);
		ck_assert_uint_eq(list->items[i].end, expected->items[i].end);
	}
}

START_TEST(range_list_initialised_is_empty)
{
	struct avml_range_list list;

	memset(&list, 0xff, sizeof(list));
	avml_range_list_init(&list);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_eq(avml_range_list_total(&list), 0);
	avml_range_list_merge(&list);
	ck_assert_int_eq(avml_range_list_align(&list, 4096, NULL), 0);
	ck_assert_uint_eq(list.count, 0);
	avml_range_list_release(&list);
	avml_range_list_release(&list);
	ck_assert_ptr_null(list.items);
}
END_TEST

START_TEST(range_add_empty_or_reversed_is_left_out)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	ck_assert_int_eq(avml_range_list_add(&list, 5, 5), 0);
	ck_assert_int_eq(avml_range_list_add(&list, 6, 5), 0);
	ck_assert_int_eq(avml_range_list_add(&list, UINT64_MAX, 0), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_ptr_null(list.items);
}
END_TEST

START_TEST(range_add_many_keeps_them_in_order)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(
			avml_range_list_add(&list, 10 * i, 10 * i + 5), 0);
	ck_assert_uint_eq(list.count, 1000);
	for (uint64_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(list.items[i].start, 10 * i);
		ck_assert_uint_eq(list.items[i].end, 10 * i + 5);
	}
	ck_assert_uint_eq(avml_range_list_total(&list), 5000);
	avml_range_list_release(&list);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(range_add_without_memory_is_enomem)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	allocations_left = 1;
	for (uint64_t i = 0; i < 16; i++)
		ck_assert_int_eq(avml_range_list_add(&list, i, i + 1), 0);
	ck_assert_int_eq(avml_range_list_add(&list, 100, 101), -ENOMEM);
	ck_assert_uint_eq(list.count, 16);
	ck_assert_uint_eq(list.items[15].start, 15);
	avml_range_list_release(&list);
}
END_TEST

static const struct {
	struct literal in, out;
} merges[] = {
	/* One alone, and two apart. */
	{ { { { 1, 2 } } }, { { { 1, 2 } } } },
	{ { { { 1, 2 }, { 3, 4 } } }, { { { 1, 2 }, { 3, 4 } } } },
	/* Touching ones are joined, in either order. */
	{ { { { 1, 3 }, { 3, 4 } } }, { { { 1, 4 } } } },
	{ { { { 3, 4 }, { 1, 3 } } }, { { { 1, 4 } } } },
	/* The borders that firmware makes in mid-page. */
	{ { { { 0x100000, 0xa6f3018 }, { 0xa6f3018, 0xa700000 } } },
		{ { { 0x100000, 0xa700000 } } } },
	/* Overlapping, within one another, equal. */
	{ { { { 1, 5 }, { 3, 8 } } }, { { { 1, 8 } } } },
	{ { { { 1, 9 }, { 3, 8 } } }, { { { 1, 9 } } } },
	{ { { { 3, 8 }, { 1, 9 } } }, { { { 1, 9 } } } },
	{ { { { 1, 9 }, { 1, 4 } } }, { { { 1, 9 } } } },
	{ { { { 1, 4 }, { 1, 9 } } }, { { { 1, 9 } } } },
	{ { { { 3, 8 }, { 3, 8 } } }, { { { 3, 8 } } } },
	/* A long one over several, and one beyond it. */
	{ { { { 2, 3 }, { 4, 5 }, { 1, 8 }, { 7, 9 }, { 12, 13 } } },
		{ { { 1, 9 }, { 12, 13 } } } },
	/* Both ends of the address space. */
	{ { { { UINT64_MAX - 1, UINT64_MAX }, { 0, 1 } } },
		{ { { 0, 1 }, { UINT64_MAX - 1, UINT64_MAX } } } },
	{ { { { 0, UINT64_MAX }, { 5, 6 } } }, { { { 0, UINT64_MAX } } } },
};

START_TEST(range_list_merged_is_sorted_and_joined)
{
	struct avml_range_list list = list_of(&merges[_i].in);

	avml_range_list_merge(&list);
	assert_list(&list, &merges[_i].out);
	avml_range_list_release(&list);
}
END_TEST

static const struct {
	uint64_t page;
	struct literal in, out, trimmed;
} alignments[] = {
	{ 0x1000, { { { 0x1000, 0x3000 } } }, { { { 0x1000, 0x3000 } } },
		{ { { 0 } } } },
	/* Low memory of a PC: the end is in mid-page. */
	{ 0x1000, { { { 0x1000, 0x9fc00 } } }, { { { 0x1000, 0x9f000 } } },
		{ { { 0x9f000, 0x9fc00 } } } },
	{ 0x1000, { { { 0x1001, 0x3000 } } }, { { { 0x2000, 0x3000 } } },
		{ { { 0x1001, 0x2000 } } } },
	{ 0x1000, { { { 0xfff, 0x3001 } } }, { { { 0x1000, 0x3000 } } },
		{ { { 0xfff, 0x1000 }, { 0x3000, 0x3001 } } } },
	/* Nothing whole: within one page, and over the border of two. */
	{ 0x1000, { { { 0x1001, 0x1fff } } }, { { { 0 } } },
		{ { { 0x1001, 0x1fff } } } },
	{ 0x1000, { { { 0x1001, 0x2fff } } }, { { { 0 } } },
		{ { { 0x1001, 0x2fff } } } },
	{ 0x1000, { { { 0x1000, 0x1fff } } }, { { { 0 } } },
		{ { { 0x1000, 0x1fff } } } },
	{ 0x1000, { { { 0x1001, 0x2000 } } }, { { { 0 } } },
		{ { { 0x1001, 0x2000 } } } },
	{ 0x1000, { { { 0, 1 } } }, { { { 0 } } }, { { { 0, 1 } } } },
	/* Those after a dropped one are kept. */
	{ 0x1000,
		{ { { 0x10, 0x20 }, { 0x1000, 0x2000 }, { 0x5000, 0x5800 },
			{ 0x7000, 0x8001 } } },
		{ { { 0x1000, 0x2000 }, { 0x7000, 0x8000 } } },
		{ { { 0x10, 0x20 }, { 0x5000, 0x5800 },
			{ 0x8000, 0x8001 } } } },
	/* The pages of arm64. */
	{ 0x4000, { { { 0x1000, 0x9000 } } }, { { { 0x4000, 0x8000 } } },
		{ { { 0x1000, 0x4000 }, { 0x8000, 0x9000 } } } },
	{ 0x10000, { { { 0x1000, 0x30000 } } }, { { { 0x10000, 0x30000 } } },
		{ { { 0x1000, 0x10000 } } } },
	/* Rounding up past 2^64 leaves nothing. */
	{ 0x1000, { { { UINT64_MAX - 100, UINT64_MAX } } }, { { { 0 } } },
		{ { { UINT64_MAX - 100, UINT64_MAX } } } },
	{ 0x1000, { { { UINT64_MAX - 0xfff, UINT64_MAX } } }, { { { 0 } } },
		{ { { UINT64_MAX - 0xfff, UINT64_MAX } } } },
	{ 0x1000, { { { UINT64_MAX - 0x1fff, UINT64_MAX } } },
		{ { { UINT64_MAX - 0x1fff, UINT64_MAX - 0xfff } } },
		{ { { UINT64_MAX - 0xfff, UINT64_MAX } } } },
	{ 1, { { { 3, 4 } } }, { { { 3, 4 } } }, { { { 0 } } } },
};

START_TEST(range_list_aligned_keeps_whole_pages)
{
	struct avml_range_list list = list_of(&alignments[_i].in);
	struct avml_range_list again = list_of(&alignments[_i].in);
	struct avml_range_list trimmed = AVML_RANGE_LIST_INIT;
	const uint64_t page = alignments[_i].page;

	ck_assert_int_eq(avml_range_list_align(&list, page, &trimmed), 0);
	assert_list(&list, &alignments[_i].out);
	assert_list(&trimmed, &alignments[_i].trimmed);
	/* Nobody has to ask for what was cut off. */
	ck_assert_int_eq(avml_range_list_align(&again, page, NULL), 0);
	assert_list(&again, &alignments[_i].out);
	avml_range_list_release(&list);
	avml_range_list_release(&again);
	avml_range_list_release(&trimmed);
}
END_TEST

START_TEST(range_list_aligned_appends_to_trimmed)
{
	struct avml_range_list trimmed = AVML_RANGE_LIST_INIT;
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	avml_range_list_add(&trimmed, 1, 2);
	avml_range_list_add(&list, 0x1000, 0x2001);
	ck_assert_int_eq(avml_range_list_align(&list, 0x1000, &trimmed), 0);
	assert_list(&trimmed,
		&(struct literal){ { { 1, 2 }, { 0x2000, 0x2001 } } });
	avml_range_list_release(&list);
	avml_range_list_release(&trimmed);
}
END_TEST

START_TEST(range_list_aligned_without_memory_is_enomem)
{
	struct avml_range_list trimmed = AVML_RANGE_LIST_INIT;
	struct avml_range_list list = AVML_RANGE_LIST_INIT;

	avml_range_list_add(&list, 0x1000, 0x2001);
	allocations_left = 0;
	ck_assert_int_eq(
		avml_range_list_align(&list, 0x1000, &trimmed), -ENOMEM);
	avml_range_list_release(&list);
}
END_TEST

static const struct {
	struct literal a, b, both, only_a;
} pairs[] = {
	/* Nothing, apart, touching. */
	{ { { { 0 } } }, { { { 1, 2 } } }, { { { 0 } } }, { { { 0 } } } },
	{ { { { 1, 2 } } }, { { { 0 } } }, { { { 0 } } }, { { { 1, 2 } } } },
	{ { { { 1, 2 } } }, { { { 4, 5 } } }, { { { 0 } } }, { { { 1, 2 } } } },
	{ { { { 4, 5 } } }, { { { 1, 2 } } }, { { { 0 } } }, { { { 4, 5 } } } },
	{ { { { 1, 4 } } }, { { { 4, 5 } } }, { { { 0 } } }, { { { 1, 4 } } } },
	/* Equal, at the front, at the end, in the middle, all around. */
	{ { { { 1, 9 } } }, { { { 1, 9 } } }, { { { 1, 9 } } }, { { { 0 } } } },
	{ { { { 1, 9 } } }, { { { 0, 5 } } }, { { { 1, 5 } } },
		{ { { 5, 9 } } } },
	{ { { { 1, 9 } } }, { { { 5, 12 } } }, { { { 5, 9 } } },
		{ { { 1, 5 } } } },
	{ { { { 1, 9 } } }, { { { 3, 5 } } }, { { { 3, 5 } } },
		{ { { 1, 3 }, { 5, 9 } } } },
	{ { { { 3, 5 } } }, { { { 1, 9 } } }, { { { 3, 5 } } }, { { { 0 } } } },
	/* One against many, in both directions. */
	{ { { { 0, 20 } } }, { { { 2, 4 }, { 6, 8 }, { 19, 30 } } },
		{ { { 2, 4 }, { 6, 8 }, { 19, 20 } } },
		{ { { 0, 2 }, { 4, 6 }, { 8, 19 } } } },
	{ { { { 2, 4 }, { 6, 8 }, { 19, 30 } } }, { { { 3, 20 } } },
		{ { { 3, 4 }, { 6, 8 }, { 19, 20 } } },
		{ { { 2, 3 }, { 20, 30 } } } },
	/* Both ends of the address space. */
	{ { { { 0, UINT64_MAX } } }, { { { UINT64_MAX - 1, UINT64_MAX } } },
		{ { { UINT64_MAX - 1, UINT64_MAX } } },
		{ { { 0, UINT64_MAX - 1 } } } },
};

START_TEST(range_lists_intersected_and_subtracted_match_the_table)
{
	struct avml_range_list a = list_of(&pairs[_i].a);
	struct avml_range_list b = list_of(&pairs[_i].b);
	struct avml_range_list out = AVML_RANGE_LIST_INIT;

	/* What the list held before must be gone. */
	avml_range_list_add(&out, 1000, 2000);
	ck_assert_int_eq(avml_range_list_intersect(&a, &b, &out), 0);
	assert_list(&out, &pairs[_i].both);
	ck_assert_int_eq(avml_range_list_intersect(&b, &a, &out), 0);
	assert_list(&out, &pairs[_i].both);
	ck_assert_int_eq(avml_range_list_subtract(&a, &b, &out), 0);
	assert_list(&out, &pairs[_i].only_a);
	assert_list(&a, &pairs[_i].a);
	assert_list(&b, &pairs[_i].b);
	avml_range_list_release(&a);
	avml_range_list_release(&b);
	avml_range_list_release(&out);
}
END_TEST

START_TEST(range_lists_combined_without_memory_leave_out_empty)
{
	struct avml_range_list out = AVML_RANGE_LIST_INIT;
	struct avml_range_list a = AVML_RANGE_LIST_INIT;
	struct avml_range_list b = AVML_RANGE_LIST_INIT;

	for (uint64_t i = 0; i < 17; i++) {
		avml_range_list_add(&a, 10 * i, 10 * i + 5);
		avml_range_list_add(&b, 10 * i + 1, 10 * i + 2);
	}
	for (unsigned int left = 0; left < 2; left++) {
		allocations_left = left;
		ck_assert_int_eq(
			avml_range_list_intersect(&a, &b, &out), -ENOMEM);
		ck_assert_uint_eq(out.count, 0);
		ck_assert_ptr_null(out.items);
		allocations_left = left;
		ck_assert_int_eq(
			avml_range_list_subtract(&a, &b, &out), -ENOMEM);
		ck_assert_uint_eq(out.count, 0);
		ck_assert_ptr_null(out.items);
	}
	avml_range_list_release(&a);
	avml_range_list_release(&b);
}
END_TEST

static const struct {
	struct avml_range range;
	uint64_t max;
	struct avml_range pieces[4];
	unsigned int count;
} splits[] = {
	{ { 5, 5 }, 4, { { 0 } }, 0 },
	{ { 6, 5 }, 4, { { 0 } }, 0 },
	{ { 5, 8 }, 4, { { 5, 8 } }, 1 },
	{ { 5, 9 }, 4, { { 5, 9 } }, 1 },
	{ { 5, 10 }, 4, { { 5, 9 }, { 9, 10 } }, 2 },
	{ { 0, 12 }, 4, { { 0, 4 }, { 4, 8 }, { 8, 12 } }, 3 },
	{ { 0, UINT64_MAX }, UINT64_MAX, { { 0, UINT64_MAX } }, 1 },
	{ { UINT64_MAX - 3, UINT64_MAX }, 2,
		{ { UINT64_MAX - 3, UINT64_MAX - 1 },
			{ UINT64_MAX - 1, UINT64_MAX } },
		2 },
};

START_TEST(range_split_gives_pieces_from_the_front)
{
	struct avml_range rest = splits[_i].range, piece;

	for (unsigned int i = 0; i < splits[_i].count; i++) {
		ck_assert(avml_range_split(&rest, splits[_i].max, &piece));
		ck_assert_uint_eq(piece.start, splits[_i].pieces[i].start);
		ck_assert_uint_eq(piece.end, splits[_i].pieces[i].end);
		ck_assert_uint_eq(rest.start, piece.end);
		ck_assert_uint_eq(rest.end, splits[_i].range.end);
	}
	ck_assert(!avml_range_split(&rest, splits[_i].max, &piece));
}
END_TEST

/* --- against a bitmap ---------------------------------------------------- */

#define UNITS 192u
#define PAGE_UNITS 4u

struct model {
	bool unit[UNITS];
};

/* The units of a list; a list that is not merged is a failure. */
static struct model model_of(const struct avml_range_list *list)
{
	struct model m = { { false } };

	for (size_t i = 0; i < list->count; i++) {
		TEST_ASSERT(list->items[i].start < list->items[i].end);
		TEST_ASSERT(list->items[i].end <= UNITS);
		if (i > 0)
			TEST_ASSERT(
				list->items[i - 1].end < list->items[i].start);
		for (uint64_t u = list->items[i].start; u < list->items[i].end;
			u++)
			m.unit[u] = true;
	}
	return m;
}

static void assert_model(
	const struct avml_range_list *list, const struct model *expected)
{
	const struct model m = model_of(list);
	uint64_t total = 0;

	TEST_ASSERT(memcmp(m.unit, expected->unit, sizeof(m.unit)) == 0);
	for (unsigned int u = 0; u < UNITS; u++)
		total += m.unit[u];
	TEST_ASSERT(avml_range_list_total(list) == total);
}

static struct avml_range_list random_list(uint64_t *state, struct model *m)
{
	struct avml_range_list list = AVML_RANGE_LIST_INIT;
	const uint64_t count = test_random(state) % 24;
	const uint64_t longest = 1 + test_random(state) % 24;

	*m = (struct model){ { false } };
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t start = test_random(state) % UNITS;
		uint64_t end = start + test_random(state) % longest;

		if (end > UNITS)
			end = UNITS;
		TEST_ASSERT(avml_range_list_add(&list, start, end) == 0);
		for (uint64_t u = start; u < end; u++)
			m->unit[u] = true;
	}
	avml_range_list_merge(&list);
	assert_model(&list, m);
	return list;
}

static void check_combined(const struct avml_range_list *a,
	const struct avml_range_list *b, const struct model *in_a,
	const struct model *in_b)
{
	struct avml_range_list out = AVML_RANGE_LIST_INIT;
	struct model both, only_a;

	for (unsigned int u = 0; u < UNITS; u++) {
		both.unit[u] = in_a->unit[u] && in_b->unit[u];
		only_a.unit[u] = in_a->unit[u] && !in_b->unit[u];
	}
	TEST_ASSERT(avml_range_list_intersect(a, b, &out) == 0);
	assert_model(&out, &both);
	TEST_ASSERT(avml_range_list_subtract(a, b, &out) == 0);
	assert_model(&out, &only_a);
	avml_range_list_release(&out);
}

static void check_aligned(struct avml_range_list *a, const struct model *in_a)
{
	struct avml_range_list trimmed = AVML_RANGE_LIST_INIT;
	struct model whole, cut;

	for (unsigned int u = 0; u < UNITS; u++) {
		const unsigned int page = u / PAGE_UNITS * PAGE_UNITS;

		whole.unit[u] = true;
		for (unsigned int i = 0; i < PAGE_UNITS; i++)
			whole.unit[u] &= in_a->unit[page + i];
		cut.unit[u] = in_a->unit[u] && !whole.unit[u];
	}
	TEST_ASSERT(avml_range_list_align(a, PAGE_UNITS, &trimmed) == 0);
	assert_model(a, &whole);
	avml_range_list_merge(&trimmed);
	assert_model(&trimmed, &cut);
	avml_range_list_release(&trimmed);
}

START_TEST(range_lists_at_random_match_a_bitmap)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	for (int round = 0; round < 3000; round++) {
		struct model in_a, in_b;
		struct avml_range_list a = random_list(&state, &in_a);
		struct avml_range_list b = random_list(&state, &in_b);

		check_combined(&a, &b, &in_a, &in_b);
		check_aligned(&a, &in_a);
		avml_range_list_release(&a);
		avml_range_list_release(&b);
	}
}
END_TEST

START_TEST(range_len_is_in_bytes)
{
	ck_assert_uint_eq(avml_range_len((struct avml_range){ 3, 3 }), 0);
	ck_assert_uint_eq(avml_range_len((struct avml_range){ 0, UINT64_MAX }),
		UINT64_MAX);
}
END_TEST

static Suite *range_suite(void)
{
	Suite *suite = suite_create("range");
	TCase *tcase = tcase_create("range");

	tcase_add_test(tcase, range_list_initialised_is_empty);
	tcase_add_test(tcase, range_add_empty_or_reversed_is_left_out);
	tcase_add_test(tcase, range_add_many_keeps_them_in_order);
	tcase_add_test(tcase, range_add_without_memory_is_enomem);
	tcase_add_loop_test(tcase, range_list_merged_is_sorted_and_joined, 0,
		TEST_COUNT(merges));
	tcase_add_loop_test(tcase, range_list_aligned_keeps_whole_pages, 0,
		TEST_COUNT(alignments));
	tcase_add_test(tcase, range_list_aligned_appends_to_trimmed);
	tcase_add_test(tcase, range_list_aligned_without_memory_is_enomem);
	tcase_add_loop_test(tcase,
		range_lists_intersected_and_subtracted_match_the_table, 0,
		TEST_COUNT(pairs));
	tcase_add_test(
		tcase, range_lists_combined_without_memory_leave_out_empty);
	tcase_add_loop_test(tcase, range_split_gives_pieces_from_the_front, 0,
		TEST_COUNT(splits));
	tcase_add_test(tcase, range_lists_at_random_match_a_bitmap);
	tcase_add_test(tcase, range_len_is_in_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(range_suite)

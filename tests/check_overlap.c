/* SPDX-License-Identifier: MIT */
#include "mem/overlap.h"

#include <time.h>

#include "base/cleanup.h"
#include "check_main.h"

#define UNITS 96u

/*
 * By brute force: each unit belongs to the largest segment that claims it,
 * the first of equals; then what goes on in file and memory is joined.
 */
static size_t model_resolve(const struct avml_kcore_segment *in, size_t n,
	struct avml_kcore_segment *out)
{
	size_t count = 0;

	for (uint64_t unit = 0; unit < UNITS; unit++) {
		const struct avml_kcore_segment *best = NULL;
		uint64_t offset;

		for (size_t i = 0; i < n; i++) {
			if (unit < in[i].start || unit >= in[i].end)
				continue;
			if (!best || in[i].end - in[i].start >
					     best->end - best->start)
				best = &in[i];
		}
		if (!best)
			continue;
		offset = best->offset + (unit - best->start);
		if (count > 0 && out[count - 1].end == unit &&
			out[count - 1].offset + unit - out[count - 1].start ==
				offset)
			out[count - 1].end++;
		else
			out[count++] = (struct avml_kcore_segment){ unit,
				unit + 1, offset };
	}
	return count;
}

/* Resolve a copy of exact size, so that a sanitizer sees what is past it. */
static struct avml_kcore_segment *resolved(
	const struct avml_kcore_segment *in, size_t *count)
{
	struct avml_kcore_segment *segments = malloc(*count * sizeof(*in));

	TEST_ASSERT(segments != NULL);
	memcpy(segments, in, *count * sizeof(*in));
	TEST_ASSERT(overlap_resolve(&segments, count) == 0);
	return segments;
}

START_TEST(overlap_at_random_matches_brute_force)
{
	struct avml_kcore_segment in[40], expected[UNITS];
	uint64_t state = 0xda942042e4dd58b5;

	for (int round = 0; round < 4000; round++) {
		const size_t n = 1 + test_random(&state) % TEST_COUNT(in);
		const uint64_t longest = 1 + test_random(&state) % UNITS;
		const uint64_t maps = 1 + test_random(&state) % 4;
		struct avml_kcore_segment *out;
		size_t count = n;

		for (size_t i = 0; i < n; i++) {
			const uint64_t start = test_random(&state) % UNITS;
			uint64_t end =
				start + 1 + test_random(&state) % longest;

			if (end > UNITS)
				end = UNITS;
			/* Few maps, so that segments of one meet. */
			in[i] = (struct avml_kcore_segment){ start, end,
				start + 1000 * (test_random(&state) % maps) };
		}
		out = resolved(in, &count);
		TEST_ASSERT(count == model_resolve(in, n, expected));
		TEST_ASSERT(memcmp(out, expected, count * sizeof(*out)) == 0);
		free(out);
	}
}
END_TEST

static const struct {
	struct avml_kcore_segment in[4], out[5];
	size_t count, out_count;
} overlaps[] = {
	{ { { 0, UINT64_MAX, 0 } }, { { 0, UINT64_MAX, 0 } }, 1, 1 },
	/* The widest addresses, the larger one in the middle. */
	{ { { 0, 10, 100 }, { 5, UINT64_MAX - 5, 0 },
		  { UINT64_MAX - 10, UINT64_MAX, 50 } },
		{ { 0, 5, 100 }, { 5, UINT64_MAX - 5, 0 },
			{ UINT64_MAX - 5, UINT64_MAX, 55 } },
		3, 3 },
	/* One that is smaller everywhere comes up between two larger ones. */
	{ { { 0, 10, 100 }, { 8, 14, 300 }, { 12, 30, 500 } },
		{ { 0, 10, 100 }, { 10, 12, 302 }, { 12, 30, 500 } }, 3, 3 },
	/* Its whole length counts, not what is left of it. */
	{ { { 0, 10, 100 }, { 9, 14, 300 } },
		{ { 0, 10, 100 }, { 10, 14, 301 } }, 2, 2 },
	/* A larger one cuts the end, and a small one is lost within. */
	{ { { 0, 40, 100 }, { 10, 12, 300 }, { 38, 80, 500 } },
		{ { 0, 38, 100 }, { 38, 80, 500 } }, 3, 2 },
};

START_TEST(overlap_in_the_table_is_resolved)
{
	size_t count = overlaps[_i].count;
	struct avml_kcore_segment *out = resolved(overlaps[_i].in, &count);

	ck_assert_uint_eq(count, overlaps[_i].out_count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(out[i].start, overlaps[_i].out[i].start);
		ck_assert_uint_eq(out[i].end, overlaps[_i].out[i].end);
		ck_assert_uint_eq(out[i].offset, overlaps[_i].out[i].offset);
	}
	free(out);
}
END_TEST

/* As many segments as a table can hold, in shapes that cost time. */
#define MANY 65534u

static struct avml_kcore_segment segment_same(uint64_t i)
{
	return (struct avml_kcore_segment){ 5, 10, i };
}

static struct avml_kcore_segment segment_nested(uint64_t i)
{
	return (struct avml_kcore_segment){ i, 2 * MANY - i, 7 * i };
}

static struct avml_kcore_segment segment_nested_inside_out(uint64_t i)
{
	return segment_nested(MANY - 1 - i);
}

static struct avml_kcore_segment segment_stairs(uint64_t i)
{
	return (struct avml_kcore_segment){ i, i + MANY, 7 * i };
}

static struct avml_kcore_segment segment_growing_stairs(uint64_t i)
{
	return (struct avml_kcore_segment){ i, MANY + 2 * i, 7 * i };
}

static struct avml_kcore_segment segment_one_start(uint64_t i)
{
	return (struct avml_kcore_segment){ 0, i + 1, 7 * i };
}

static struct avml_kcore_segment segment_backwards(uint64_t i)
{
	return (struct avml_kcore_segment){ 2 * (MANY - i), 2 * (MANY - i) + 1,
		i };
}

/* One over all of them, and every second unit claimed by another. */
static struct avml_kcore_segment segment_comb(uint64_t i)
{
	if (i == 0)
		return (struct avml_kcore_segment){ 0, 4 * MANY, 0 };
	return (struct avml_kcore_segment){ 2 * i, 2 * i + 1, 1 << 30 };
}

static const struct {
	struct avml_kcore_segment (*at)(uint64_t i);
	size_t count;
	uint64_t bytes; /* claimed by any of them */
} shapes[] = {
	{ segment_same, 1, 5 },
	{ segment_nested, 1, 2 * MANY },
	{ segment_nested_inside_out, 1, 2 * MANY },
	/* The first, and the end of every one after it. */
	{ segment_stairs, MANY, 2 * MANY - 1 },
	{ segment_growing_stairs, MANY, 3 * (uint64_t)MANY - 2 },
	{ segment_one_start, 1, MANY },
	{ segment_backwards, MANY, MANY },
	{ segment_comb, 1, 4 * (uint64_t)MANY },
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(overlap_of_65534_segments_takes_no_time)
{
	CLEANUP_FREE struct avml_kcore_segment *in = calloc(MANY, sizeof(*in));
	struct avml_kcore_segment *out;
	size_t count = MANY;
	uint64_t bytes = 0;
	double begin;

	ck_assert_ptr_nonnull(in);
	for (uint64_t i = 0; i < MANY; i++)
		in[i] = shapes[_i].at(i);
	begin = cpu_seconds();
	out = resolved(in, &count);
	/* The square of their number would be four thousand million steps. */
	ck_assert_double_lt(cpu_seconds() - begin, 2.0);
	ck_assert_uint_eq(count, shapes[_i].count);
	for (size_t i = 0; i < count; i++) {
		TEST_ASSERT(i == 0 || out[i - 1].end <= out[i].start);
		bytes += out[i].end - out[i].start;
	}
	ck_assert_uint_eq(bytes, shapes[_i].bytes);
	free(out);
}
END_TEST

static Suite *overlap_suite(void)
{
	Suite *suite = suite_create("overlap");
	TCase *tcase = tcase_create("overlap");

	tcase_add_test(tcase, overlap_at_random_matches_brute_force);
	tcase_add_loop_test(tcase, overlap_in_the_table_is_resolved, 0,
		TEST_COUNT(overlaps));
	tcase_add_loop_test(tcase, overlap_of_65534_segments_takes_no_time, 0,
		TEST_COUNT(shapes));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(overlap_suite)

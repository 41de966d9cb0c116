/* SPDX-License-Identifier: MIT */
/*
 * Format onto sink, with real sinks: the bytes of the image are those of a
 * writer that does it in the most simple way, whatever is zero where.
 */
#include "check_image.h"
#include "check_paths.h"

#include <limits.h>
#include <signal.h>

#include "base/cancel.h"
#include "format/zero.h"
#include "job/image_writer.h"
#include "job/plan.h"

static void init(struct image_writer *w, struct avml_sink *sink,
	bool keep_zeros, const struct image_writer_events *events)
{
	const struct image_writer_options options = {
		.format = AVML_IMAGE_LIME,
		.keep_zeros = keep_zeros,
	};
	struct avml_error err;

	ck_assert_int_eq(image_writer_init(w, &options, events, &err), 0);
	w->sink = sink;
}

#define HOLE_MIN 65536

/* Memory at `range`, and how it is cut. */
struct memory {
	struct avml_range range;
	uint8_t *bytes;
	uint64_t block_len, piece_len;
};

/* What is looked at on the way. */
struct watch {
	const struct test_image *expected;
	size_t records;
	size_t cancel_at; /* piece; SIZE_MAX: never */
	int cancel_times;
};

static struct memory new_memory(
	uint64_t len, uint64_t block_len, uint64_t piece_len)
{
	const struct memory m = {
		.range = { 0x12345000, 0x12345000 + len },
		.bytes = calloc(1, len),
		.block_len = block_len,
		.piece_len = piece_len,
	};

	ck_assert_ptr_nonnull(m.bytes);
	return m;
}

static struct test_image naive_image(const struct memory *m, bool keep_zeros)
{
	struct test_image image = { .len = 0 };

	test_image_range(&image, m->range, m->bytes, m->block_len, keep_zeros);
	return image;
}

/* Pieces were read when their addresses say: see write_pieces(). */
static void on_record(void *ctx, const struct avml_image_record *record)
{
	struct watch *watch = ctx;
	const struct avml_range range = record->range;
	const struct test_image *expected = watch->expected;
	const size_t i = watch->records++;

	TEST_ASSERT(i < expected->count);
	TEST_ASSERT(range.start == expected->records[i].range.start);
	TEST_ASSERT(range.end == expected->records[i].range.end);
	TEST_ASSERT(record->offset == expected->records[i].offset);
	TEST_ASSERT(record->len == TEST_HEADER_LEN + avml_range_len(range));
	TEST_ASSERT(record->read_begin == range.start + 1);
	TEST_ASSERT(record->read_end == range.end + 1);
}

static struct avml_sink *open_sink(const char *path, bool no_sparse)
{
	const struct avml_sink_options options = { .no_sparse = no_sparse };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;
	const int ret = avml_sink_open(path, &options, &sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	return sink;
}

/* All pieces of the memory, until one fails. */
static int write_pieces(const struct memory *m, struct image_writer *w,
	const struct watch *watch, struct avml_error *err)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	struct piece piece = { .zero = false };
	struct plan plan;
	int ret = 0;

	ck_assert_int_eq(
		avml_range_list_add(&ranges, m->range.start, m->range.end), 0);
	plan_init(&plan, &ranges, m->block_len, m->piece_len);
	for (size_t i = 0; ret == 0 && plan_next(&plan, &piece); i++) {
		const size_t len = (size_t)avml_range_len(piece.range);
		uint8_t units[64];

		TEST_ASSERT(len <= sizeof(units) * ZERO_UNIT);
		piece.bytes = m->bytes + (piece.range.start - m->range.start);
		piece.zero = zero_map(piece.bytes, len, units);
		piece.zero_units = units;
		piece.read_begin = piece.range.start + 1;
		piece.read_end = piece.range.end + 1;
		for (int k = 0;
			i == watch->cancel_at && k < watch->cancel_times; k++)
			cancel_request(SIGINT);
		ret = image_writer_piece(w, &piece, err);
	}
	avml_range_list_release(&ranges);
	return ret;
}

/* Zero units of a record that follow one another, 64 KiB or more of them. */
static uint64_t expected_holes(const struct test_image *image)
{
	uint64_t holes = 0;

	for (size_t i = 0; i < image->count; i++) {
		const struct avml_range range = image->records[i].range;
		const uint8_t *bytes = image->bytes + image->records[i].offset +
				       TEST_HEADER_LEN;
		uint64_t len = avml_range_len(range), run = 0;

		while (len > 0) {
			const size_t unit =
				len < ZERO_UNIT ? (size_t)len : ZERO_UNIT;
			const bool zero = test_all_zero(bytes, unit);

			run += zero ? unit : 0;
			len -= unit;
			bytes += unit;
			if (zero && len > 0)
				continue;
			holes += run >= HOLE_MIN ? run : 0;
			run = 0;
		}
	}
	return holes;
}

/* Write it all in all four ways, and compare. */
static void check_memory(const struct memory *m)
{
	for (int way = 0; way < 4; way++) {
		const bool keep_zeros = way & 1, no_sparse = way & 2;
		const char *path = test_path("image");
		struct test_image expected = naive_image(m, keep_zeros);
		struct watch watch = { .expected = &expected,
			.cancel_at = SIZE_MAX };
		const struct image_writer_events events = { &watch, on_record };
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_sink *sink = open_sink(path, no_sparse);
		struct image_writer w;

		init(&w, sink, keep_zeros, &events);
		ck_assert_int_eq(write_pieces(m, &w, &watch, &err), 0);
		ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
		ck_assert_uint_eq(w.records, expected.count);
		ck_assert_uint_eq(watch.records, expected.count);
		ck_assert_uint_eq(w.assembler.dropped, expected.dropped);
		ck_assert_uint_eq(avml_sink_position(sink), expected.len);
		ck_assert_uint_eq(avml_sink_hole_bytes(sink),
			no_sparse ? 0 : expected_holes(&expected));
		avml_sink_free(sink);
		test_image_assert_file(&expected, expected.len, path);
		ck_assert_int_eq(unlink(path), 0);
		test_image_release(&expected);
	}
}

static void set_unit(struct memory *m, size_t unit, uint64_t *seed)
{
	const uint64_t at = unit * ZERO_UNIT;
	const uint64_t left = avml_range_len(m->range) - at;
	const uint64_t len = left < ZERO_UNIT ? left : ZERO_UNIT;

	/* One byte is enough, at its edges above all. */
	switch (test_random(seed) % 4) {
	case 0:
		m->bytes[at] = 1;
		break;
	case 1:
		m->bytes[at + len - 1] = 2;
		break;
	default:
		m->bytes[at + test_random(seed) % len] = 3;
	}
}

/* Blocks of two pieces of four units, zero in every possible way. */
START_TEST(image_writer_every_pattern_of_units_is_written_right)
{
	const size_t units = 8, patterns = 1u << units;
	const uint64_t block_len = units * ZERO_UNIT;
	struct memory m =
		new_memory(patterns * block_len, block_len, block_len / 2);
	uint64_t seed = 0x696d616765;

	for (size_t pattern = 0; pattern < patterns; pattern++) {
		for (size_t i = 0; i < units; i++) {
			if (pattern >> i & 1)
				set_unit(&m, pattern * units + i, &seed);
		}
	}
	check_memory(&m);
	free(m.bytes);
}
END_TEST

/*
 * The same with blocks of two pieces of two halves, so that runs are
 * long enough for holes; each half is 15, 16 or 17 units long.
 */
START_TEST(image_writer_every_pattern_of_long_runs_is_written_right)
{
	const size_t half = 15 + (size_t)_i, halves = 4,
		     patterns = 1u << halves;
	const uint64_t block_len = halves * half * ZERO_UNIT;
	struct memory m =
		new_memory(patterns * block_len, block_len, block_len / 2);
	uint64_t seed = 0x72756e73;

	for (size_t pattern = 0; pattern < patterns; pattern++) {
		for (size_t i = 0; i < halves * half; i++) {
			if (pattern >> i / half & 1)
				set_unit(
					&m, pattern * halves * half + i, &seed);
		}
	}
	check_memory(&m);
	free(m.bytes);
}
END_TEST

/* Runs of any length, and a last piece that is no whole number of units. */
START_TEST(image_writer_random_runs_are_written_right)
{
	static const size_t lengths[] = { 1, 2, 14, 15, 16, 17, 31, 33, 64,
		130 };
	const uint64_t len = 900 * ZERO_UNIT + 1 + (uint64_t)_i * 997;
	struct memory m = new_memory(
		len, (uint64_t)(90 + _i) * ZERO_UNIT, 32 * ZERO_UNIT);
	uint64_t seed = 0x72616e + (uint64_t)_i;
	bool zero = _i & 1;
	size_t left = 0;

	for (size_t unit = 0; unit * ZERO_UNIT < len; unit++) {
		if (left == 0) {
			left = lengths[test_random(&seed) %
				       TEST_COUNT(lengths)];
			zero = !zero;
		}
		if (!zero)
			set_unit(&m, unit, &seed);
		left--;
	}
	check_memory(&m);
	free(m.bytes);
}
END_TEST

START_TEST(image_writer_without_listener_works)
{
	const struct image_writer_events nobody = { .ctx = NULL };
	const struct watch watch = { .cancel_at = SIZE_MAX };
	struct memory m = new_memory(8 * ZERO_UNIT, 8 * ZERO_UNIT, ZERO_UNIT);
	const char *path = test_path("image");
	struct test_image expected = naive_image(&m, true);
	struct avml_sink *sink = open_sink(path, false);
	struct avml_error err;
	struct image_writer w;

	init(&w, sink, true, &nobody);
	ck_assert_int_eq(write_pieces(&m, &w, &watch, &err), 0);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	test_image_assert_file(&expected, expected.len, path);
	avml_sink_free(sink);
	test_image_release(&expected);
	free(m.bytes);
}
END_TEST

/* --- runs that end early ----------------------------------------------- */

/* Four blocks of four pieces of two units; the second block is all zeros. */
#define PIECES 4u

static struct memory four_blocks(void)
{
	const uint64_t piece_len = 2 * ZERO_UNIT;
	struct memory m = new_memory(
		4 * PIECES * piece_len, PIECES * piece_len, piece_len);
	uint64_t seed = 4;

	for (size_t unit = 0; unit < 4 * PIECES * 2; unit++) {
		if (unit / (2 * PIECES) != 1)
			set_unit(&m, unit, &seed);
	}
	return m;
}

/* A request before a piece, and how many whole records are left then. */
static const struct {
	size_t piece;
	int times;
	size_t in_file, in_stream;
} stops[] = {
	{ 0, 1, 0, 0 },
	{ 1, 1, 0, 1 }, /* a stream's record is written to its end */
	{ 3, 1, 0, 1 },
	{ 4, 1, 1, 1 },
	{ 5, 1, 1, 1 }, /* within zeros of which nothing was sent */
	{ 8, 1, 1, 1 },
	{ 9, 1, 1, 2 },
	{ 13, 1, 2, 3 },
	{ 15, 1, 2, 3 },
};

START_TEST(image_writer_stop_cuts_a_file_to_whole_records)
{
	struct memory m = four_blocks();
	struct test_image expected = naive_image(&m, false);
	struct watch watch = { .expected = &expected,
		.cancel_at = stops[_i].piece,
		.cancel_times = 1 };
	const struct image_writer_events events = { &watch, on_record };
	const size_t whole = stops[_i].in_file;
	const char *path = test_path("image");
	struct avml_sink *sink = open_sink(path, false);
	struct avml_sink_left left;
	struct image_writer w;
	struct avml_error err;

	init(&w, sink, false, &events);
	ck_assert_int_eq(write_pieces(&m, &w, &watch, &err), -EINTR);
	ck_assert_uint_eq(w.records, whole);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	ck_assert(left.removed == (whole == 0));
	ck_assert_uint_eq(left.len, whole ? expected.records[whole].offset : 0);
	if (whole > 0)
		test_image_assert_file(
			&expected, expected.records[whole].offset, path);
	test_image_release(&expected);
	free(m.bytes);
}
END_TEST

/* All that a pipe holds by now; it is large enough for the whole image. */
static size_t drain(int fd, uint8_t *bytes, size_t room)
{
	size_t len = 0;
	ssize_t n;

	while (len < room && (n = read(fd, bytes + len, room - len)) > 0)
		len += (size_t)n;
	return len;
}

static void stop_stream(size_t piece, int times, size_t whole, bool at_once)
{
	struct memory m = four_blocks();
	struct test_image expected = naive_image(&m, false);
	struct watch watch = {
		.expected = &expected, .cancel_at = piece, .cancel_times = times
	};
	const struct image_writer_events events = { &watch, on_record };
	uint8_t *bytes = malloc(expected.len + 1);
	struct avml_sink_left left;
	struct image_writer w;
	struct avml_error err;
	struct avml_sink *sink;
	int ends[2], ret;
	size_t len;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, 1 << 18), 1 << 18);
	sink = open_sink(test_text("/dev/fd/%d", ends[1]), false);
	init(&w, sink, false, &events);
	ret = write_pieces(&m, &w, &watch, &err);
	/* Asked for within the last record, there is nothing left to stop. */
	ck_assert_int_eq(ret, whole == expected.count && !at_once ? 0 : -EINTR);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	close(ends[1]);
	len = drain(ends[0], bytes, expected.len + 1);
	close(ends[0]);
	ck_assert_uint_eq(w.records, whole);
	ck_assert_uint_eq(len, left.len);
	if (!at_once)
		ck_assert_uint_eq(
			len, whole == expected.count
				     ? expected.len
				     : expected.records[whole].offset);
	else
		ck_assert_uint_gt(len, expected.records[whole].offset);
	ck_assert(memcmp(bytes, expected.bytes, len) == 0);
	test_image_release(&expected);
	free(m.bytes);
	free(bytes);
}

START_TEST(image_writer_stop_ends_a_stream_between_records)
{
	stop_stream(stops[_i].piece, 1, stops[_i].in_stream, false);
}
END_TEST

START_TEST(image_writer_second_stop_ends_a_stream_at_once)
{
	stop_stream(10, 2, 1, true);
}
END_TEST

START_TEST(image_writer_sink_error_is_passed_on)
{
	struct memory m = four_blocks();
	struct test_image expected = naive_image(&m, false);
	struct watch watch = { .expected = &expected, .cancel_at = SIZE_MAX };
	const struct image_writer_events events = { &watch, on_record };
	struct avml_sink *sink = open_sink("/dev/full", false);
	struct avml_sink_left left;
	struct image_writer w;
	struct avml_error err;

	init(&w, sink, false, &events);
	ck_assert_int_eq(write_pieces(&m, &w, &watch, &err), -ENOSPC);
	ck_assert_uint_eq(w.records, 0);
	ck_assert_uint_eq(watch.records, 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	test_image_release(&expected);
	free(m.bytes);
}
END_TEST

static Suite *image_writer_suite(void)
{
	Suite *suite = suite_create("image_writer");
	TCase *tc = tcase_create("image_writer");

	tcase_add_test(
		tc, image_writer_every_pattern_of_units_is_written_right);
	tcase_add_loop_test(tc,
		image_writer_every_pattern_of_long_runs_is_written_right, 0, 3);
	tcase_add_loop_test(
		tc, image_writer_random_runs_are_written_right, 0, 6);
	tcase_add_test(tc, image_writer_without_listener_works);
	tcase_add_loop_test(tc, image_writer_stop_cuts_a_file_to_whole_records,
		0, TEST_COUNT(stops));
	tcase_add_loop_test(tc, image_writer_stop_ends_a_stream_between_records,
		0, TEST_COUNT(stops));
	tcase_add_test(tc, image_writer_second_stop_ends_a_stream_at_once);
	tcase_add_test(tc, image_writer_sink_error_is_passed_on);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(image_writer_suite)

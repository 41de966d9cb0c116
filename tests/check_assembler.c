/* SPDX-License-Identifier: MIT */
#include "format/assembler.h"

#include <inttypes.h>

#include "check_main.h"

#define PIECE 0x10u

/* Writes down what it is given; call number `fails_at` fails. */
struct recording {
	char log[2048];
	size_t len;
	unsigned int calls;
	unsigned int fails_at;
	const struct piece *piece; /* what data() must be given */
};

static int note(struct recording *r, struct avml_error *err, const char *what,
	uint64_t a, uint64_t b)
{
	r->len += (size_t)snprintf(r->log + r->len, sizeof(r->log) - r->len,
		"%s %" PRIx64 "-%" PRIx64 "\n", what, a, b);
	ck_assert_uint_lt(r->len, sizeof(r->log));
	if (++r->calls == r->fails_at)
		return avml_error_set(err, ENOSPC, "%s failed", what);
	return 0;
}

static int record_begin(
	void *ctx, struct avml_range record, struct avml_error *err)
{
	return note(ctx, err, "begin", record.start, record.end);
}

static int record_zeros(void *ctx, uint64_t len, struct avml_error *err)
{
	return note(ctx, err, "zeros", 0, len);
}

static int record_data(
	void *ctx, const struct piece *piece, struct avml_error *err)
{
	ck_assert_ptr_eq(piece, ((struct recording *)ctx)->piece);
	return note(ctx, err, "data", piece->range.start, piece->range.end);
}

static int record_end(
	void *ctx, struct avml_range record, struct avml_error *err)
{
	return note(ctx, err, "end", record.start, record.end);
}

static const struct assembler_output recorder = {
	.begin = record_begin,
	.zeros = record_zeros,
	.data = record_data,
	.end = record_end,
};

/*
 * Blocks one behind the other from address 0, '|' between them: 'z' is a
 * piece of zeros, 'd' one of data, 'Z' and 'D' are pieces of half the size.
 */
static int assemble(struct assembler *a, struct recording *r, const char *text,
	struct avml_error *err)
{
	uint64_t at = 0;

	while (*text) {
		const size_t count = strcspn(text, "|");
		struct avml_range block = { at, at };

		for (size_t i = 0; i < count; i++)
			block.end += text[i] >= 'a' ? PIECE : PIECE / 2;
		for (size_t i = 0; i < count; i++) {
			const uint64_t len = text[i] >= 'a' ? PIECE : PIECE / 2;
			const struct piece piece = {
				.range = { at, at + len },
				.block = block,
				.zero = text[i] == 'z' || text[i] == 'Z',
			};
			int ret;

			r->piece = &piece;
			ret = assembler_piece(a, &piece, err);
			r->piece = NULL;
			if (ret < 0)
				return ret;
			at += len;
		}
		text += count + (text[count] == '|');
	}
	return 0;
}

static const struct {
	const char *pieces;
	bool keep_zeros;
	uint64_t dropped;
	const char *log;
} cases[] = {
	{ "", false, 0, "" },
	{ "d", false, 0, "begin 0-10\ndata 0-10\nend 0-10\n" },
	{ "ddD", false, 0,
		"begin 0-28\ndata 0-10\ndata 10-20\ndata 20-28\nend 0-28\n" },
	/* Zeros in front go out as one run, before the first data. */
	{ "zd", false, 0, "begin 0-20\nzeros 0-10\ndata 10-20\nend 0-20\n" },
	{ "zZzd", false, 0, "begin 0-38\nzeros 0-28\ndata 28-38\nend 0-38\n" },
	/* Later ones as they come, also at the end. */
	{ "dzzd", false, 0,
		"begin 0-40\ndata 0-10\nzeros 0-10\nzeros 0-10\n"
		"data 30-40\nend 0-40\n" },
	{ "dz", false, 0, "begin 0-20\ndata 0-10\nzeros 0-10\nend 0-20\n" },
	{ "zdZ", false, 0,
		"begin 0-28\nzeros 0-10\ndata 10-20\nzeros 0-8\nend 0-28\n" },
	/* A block of zeros leaves nothing behind, not even a header. */
	{ "z", false, 0x10, "" },
	{ "zzzZ", false, 0x38, "" },
	{ "zz|z|Z", false, 0x38, "" },
	/* Its neighbours know nothing of it, nor of its zeros. */
	{ "d|z|d", false, 0x10,
		"begin 0-10\ndata 0-10\nend 0-10\n"
		"begin 20-30\ndata 20-30\nend 20-30\n" },
	{ "zz|zd|zz|dz|zZ", false, 0x58,
		"begin 20-40\nzeros 0-10\ndata 30-40\nend 20-40\n"
		"begin 60-80\ndata 60-70\nzeros 0-10\nend 60-80\n" },
	/* All of them kept. */
	{ "z", true, 0, "begin 0-10\nzeros 0-10\nend 0-10\n" },
	{ "zd|z|d", true, 0,
		"begin 0-20\nzeros 0-10\ndata 10-20\nend 0-20\n"
		"begin 20-30\nzeros 0-10\nend 20-30\n"
		"begin 30-40\ndata 30-40\nend 30-40\n" },
};

START_TEST(assembler_pieces_become_records)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct recording r = { .fails_at = 0 };
	struct assembler a;

	memset(&a, 0xa5, sizeof(a));
	assembler_init(&a, &recorder, &r, cases[_i].keep_zeros);
	ck_assert_int_eq(assemble(&a, &r, cases[_i].pieces, &err), 0);
	ck_assert_str_eq(r.log, cases[_i].log);
	ck_assert_uint_eq(a.dropped, cases[_i].dropped);
	ck_assert_uint_eq(a.zeros, 0);
	ck_assert(!a.open);
	ck_assert_uint_eq(err.depth, 0);
}
END_TEST

static size_t length_of_lines(const char *text, unsigned int lines)
{
	const char *at = text;

	while (lines-- > 0)
		at = strchr(at, '\n') + 1;
	return (size_t)(at - text);
}

/* Whatever call fails, its error comes out and no other call follows. */
START_TEST(assembler_failed_call_ends_it)
{
	const char *all = cases[_i].log;
	unsigned int calls = 0;

	for (const char *at = all; *at; at++)
		calls += *at == '\n';
	for (unsigned int n = 1; n <= calls; n++) {
		struct avml_error err = AVML_ERROR_INIT;
		struct recording r = { .fails_at = n };
		const size_t before = length_of_lines(all, n - 1);
		const size_t failed = length_of_lines(all, n);
		char expected[32];
		struct assembler a;

		assembler_init(&a, &recorder, &r, cases[_i].keep_zeros);
		ck_assert_int_eq(
			assemble(&a, &r, cases[_i].pieces, &err), -ENOSPC);
		ck_assert_int_eq(err.code, ENOSPC);
		ck_assert_uint_eq(r.calls, n);
		ck_assert_uint_eq(r.len, failed);
		ck_assert_int_eq(strncmp(r.log, all, failed), 0);
		snprintf(expected, sizeof(expected), "%.*s failed",
			(int)strcspn(all + before, " "), all + before);
		ck_assert_str_eq(avml_error_message(&err, 0), expected);
	}
}
END_TEST

/* --- blocks and pieces at random ----------------------------------------- */

#define BYTES 4096u

/* An image that the records fill: 0 not written, 1 zeros, 2 data. */
struct image {
	uint8_t written[BYTES];
	struct avml_range record;
	uint64_t at;
	bool open;
};

static void fill(struct image *image, uint64_t len, uint8_t what)
{
	TEST_ASSERT(image->open && image->at + len <= image->record.end);
	memset(image->written + image->at, what, len);
	image->at += len;
}

static int image_begin(
	void *ctx, struct avml_range record, struct avml_error *err)
{
	struct image *image = ctx;

	(void)err;
	/* Ascending, and never one within another. */
	TEST_ASSERT(!image->open && record.start >= image->at);
	TEST_ASSERT(record.start < record.end);
	image->record = record;
	image->at = record.start;
	image->open = true;
	return 0;
}

static int image_zeros(void *ctx, uint64_t len, struct avml_error *err)
{
	(void)err;
	TEST_ASSERT(len > 0);
	fill(ctx, len, 1);
	return 0;
}

static int image_data(
	void *ctx, const struct piece *piece, struct avml_error *err)
{
	struct image *image = ctx;

	(void)err;
	TEST_ASSERT(piece->range.start == image->at);
	fill(image, avml_range_len(piece->range), 2);
	return 0;
}

static int image_end(
	void *ctx, struct avml_range record, struct avml_error *err)
{
	struct image *image = ctx;

	(void)err;
	TEST_ASSERT(image->open && image->at == record.end);
	TEST_ASSERT(image->record.start == record.start);
	TEST_ASSERT(image->record.end == record.end);
	image->open = false;
	return 0;
}

static const struct assembler_output imager = {
	.begin = image_begin,
	.zeros = image_zeros,
	.data = image_data,
	.end = image_end,
};

/* One block of random pieces; what must be written of it, in `expected`. */
static uint64_t random_block(struct assembler *a, struct avml_range block,
	uint64_t *state, uint8_t *expected)
{
	const bool all_zero = test_random(state) % 2;
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_range rest = block, range;
	bool drop = !a->keep_zeros;

	while (avml_range_split(&rest, 1 + test_random(state) % 40, &range)) {
		const struct piece piece = {
			.range = range,
			.block = block,
			.zero = all_zero || test_random(state) % 3 != 0,
		};

		TEST_ASSERT(assembler_piece(a, &piece, &err) == 0);
		memset(expected + range.start, piece.zero ? 1 : 2,
			avml_range_len(range));
		drop &= piece.zero;
	}
	if (!drop)
		return 0;
	memset(expected + block.start, 0, avml_range_len(block));
	return avml_range_len(block);
}

START_TEST(assembler_blocks_at_random_are_written_or_dropped_whole)
{
	uint64_t state = 0xbb67ae8584caa73b;

	for (int round = 0; round < 1000; round++) {
		struct avml_range all = { test_random(&state) % 100, BYTES };
		uint8_t expected[BYTES] = { 0 };
		struct image image = { .open = false };
		struct avml_range block;
		uint64_t dropped = 0;
		struct assembler a;

		assembler_init(&a, &imager, &image, round % 4 == 0);
		while (avml_range_split(
			&all, 1 + test_random(&state) % 300, &block)) {
			/* Some is not RAM: a gap between two blocks. */
			if (test_random(&state) % 8 > 0)
				dropped += random_block(
					&a, block, &state, expected);
		}
		TEST_ASSERT(memcmp(image.written, expected, BYTES) == 0);
		TEST_ASSERT(!image.open);
		TEST_ASSERT(a.dropped == dropped);
	}
}
END_TEST

/* Sizes of real blocks: nothing counts in less than 64 bits. */
START_TEST(assembler_block_larger_than_32_bits_is_counted)
{
	const struct avml_range block = { 0x1000, 0x900001000 };
	struct avml_error err = AVML_ERROR_INIT;
	struct recording r = { .fails_at = 0 };
	struct piece piece = { .block = block, .zero = true };
	struct assembler a;

	assembler_init(&a, &recorder, &r, false);
	piece.range = (struct avml_range){ 0x1000, 0x800001000 };
	r.piece = &piece;
	ck_assert_int_eq(assembler_piece(&a, &piece, &err), 0);
	piece.range = (struct avml_range){ 0x800001000, 0x900001000 };
	piece.zero = false;
	ck_assert_int_eq(assembler_piece(&a, &piece, &err), 0);
	ck_assert_str_eq(r.log,
		"begin 1000-900001000\nzeros 0-800000000\n"
		"data 800001000-900001000\nend 1000-900001000\n");
	piece.range = piece.block = block;
	piece.zero = true;
	ck_assert_int_eq(assembler_piece(&a, &piece, &err), 0);
	ck_assert_uint_eq(a.dropped, 0x900000000);
}
END_TEST

static Suite *assembler_suite(void)
{
	Suite *suite = suite_create("assembler");
	TCase *tcase = tcase_create("assembler");

	tcase_add_loop_test(
		tcase, assembler_pieces_become_records, 0, TEST_COUNT(cases));
	tcase_add_loop_test(
		tcase, assembler_failed_call_ends_it, 0, TEST_COUNT(cases));
	tcase_add_test(
		tcase, assembler_blocks_at_random_are_written_or_dropped_whole);
	tcase_add_test(tcase, assembler_block_larger_than_32_bits_is_counted);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(assembler_suite)

/* SPDX-License-Identifier: MIT */
/*
 * Salvage by itself: runs of good pieces become records, and what has no
 * place is told.
 */
#include "check_image.h"

#include "format/zero.h"
#include "job/salvage.h"

#define PIECE (64u << 10)

struct loss {
	uint64_t offset, end;
	struct avml_range range;
};

struct run {
	char *path;
	struct avml_sink *sink;
	struct image_writer writer;
	struct salvage salvage;
	struct loss losses[16];
	size_t loss_count;
	uint8_t *memory;
};

static void on_loss(void *ctx, uint64_t offset, uint64_t end,
	struct avml_range range, const char *reason)
{
	struct run *r = ctx;

	TEST_ASSERT(r->loss_count < TEST_COUNT(r->losses));
	TEST_ASSERT(reason[0] != '\0');
	r->losses[r->loss_count++] = (struct loss){ offset, end, range };
}

static void begin(struct run *r, enum avml_image_format format)
{
	const struct avml_sink_options sink_options = { .no_sparse = false };
	const struct image_writer_options options = { .format = format };
	const struct image_writer_events events = { .ctx = NULL };
	const struct salvage_events salvage_events = { r, on_loss };
	struct avml_error err;
	uint64_t seed = 3;

	*r = (struct run){ .memory = malloc(4 * PIECE) };
	ck_assert_ptr_nonnull(r->memory);
	for (size_t i = 0; i < 4 * PIECE; i++)
		r->memory[i] = (uint8_t)(1 + test_random(&seed) % 255);
	r->path = strdup(test_file("image", "", 0));
	ck_assert_int_eq(
		avml_sink_open(r->path, &sink_options, &r->sink, &err), 0);
	ck_assert_int_eq(
		image_writer_init(&r->writer, &options, &events, &err), 0);
	r->writer.sink = r->sink;
	ck_assert_int_eq(
		salvage_init(&r->salvage, &r->writer, &salvage_events, &err),
		0);
}

/* A good piece at `start`, of the block up to `block_end`. */
static void good(struct run *r, uint64_t start, size_t len, uint64_t block_end)
{
	static uint8_t units[4 * PIECE / ZERO_UNIT];
	struct piece piece = {
		.range = { start, start + len },
		.block = { start, block_end },
		.run_end = block_end,
		.bytes = r->memory,
		.zero_units = units,
	};
	struct avml_error err;

	piece.zero = zero_map(r->memory, len, units);
	ck_assert_int_eq(
		salvage_piece(&r->salvage, &piece, 1000, 500, &err), 0);
}

static void lost(struct run *r, uint64_t start, uint64_t end)
{
	const struct image_loss loss = {
		.offset = 5,
		.end = 6,
		.range = { start, end },
		.reason = "test",
	};
	struct avml_error err;

	ck_assert_int_eq(salvage_loss(&r->salvage, &loss, &err), 0);
}

static void finish(struct run *r)
{
	struct avml_error err;

	ck_assert_int_eq(salvage_finish(&r->salvage, &err), 0);
	ck_assert_int_eq(image_writer_finish(&r->writer, &err), 0);
	ck_assert_int_eq(avml_sink_finish(r->sink, &err), 0);
	ck_assert_uint_eq(r->salvage.losses, r->loss_count);
}

static void end(struct run *r)
{
	salvage_release(&r->salvage);
	image_writer_release(&r->writer);
	avml_sink_free(r->sink);
	free(r->memory);
	free(r->path);
}

/* What a record in the image must be. */
static void want(struct test_image *image, const struct run *r, uint64_t start,
	const size_t *lens, size_t count)
{
	uint8_t *bytes = malloc(count * 4 * PIECE);
	size_t len = 0;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < count; i++) {
		memcpy(bytes + len, r->memory, lens[i]);
		len += lens[i];
	}
	test_image_block(
		image, (struct avml_range){ start, start + len }, bytes, true);
	free(bytes);
}

START_TEST(salvage_run_ends_at_a_loss)
{
	static const size_t two[] = { PIECE, PIECE }, one[] = { PIECE };
	static const size_t rest[] = { PIECE, 4096 };
	struct test_image image = { .len = 0 };
	struct run r;

	begin(&r, AVML_IMAGE_LIME);
	good(&r, 0x100000, PIECE, 0x200000);
	good(&r, 0x110000, PIECE, 0x200000);
	lost(&r, 0x120000, 0x130000);
	good(&r, 0x130000, PIECE, 0x200000);
	/* A gap that nobody told: a record of its own too. */
	good(&r, 0x150000, PIECE, 0x161000);
	good(&r, 0x160000, 4096, 0x161000);
	/* The record before was whole: this is the next. */
	good(&r, 0x161000, PIECE, 0x171000);
	finish(&r);
	want(&image, &r, 0x100000, two, 2);
	want(&image, &r, 0x130000, one, 1);
	want(&image, &r, 0x150000, rest, 2);
	want(&image, &r, 0x161000, one, 1);
	test_image_assert_file(&image, image.len, r.path);
	ck_assert_uint_eq(r.loss_count, 1);
	ck_assert_uint_eq(r.salvage.lost_bytes, PIECE);
	ck_assert_uint_eq(r.writer.records, 4);
	test_image_release(&image);
	end(&r);
}
END_TEST

START_TEST(salvage_zeros_are_kept)
{
	struct run r;
	char *bytes;
	size_t len;

	begin(&r, AVML_IMAGE_LIME);
	memset(r.memory, 0, 4 * PIECE);
	good(&r, 0x1000, PIECE, 0x1000 + PIECE);
	finish(&r);
	bytes = test_load(r.path, &len);
	ck_assert_uint_eq(len, TEST_HEADER_LEN + PIECE);
	free(bytes);
	end(&r);
}
END_TEST

/* Longer than what may be held: cut, and nothing is missing. */
START_TEST(salvage_long_run_is_cut_into_blocks)
{
	const uint64_t total = 40u << 20;
	struct run r;
	char *bytes;
	size_t len;

	begin(&r, AVML_IMAGE_LIME);
	for (uint64_t at = 0; at < total; at += 3 * PIECE) {
		const uint64_t left = total - at;

		good(&r, at, left < 3 * PIECE ? (size_t)left : 3 * PIECE,
			total);
	}
	finish(&r);
	ck_assert_uint_eq(r.writer.records, 3);
	bytes = test_load(r.path, &len);
	ck_assert_uint_eq(len, total + 3 * TEST_HEADER_LEN);
	for (uint64_t at = 0; at < total; at += 4096) {
		const uint64_t record = at / (16u << 20) + 1;

		ck_assert_mem_eq(bytes + at + record * TEST_HEADER_LEN,
			r.memory + at % (3 * PIECE), 4096);
	}
	free(bytes);
	end(&r);
}
END_TEST

START_TEST(salvage_raw_has_one_place_for_each_address)
{
	struct run r;
	char *bytes;
	size_t len;

	begin(&r, AVML_IMAGE_RAW);
	good(&r, 0x10000, PIECE, 0x20000);
	memset(r.memory, 9, PIECE);
	/* Behind what is there: a loss. Over its end: only that part. */
	good(&r, 0x8000, 0x8000, 0x10000);
	good(&r, 0x18000, PIECE, 0x28000);
	good(&r, 0x30000, 0x1000, 0x31000);
	finish(&r);
	ck_assert_uint_eq(r.loss_count, 2);
	ck_assert_uint_eq(r.losses[0].offset, 1000);
	ck_assert_uint_eq(r.losses[0].end, 1500);
	ck_assert_uint_eq(r.losses[0].range.start, 0x8000);
	ck_assert_uint_eq(r.losses[0].range.end, 0x10000);
	ck_assert_uint_eq(r.losses[1].range.start, 0x18000);
	ck_assert_uint_eq(r.losses[1].range.end, 0x20000);
	bytes = test_load(r.path, &len);
	ck_assert_uint_eq(len, 0x31000);
	ck_assert_int_ne(bytes[0x18000 + 7], 0);
	ck_assert_int_eq(bytes[0x20000], 9);
	ck_assert_int_eq(bytes[0x27fff], 9);
	ck_assert_int_eq(bytes[0x28000], 0);
	ck_assert_int_eq(bytes[0x30fff], 9);
	free(bytes);
	end(&r);
}
END_TEST

/* A header may claim anything, and so may the next. */
START_TEST(salvage_losses_add_up_to_no_less)
{
	struct run r;

	begin(&r, AVML_IMAGE_LIME);
	lost(&r, 0x1000, UINT64_MAX);
	ck_assert_uint_eq(r.salvage.lost_bytes, UINT64_MAX - 0x1000);
	lost(&r, 0x1000, UINT64_MAX);
	ck_assert_uint_eq(r.salvage.lost_bytes, UINT64_MAX);
	finish(&r);
	end(&r);
}
END_TEST

static Suite *salvage_suite(void)
{
	Suite *suite = suite_create("salvage");
	TCase *tc = tcase_create("salvage");

	tcase_add_test(tc, salvage_run_ends_at_a_loss);
	tcase_add_test(tc, salvage_zeros_are_kept);
	tcase_add_test(tc, salvage_long_run_is_cut_into_blocks);
	tcase_add_test(tc, salvage_raw_has_one_place_for_each_address);
	tcase_add_test(tc, salvage_losses_add_up_to_no_less);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(salvage_suite)

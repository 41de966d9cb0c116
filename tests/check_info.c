/* SPDX-License-Identifier: MIT */
/* What is told of images: made by hand, so that all is known of them. */
#include "check_image.h"

#include <avml/info.h>

#define MIB (UINT64_C(1) << 20)
#define RANGES_MAX 32

struct told {
	struct {
		struct avml_range range;
		uint64_t records;
	} ranges[RANGES_MAX];
	size_t count;
	uint64_t cell_bytes, cells, memory, zero, stored, bad;
	struct avml_info info;
	struct avml_error err;
};

static void on_range(void *ctx, struct avml_range range, uint64_t records)
{
	struct told *told = ctx;

	ck_assert_uint_lt(told->count, RANGES_MAX);
	told->ranges[told->count].range = range;
	told->ranges[told->count++].records = records;
}

static void on_map(void *ctx, const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes)
{
	struct told *told = ctx;

	told->cell_bytes = cell_bytes;
	told->cells = count;
	for (size_t i = 0; i < count; i++) {
		told->memory += cells[i].memory_bytes;
		told->zero += cells[i].zero_bytes;
		told->stored += cells[i].stored_bytes;
		told->bad += cells[i].bad_bytes;
	}
}

static int info(const char *path, size_t map_cells, struct told *told)
{
	const struct avml_info_options options = {
		.image = path,
		.map_cells = map_cells,
		.threads = 2,
	};
	const struct avml_info_events events = {
		.ctx = told,
		.range = on_range,
		.map = on_map,
	};

	*told = (struct told){ .err = AVML_ERROR_INIT };
	return avml_info(&options, &events, &told->info, &told->err);
}

/* A record by hand: `format` 1 or 2, and what is behind its header. */
static void record(struct test_image *image, unsigned int format,
	struct avml_range range, const void *bytes, size_t len)
{
	test_image_append(image, format == 1 ? "EMiL" : "AVML", 4);
	test_image_number(image, format, 4);
	test_image_number(image, range.start, 8);
	test_image_number(image, range.end - 1, 8);
	test_image_number(image, 0, 8);
	test_image_append(image, bytes, len);
}

/* One of v2 with a page of `byte` in a stored chunk, and `padding`. */
static void page_v2(struct test_image *image, uint64_t start, size_t padding)
{
	static uint8_t memory[4096], zeros[65536];
	/* CRC-32C of a page of zeros, masked. */
	const uint64_t crc = 0x25961cca;

	record(image, 2, (struct avml_range){ start, start + 4096 },
		"\xff\x06\x00\x00sNaPpY", 10);
	if (padding > 0) {
		test_image_number(image, 0xfe | (uint64_t)padding << 8, 4);
		test_image_append(image, zeros, padding);
	}
	test_image_number(image, 0x01 | (uint64_t)(4096 + 4) << 8, 4);
	test_image_number(image, crc, 4);
	test_image_append(image, memory, sizeof(memory));
	test_image_number(image,
		10 + (padding ? 4 + padding : 0) + 8 + sizeof(memory), 8);
}

static const struct avml_info_trouble *trouble(
	const struct told *told, const char *reader, const char *text)
{
	for (size_t i = 0; i < told->info.trouble_count; i++) {
		const struct avml_info_trouble *t = &told->info.troubles[i];

		if (strstr(t->reader, reader) && strstr(t->text, text))
			return t;
	}
	return NULL;
}

START_TEST(info_ranges_gaps_and_sizes_are_told)
{
	static uint8_t memory[16 * MIB];
	struct test_image image = { .len = 0 };
	const bool map = _i;
	struct told told;
	const char *path;

	memset(memory, 1, sizeof(memory));
	memset(memory + 4096, 0, 8192);
	/* Two blocks, one left out, one and a half; a hole; a page. */
	for (uint64_t i = 0; i < 5; i++) {
		if (i != 2)
			test_image_block(&image,
				(struct avml_range){ 0x1000 + i * 16 * MIB,
					0x1000 + (i + 1) * 16 * MIB -
						(i == 4 ? 8 * MIB : 0) },
				memory, true);
	}
	test_image_block(&image,
		(struct avml_range){
			UINT64_C(1) << 40, (UINT64_C(1) << 40) + 4096 },
		memory, true);
	path = test_file("image", image.bytes, image.len);
	ck_assert_int_eq(info(path, map ? 1000 : 0, &told), 0);
	ck_assert_int_eq(told.info.format, AVML_IMAGE_LIME);
	ck_assert_uint_eq(told.info.image_bytes, image.len);
	ck_assert(told.info.on_disk);
	ck_assert_uint_eq(told.info.records, 5);
	ck_assert_uint_eq(told.info.shortest_record, 4096);
	ck_assert_uint_eq(told.info.longest_record, 16 * MIB);
	ck_assert_uint_eq(told.info.memory_bytes, 56 * MIB + 4096);
	ck_assert_uint_eq(told.info.stored_bytes, 56 * MIB + 4096);
	ck_assert_uint_eq(told.info.ranges, 3);
	ck_assert_uint_eq(told.count, 3);
	ck_assert_uint_eq(told.ranges[0].range.start, 0x1000);
	ck_assert_uint_eq(told.ranges[0].range.end, 0x1000 + 32 * MIB);
	ck_assert_uint_eq(told.ranges[0].records, 2);
	ck_assert_uint_eq(told.ranges[1].records, 2);
	ck_assert_uint_eq(told.ranges[2].records, 1);
	ck_assert_uint_eq(told.info.span.start, 0x1000);
	ck_assert_uint_eq(told.info.span.end, (UINT64_C(1) << 40) + 4096);
	ck_assert_uint_eq(told.info.holes, 1);
	ck_assert_uint_eq(
		told.info.hole_bytes, (UINT64_C(1) << 40) - 0x1000 - 72 * MIB);
	ck_assert_uint_eq(told.info.left_out_blocks, 1);
	ck_assert_uint_eq(told.info.trouble_count, 0);
	ck_assert_uint_eq(told.info.damages, 0);
	ck_assert(told.info.decoded == map);
	ck_assert_uint_eq(told.info.zero_bytes, map ? 4 * 8192 : 0);
	ck_assert_uint_eq(told.memory, map ? 56 * MIB + 4096 : 0);
	ck_assert_uint_eq(told.zero, told.info.zero_bytes);
	ck_assert_uint_eq(told.stored, told.memory);
	ck_assert_uint_le(told.cells, 1000);
	free(image.bytes);
}
END_TEST

/* Each thing that a reader trips over, alone in an image. */
START_TEST(info_what_readers_trip_over_is_told)
{
	static const uint8_t page[4096] = { 1 };
	struct test_image image = { .len = 0 };
	const struct avml_info_trouble *t;
	struct told told;

	switch (_i) {
	case 0: /* AVML's ends */
		record(&image, 1, (struct avml_range){ 0, 4096 }, page, 4096);
		record(&image, 1, (struct avml_range){ 8192, 12287 }, page,
			4095);
		break;
	case 1: /* inclusive ends at 000, as LeechCore takes them */
		record(&image, 1, (struct avml_range){ 0, 4096 }, page, 4096);
		record(&image, 1, (struct avml_range){ 8192, 8193 }, page, 1);
		break;
	case 2:
		record(&image, 1, (struct avml_range){ 16, 4096 }, page, 4080);
		break;
	case 3:
		record(&image, 1, (struct avml_range){ 8192, 12288 }, page,
			4096);
		record(&image, 1, (struct avml_range){ 4096, 8192 }, page,
			4096);
		break;
	case 4:
		record(&image, 1, (struct avml_range){ 0, 4096 }, page, 4096);
		page_v2(&image, 4096, 0);
		break;
	case 5:
		page_v2(&image, 0, 0);
		break;
	default:
		record(&image, 2, (struct avml_range){ 0, 4096 }, "", 0);
		page_v2(&image, 4096, 0);
		break;
	}
	ck_assert_int_eq(
		info(test_file("image", image.bytes, image.len), 0, &told), 0);
	t = &told.info.troubles[0];
	switch (_i) {
	case 0:
		ck_assert_uint_eq(told.info.trouble_count, 1);
		ck_assert(t == trouble(&told, "LeechCore", "end with a page"));
		ck_assert_uint_eq(t->records, 1);
		ck_assert_uint_eq(t->offset, 32 + 4096);
		break;
	case 1:
		ck_assert_uint_eq(told.info.trouble_count, 0);
		break;
	case 2:
		ck_assert_uint_eq(told.info.trouble_count, 1);
		ck_assert(t == trouble(&told, "LeechCore", "begin at a page"));
		break;
	case 3:
		ck_assert_uint_eq(told.info.trouble_count, 2);
		ck_assert_ptr_nonnull(trouble(&told, "LeechCore", "precedes"));
		t = trouble(&told, "Volatility 3", "precedes");
		ck_assert_ptr_nonnull(t);
		ck_assert_uint_eq(t->offset, 32 + 4096);
		break;
	case 4:
		ck_assert_ptr_nonnull(trouble(&told, "Volatility 3", "format"));
		ck_assert_ptr_nonnull(trouble(&told, "Volatility 2", "format"));
		ck_assert_ptr_nonnull(trouble(&told, "LeechCore", "format"));
		break;
	case 5:
		/* The stream of a page that does not compress. */
		t = trouble(&told, "Volatility 3", "hangs");
		ck_assert_ptr_nonnull(t);
		ck_assert_uint_eq(t->records, 1);
		ck_assert_uint_eq(t->offset, 0);
		ck_assert_ptr_nonnull(
			trouble(&told, "Volatility 2", "lime_compressed"));
		ck_assert_ptr_nonnull(
			trouble(&told, "LeechCore", "lime_compressed"));
		ck_assert_uint_eq(told.info.trouble_count, 3);
		break;
	default:
		t = trouble(&told, "Volatility 3", "no data");
		ck_assert_ptr_nonnull(t);
		ck_assert_uint_eq(t->records, 1);
		ck_assert_uint_eq(told.info.memory_bytes, 8192);
		break;
	}
	ck_assert_uint_eq(told.info.damages, 0);
	free(image.bytes);
}
END_TEST

START_TEST(info_damage_is_told_and_the_rest_too)
{
	struct test_image image = { .len = 0 };
	struct told told;
	const char *path;

	page_v2(&image, 0, 100);
	page_v2(&image, 8192, 0);
	page_v2(&image, 4 * 8192, 0);
	/* In the memory of the first, whose checksum only a map looks at. */
	image.bytes[32 + 10 + 104 + 8 + 5] ^= 1;
	path = test_file("image", image.bytes, image.len);
	ck_assert_int_eq(info(path, 0, &told), 0);
	ck_assert_uint_eq(told.info.damages, 0);
	ck_assert_int_eq(info(path, 64, &told), 0);
	ck_assert_uint_eq(told.info.damages, 1);
	ck_assert_uint_eq(told.info.damage_offset, 32 + 10 + 104);
	ck_assert_ptr_nonnull(strstr(told.info.damage, "checksum"));
	ck_assert_uint_eq(told.bad, 4096);
	ck_assert_uint_eq(told.info.zero_bytes, 2 * 4096);
	ck_assert_uint_eq(told.info.records, 3);
	ck_assert_uint_eq(told.info.ranges, 3);
	/* A header: what is behind it is found again. */
	image.bytes[32 + 10 + 104 + 8 + 4096 + 8] ^= 1;
	path = test_file("image", image.bytes, image.len);
	ck_assert_int_eq(info(path, 0, &told), 0);
	ck_assert_uint_eq(told.info.damages, 1);
	ck_assert_uint_eq(told.info.records, 2);
	ck_assert_uint_eq(told.info.memory_bytes, 2 * 4096);
	free(image.bytes);
}
END_TEST

/* A chunk in the middle of a record is lost: two ranges, of one record. */
START_TEST(info_ranges_of_a_record_count_it_each)
{
	struct test_image image = { .len = 0 };
	static uint8_t memory[4096];
	struct told told;

	record(&image, 2, (struct avml_range){ 0, 3 * 4096 },
		"\xff\x06\x00\x00sNaPpY", 10);
	for (unsigned int i = 0; i < 3; i++) {
		/* The one in the middle has neither type nor checksum. */
		test_image_number(&image,
			(i == 1 ? 0x41 : 0x01) | (uint64_t)(4096 + 4) << 8, 4);
		test_image_number(&image, i == 1 ? 1 : 0x25961cca, 4);
		test_image_append(&image, memory, sizeof(memory));
	}
	test_image_number(&image, 10 + 3 * (8 + sizeof(memory)), 8);
	ck_assert_int_eq(
		info(test_file("image", image.bytes, image.len), 0, &told), 0);
	ck_assert_uint_eq(told.info.damages, 1);
	ck_assert_uint_eq(told.info.records, 1);
	ck_assert_uint_eq(told.count, 2);
	ck_assert_uint_eq(told.ranges[0].range.end, 4096);
	ck_assert_uint_eq(told.ranges[0].records, 1);
	ck_assert_uint_eq(told.ranges[1].range.start, 2 * 4096);
	ck_assert_uint_eq(told.ranges[1].records, 1);
	free(image.bytes);
}
END_TEST

START_TEST(info_no_image_is_an_error)
{
	struct told told;

	ck_assert_int_eq(info(test_file("none", "", 0), 0, &told), -EINVAL);
	ck_assert_int_eq(info("/nowhere/image", 0, &told), -ENOENT);
}
END_TEST

static Suite *info_suite(void)
{
	Suite *suite = suite_create("info");
	TCase *tc = tcase_create("info");

	tcase_add_loop_test(tc, info_ranges_gaps_and_sizes_are_told, 0, 2);
	tcase_add_loop_test(tc, info_what_readers_trip_over_is_told, 0, 7);
	tcase_add_test(tc, info_damage_is_told_and_the_rest_too);
	tcase_add_test(tc, info_ranges_of_a_record_count_it_each);
	tcase_add_test(tc, info_no_image_is_an_error);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(info_suite)

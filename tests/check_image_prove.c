/* SPDX-License-Identifier: MIT */
/* What a header claims, held against what follows it: by hostile ones too. */
#include "check_main.h"

#include "format/image_reader_state.h"

/* A record of a page begins everywhere in this image. */
static ssize_t peek_header_anywhere(
	void *ctx, void *buf, size_t len, uint64_t offset)
{
	const struct avml_record_header header = {
		.format = AVML_RECORD_LIME,
		.range = { 0x1000, 0x2000 },
	};
	uint8_t wire[AVML_RECORD_HEADER_SIZE];

	(void)ctx;
	(void)offset;
	ck_assert_uint_le(len, sizeof(wire));
	avml_record_header_encode(&header, wire);
	memcpy(buf, wire, len);
	return (ssize_t)len;
}

static const struct {
	uint64_t offset;
	struct avml_range range;
	bool followed;
} ends[] = {
	{ 0, { 0x1000, 0x2000 }, true },
	{ 0, { 0, UINT64_MAX - 32 }, true },
	/* These would wrap around, and come to lie at the image's start. */
	{ 0, { 0, UINT64_MAX - 31 }, false },
	{ 0, { 0, UINT64_MAX }, false },
	{ 4096, { 0, UINT64_MAX - 4096 }, false },
};

START_TEST(image_prove_no_record_follows_past_2_64)
{
	const struct image_input input = { .peek = peek_header_anywhere };
	const struct image_reader_options options = { .salvage = true };
	struct image_reader *reader = image_reader_new(&input, &options);
	const struct avml_record_header header = {
		.format = AVML_RECORD_LIME,
		.range = ends[_i].range,
	};

	ck_assert_ptr_nonnull(reader);
	ck_assert_int_eq(
		image_reader_is_followed(reader, ends[_i].offset, &header),
		ends[_i].followed);
	image_reader_free(reader);
}
END_TEST

static Suite *image_prove_suite(void)
{
	Suite *suite = suite_create("image_prove");
	TCase *tc = tcase_create("image_prove");

	tcase_add_loop_test(tc, image_prove_no_record_follows_past_2_64, 0,
		TEST_COUNT(ends));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(image_prove_suite)

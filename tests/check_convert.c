/* SPDX-License-Identifier: MIT */
/* A whole conversion as a library's user sees it: result and events. */
#include "check_image.h"

#include <signal.h>

#include <avml/convert.h>

#include "base/cancel.h"

#define MIB (1u << 20)

struct seen {
	size_t warnings, losses, records;
	uint64_t record_end;
	char last_warning[512];
	bool stop; /* at the first record */
};

static void on_warning(void *ctx, const char *text)
{
	struct seen *seen = ctx;

	seen->warnings++;
	snprintf(seen->last_warning, sizeof(seen->last_warning), "%s", text);
}

static void on_loss(void *ctx, uint64_t offset, uint64_t end,
	struct avml_range range, const char *reason)
{
	struct seen *seen = ctx;

	seen->losses++;
	ck_assert_uint_le(offset, end);
	ck_assert_uint_le(range.start, range.end);
	ck_assert_str_ne(reason, "");
}

static void on_record(void *ctx, const struct avml_image_record *record)
{
	struct seen *seen = ctx;

	ck_assert_uint_eq(record->offset, seen->record_end);
	ck_assert_uint_eq(
		record->len, TEST_HEADER_LEN + avml_range_len(record->range));
	seen->record_end = record->offset + record->len;
	seen->records++;
	if (seen->stop)
		cancel_request(SIGTERM);
}

/* v1: 20 MiB of which a block is zero, and a page. */
static struct test_image sample(void)
{
	static uint8_t memory[20 * MIB];
	struct test_image image = { .len = 0 };

	for (size_t i = 16 * MIB; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(i * 7 >> 5);
	test_image_range(&image,
		(struct avml_range){ 0x1000, 0x1000 + 20 * MIB }, memory,
		32 * MIB, true);
	test_image_block(&image, (struct avml_range){ 0x10000000, 0x10001000 },
		memory + 18 * MIB, true);
	return image;
}

static int convert(struct avml_convert_options options, struct seen *seen,
	struct avml_convert_result *result, struct avml_error *err)
{
	const struct avml_convert_events events = {
		.ctx = seen,
		.warning = on_warning,
		.loss = on_loss,
		.record = on_record,
	};

	*err = (struct avml_error)AVML_ERROR_INIT;
	return avml_convert(&options, &events, result, err);
}

START_TEST(convert_result_counts_what_was_done)
{
	struct test_image image = sample();
	char *source = strdup(test_file("in", image.bytes, image.len));
	char out[TEST_PATH_MAX], back[TEST_PATH_MAX];
	struct avml_convert_options options = { .source = source };
	struct avml_convert_result result;
	struct seen seen = { .stop = false };
	struct avml_error err;
	char *bytes;
	size_t len;

	snprintf(out, sizeof(out), "%s.out", source);
	snprintf(back, sizeof(back), "%s.back", source);
	options.destination = out;
	options.format = AVML_IMAGE_LIME;
	options.threads = _i ? 3 : 1;
	ck_assert_int_eq(convert(options, &seen, &result, &err), 0);
	ck_assert_uint_eq(seen.records, 2);
	ck_assert_uint_eq(seen.warnings, 0);
	ck_assert_uint_eq(result.records, 2);
	ck_assert_uint_eq(result.source_bytes, image.len);
	ck_assert_uint_eq(result.memory_bytes, 20 * MIB + 4096);
	ck_assert_uint_eq(result.dropped_bytes, 16 * MIB);
	ck_assert_uint_eq(result.written_bytes, seen.record_end);
	ck_assert_uint_eq(result.losses + result.lost_bytes, 0);
	bytes = test_load(out, &len);
	ck_assert_uint_eq(len, 4 * MIB + 4096 + 2 * TEST_HEADER_LEN);
	ck_assert_mem_eq(bytes + TEST_HEADER_LEN,
		image.bytes + TEST_HEADER_LEN + 16 * MIB, 4 * MIB);
	free(bytes);

	/* And with its zeros, through v2 and back: what it was. */
	options.keep_zeros = true;
	options.format = AVML_IMAGE_LIME_COMPRESSED;
	ck_assert_int_eq(avml_convert(&options,
				 &(struct avml_convert_events){ .ctx = NULL },
				 &result, &err),
		0);
	ck_assert_uint_eq(result.dropped_bytes, 0);
	ck_assert_uint_eq(result.records, 3);
	options.source = out;
	options.destination = back;
	options.format = AVML_IMAGE_RAW;
	ck_assert_int_eq(avml_convert(&options,
				 &(struct avml_convert_events){ .ctx = NULL },
				 &result, &err),
		0);
	ck_assert_uint_eq(result.written_bytes, 0x10001000);
	bytes = test_load(back, &len);
	ck_assert_uint_eq(len, 0x10001000);
	ck_assert_mem_eq(
		bytes + 0x1000, image.bytes + TEST_HEADER_LEN, 20 * MIB);
	ck_assert_mem_eq(
		bytes + 0x10000000, image.bytes + image.len - 4096, 4096);
	free(bytes);
	test_image_release(&image);
	free(source);
}
END_TEST

START_TEST(convert_nonsense_is_refused_before_anything_is_touched)
{
	static const struct {
		enum avml_image_format from, to;
		bool salvage;
		const char *words;
	} cases[] = {
		{ AVML_IMAGE_LIME, AVML_IMAGE_LIME, false,
			"no conversion required" },
		{ AVML_IMAGE_RAW, AVML_IMAGE_RAW, false,
			"no conversion required" },
		{ AVML_IMAGE_RAW, AVML_IMAGE_LIME, true, "salvage" },
		{ AVML_IMAGE_NONE, AVML_IMAGE_LIME, false, "magic" },
	};
	char *source = strdup(
		test_file("in", "no image at all, 33 bytes of it!!", 33));
	char *out = strdup(test_file("out", "precious", 8));

	for (size_t i = 0; i < TEST_COUNT(cases); i++) {
		const struct avml_convert_options options = {
			.source = source,
			.destination = out,
			.source_format = cases[i].from,
			.format = cases[i].to,
			.salvage = cases[i].salvage,
			.threads = 1,
		};
		struct avml_convert_result result;
		struct seen seen = { .stop = false };
		struct avml_error err;
		bool found = false;
		char *bytes;
		size_t len;

		ck_assert_int_eq(
			convert(options, &seen, &result, &err), -EINVAL);
		for (unsigned int k = 0; avml_error_message(&err, k); k++)
			found |= strstr(avml_error_message(&err, k),
					 cases[i].words) != NULL;
		ck_assert_msg(found, "not '%s' but '%s'", cases[i].words,
			avml_error_message(&err, 0));
		ck_assert_uint_eq(result.records, 0);
		bytes = test_load(out, &len);
		ck_assert_str_eq(bytes, "precious");
		free(bytes);
	}
	free(source);
	free(out);
}
END_TEST

START_TEST(convert_stops_at_a_signal_with_whole_records)
{
	struct test_image image = sample();
	char *source = strdup(test_file("in", image.bytes, image.len));
	char *out = strdup(test_file("out", "", 0));
	const struct avml_convert_options options = {
		.source = source,
		.destination = out,
		.format = AVML_IMAGE_LIME,
		.keep_zeros = true,
		.threads = _i ? 3 : 1,
	};
	struct avml_convert_result result;
	struct seen seen = { .stop = true };
	struct avml_error err;
	char *bytes;
	size_t len;

	ck_assert_int_eq(convert(options, &seen, &result, &err), -EINTR);
	ck_assert_int_eq(err.code, EINTR);
	ck_assert_uint_eq(result.records, 1);
	bytes = test_load(out, &len);
	ck_assert_uint_eq(len, 16 * MIB + TEST_HEADER_LEN);
	free(bytes);
	test_image_release(&image);
	free(source);
	free(out);
}
END_TEST

START_TEST(convert_salvage_counts_losses)
{
	struct test_image image = sample();
	const size_t border = image.records[1].offset;
	char *source, *out = strdup(test_file("out", "", 0));
	struct avml_convert_result result;
	struct seen seen = { .stop = false };
	struct avml_convert_options options = {
		.destination = out,
		.format = AVML_IMAGE_LIME,
		.salvage = true,
		.threads = _i ? 3 : 1,
	};
	struct avml_error err;

	image.bytes[border] ^= 1;
	source = strdup(test_file("in", image.bytes, image.len));
	options.source = source;
	ck_assert_int_eq(convert(options, &seen, &result, &err), 0);
	ck_assert_uint_eq(seen.losses, 1);
	ck_assert_uint_eq(result.losses, 1);
	ck_assert_uint_ge(result.records, 2);
	test_image_release(&image);
	free(source);
	free(out);
}
END_TEST

static Suite *convert_suite(void)
{
	Suite *suite = suite_create("convert");
	TCase *tc = tcase_create("convert");

	tcase_add_loop_test(tc, convert_result_counts_what_was_done, 0, 2);
	tcase_add_test(
		tc, convert_nonsense_is_refused_before_anything_is_touched);
	tcase_add_loop_test(
		tc, convert_stops_at_a_signal_with_whole_records, 0, 2);
	tcase_add_loop_test(tc, convert_salvage_counts_losses, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(convert_suite)

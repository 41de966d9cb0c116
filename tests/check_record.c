/* SPDX-License-Identifier: MIT */
#include <avml/record.h>

#include "check_main.h"

/* Headers on the wire, byte by byte. */
static const struct {
	struct avml_record_header header;
	uint8_t wire[AVML_RECORD_HEADER_SIZE];
} vectors[] = {
	{ { AVML_RECORD_LIME, { 0x1000, 0x20001 } },
		{ 0x45, 0x4d, 0x69, 0x4c, 0x01, 0x00, 0x00, 0x00, 0x00, 0x10,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x02 } },
	{ { AVML_RECORD_AVML, { 0x1000, 0x20001 } },
		{ 0x41, 0x56, 0x4d, 0x4c, 0x02, 0x00, 0x00, 0x00, 0x00, 0x10,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x02 } },
	/* One byte, the first there is: both addresses are 0. */
	{ { AVML_RECORD_LIME, { 0, 1 } }, { 0x45, 0x4d, 0x69, 0x4c, 0x01 } },
	/* Every byte of both addresses in its place. */
	{ { AVML_RECORD_LIME, { 0x0123456789abcdef, 0xfedcba9876543211 } },
		{ 0x45, 0x4d, 0x69, 0x4c, 0x01, 0x00, 0x00, 0x00, 0xef, 0xcd,
			0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x10, 0x32, 0x54,
			0x76, 0x98, 0xba, 0xdc, 0xfe } },
	/* The last byte an exclusive end can stand behind. */
	{ { AVML_RECORD_AVML, { UINT64_MAX - 1, UINT64_MAX } },
		{ 0x41, 0x56, 0x4d, 0x4c, 0x02, 0x00, 0x00, 0x00, 0xfe, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff } },
	/* Longer than any block of ours: older images have such. */
	{ { AVML_RECORD_LIME, { 0x100000000, 0x180000000 } },
		{ 0x45, 0x4d, 0x69, 0x4c, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
			0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
			0x7f, 0x01 } },
};

START_TEST(record_header_encoded_matches_the_vector)
{
	uint8_t wire[AVML_RECORD_HEADER_SIZE];

	memset(wire, 0xa5, sizeof(wire));
	avml_record_header_encode(&vectors[_i].header, wire);
	ck_assert_mem_eq(wire, vectors[_i].wire, sizeof(wire));
}
END_TEST

START_TEST(record_header_decoded_matches_the_vector)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_record_header header;

	memset(&header, 0xa5, sizeof(header));
	ck_assert_int_eq(
		avml_record_header_decode(vectors[_i].wire, &header, &err), 0);
	ck_assert_int_eq(header.format, vectors[_i].header.format);
	ck_assert_uint_eq(header.range.start, vectors[_i].header.range.start);
	ck_assert_uint_eq(header.range.end, vectors[_i].header.range.end);
}
END_TEST

START_TEST(record_header_at_random_survives_both_ways)
{
	uint64_t state = 0x6a09e667f3bcc909;

	for (int round = 0; round < 20000; round++) {
		const uint64_t a = test_random(&state), b = test_random(&state);
		const struct avml_record_header header = {
			.format = 1 + (a ^ b) % 2,
			.range = { a < b ? a : b, (a < b ? b : a) },
		};
		uint8_t wire[AVML_RECORD_HEADER_SIZE];
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_record_header back;

		avml_record_header_encode(&header, wire);
		TEST_ASSERT(avml_record_header_decode(wire, &back, &err) == 0);
		TEST_ASSERT(back.format == header.format);
		TEST_ASSERT(back.range.start == header.range.start);
		TEST_ASSERT(back.range.end == header.range.end);
	}
}
END_TEST

/* --- bad fields ---------------------------------------------------------- */

#define LIME 0x4C694D45u
#define AVML 0x4C4D5641u

static const struct {
	uint32_t magic, version;
	uint64_t first, last, reserved;
	const char *says;
} bad[] = {
	{ 0, 1, 0x1000, 0x1fff, 0,
		"bad magic 0x00000000: neither LiME nor AVML" },
	/* One bit, the other order of bytes, the two mixed. */
	{ LIME ^ 1, 1, 0x1000, 0x1fff, 0, "bad magic 0x4c694d44" },
	{ 0x454d694cu, 1, 0x1000, 0x1fff, 0, "bad magic 0x454d694c" },
	{ 0x464c457fu, 1, 0x1000, 0x1fff, 0, "bad magic 0x464c457f" },
	{ LIME, 0, 0x1000, 0x1fff, 0, "LiME header of version 0, not 1" },
	{ LIME, 2, 0x1000, 0x1fff, 0, "LiME header of version 2, not 1" },
	{ LIME, 0x01000000, 0x1000, 0x1fff, 0, "LiME header of version 16777" },
	{ AVML, 0, 0x1000, 0x1fff, 0, "AVML header of version 0, not 2" },
	{ AVML, 1, 0x1000, 0x1fff, 0, "AVML header of version 1, not 2" },
	{ AVML, 3, 0x1000, 0x1fff, 0, "AVML header of version 3, not 2" },
	{ AVML, UINT32_MAX, 0x1000, 0x1fff, 0, "version 4294967295, not 2" },
	{ LIME, 1, 0x1000, 0x1fff, 1,
		"reserved field of the header is 0x1, not 0" },
	{ LIME, 1, 0x1000, 0x1fff, UINT64_C(1) << 63, "0x8000000000000000" },
	{ LIME, 1, 0x1000, 0xfff, 0,
		"record ends (0xfff) before it begins (0x1000)" },
	{ LIME, 1, UINT64_MAX, 0, 0, "before it begins" },
	{ LIME, 1, 0, UINT64_MAX, 0,
		"record reaches to the end of the 64-bit address space" },
	{ AVML, 2, UINT64_MAX, UINT64_MAX, 0, "the end of the 64-bit" },
};

static void put(uint8_t *to, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

START_TEST(record_header_with_a_bad_field_is_refused)
{
	uint8_t wire[AVML_RECORD_HEADER_SIZE];
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_record_header header;

	put(wire, 4, bad[_i].magic);
	put(wire + 4, 4, bad[_i].version);
	put(wire + 8, 8, bad[_i].first);
	put(wire + 16, 8, bad[_i].last);
	put(wire + 24, 8, bad[_i].reserved);
	ck_assert_int_eq(
		avml_record_header_decode(wire, &header, &err), -EINVAL);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_msg(strstr(avml_error_message(&err, 0), bad[_i].says) != NULL,
		"\"%s\" does not say \"%s\"", avml_error_message(&err, 0),
		bad[_i].says);
}
END_TEST

/* Any other bit than those of the addresses makes it bad. */
START_TEST(record_header_with_a_flipped_bit_is_refused)
{
	for (unsigned int bit = 0; bit < 8 * AVML_RECORD_HEADER_SIZE; bit++) {
		uint8_t wire[AVML_RECORD_HEADER_SIZE];
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_record_header header;

		if (bit >= 8 * 8 && bit < 24 * 8)
			continue;
		for (size_t i = 0; i < TEST_COUNT(vectors); i++) {
			memcpy(wire, vectors[i].wire, sizeof(wire));
			wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
			ck_assert_int_eq(
				avml_record_header_decode(wire, &header, &err),
				-EINVAL);
		}
	}
}
END_TEST

static Suite *record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");

	tcase_add_loop_test(tcase, record_header_encoded_matches_the_vector, 0,
		TEST_COUNT(vectors));
	tcase_add_loop_test(tcase, record_header_decoded_matches_the_vector, 0,
		TEST_COUNT(vectors));
	tcase_add_test(tcase, record_header_at_random_survives_both_ways);
	tcase_add_loop_test(tcase, record_header_with_a_bad_field_is_refused, 0,
		TEST_COUNT(bad));
	tcase_add_test(tcase, record_header_with_a_flipped_bit_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(record_suite)

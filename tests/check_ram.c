/* SPDX-License-Identifier: MIT */
/* What iomem tells is RAM, and what comes of one that tells nothing. */
#include "job/ram.h"

#include "check_paths.h"

#define GOOD "00001000-0009fbff : System RAM\n"

/* A host that does not tell is one thing; a file that is wrong another. */
static const struct {
	const char *name, *text; /* NULL: no file */
	int ret;		 /* of one that was asked for */
	bool broken;		 /* in either case */
	const char *says;
} cases[] = {
	{ "good", GOOD, 0, false, NULL },
	{ "missing", NULL, -ENOENT, false, "cannot open" },
	{ "hidden", "00000000-00000000 : System RAM\n", -EPERM, false, "root" },
	{ "empty", "", -ENODATA, false, "" },
	{ "without RAM", "00000000-00000fff : Reserved\n", -ENODATA, false,
		"no System RAM" },
	{ "senseless", "00002000-00001000 : System RAM\n", -EINVAL, true,
		"before it begins" },
	{ "cut short", GOOD "00100000-00", -EINVAL, true, "" },
};

START_TEST(ram_is_known_or_the_reason_why_not)
{
	const char *text = cases[_i].text;
	const char *path =
		text ? test_text("%s", test_file("iomem", text, strlen(text)))
		     : test_path("missing");

	for (int given = 0; given < 2; given++) {
		struct avml_error err = AVML_ERROR_INIT;
		struct ram ram;
		int ret;

		memset(&ram, 0xa5, sizeof(ram));
		ret = ram_read(path, given, 4096, &ram, &err);
		ck_assert_msg(
			ret == (given || cases[_i].broken ? cases[_i].ret : 0),
			"%s: %d", cases[_i].name, ret);
		ck_assert(ram.known == (cases[_i].ret == 0));
		ck_assert_uint_eq(ram.pages.count, ram.known);
		ck_assert_uint_eq(ram.trimmed.count, ram.known);
		if (cases[_i].says) {
			ck_assert_int_eq(err.code, -cases[_i].ret);
			ck_assert_ptr_nonnull(strstr(
				avml_error_message(&err, 0), cases[_i].says));
			ck_assert_ptr_nonnull(
				strstr(avml_error_message(&err, 0), path));
		} else {
			ck_assert_uint_eq(err.depth, 0);
		}
		ram_release(&ram);
		ck_assert_uint_eq(ram.pages.count, 0);
	}
}
END_TEST

START_TEST(ram_is_whole_pages_and_what_was_cut_off)
{
	static const char text[] = "00001000-0009fbff : System RAM\n"
				   "00100000-0014ffff : System RAM\n"
				   "what is this\n"
				   "00200100-002001ff : System RAM\n";
	static const struct {
		size_t page;
		struct avml_range pages[2];
		uint64_t trimmed;
	} sizes[] = {
		{ 4096, { { 0x1000, 0x9f000 }, { 0x100000, 0x150000 } },
			0xc00 + 0x100 },
		{ 65536, { { 0x10000, 0x90000 }, { 0x100000, 0x150000 } },
			0xf000 + 0xfc00 + 0x100 },
	};
	const char *path = test_file("iomem", text, sizeof(text) - 1);

	for (size_t i = 0; i < TEST_COUNT(sizes); i++) {
		struct avml_error err = AVML_ERROR_INIT;
		struct ram ram;

		ck_assert_int_eq(
			ram_read(path, true, sizes[i].page, &ram, &err), 0);
		ck_assert_uint_eq(ram.pages.count, 2);
		for (size_t k = 0; k < 2; k++) {
			ck_assert_uint_eq(ram.pages.items[k].start,
				sizes[i].pages[k].start);
			ck_assert_uint_eq(
				ram.pages.items[k].end, sizes[i].pages[k].end);
		}
		ck_assert_uint_eq(
			avml_range_list_total(&ram.trimmed), sizes[i].trimmed);
		ck_assert_uint_eq(ram.skipped, 1);
		ck_assert_uint_eq(ram.first_skipped, 3);
		ram_release(&ram);
	}
}
END_TEST

static Suite *ram_suite(void)
{
	Suite *suite = suite_create("ram");
	TCase *tc = tcase_create("ram");

	tcase_add_loop_test(
		tc, ram_is_known_or_the_reason_why_not, 0, TEST_COUNT(cases));
	tcase_add_test(tc, ram_is_whole_pages_and_what_was_cut_off);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(ram_suite)

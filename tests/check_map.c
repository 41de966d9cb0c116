/* SPDX-License-Identifier: MIT */
#include "cmd/map.h"

#include "check_main.h"

#define MIB (UINT64_C(1) << 20)

static const struct map_style plain = { .width = 80, .compressed = true };

/* What is drawn; the caller frees it. */
static char *draw(const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes, const struct map_style *style)
{
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	map_draw(out, cells, count, cell_bytes, style);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static struct avml_info_cell cell(uint64_t start, uint64_t memory,
	uint64_t zero, uint64_t stored, uint64_t bad)
{
	return (struct avml_info_cell){ start, memory, zero, stored, bad };
}

START_TEST(map_each_cell_looks_like_what_it_holds)
{
	const struct avml_info_cell cells[] = {
		cell(0, MIB, MIB, 99, 0),
		cell(1 * MIB, MIB, MIB - 4096, 4096, 0),
		cell(2 * MIB, MIB, 0, MIB / 4 - 1, 0),
		cell(3 * MIB, MIB, 0, MIB / 2 - 1, 0),
		cell(4 * MIB, MIB, 0, MIB / 4 * 3 - 1, 0),
		cell(5 * MIB, MIB, 0, MIB, 0),
		cell(7 * MIB, MIB, 0, MIB, 1),
		cell(8 * MIB, 4096, 0, 4096, 0),
	};
	struct map_style style = plain;
	char *text = draw(cells, TEST_COUNT(cells), MIB, &style);

	ck_assert_int_eq(
		strncmp(text,
			"0x0000000000000000 "
			"0o-=+#.!#......................................"
			".\n",
			68),
		0);
	ck_assert_ptr_nonnull(strstr(text, "one character is 1.0 MiB:\n"));
	free(text);
	/* Of version 1, only what is zero is known. */
	style.compressed = false;
	text = draw(cells, TEST_COUNT(cells), MIB, &style);
	ck_assert_ptr_nonnull(strstr(text, " 0o####.!#...."));
	ck_assert_ptr_null(strstr(text, "  -  "));
	ck_assert_ptr_nonnull(strstr(text, "  #  data\n"));
	free(text);
}
END_TEST

static const struct {
	unsigned int width, columns;
} widths[] = {
	{ 1, 16 },
	{ 36, 16 },
	{ 51, 16 },
	{ 52, 32 },
	{ 80, 48 },
	{ 133, 112 },
	{ 276, 256 },
	{ 10000, 256 },
};

START_TEST(map_lines_fit_the_width)
{
	struct map_style style = plain;
	const struct avml_info_cell cells[] = { cell(0, 1, 0, 1, 0) };
	char *text;

	style.width = widths[_i].width;
	text = draw(cells, 1, MIB, &style);
	ck_assert_uint_eq(strcspn(text, "\n"), 19 + widths[_i].columns);
	free(text);
}
END_TEST

/* However many there are, and wherever: few lines, and nothing is left out. */
START_TEST(map_lines_are_bounded)
{
	static struct avml_info_cell cells[4096];
	size_t lines = 0;
	char *text;

	for (size_t i = 0; i < TEST_COUNT(cells); i++)
		cells[i] = cell(_i == 0	  ? i * MIB
				: _i == 1 ? i << 52
					  : (i * (i + 1) / 2) * 1000 * MIB,
			MIB, 0, MIB, 0);
	text = draw(cells, TEST_COUNT(cells), MIB, &plain);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	ck_assert_uint_gt(lines, 10);
	ck_assert_uint_le(lines, 48 + 9);
	ck_assert_ptr_nonnull(strchr(text, '#'));
	free(text);
}
END_TEST

START_TEST(map_gaps_of_whole_lines_are_one_line)
{
	const struct avml_info_cell cells[] = {
		cell(0, MIB, 0, MIB, 0),
		cell(4096 * MIB, MIB, 0, MIB, 0),
	};
	char *text = draw(cells, 2, MIB, &plain);

	/* 4096 MiB are 85 lines of 48 and a bit; it is in the next. */
	ck_assert_ptr_nonnull(strstr(text, "(3.9 GiB not in the image)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n0x00000000ff000000 ......"));
	free(text);
}
END_TEST

START_TEST(map_colour_is_only_where_it_is_wanted)
{
	const struct avml_info_cell cells[] = { cell(0, MIB, MIB, 0, 0) };
	struct map_style style = plain;
	char *text = draw(cells, 1, MIB, &style);

	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
	style.colour = true;
	text = draw(cells, 1, MIB, &style);
	ck_assert_ptr_nonnull(strstr(text, "\033[0;34m0\033[0;2m....."));
	ck_assert_ptr_nonnull(strstr(text, ".\033[0m\n"));
	free(text);
	/* A file is no terminal. */
	map_style_of(open("/dev/null", O_WRONLY | O_CLOEXEC), &style);
	ck_assert(!style.colour);
	ck_assert_uint_eq(style.width, 80);
}
END_TEST

START_TEST(map_sizes_are_short)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1 << 20, "1.0 MiB" },
		{ UINT64_C(10) << 30, "10 GiB" },
		{ UINT64_MAX, "16 EiB" },
	};
	char text[MAP_SIZE_MAX];

	for (size_t i = 0; i < TEST_COUNT(sizes); i++)
		ck_assert_str_eq(map_size(sizes[i].bytes, text), sizes[i].text);
}
END_TEST

static Suite *map_suite(void)
{
	Suite *suite = suite_create("map");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, map_each_cell_looks_like_what_it_holds);
	tcase_add_loop_test(
		tc, map_lines_fit_the_width, 0, (int)TEST_COUNT(widths));
	tcase_add_loop_test(tc, map_lines_are_bounded, 0, 3);
	tcase_add_test(tc, map_gaps_of_whole_lines_are_one_line);
	tcase_add_test(tc, map_colour_is_only_where_it_is_wanted);
	tcase_add_test(tc, map_sizes_are_short);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(map_suite)

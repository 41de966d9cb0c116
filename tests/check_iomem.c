/* SPDX-License-Identifier: MIT */
#include <avml/iomem.h>

#include "base/cleanup.h"
#include "check_main.h"

#define RANGES_MAX 4

static int parse(
	const char *text, struct avml_iomem *iomem, struct avml_error *err)
{
	return avml_iomem_parse(text, strlen(text), "a/path", iomem, err);
}

static void assert_ram(
	const struct avml_iomem *iomem, const struct avml_range *expected)
{
	size_t count = 0;

	while (count < RANGES_MAX && expected[count].end != 0)
		count++;
	ck_assert_uint_eq(iomem->ram.count, count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(iomem->ram.items[i].start, expected[i].start);
		ck_assert_uint_eq(iomem->ram.items[i].end, expected[i].end);
	}
}

static void assert_empty(const struct avml_iomem *iomem)
{
	ck_assert_ptr_null(iomem->ram.items);
	ck_assert_uint_eq(iomem->ram.count, 0);
	ck_assert_uint_eq(iomem->lines, 0);
	ck_assert_uint_eq(iomem->skipped, 0);
	ck_assert_uint_eq(iomem->first_skipped, 0);
}

/* --- text that is good --------------------------------------------------- */

static const struct {
	const char *text;
	struct avml_range ram[RANGES_MAX];
	unsigned long lines, skipped, first_skipped;
} good[] = {
	{ "00001000-0009fbff : System RAM\n", { { 0x1000, 0x9fc00 } }, 1, 0,
		0 },
	/* Without a newline at the end, and from another system's editor. */
	{ "1000-1fff : System RAM", { { 0x1000, 0x2000 } }, 1, 0, 0 },
	{ "1000-1fff : System RAM\r\n3000-3fff : Reserved\r\n",
		{ { 0x1000, 0x2000 } }, 2, 0, 0 },
	{ "\n\n1000-1fff : System RAM\n\n", { { 0x1000, 0x2000 } }, 4, 0, 0 },
	/* The letters of hexadecimal, large and small; zeros in front. */
	{ "ABCDEF0-abcdeff : System RAM\n", { { 0xabcdef0, 0xabcdf00 } }, 1, 0,
		0 },
	{ "00000000000000000001000-00000000000000000001fff : System RAM\n",
		{ { 0x1000, 0x2000 } }, 1, 0, 0 },
	/* One byte, at 0; up to where no machine has memory. */
	{ "0-0 : System RAM\n1-1 : Reserved\n", { { 0, 1 } }, 2, 0, 0 },
	{ "fffffffffff000-ffffffffffffff : System RAM\n",
		{ { 0xfffffffffff000, 0x100000000000000 } }, 1, 0, 0 },
	/* What follows "System RAM" does not matter. */
	{ "1000-1fff : System RAM (boot memory)\n"
	  "3000-3fff : System RAM (kmem)\n"
	  "5000-5fff : System RAM (virtio_mem)\n",
		{ { 0x1000, 0x2000 }, { 0x3000, 0x4000 }, { 0x5000, 0x6000 } },
		3, 0, 0 },
	/* What stands before it does. */
	{ "1000-1fff : System RAM\n"
	  "2000-2fff : Crashed System RAM\n"
	  "3000-3fff : system ram\n"
	  "4000-4fff :  System RAM?\n"
	  "5000-5fff : System ROM\n"
	  "6000-6fff : System\n",
		{ { 0x1000, 0x2000 } }, 6, 0, 0 },
	/* RAM below other parents, at any depth. */
	{ "100000000-2ffffffff : CXL Window 0\n"
	  "  100000000-1ffffffff : region0\n"
	  "    100000000-1ffffffff : dax0.0\n"
	  "      100000000-1ffffffff : System RAM (kmem)\n"
	  "  200000000-2ffffffff : virtio0\n"
	  "    240000000-247ffffff : System RAM (virtio_mem)\n",
		{ { 0x100000000, 0x200000000 }, { 0x240000000, 0x248000000 } },
		6, 0, 0 },
	/* RAM within RAM is the same RAM: what is below is not looked at. */
	{ "1000-8fff : System RAM\n"
	  "  1000-1fff : System RAM\n"
	  "    f000-ffff : System RAM\n"
	  "  2000-2fff : Kernel code\n"
	  "a000-afff : System RAM\n",
		{ { 0x1000, 0x9000 }, { 0xa000, 0xb000 } }, 5, 0, 0 },
	/* After it, the same level and levels further out are. */
	{ "0-ffffff : PCI Bus 0000:00\n"
	  "  1000-1fff : System RAM\n"
	  "    1000-10ff : Kernel data\n"
	  "  3000-3fff : System RAM\n"
	  "5000-5fff : System RAM\n",
		{ { 0x1000, 0x2000 }, { 0x3000, 0x4000 }, { 0x5000, 0x6000 } },
		5, 0, 0 },
	/* RAM before another parent does not hide what is below that. */
	{ "1000-1fff : System RAM\n"
	  "4000-ffff : CXL Window 0\n"
	  "  5000-5fff : System RAM (kmem)\n",
		{ { 0x1000, 0x2000 }, { 0x5000, 0x6000 } }, 3, 0, 0 },
	/* Linux indents no further than five levels. */
	{ "          1000-8fff : System RAM\n"
	  "          2000-2fff : System RAM\n",
		{ { 0x1000, 0x9000 } }, 2, 0, 0 },
	/* Borders in mid-page, touching, out of order, overlapping. */
	{ "0a6f3018-0a700000 : System RAM\n"
	  "00100000-0a6f3017 : System RAM\n",
		{ { 0x100000, 0xa700001 } }, 2, 0, 0 },
	{ "3000-5fff : System RAM\n4000-7fff : System RAM\n",
		{ { 0x3000, 0x8000 } }, 2, 0, 0 },
	/* Lines that are none, and the first of them is remembered. */
	{ "1000-1fff : System RAM\n"
	  "what is this\n"
	  "3000-3fff Reserved\n"
	  "5000-5fff : System RAM\n",
		{ { 0x1000, 0x2000 }, { 0x5000, 0x6000 } }, 4, 2, 2 },
	{ "# a comment\n1000-1fff : System RAM\n", { { 0x1000, 0x2000 } }, 2, 1,
		1 },
	{ "11112222333344445-11112222333344446 : Reserved\n"
	  "1000-1fff : System RAM\n",
		{ { 0x1000, 0x2000 } }, 2, 1, 1 },
	/* Not RAM, so its address may be odd in any way. */
	{ "1000-1fff : System RAM\n5000-4000 : Reserved\n"
	  "0-ffffffffffffffff : PCI mem\n",
		{ { 0x1000, 0x2000 } }, 3, 0, 0 },
};

START_TEST(iomem_good_text_gives_its_ram)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	/* What the storage held before does not matter. */
	memset(&iomem, 0xa5, sizeof(iomem));
	ck_assert_msg(parse(good[_i].text, &iomem, &err) == 0, "%s",
		avml_error_message(&err, 0));
	assert_ram(&iomem, good[_i].ram);
	ck_assert_uint_eq(iomem.lines, good[_i].lines);
	ck_assert_uint_eq(iomem.skipped, good[_i].skipped);
	ck_assert_uint_eq(iomem.first_skipped, good[_i].first_skipped);
	avml_iomem_release(&iomem);
	assert_empty(&iomem);
}
END_TEST

/* --- text that is bad ---------------------------------------------------- */

static const struct {
	const char *text;
	int code;
	const char *says; /* part of the message */
} bad[] = {
	/* What Linux shows to somebody without CAP_SYS_ADMIN. */
	{ "00000000-00000000 : Reserved\n"
	  "00000000-00000000 : System RAM\n"
	  "  00000000-00000000 : Kernel code\n",
		EPERM,
		"a/path shows every address as 0: reading it needs root "
		"(CAP_SYS_ADMIN)" },
	{ "0-0 : Reserved\n", EPERM, "CAP_SYS_ADMIN" },
	{ "", ENODATA, "a/path is empty" },
	{ "\n\r\n\n", ENODATA, "a/path is empty" },
	{ "0-fff : Reserved\n1000-1fff : PCI Bus\n", ENODATA,
		"a/path has no System RAM" },
	/* A file of another kind. */
	{ "MemTotal: 503312 kB\nMemFree: 1 kB\n", EINVAL,
		"a/path:1: not an iomem line: \"MemTotal: 503312 kB\"" },
	{ "0-fff : Reserved\n\nhello\n", EINVAL,
		"a/path:3: not an iomem line: \"hello\"" },
	/* RAM lines that make no sense. */
	{ "0-fff : Reserved\n2000-1fff : System RAM\n", EINVAL,
		"a/path:2: a range that ends before it begins: "
		"\"2000-1fff : System RAM\"" },
	{ "1000-0 : System RAM\n", EINVAL, "ends before it begins" },
	{ "1000-100000000000000 : System RAM\n", EINVAL,
		"a/path:1: a range above 2^56, where no machine has memory: "
		"\"1000-100000000000000 : System RAM\"" },
	{ "0-ffffffffffffffff : System RAM\n", EINVAL, "above 2^56" },
	{ "ffffffffffffffff-ffffffffffffffff : System RAM\n", EINVAL,
		"above 2^56" },
	{ "10000000000000000-10000000000000fff : System RAM\n", EINVAL,
		"a/path:1: not an address range" },
	{ "1000-10000000000000fff : System RAM\n", EINVAL,
		"not an address range" },
	{ "-1fff : System RAM\n", EINVAL, "not an address range" },
	{ "1000- : System RAM\n", EINVAL, "not an address range" },
	{ "1000 : System RAM\n", EINVAL, "not an address range" },
	{ "1000-1fff: System RAM\n", EINVAL, "not an address range" },
	{ "1000-1fff :System RAM\n", EINVAL, "not an address range" },
	{ "1000-1fff  : System RAM\n", EINVAL, "not an address range" },
	{ "1000 - 1fff : System RAM\n", EINVAL, "not an address range" },
	{ "0x1000-0x1fff : System RAM\n", EINVAL, "not an address range" },
	{ "1g00-1fff : System RAM\n", EINVAL, "not an address range" },
	{ "\t1000-1fff : System RAM\n", EINVAL, "not an address range" },
	{ "+1000-1fff : System RAM\n", EINVAL, "not an address range" },
	{ "System RAM\n", EINVAL, "not an address range" },
	/* A good line does not make up for it. */
	{ "1000-1fff : System RAM\nx : System RAM\n", EINVAL,
		"a/path:2: not an address range" },
	/* A file that was cut short. */
	{ "1000-1fff : System RAM\n3000-3f", EINVAL,
		"a/path:2: the file ends within a line: \"3000-3f\"" },
	{ "1000-1fff : System RAM\n3000-3fff : ", EINVAL,
		"a/path:2: the file ends within a line" },
	{ "1000-1fff : System RAM\n3000-3fff : System RA", EINVAL,
		"a/path:2: the file ends within a line" },
	{ "1000-1fff : System RAM\n3000-3fff :", EINVAL,
		"a/path:2: the file ends within a line" },
	{ "1000-1fff : System RAM\n  ", EINVAL,
		"a/path:2: the file ends within a line" },
};

START_TEST(iomem_bad_text_is_refused_with_the_reason)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	memset(&iomem, 0xa5, sizeof(iomem));
	ck_assert_int_eq(parse(bad[_i].text, &iomem, &err), -bad[_i].code);
	ck_assert_int_eq(err.code, bad[_i].code);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_msg(strstr(avml_error_message(&err, 0), bad[_i].says) != NULL,
		"\"%s\" does not say \"%s\"", avml_error_message(&err, 0),
		bad[_i].says);
	assert_empty(&iomem);
}
END_TEST

START_TEST(iomem_bad_line_that_is_long_is_shown_in_part)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;
	char text[5000];
	const char *shown;

	memset(text, 'z', sizeof(text));
	strcpy(text + sizeof(text) - 13, " System RAM\n");
	ck_assert_int_eq(parse(text, &iomem, &err), -EINVAL);
	shown = strchr(avml_error_message(&err, 0), '"');
	ck_assert_ptr_nonnull(shown);
	ck_assert_uint_eq(strspn(shown + 1, "z"), 120);
	ck_assert_str_eq(shown + 121, "\"");
}
END_TEST

START_TEST(iomem_text_with_nul_bytes_is_read_by_length)
{
	static const char text[] = "a\0b\n1000-1fff : System RAM\n\0\0\n";
	static const char lost[] = "10\0-1fff : System RAM\n";
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	ck_assert_int_eq(avml_iomem_parse(text, sizeof(text) - 1, "a/path",
				 &iomem, &err),
		0);
	assert_ram(&iomem, (struct avml_range[]){ { 0x1000, 0x2000 }, { 0 } });
	ck_assert_uint_eq(iomem.skipped, 2);
	avml_iomem_release(&iomem);
	ck_assert_int_eq(avml_iomem_parse(lost, sizeof(lost) - 1, "a/path",
				 &iomem, &err),
		-EINVAL);
	assert_empty(&iomem);
}
END_TEST

/* The text need not end in a NUL: nothing behind its length is touched. */
START_TEST(iomem_text_of_exact_size_is_not_read_past)
{
	static const char text[] = "1000-1fff : System RAM";
	CLEANUP_FREE char *exact = malloc(sizeof(text) - 1);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	ck_assert_ptr_nonnull(exact);
	for (size_t len = 0; len < sizeof(text); len++) {
		char *at = exact + (sizeof(text) - 1 - len);

		memcpy(at, text, len);
		ck_assert_int_eq(
			avml_iomem_parse(at, len, "a/path", &iomem, &err),
			len == 0		 ? -ENODATA
			: len < sizeof(text) - 1 ? -EINVAL
						 : 0);
		avml_iomem_release(&iomem);
	}
}
END_TEST

START_TEST(iomem_thousands_of_lines_are_all_read)
{
	CLEANUP_FREE char *text = malloc(20000 * 40 + 1);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;
	size_t len = 0;

	ck_assert_ptr_nonnull(text);
	for (unsigned int i = 0; i < 20000; i++)
		len += (size_t)sprintf(text + len, "%x000-%xfff : System RAM\n",
			2 * i + 1, 2 * i + 1);
	ck_assert_int_eq(parse(text, &iomem, &err), 0);
	ck_assert_uint_eq(iomem.lines, 20000);
	ck_assert_uint_eq(iomem.ram.count, 20000);
	ck_assert_uint_eq(avml_range_list_total(&iomem.ram), 20000 * 0x1000);
	avml_iomem_release(&iomem);
}
END_TEST

/* --- real kernels -------------------------------------------------------- */

static const struct {
	const char *path;
	struct avml_range ram[RANGES_MAX];
	unsigned long lines;
} kernels[] = {
	{ "cloud-512M/iomem", { { 0x1000, 0x9fc00 }, { 0x100000, 0x1ffdd000 } },
		24 },
	{ "cloud-nokaslr/iomem",
		{ { 0x1000, 0x9fc00 }, { 0x100000, 0x1ffdd000 } }, 24 },
	{ "cloud-la57/iomem", { { 0x1000, 0x9fc00 }, { 0x100000, 0x1ffdd000 } },
		24 },
	{ "cloud-q35-split/iomem",
		{ { 0x1000, 0x9fc00 }, { 0x100000, 0xffdd000 },
			{ 0x100000000, 0x110000000 } },
		31 },
	{ "full-5G/iomem",
		{ { 0x1000, 0x9fc00 }, { 0x100000, 0xbffdd000 },
			{ 0x100000000, 0x180000000 } },
		25 },
	{ "k612-512M/iomem", { { 0x1000, 0x9fc00 }, { 0x100000, 0x1ffdd000 } },
		23 },
};

START_TEST(iomem_of_a_real_kernel_gives_its_ram)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	memset(&iomem, 0xa5, sizeof(iomem));
	ck_assert_msg(
		avml_iomem_read(test_data(kernels[_i].path), &iomem, &err) == 0,
		"%s", avml_error_message(&err, 0));
	assert_ram(&iomem, kernels[_i].ram);
	ck_assert_uint_eq(iomem.lines, kernels[_i].lines);
	ck_assert_uint_eq(iomem.skipped, 0);
	avml_iomem_release(&iomem);
}
END_TEST

START_TEST(iomem_of_a_real_kernel_without_privilege_is_eperm)
{
	size_t len;
	CLEANUP_FREE char *text = test_load(test_data(kernels[_i].path), &len);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	for (char *line = text; line && *line; line = strchr(line, '\n')) {
		line += strspn(line, "\n ");
		for (; *line && strncmp(line, " : ", 3) != 0; line++)
			*line = *line == '-' ? '-' : '0';
	}
	ck_assert_int_eq(parse(text, &iomem, &err), -EPERM);
	assert_empty(&iomem);
}
END_TEST

/* RAM of the lines of which nothing but the newline may be missing. */
static struct avml_range_list whole_ram(const char *text, size_t len)
{
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	const char *at = text;

	while ((at = memmem(at, (size_t)(text + len - at), " : System RAM",
			strlen(" : System RAM")))) {
		const char *line = at;
		unsigned long long first, last;

		while (line > text && line[-1] != '\n')
			line--;
		TEST_ASSERT(sscanf(line, "%llx-%llx", &first, &last) == 2);
		avml_range_list_add(&ram, first, last + 1);
		at++;
	}
	avml_range_list_merge(&ram);
	return ram;
}

/*
 * Cut after any byte, it is refused or gives whole lines: never a range
 * that is shorter than the kernel said.
 */
START_TEST(iomem_of_a_real_kernel_cut_anywhere_gives_no_wrong_range)
{
	size_t len;
	CLEANUP_FREE char *text = test_load(test_data(kernels[_i].path), &len);
	unsigned int accepted = 0;

	for (size_t cut = 0; cut < len; cut++) {
		struct avml_range_list whole = whole_ram(text, cut);
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_iomem iomem;
		int ret = avml_iomem_parse(text, cut, "cut", &iomem, &err);

		TEST_ASSERT(iomem.ram.count == (ret == 0 ? whole.count : 0));
		if (ret == 0)
			TEST_ASSERT(memcmp(whole.items, iomem.ram.items,
					    whole.count *
						    sizeof(*whole.items)) == 0);
		else
			TEST_ASSERT(ret == -EINVAL || ret == -ENODATA);
		accepted += ret == 0;
		avml_range_list_release(&whole);
		avml_iomem_release(&iomem);
	}
	/* Cuts at line ends and in other names are not to be told. */
	ck_assert_uint_gt(accepted, 20);
	ck_assert_uint_lt(accepted, len);
}
END_TEST

static void assert_outcome(
	int ret, const struct avml_iomem *iomem, const struct avml_error *err)
{
	const struct avml_range_list *ram = &iomem->ram;

	if (ret < 0) {
		TEST_ASSERT(ret == -EPERM || ret == -ENODATA || ret == -EINVAL);
		TEST_ASSERT(err->code == -ret && err->depth == 1);
		TEST_ASSERT(ram->count == 0 && ram->items == NULL);
		return;
	}
	TEST_ASSERT(ram->count > 0);
	for (size_t i = 0; i < ram->count; i++) {
		TEST_ASSERT(ram->items[i].start < ram->items[i].end);
		TEST_ASSERT(
			i == 0 || ram->items[i - 1].end < ram->items[i].start);
	}
}

START_TEST(iomem_of_a_real_kernel_damaged_at_random_is_sound)
{
	static const char *const favourites = "0123456789abcdf-: \nSRAM\r\t\0";
	size_t len;
	CLEANUP_FREE char *text = test_load(test_data(kernels[_i].path), &len);
	CLEANUP_FREE char *damaged = malloc(len);
	uint64_t state = 0x2545f4914f6cdd1d;

	ck_assert_ptr_nonnull(damaged);
	for (int round = 0; round < 2000; round++) {
		struct avml_error err = AVML_ERROR_INIT;
		struct avml_iomem iomem;
		int ret;

		memcpy(damaged, text, len);
		for (uint64_t n = 1 + test_random(&state) % 8; n > 0; n--)
			damaged[test_random(&state) % len] =
				favourites[test_random(&state) % 26];
		ret = avml_iomem_parse(damaged, len, "damaged", &iomem, &err);
		assert_outcome(ret, &iomem, &err);
		avml_iomem_release(&iomem);
	}
}
END_TEST

/* --- files --------------------------------------------------------------- */

static void assert_read_fails(const char *path, int code)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_iomem iomem;

	memset(&iomem, 0xa5, sizeof(iomem));
	ck_assert_int_eq(avml_iomem_read(path, &iomem, &err), -code);
	ck_assert_int_eq(err.code, code);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	assert_empty(&iomem);
}

START_TEST(iomem_file_missing_is_enoent)
{
	assert_read_fails("/nonexistent/iomem", ENOENT);
}
END_TEST

START_TEST(iomem_file_that_is_a_directory_is_eisdir)
{
	assert_read_fails(test_dir(), EISDIR);
}
END_TEST

START_TEST(iomem_file_that_is_empty_is_enodata)
{
	assert_read_fails(test_file("iomem", "", 0), ENODATA);
	assert_read_fails("/dev/null", ENODATA);
}
END_TEST

START_TEST(iomem_file_larger_than_the_limit_is_efbig)
{
	const char *path = test_file("iomem", "", 0);

	ck_assert_int_eq(truncate(path, AVML_IOMEM_MAX + 1), 0);
	assert_read_fails(path, EFBIG);
}
END_TEST

START_TEST(iomem_file_bad_is_named_with_the_line)
{
	static const char text[] = "1000-1fff : System RAM\nSystem RAM\n";
	const char *path = test_file("iomem", text, strlen(text));
	struct avml_error err = AVML_ERROR_INIT;
	char expected[TEST_PATH_MAX + 64];
	struct avml_iomem iomem;

	ck_assert_int_eq(avml_iomem_read(path, &iomem, &err), -EINVAL);
	snprintf(expected, sizeof(expected),
		"%s:2: not an address range: \"System RAM\"", path);
	ck_assert_str_eq(avml_error_message(&err, 0), expected);
}
END_TEST

static Suite *iomem_suite(void)
{
	Suite *suite = suite_create("iomem");
	TCase *tcase = tcase_create("iomem");

	tcase_add_loop_test(
		tcase, iomem_good_text_gives_its_ram, 0, TEST_COUNT(good));
	tcase_add_loop_test(tcase, iomem_bad_text_is_refused_with_the_reason, 0,
		TEST_COUNT(bad));
	tcase_add_test(tcase, iomem_bad_line_that_is_long_is_shown_in_part);
	tcase_add_test(tcase, iomem_text_with_nul_bytes_is_read_by_length);
	tcase_add_test(tcase, iomem_text_of_exact_size_is_not_read_past);
	tcase_add_test(tcase, iomem_thousands_of_lines_are_all_read);
	tcase_add_loop_test(tcase, iomem_of_a_real_kernel_gives_its_ram, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		iomem_of_a_real_kernel_without_privilege_is_eperm, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		iomem_of_a_real_kernel_cut_anywhere_gives_no_wrong_range, 0,
		TEST_COUNT(kernels));
	tcase_add_loop_test(tcase,
		iomem_of_a_real_kernel_damaged_at_random_is_sound, 0,
		TEST_COUNT(kernels));
	tcase_add_test(tcase, iomem_file_missing_is_enoent);
	tcase_add_test(tcase, iomem_file_that_is_a_directory_is_eisdir);
	tcase_add_test(tcase, iomem_file_that_is_empty_is_enodata);
	tcase_add_test(tcase, iomem_file_larger_than_the_limit_is_efbig);
	tcase_add_test(tcase, iomem_file_bad_is_named_with_the_line);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(iomem_suite)

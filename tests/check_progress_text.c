/* SPDX-License-Identifier: MIT */
#include "cmd/progress_text.h"

#include <ctype.h>
#include <math.h>

#include "check_main.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static struct progress_view view_of(
	uint64_t done, uint64_t all, double rate, double seconds, uint64_t bad)
{
	return (struct progress_view){
		.now = { done, all, 0, bad },
		.rate = rate,
		.seconds = seconds,
		.bad = "unreadable",
	};
}

static const struct {
	uint64_t done, all;
	double rate, seconds;
	uint64_t bad;
	unsigned int columns;
	const char *text;
} lines[] = {
	{ 13207024435, 68611504537, 2.31 * (double)GIB, 9, 4096, 80,
		" 12.3 of 63.9 GiB    19 %   2.31 GiB/s    0:22 left   "
		"4096 bytes unreadable" },
	/* The first: nothing is known of the rate. */
	{ 0, 64 * GIB, -1, 0, 0, 80,
		"  0.0 of 64.0 GiB     0 %         --/s   --:-- left" },
	/* It stands still. */
	{ 1 * GIB, 64 * GIB, 0, 9, 0, 80,
		"  1.0 of 64.0 GiB     1 %      0 bytes/s   --:-- left" },
	{ 64 * GIB, 64 * GIB, 1e9, 9, 0, 80,
		" 64.0 of 64.0 GiB   100 %    954 MiB/s    0:00 left" },
	{ 64 * GIB, 64 * GIB, -1, 9, 0, 80,
		" 64.0 of 64.0 GiB   100 %         --/s    0:00 left" },
	/* Not at the end before it is: not by rounding either. */
	{ 64 * GIB - 1, 64 * GIB, 1e9, 9, 0, 80,
		" 64.0 of 64.0 GiB    99 %    954 MiB/s    0:00 left" },
	{ UINT64_MAX - 1, UINT64_MAX, 1e9, 9, 0, 80,
		" 16.0 of 16.0 EiB    99 %    954 MiB/s    0:00 left" },
	{ UINT64_MAX, 1, 1e9, 9, 0, 80,
		" 18446744073709551616 of 1 bytes   100 %    954 MiB/s   "
		" 0:00 left" },
	/* Small ones. */
	{ 1, 2, 1, 9, 0, 80,
		" 1 of 2 bytes    50 %      1 bytes/s    0:01 left" },
	{ 999, 1000, 999, 9, 0, 80,
		" 1.0 of 1.0 KiB    99 %    999 bytes/s    0:00 left" },
	/* Times. */
	{ 0, 60, 1, 9, 0, 80,
		"  0 of 60 bytes     0 %      1 bytes/s    1:00 left" },
	{ 1, 3600, 1, 9, 0, 80,
		" 0.0 of 3.5 KiB     0 %      1 bytes/s   59:59 left" },
	{ 0, 3600, 1, 9, 0, 80,
		" 0.0 of 3.5 KiB     0 %      1 bytes/s   1:00:00 left" },
	{ 0, 359999, 1, 9, 0, 80,
		"   0.0 of 351.6 KiB     0 %      1 bytes/s   99:59:59 left" },
	{ 0, 360000, 1, 9, 0, 80,
		"   0.0 of 351.6 KiB     0 %      1 bytes/s   --:-- left" },
	/* Without a total. */
	{ 3 * MIB, 0, 99.96 * (double)MIB, 62, 0, 80,
		"   3.0 MiB    100 MiB/s    1:02 elapsed" },
	{ 0, 0, -1, 0, 0, 80, "     0 bytes         --/s    0:00 elapsed" },
	{ 999 * TIB, 0, 9.996 * (double)KIB, 36001, 12, 80,
		" 999.0 TiB   10.0 KiB/s   10:00:01 elapsed   "
		"12 bytes unreadable" },
};

START_TEST(progress_text_line_says)
{
	const struct progress_view view = view_of(lines[_i].done, lines[_i].all,
		lines[_i].rate, lines[_i].seconds, lines[_i].bad);
	char text[PROGRESS_TEXT_MAX];
	const size_t len = progress_text_line(&view, lines[_i].columns, text);

	ck_assert_str_eq(text, lines[_i].text);
	ck_assert_uint_eq(len, strlen(text));
}
END_TEST

/* However wide, it is a beginning of the whole line, and ends with a field. */
START_TEST(progress_text_line_fits)
{
	const struct progress_view views[] = {
		view_of(12 * GIB, 64 * GIB, 1e9, 9, 4096),
		view_of(12 * GIB, 0, 1e9, 9, 4096),
		view_of(UINT64_MAX - 5, UINT64_MAX, 1e-30, 1e18, UINT64_MAX),
	};
	char whole[PROGRESS_TEXT_MAX], text[PROGRESS_TEXT_MAX];

	for (size_t i = 0; i < TEST_COUNT(views); i++) {
		const size_t len = progress_text_line(&views[i], 1000, whole);
		size_t before = 0;

		ck_assert_ptr_nonnull(strstr(whole, "unreadable"));
		for (unsigned int columns = 0; columns < 200; columns++) {
			const size_t n =
				progress_text_line(&views[i], columns, text);

			ck_assert_uint_eq(n, strlen(text));
			ck_assert_uint_ge(n, before);
			ck_assert(n == 0 || n < columns);
			ck_assert_int_eq(memcmp(text, whole, n), 0);
			ck_assert(n == 0 || n == len ||
				  strncmp(whole + n, "   ", 3) == 0);
			before = n;
		}
		ck_assert_uint_eq(before, len);
	}
}
END_TEST

/* Numbers of any kind: one line of printable characters, no nonsense. */
START_TEST(progress_text_of_anything_is_sound)
{
	static const double rates[] = { -1, 0, 1e-300, 0.4, 1, 1e9, 1e19,
		1.8e22, 1e300, HUGE_VAL };
	uint64_t state = 0x9e3779b97f4a7c15;

	for (int round = 0; round < 200000; round++) {
		const uint64_t all =
			test_random(&state) >> test_random(&state) % 64;
		const uint64_t done =
			all && round % 3 ? test_random(&state) % all : all;
		struct progress_view view = view_of(done, round % 5 ? all : 0,
			rates[test_random(&state) % TEST_COUNT(rates)],
			(double)(test_random(&state) >> 20), all);
		char text[PROGRESS_TEXT_MAX];
		const size_t len = progress_text_line(&view, 200, text);
		const char *percent = strchr(text, '%');

		TEST_ASSERT(len > 0 && len < 200);
		for (size_t i = 0; i < len; i++)
			TEST_ASSERT(isprint((unsigned char)text[i]));
		TEST_ASSERT(!strstr(text, "nan") && !strstr(text, "-0"));
		if (percent)
			TEST_ASSERT(
				(atoi(percent - 4) == 100) == (done >= all));
		TEST_ASSERT(progress_text_log(&view, text) == strlen(text));
		TEST_ASSERT(strchr(text, '\n') == text + strlen(text) - 1);
		TEST_ASSERT(!strstr(text, "nan") && !strstr(text, "-0"));
	}
}
END_TEST

static const struct {
	uint64_t done, all;
	double rate, seconds;
	uint64_t bad;
	bool ended;
	const char *text;
} logs[] = {
	{ 1234, 5678, 1.2 * (double)MIB, 1, 0, false,
		"progress: 1234 of 5678 bytes, 21 %, 1.2 MiB/s, 0 s left, 0 "
		"bytes unreadable\n" },
	{ 0, 5678 * MIB, (double)MIB, 1, 512, false,
		"progress: 0 of 5953814528 bytes, 0 %, 1.0 MiB/s, 5678 s left, "
		"512 bytes unreadable\n" },
	{ 0, 5678, -1, 1, 0, false,
		"progress: 0 of 5678 bytes, 0 %, ? MiB/s, ? s left, 0 bytes "
		"unreadable\n" },
	{ 5678, 5678, 0, 1, 0, true,
		"progress: 5678 of 5678 bytes, 100 %, 0.0 MiB/s, 0 s left, 0 "
		"bytes unreadable\n" },
	{ 5677, 5678, 1, 1, 0, true,
		"progress: 5677 of 5678 bytes, 99 %, 0.0 MiB/s, ? s left, 0 "
		"bytes unreadable\n" },
	{ 5677, 0, 1e9, 3601.2, 1, true,
		"progress: 5677 bytes, 953.7 MiB/s, 3601 s elapsed, 1 bytes "
		"unreadable\n" },
};

START_TEST(progress_text_log_says)
{
	struct progress_view view = view_of(logs[_i].done, logs[_i].all,
		logs[_i].rate, logs[_i].seconds, logs[_i].bad);
	char text[PROGRESS_TEXT_MAX];

	view.ended = logs[_i].ended;
	ck_assert_uint_eq(
		progress_text_log(&view, text), strlen(logs[_i].text));
	ck_assert_str_eq(text, logs[_i].text);
}
END_TEST

static Suite *progress_text_suite(void)
{
	Suite *suite = suite_create("progress_text");
	TCase *tc = tcase_create("progress_text");

	tcase_add_loop_test(tc, progress_text_line_says, 0, TEST_COUNT(lines));
	tcase_add_test(tc, progress_text_line_fits);
	tcase_add_test(tc, progress_text_of_anything_is_sound);
	tcase_add_loop_test(tc, progress_text_log_says, 0, TEST_COUNT(logs));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(progress_text_suite)

/* SPDX-License-Identifier: MIT */
#include "cmd/print.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "check_main.h"

#define TEXT_MAX 60000

/* stderr while something is printed: a pipe that never fills up here. */
struct capture {
	int saved;
	int end;
	char text[TEXT_MAX];
	size_t len;
};

static void capture_begin(struct capture *c)
{
	int ends[2];

	fflush(stderr);
	TEST_ASSERT(pipe2(ends, O_CLOEXEC) == 0);
	c->saved = dup(STDERR_FILENO);
	TEST_ASSERT(c->saved >= 0);
	TEST_ASSERT(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	c->end = ends[0];
}

static void capture_end(struct capture *c)
{
	ssize_t n;

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	c->len = 0;
	while ((n = read(c->end, c->text + c->len, TEXT_MAX - 1 - c->len)) > 0)
		c->len += (size_t)n;
	close(c->end);
	c->text[c->len] = '\0';
}

/* --- lines --------------------------------------------------------------- */

static const struct {
	const char *text, *shown;
} lines[] = {
	{ "", "\n" },
	{ "plain text, 100%", "plain text, 100%\n" },
	{ "back\\slash \\x1b", "back\\slash \\x1b\n" },
	/* Terminals act on these. */
	{ "\xc2\x9b"
	  "31m",
		"\\xc2\\x9b31m\n" },
	{ "\x9b"
	  "31m",
		"\\x9b31m\n" },
	{ "a\033[31mred\033[0m", "a\\x1b[31mred\\x1b[0m\n" },
	{ "title\033]0;x\007", "title\\x1b]0;x\\x07\n" },
	{ "over\rwritten\b\b", "over\\x0dwritten\\x08\\x08\n" },
	/* A line stays one line. */
	{ "one\ntwo\n", "one\\x0atwo\\x0a\n" },
	{ "a\tb\vc\fd", "a\\x09b\\x0bc\\x0cd\n" },
	{ "\x01\x1f\x20\x7e\x7f", "\\x01\\x1f\x20\x7e\\x7f\n" },
	/* Letters in UTF-8, down to those next to the C1 controls. */
	{ "\xc2\xa0\xc2\xbf", "\xc2\xa0\xc2\xbf\n" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7\n" },
	{ "ends in \xc2", "ends in \\xc2\n" },
};

START_TEST(print_line_shows_control_characters)
{
	struct capture c;

	capture_begin(&c);
	print_line("%s", lines[_i].text);
	capture_end(&c);
	ck_assert_str_eq(c.text, lines[_i].shown);
}
END_TEST

/*
 * Bytes of any kind: what a terminal would act on is gone. C1 controls are
 * two bytes in UTF-8, the second being 0x80 to 0x9f behind 0xc2.
 */
START_TEST(print_line_of_any_bytes_has_no_controls)
{
	static const char favourites[] = "\xc2\xc2\xc2\x80\x9b\x9f\xa0\033\n[";
	uint64_t state = 0x3c6ef372fe94f82b;

	for (int round = 0; round < 2000; round++) {
		struct capture c;
		char text[65];

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			const uint64_t r = test_random(&state);

			text[i] = r & 1 ? (char)(1 + (r >> 8) % 255)
					: favourites[(r >> 8) %
						     (sizeof(favourites) - 1)];
		}
		text[sizeof(text) - 1] = '\0';
		capture_begin(&c);
		print_line("%s", text);
		capture_end(&c);
		TEST_ASSERT(c.len >= sizeof(text));
		for (size_t i = 0; i < c.len - 1; i++) {
			const unsigned char byte = (unsigned char)c.text[i];
			const unsigned char next = (unsigned char)c.text[i + 1];

			TEST_ASSERT(byte >= 0x20 && byte != 0x7f);
			TEST_ASSERT(byte != 0xc2 || next < 0x80 || next > 0x9f);
		}
	}
}
END_TEST

START_TEST(print_line_formats)
{
	struct capture c;

	capture_begin(&c);
	print_line("%s-%d-0x%x", "text", -5, 255u);
	capture_end(&c);
	ck_assert_str_eq(c.text, "text--5-0xff\n");
}
END_TEST

/* Lengths around all that a message may hold, and far beyond. */
static const size_t lengths[] = { 0, 1, AVML_ERROR_TEXT - 1, AVML_ERROR_TEXT,
	AVML_ERROR_TEXT + 64, 2 * PATH_MAX, 10237, 10238, 10239, 10240, 10241,
	10242, 14000 };

/* Nothing but controls, or none: sound, and one line. */
START_TEST(print_line_of_any_length_ends_in_a_newline)
{
	static const char letters[] = { 'x', '\x1b' };
	const size_t len = lengths[_i];
	static char text[14001];
	static struct capture c;

	for (size_t i = 0; i < TEST_COUNT(letters); i++) {
		const size_t shown = i == 0 ? len : 4 * len;

		memset(text, letters[i], len);
		text[len] = '\0';
		capture_begin(&c);
		print_line("%s", text);
		capture_end(&c);
		ck_assert_uint_ge(c.len, 1);
		ck_assert_ptr_eq(
			memchr(c.text, '\n', c.len), c.text + c.len - 1);
		ck_assert_uint_le(c.len, shown + 1);
		/* Two paths, and a chain's whole text, are never cut. */
		if (len <= 2 * PATH_MAX)
			ck_assert_uint_eq(c.len, shown + 1);
	}
}
END_TEST

/* A pipe that is non-blocking and full: the rest follows when there is room. */
static void *take_slowly(void *arg)
{
	struct capture *c = arg;
	ssize_t n;

	usleep(20000);
	while ((n = read(c->end, c->text + c->len, 1000)) > 0) {
		c->len += (size_t)n;
		usleep(500);
	}
	return NULL;
}

START_TEST(print_line_to_a_full_pipe_waits)
{
	static struct capture c;
	static char text[8001];
	pthread_t taker;

	memset(text, 'x', sizeof(text) - 1);
	capture_begin(&c);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_gt(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096), 0);
	pthread_create(&taker, NULL, take_slowly, &c);
	for (int i = 0; i < 4; i++)
		print_line("%s", text);
	dup2(c.saved, STDERR_FILENO);
	pthread_join(taker, NULL);
	ck_assert_uint_eq(c.len, 4 * sizeof(text));
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(c.text[(i + 1) * sizeof(text) - 1], '\n');
	close(c.saved);
	close(c.end);
}
END_TEST

/* --- errors -------------------------------------------------------------- */

START_TEST(print_error_alone_has_no_causes)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct capture c;
	char expected[256];

	avml_error_set_errno(&err, ENOENT, "cannot open %s", "f");
	capture_begin(&c);
	print_error(&err);
	capture_end(&c);
	snprintf(expected, sizeof(expected), "error: cannot open f: %s\n",
		strerror(ENOENT));
	ck_assert_str_eq(c.text, expected);
}
END_TEST

START_TEST(print_error_of_a_chain_numbers_its_causes)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct capture c;

	avml_error_set(&err, EIO, "innermost");
	avml_error_wrap(&err, "middle");
	avml_error_wrap(&err, "outermost");
	capture_begin(&c);
	print_error(&err);
	capture_end(&c);
	ck_assert_str_eq(c.text, "error: outermost\n"
				 "caused by:\n"
				 "    0: middle\n"
				 "    1: innermost\n");
}
END_TEST

START_TEST(print_error_as_deep_as_can_be_shows_all)
{
	char expected[1024] = "error: message 7\ncaused by:\n";
	struct avml_error err = AVML_ERROR_INIT;
	struct capture c;

	avml_error_set(&err, EIO, "message 0");
	for (int i = 1; i < AVML_ERROR_DEPTH; i++)
		avml_error_wrap(&err, "message %d", i);
	for (int i = 0; i < AVML_ERROR_DEPTH - 1; i++)
		sprintf(expected + strlen(expected), "%5d: message %d\n", i,
			AVML_ERROR_DEPTH - 2 - i);
	capture_begin(&c);
	print_error(&err);
	capture_end(&c);
	ck_assert_str_eq(c.text, expected);
}
END_TEST

/* A name from outside cannot make up a line of its own. */
START_TEST(print_error_shows_control_characters)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct capture c;

	avml_error_set(&err, EIO, "cannot open %s", "f\nerror: all is well");
	avml_error_wrap(&err, "%s", "\033[2Jcannot begin");
	capture_begin(&c);
	print_error(&err);
	capture_end(&c);
	ck_assert_str_eq(c.text,
		"error: \\x1b[2Jcannot begin\n"
		"caused by:\n"
		"    0: cannot open f\\x0aerror: all is well\n");
}
END_TEST

/* --- where lines go ------------------------------------------------------ */

START_TEST(print_line_leaves_stdout_alone)
{
	struct capture c;
	int ends[2], saved;
	char byte;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	capture_begin(&c);
	print_line("text");
	capture_end(&c);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}
END_TEST

START_TEST(print_line_to_nobody_does_no_harm)
{
	int saved = dup(STDERR_FILENO);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(saved, 0);
	ck_assert_int_ge(full, 0);
	dup2(full, STDERR_FILENO);
	print_line("text");
	close(STDERR_FILENO);
	print_line("text");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(full);
}
END_TEST

static void *print_many(void *arg)
{
	for (int i = 0; i < 50; i++)
		print_line("%s", (const char *)arg);
	return NULL;
}

/* Lines of several threads do not mix: each is one write. */
START_TEST(print_line_of_threads_stays_whole)
{
	static const char *const texts[] = {
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	};
	unsigned int seen[2] = { 0, 0 };
	pthread_t threads[2];
	struct capture c;
	char *rest;

	capture_begin(&c);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, print_many,
			(void *)(uintptr_t)texts[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	capture_end(&c);
	rest = c.text;
	for (char *line; (line = strsep(&rest, "\n")) && rest;) {
		const int who = line[0] == 'a' ? 0 : 1;

		ck_assert_str_eq(line, texts[who]);
		seen[who]++;
	}
	ck_assert_uint_eq(seen[0], 50);
	ck_assert_uint_eq(seen[1], 50);
}
END_TEST

static Suite *print_suite(void)
{
	Suite *suite = suite_create("print");
	TCase *tcase = tcase_create("print");

	tcase_add_loop_test(tcase, print_line_shows_control_characters, 0,
		TEST_COUNT(lines));
	tcase_add_test(tcase, print_line_of_any_bytes_has_no_controls);
	tcase_add_test(tcase, print_line_formats);
	tcase_add_loop_test(tcase, print_line_of_any_length_ends_in_a_newline,
		0, TEST_COUNT(lengths));
	tcase_add_test(tcase, print_line_to_a_full_pipe_waits);
	tcase_add_test(tcase, print_error_alone_has_no_causes);
	tcase_add_test(tcase, print_error_of_a_chain_numbers_its_causes);
	tcase_add_test(tcase, print_error_as_deep_as_can_be_shows_all);
	tcase_add_test(tcase, print_error_shows_control_characters);
	tcase_add_test(tcase, print_line_leaves_stdout_alone);
	tcase_add_test(tcase, print_line_to_nobody_does_no_harm);
	tcase_add_test(tcase, print_line_of_threads_stays_whole);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(print_suite)

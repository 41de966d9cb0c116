/* SPDX-License-Identifier: MIT */
/*
 * When progress is told, and what becomes of it. The clock is this program's
 * own, and stderr a pipe that may pass for a terminal.
 */
#include "cmd/progress.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

#include "check_main.h"
#include "check_wrap.h"
#include "cmd/print.h"

#define MIB (UINT64_C(1) << 20)
#define ERASE "\r\033[K"

static uint64_t clock_now = 1000000; /* ms */
static bool terminal;

int WRAP(clock_gettime)(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC)
		return REAL(clock_gettime)(clock, now);
	now->tv_sec = (time_t)(clock_now / 1000);
	now->tv_nsec = (long)(clock_now % 1000) * 1000000;
	return 0;
}

int WRAP(isatty)(int fd)
{
	return terminal && fd == STDERR_FILENO;
}

/* stderr while something is told. */
struct capture {
	int saved, end;
	char text[60000];
};

static struct capture capture;

static void capture_begin(void)
{
	int ends[2];

	fflush(stderr);
	TEST_ASSERT(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	capture.saved = dup(STDERR_FILENO);
	TEST_ASSERT(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
	close(ends[1]);
	capture.end = ends[0];
}

/* What came since. */
static const char *captured(void)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(capture.end, capture.text + len,
			sizeof(capture.text) - 1 - len)) > 0)
		len += (size_t)n;
	capture.text[len] = '\0';
	return capture.text;
}

static void capture_end(void)
{
	dup2(capture.saved, STDERR_FILENO);
	close(capture.saved);
	close(capture.end);
}

static void begin(struct progress_line *p, bool on_terminal)
{
	terminal = on_terminal;
	setenv("TERM", "xterm", 1);
	capture_begin();
	progress_line_begin(p, "always", false, "unreadable");
}

static void tell(struct progress_line *p, uint64_t done, uint64_t all)
{
	const struct avml_progress now = { done, all, 0, 0 };

	progress_line_tell(p, &now);
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static const struct {
	const char *when;
	bool quiet, terminal;
	const char *term;
	int how;
} whens[] = {
	{ NULL, false, true, "xterm", PROGRESS_DRAWN },
	{ "auto", false, true, "xterm", PROGRESS_DRAWN },
	{ "auto", false, true, "dumb", PROGRESS_OFF },
	{ "auto", false, true, NULL, PROGRESS_OFF },
	{ "auto", false, false, "xterm", PROGRESS_OFF },
	{ "auto", true, true, "xterm", PROGRESS_OFF },
	{ NULL, true, true, "xterm", PROGRESS_OFF },
	{ "always", false, true, "xterm", PROGRESS_DRAWN },
	{ "always", true, true, "xterm", PROGRESS_DRAWN },
	{ "always", false, false, "xterm", PROGRESS_LOGGED },
	{ "always", true, false, "xterm", PROGRESS_LOGGED },
	{ "always", false, true, "dumb", PROGRESS_LOGGED },
	{ "always", false, true, NULL, PROGRESS_LOGGED },
	{ "never", false, true, "xterm", PROGRESS_OFF },
	{ "never", false, false, "xterm", PROGRESS_OFF },
};

START_TEST(progress_line_is_where_it_is_wanted)
{
	struct progress_line p;
	const char *text;
	char first;

	terminal = whens[_i].terminal;
	if (whens[_i].term)
		setenv("TERM", whens[_i].term, 1);
	else
		unsetenv("TERM");
	capture_begin();
	progress_line_begin(&p, whens[_i].when, whens[_i].quiet, "unreadable");
	ck_assert_int_eq((int)p.how, whens[_i].how);
	tell(&p, 0, 10);
	clock_now += 6000;
	tell(&p, 10, 10);
	progress_line_end(&p);
	ck_assert_int_eq((int)p.how, PROGRESS_OFF);
	text = captured();
	first = text[0];
	capture_end();
	if (whens[_i].how == PROGRESS_OFF)
		ck_assert_int_eq(first, '\0');
	else
		ck_assert_int_eq(
			first, whens[_i].how == PROGRESS_DRAWN ? '\r' : 'p');
}
END_TEST

/* For 20 seconds of pieces that come every millisecond. */
START_TEST(progress_line_is_redrawn_ten_times_a_second)
{
	struct progress_line p;
	uint64_t drawn_at = 0;
	size_t redraws = 0;

	begin(&p, true);
	for (uint64_t ms = 0; ms <= 20000; ms++, clock_now++) {
		tell(&p, ms * MIB, 20001 * MIB);
		if (captured()[0] == '\0')
			continue;
		TEST_ASSERT(redraws == 0 || clock_now - drawn_at >= 100);
		TEST_ASSERT(count(capture.text, '\r') == 1);
		TEST_ASSERT(count(capture.text, '\n') == 0);
		TEST_ASSERT(strlen(capture.text) <= 1 + 79 + 3);
		TEST_ASSERT(strcmp(capture.text + strlen(capture.text) - 3,
				    "\033[K") == 0);
		drawn_at = clock_now;
		redraws++;
	}
	progress_line_end(&p);
	capture_end();
	/* Some say the same as the one before. */
	ck_assert_uint_le(redraws, 201);
	ck_assert_uint_gt(redraws, 150);
}
END_TEST

/* What stands there already is not written again. */
START_TEST(progress_line_that_stays_the_same_is_not_redrawn)
{
	struct progress_line p;

	begin(&p, true);
	for (int i = 0; i < 100; i++, clock_now += 100)
		tell(&p, MIB, 2 * MIB);
	captured();
	for (int i = 0; i < 100; i++, clock_now += 100)
		tell(&p, MIB, 2 * MIB);
	ck_assert_str_eq(captured(), "");
	tell(&p, 2 * MIB, 2 * MIB);
	ck_assert_str_ne(captured(), "");
	progress_line_end(&p);
	capture_end();
}
END_TEST

/* The rate and the time left are those of the last seconds. */
START_TEST(progress_line_has_the_rate_of_now)
{
	struct progress_line p;
	uint64_t done = 0;

	begin(&p, true);
	tell(&p, 0, 10000 * MIB);
	ck_assert_ptr_nonnull(strstr(captured(), "--/s   --:-- left"));
	for (int i = 0; i < 600; i++) {
		clock_now += 100;
		tell(&p, done += MIB, 10000 * MIB);
	}
	ck_assert_ptr_nonnull(strstr(captured(), " 10.0 MiB/s "));
	for (int i = 0; i < 60; i++) {
		clock_now += 100;
		tell(&p, done += 10 * MIB, 10000 * MIB);
	}
	ck_assert_ptr_nonnull(strstr(captured(), " 100 MiB/s "));
	/* 8,800 MiB are left. */
	clock_now += 100;
	tell(&p, done += 10 * MIB, 10000 * MIB);
	ck_assert_ptr_nonnull(strstr(captured(), " 1:27 left"));
	/* A minute in which nothing came, and what came then. */
	clock_now += 60000;
	tell(&p, done += MIB, 10000 * MIB);
	ck_assert_ptr_null(strstr(captured(), " MiB/s"));
	for (int i = 0; i < 60; i++) {
		clock_now += 100;
		tell(&p, done += MIB, 10000 * MIB);
	}
	ck_assert_ptr_nonnull(strstr(captured(), " 10.0 MiB/s "));
	progress_line_end(&p);
	capture_end();
}
END_TEST

START_TEST(progress_line_makes_room_for_messages)
{
	struct progress_line p;

	begin(&p, true);
	tell(&p, 1, 10);
	captured();
	print_line("one");
	print_line("two");
	ck_assert_str_eq(captured(), ERASE "one\ntwo\n");
	/* The end of a line that is not there is nothing. */
	progress_line_end(&p);
	print_line("three");
	ck_assert_str_eq(captured(), "three\n");
	capture_end();
}
END_TEST

START_TEST(progress_line_is_gone_at_the_end)
{
	struct progress_line p;

	begin(&p, true);
	tell(&p, 1, 10);
	captured();
	progress_line_end(&p);
	ck_assert_str_eq(captured(), ERASE);
	print_line("one");
	ck_assert_str_eq(captured(), "one\n");
	capture_end();
}
END_TEST

START_TEST(progress_line_makes_room_on_stdout)
{
	struct progress_line p;

	begin(&p, true);
	tell(&p, 1, 10);
	captured();
	progress_line_hide(&p);
	ck_assert_str_eq(captured(), "");
	/* Only where that is a terminal. */
	p.stdout_is_near = true;
	progress_line_hide(&p);
	ck_assert_str_eq(captured(), ERASE);
	progress_line_hide(&p);
	ck_assert_str_eq(captured(), "");
	progress_line_end(&p);
	capture_end();
}
END_TEST

/* Pieces every 50 ms for a minute. */
START_TEST(progress_log_has_a_line_every_five_seconds)
{
	struct progress_line p;

	begin(&p, false);
	for (uint64_t i = 0; i <= 1200; i++, clock_now += 50)
		tell(&p, i * MIB, 1200 * MIB);
	ck_assert_uint_eq(count(captured(), '\n'), 12);
	ck_assert_int_eq(strncmp(capture.text,
				 "progress: 104857600 of 1258291200 bytes, "
				 "8 %, 20.0 MiB/s, 55 s left, 0 bytes "
				 "unreadable\n",
				 60),
		0);
	ck_assert_uint_eq(count(capture.text, '\r'), 0);
	print_line("one");
	ck_assert_str_eq(captured(), "one\n");
	clock_now += 60000;
	progress_line_end(&p);
	/* Of the whole two minutes. */
	ck_assert_str_eq(captured(),
		"progress: 1258291200 of 1258291200 bytes, 100 %, 10.0 MiB/s, "
		"0 s left, 0 bytes unreadable\n");
	capture_end();
}
END_TEST

/* A job that failed before it began, and one that took no time. */
START_TEST(progress_log_of_nothing_is_nothing)
{
	struct progress_line p;

	begin(&p, false);
	progress_line_end(&p);
	ck_assert_str_eq(captured(), "");
	capture_end();
	begin(&p, false);
	tell(&p, 0, 10);
	progress_line_end(&p);
	ck_assert_str_eq(captured(), "progress: 0 of 10 bytes, 0 %, 0.0 MiB/s, "
				     "? s left, 0 bytes unreadable\n");
	capture_end();
}
END_TEST

/* A pipe that is full: what there is no room for is left out. */
START_TEST(progress_line_does_not_wait)
{
	static char page[4096];
	struct progress_line p;

	begin(&p, _i == 0);
	/* Blocking, as stderr is: the test hangs if that is written to. */
	ck_assert_int_gt(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096), 0);
	ck_assert_int_eq(write(STDERR_FILENO, page, 4096), 4096);
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, 0), 0);
	for (uint64_t i = 0; i < 1000; i++, clock_now += 5000)
		tell(&p, i, 1000);
	ck_assert_int_ne((int)p.how, PROGRESS_OFF);
	/* Somebody reads at last. */
	ck_assert_int_eq(read(capture.end, page, sizeof(page)), 4096);
	tell(&p, 1000, 1000);
	ck_assert_ptr_nonnull(strstr(captured(), "100 %"));
	ck_assert_int_eq(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(write(STDERR_FILENO, page, 4096), 4096);
	progress_line_end(&p);
	ck_assert_int_eq(read(capture.end, page, sizeof(page)), 4096);
	/* The line is still there, and goes with the next message. */
	print_line("one");
	ck_assert_str_eq(captured(), _i == 0 ? ERASE "one\n" : "one\n");
	capture_end();
}
END_TEST

/* Nobody reads any more: it is off, and nothing else is changed by it. */
START_TEST(progress_line_to_nobody_is_off)
{
	struct progress_line p;
	const int saved = dup(STDERR_FILENO);
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	terminal = _i == 0;
	setenv("TERM", "xterm", 1);
	progress_line_begin(&p, "always", false, "unreadable");
	close(ends[0]);
	tell(&p, 0, 10);
	clock_now += 5000;
	tell(&p, 5, 10);
	dup2(saved, STDERR_FILENO);
	close(saved);
	ck_assert_int_eq((int)p.how, PROGRESS_OFF);
	tell(&p, 10, 10);
	progress_line_end(&p);
}
END_TEST

static Suite *progress_line_suite(void)
{
	Suite *suite = suite_create("progress_line");
	TCase *tc = tcase_create("progress_line");

	tcase_add_loop_test(
		tc, progress_line_is_where_it_is_wanted, 0, TEST_COUNT(whens));
	tcase_add_test(tc, progress_line_is_redrawn_ten_times_a_second);
	tcase_add_test(tc, progress_line_that_stays_the_same_is_not_redrawn);
	tcase_add_test(tc, progress_line_has_the_rate_of_now);
	tcase_add_test(tc, progress_line_makes_room_for_messages);
	tcase_add_test(tc, progress_line_is_gone_at_the_end);
	tcase_add_test(tc, progress_line_makes_room_on_stdout);
	tcase_add_test(tc, progress_log_has_a_line_every_five_seconds);
	tcase_add_test(tc, progress_log_of_nothing_is_nothing);
	tcase_add_loop_test(tc, progress_line_does_not_wait, 0, 2);
	tcase_add_loop_test(tc, progress_line_to_nobody_is_off, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(progress_line_suite)

/* SPDX-License-Identifier: MIT */
#include "cmd/secret.h"

#include "check_main.h"

#include <sys/resource.h>

#define SECRET "s3cr3tvalue"

/* The most that a file's first line is read of, see secret.c. */
#define SECRET_MAX 65536

/* What the code under test set; the sanitizers' own checks at the end need it
 * undone.
 */
static void expect_no_core(void)
{
	struct rlimit limit;

	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, 0);
	ck_assert_uint_eq(limit.rlim_max, 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

/* --- what may be shown -----------------------------------------------------
 */

static const struct {
	const char *text, *shown;
} shows[] = {
	{ "file", "file" },
	{ "", "" },
	{ "a?b#c@d", "a?b#c@d" },
	{ "host:443", "host:443" },
	{ "https://host/a/b", "https://host/a/b" },
	{ "https://host", "https://host" },
	{ "https://host/a?sig=" SECRET, "https://host/a" },
	{ "https://host?sig=" SECRET, "https://host" },
	{ "https://host/a#" SECRET, "https://host/a" },
	{ "https://user:" SECRET "@host/a", "https://host/a" },
	{ "https://user:a@" SECRET "@host", "https://host" },
	{ "https://host/a@b", "https://host/a@b" },
	{ "https://host/a?b@c", "https://host/a" },
	{ "https://host?" SECRET "@c", "https://host" },
	{ "s3://bucket/key", "s3://bucket/key" },
	{ "://?" SECRET, "://" },
	/* Without a scheme it is no URL, but has what one has. */
	{ "host/?sig=" SECRET "&next=https://other/", "" },
	{ "host/#" SECRET "://other/", "" },
	{ "user:" SECRET "@host/http://other/", "" },
};

START_TEST(secret_shown_has_none)
{
	char shown[SECRET_SHOWN];

	ck_assert_str_eq(secret_shown(shows[_i].text, shown), shows[_i].shown);
}
END_TEST

START_TEST(secret_shown_is_cut_short)
{
	char text[2 * SECRET_SHOWN] = "https://host/", shown[SECRET_SHOWN];
	const size_t begin = strlen(text);

	memset(text + begin, 'a', sizeof(text) - begin - 1);
	ck_assert_uint_eq(strlen(secret_shown(text, shown)), SECRET_SHOWN - 1);
	memcpy(text + SECRET_SHOWN, "://", 3);
	memset(text, 'a', begin);
	ck_assert_uint_eq(strlen(secret_shown(text, shown)), SECRET_SHOWN - 1);
}
END_TEST

START_TEST(secret_url_is_told_from_a_file)
{
	ck_assert(secret_is_url("https://host/"));
	ck_assert(secret_is_url("nonsense://"));
	ck_assert(!secret_is_url("host:443"));
	ck_assert(!secret_is_url("https:/host"));
	ck_assert(!secret_is_url(""));
}
END_TEST

/* --- what is taken ----------------------------------------------------------
 */

static const struct {
	const char *argument, *left;
} taken[] = {
	{ "https://host/a?sig=" SECRET, "https://host/axxxxxxxxxxxxxxxx" },
	{ "https://u:" SECRET "@host/a", "https://host/axxxxxxxxxxxxxx" },
	{ "https://host/a", "https://host/a" },
	{ SECRET, "xxxxxxxxxxx" },
	{ "u@h/?" SECRET "://", "xxxxxxxxxxxxxxxxxxx" },
	{ "", "" },
};

/* As of argv: other arguments stand in front of it and behind it. */
START_TEST(secret_taken_is_wiped_where_it_was)
{
	const char *text = taken[_i].argument;
	const size_t len = strlen(text);
	char bytes[256];
	const char *copy;

	memset(bytes, '#', sizeof(bytes));
	memcpy(bytes + 1, text, len + 1);
	copy = secret_take(bytes + 1);
	ck_assert_ptr_nonnull(copy);
	ck_assert_ptr_ne(copy, bytes + 1);
	ck_assert_str_eq(copy, text);
	ck_assert_int_eq(bytes[0], '#');
	ck_assert_str_eq(bytes + 1, taken[_i].left);
	ck_assert_uint_eq(strlen(bytes + 1), len);
	ck_assert_int_eq(bytes[len + 2], '#');
	expect_no_core();
	free((char *)(uintptr_t)copy);
}
END_TEST

/* What is longer than can be shown is wiped to its end. */
START_TEST(secret_taken_is_wiped_however_long)
{
	static char url[8192] = "https://host/";
	const size_t begin = strlen(url);
	const char *copy;

	memset(url + begin, 'a', sizeof(url) - begin - 1);
	memcpy(url + sizeof(url) - 100, "?" SECRET, strlen(SECRET) + 1);
	copy = secret_take(url);
	ck_assert_ptr_nonnull(copy);
	ck_assert_ptr_nonnull(strstr(copy, SECRET));
	ck_assert_uint_eq(strlen(url), sizeof(url) - 1);
	ck_assert_uint_eq(strspn(url + SECRET_SHOWN - 1, "x"),
		sizeof(url) - SECRET_SHOWN);
	ck_assert_int_eq(url[SECRET_SHOWN - 2], 'a');
	expect_no_core();
	free((char *)(uintptr_t)copy);
}
END_TEST

START_TEST(secret_variable_is_taken_away)
{
	const char *copy, *value;

	ck_assert_int_eq(
		setenv("AVML_TEST_URL", "https://host/a?sig=" SECRET, 1), 0);
	value = getenv("AVML_TEST_URL");
	copy = secret_take_variable("AVML_TEST_URL");
	ck_assert_str_eq(copy, "https://host/a?sig=" SECRET);
	ck_assert_ptr_null(getenv("AVML_TEST_URL"));
	/* It stood in the process's own environment, which stays. */
	ck_assert_str_eq(value, "https://host/axxxxxxxxxxxxxxxx");
	expect_no_core();
	free((char *)(uintptr_t)copy);
}
END_TEST

START_TEST(secret_variable_may_be_empty_or_none)
{
	ck_assert_int_eq(unsetenv("AVML_TEST_URL"), 0);
	ck_assert_ptr_null(secret_take_variable("AVML_TEST_URL"));
	ck_assert_int_eq(setenv("AVML_TEST_URL", "", 1), 0);
	ck_assert_ptr_null(secret_take_variable("AVML_TEST_URL"));
	ck_assert_ptr_null(getenv("AVML_TEST_URL"));
	/* Nothing was taken. */
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}
END_TEST

/* --- what is read -----------------------------------------------------------
 */

static const struct {
	const char *file, *secret; /* NULL: there is none */
} lines[] = {
	{ "https://host/?a", "https://host/?a" },
	{ "https://host/?a\n", "https://host/?a" },
	{ "https://host/?a\r\n", "https://host/?a" },
	{ "https://host/?a\nmore\n", "https://host/?a" },
	{ "https://host/?a\r\nmore\r\n", "https://host/?a" },
	{ " \t https://host/?a \t \n", "https://host/?a" },
	{ " \thttps://host/?a\t \r\n", "https://host/?a" },
	{ "a b\n", "a b" },
	{ "x", "x" },
	{ "", NULL },
	{ "\n", NULL },
	{ "\r\n", NULL },
	{ " \t\r\n", NULL },
	{ "\nhttps://host/\n", NULL },
};

static void check_line(const char *path, const char *name, const char *expected)
{
	struct avml_error err = AVML_ERROR_INIT;
	char says[TEST_PATH_MAX + 64];
	const char *secret = NULL;
	const int ret = secret_read(path, &secret, &err);

	if (expected) {
		ck_assert_msg(ret == 0, "%s", err.text);
		ck_assert_str_eq(secret, expected);
		free((char *)(uintptr_t)secret);
	} else {
		ck_assert_int_eq(ret, -ENODATA);
		ck_assert_ptr_null(secret);
		snprintf(says, sizeof(says), "the first line of %s has no URL",
			name);
		ck_assert_str_eq(avml_error_message(&err, 0), says);
	}
	expect_no_core();
}

START_TEST(secret_file_has_one_in_its_first_line)
{
	const char *path =
		test_file("url", lines[_i].file, strlen(lines[_i].file));

	check_line(path, path, lines[_i].secret);
}
END_TEST

/* Stdin is now the end of a pipe, into which this process writes. */
static int pipe_to_stdin(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(close(ends[0]), 0);
	return ends[1];
}

static void put(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(secret_stdin_has_one_in_its_first_line)
{
	const int fd = pipe_to_stdin();

	put(fd, lines[_i].file);
	ck_assert_int_eq(close(fd), 0);
	check_line("-", "stdin", lines[_i].secret);
}
END_TEST

/* Nobody waits for the end of a pipe that has given its line. */
START_TEST(secret_pipe_may_stay_open)
{
	const int fd = pipe_to_stdin();

	put(fd, "https://host/?a\n");
	check_line("-", "stdin", "https://host/?a");
	ck_assert_int_eq(close(fd), 0);
	/* Stdin is there still. */
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
}
END_TEST

/* In parts, as a pipe gives it. */
START_TEST(secret_pipe_gives_it_in_parts)
{
	const int fd = pipe_to_stdin();
	const pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		static const char *const parts[] = { "https://", "host/", "?a",
			"\r", "\nmore" };

		for (size_t i = 0; i < TEST_COUNT(parts); i++) {
			(void)!write(fd, parts[i], strlen(parts[i]));
			usleep(20000);
		}
		_exit(0);
	}
	ck_assert_int_eq(close(fd), 0);
	check_line("-", "stdin", "https://host/?a");
}
END_TEST

/* Of SECRET_MAX bytes the line's end has to be one. */
START_TEST(secret_file_line_has_a_limit)
{
	static char text[SECRET_MAX + 1];
	struct avml_error err = AVML_ERROR_INIT;
	char says[TEST_PATH_MAX + 64];
	const char *secret = NULL, *path;

	memset(text, 'a', sizeof(text));
	path = test_file("url", text, SECRET_MAX - 1);
	ck_assert_int_eq(secret_read(path, &secret, &err), 0);
	ck_assert_uint_eq(strlen(secret), SECRET_MAX - 1);
	free((char *)(uintptr_t)secret);

	secret = NULL;
	path = test_file("url", text, SECRET_MAX);
	ck_assert_int_eq(secret_read(path, &secret, &err), -ENODATA);
	ck_assert_ptr_null(secret);
	snprintf(says, sizeof(says),
		"the first line of %s is too long for a URL", path);
	ck_assert_str_eq(avml_error_message(&err, 0), says);

	/* A long file with a short line is fine. */
	text[3] = '\n';
	path = test_file("url", text, sizeof(text));
	ck_assert_int_eq(secret_read(path, &secret, &err), 0);
	ck_assert_str_eq(secret, "aaa");
	free((char *)(uintptr_t)secret);
	expect_no_core();
}
END_TEST

START_TEST(secret_file_that_cannot_be_read_is_named)
{
	struct avml_error err = AVML_ERROR_INIT;
	char says[TEST_PATH_MAX + 96];
	const char *secret = NULL, *dir = test_dir();

	snprintf(says, sizeof(says), "%s/none", dir);
	ck_assert_int_eq(secret_read(says, &secret, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), says));

	err = (struct avml_error)AVML_ERROR_INIT;
	ck_assert_int_eq(secret_read(dir, &secret, &err), -EISDIR);
	snprintf(says, sizeof(says),
		"cannot read the URL from %s: Is a directory", dir);
	ck_assert_str_eq(avml_error_message(&err, 0), says);

	err = (struct avml_error)AVML_ERROR_INIT;
	ck_assert_int_eq(close(STDIN_FILENO), 0);
	ck_assert_int_eq(secret_read("-", &secret, &err), -EBADF);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"cannot read the URL from stdin: Bad file descriptor");
	ck_assert_ptr_null(secret);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

static Suite *secret_suite(void)
{
	Suite *suite = suite_create("secret");
	TCase *tcase = tcase_create("secret");

	tcase_add_loop_test(tcase, secret_shown_has_none, 0, TEST_COUNT(shows));
	tcase_add_test(tcase, secret_shown_is_cut_short);
	tcase_add_test(tcase, secret_url_is_told_from_a_file);
	tcase_add_loop_test(tcase, secret_taken_is_wiped_where_it_was, 0,
		TEST_COUNT(taken));
	tcase_add_test(tcase, secret_taken_is_wiped_however_long);
	tcase_add_test(tcase, secret_variable_is_taken_away);
	tcase_add_test(tcase, secret_variable_may_be_empty_or_none);
	tcase_add_loop_test(tcase, secret_file_has_one_in_its_first_line, 0,
		TEST_COUNT(lines));
	tcase_add_loop_test(tcase, secret_stdin_has_one_in_its_first_line, 0,
		TEST_COUNT(lines));
	tcase_add_test(tcase, secret_pipe_may_stay_open);
	tcase_add_test(tcase, secret_pipe_gives_it_in_parts);
	tcase_add_test(tcase, secret_file_line_has_a_limit);
	tcase_add_test(tcase, secret_file_that_cannot_be_read_is_named);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(secret_suite)

/* SPDX-License-Identifier: MIT */
#include "cmd/part_list.h"

#include "base/confine_parts.h"
#include "check_main.h"

#include <sys/socket.h>

#define SECRET "s3cr3tvalue"
#define MIB ((uint64_t)1 << 20)

#define VERSION "\"version\": 1"
#define PLACE "\"bucket\": \"b\", \"key\": \"k/e y\""
#define UPLOAD "\"upload_id\": \"id\", \"abort\": \"http://h/a\""
#define COMPLETE "\"complete\": \"http://h/c?" SECRET "\""
#define SIZE "\"part_size\": 5242880"
#define HEAD VERSION ", " PLACE ", " UPLOAD ", " COMPLETE ", " SIZE
#define PARTS "\"parts\": [\"http://h/1?" SECRET "\", \"http://h/2\"]"

static struct avml_error err;

static int read_list(const char *text, size_t len, struct part_list *list)
{
	err = (struct avml_error)AVML_ERROR_INIT;
	return part_list_read(test_file("list", text, len), list, &err);
}

/* --- what is a list --------------------------------------------------------
 */

static const struct {
	const char *text, *head; /* NULL: none */
} good[] = {
	{ "{" HEAD ", " PARTS "}", NULL },
	{ "{" PARTS ", " HEAD "}\n", NULL },
	{ "{" VERSION "," PLACE "," PARTS "," UPLOAD "," COMPLETE "," SIZE
	  ",\"head\":\"http://h/h\"}",
		"http://h/h" },
	{ " \n{\t" HEAD " ,\r\n\"parts\"\n:\t[ \"http://h/1?" SECRET
	  "\"\n,\t\"http:\\/\\/h/\\u0032\" ] } \n",
		NULL },
	/* What is not known, and what comes a second time, says nothing. */
	{ "{\"more\": {\"parts\": [7, [\"]}\"]]}, " HEAD ", " PARTS
	  ", \"parts\": [\"http://h/3\"], \"bucket\": \"c\"}",
		NULL },
};

START_TEST(part_list_has_all)
{
	struct part_list list;

	ck_assert_msg(
		read_list(good[_i].text, strlen(good[_i].text), &list) == 0,
		"%s", err.text);
	ck_assert_uint_eq(list.parts.count, 2);
	ck_assert_str_eq(list.parts.urls[0], "http://h/1?" SECRET);
	ck_assert_str_eq(list.parts.urls[1], "http://h/2");
	ck_assert_uint_eq(list.parts.part_size, 5 * MIB);
	ck_assert_str_eq(list.parts.complete, "http://h/c?" SECRET);
	ck_assert_str_eq(list.parts.abort, "http://h/a");
	ck_assert_pstr_eq(list.parts.head, good[_i].head);
	ck_assert_str_eq(list.parts.upload_id, "id");
	ck_assert_str_eq(list.to, "s3://b/k/e y");
	part_list_release(&list);
	ck_assert_ptr_null(list.parts.urls);
	/* Which may be done again. */
	part_list_release(&list);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
	{ "", "JSON" },
	{ "{", "JSON" },
	{ "{\"", "JSON" },
	{ "[]", "JSON" },
	{ "7", "JSON" },
	{ "{}", "version" },
	{ "{" HEAD ", " PARTS, "JSON" },
	{ "{" HEAD ", " PARTS "} x", "JSON" },
	{ "{" HEAD ", " PARTS "}}", "JSON" },
	{ "{" HEAD ", " PARTS ",}", "JSON" },
	{ "{," HEAD ", " PARTS "}", "JSON" },
	{ "{" HEAD " " PARTS "}", "JSON" },
	{ "{" HEAD ", 7: 7, " PARTS "}", "JSON" },
	{ "{" HEAD ", \"x\" 7, " PARTS "}", "JSON" },
	{ "{" HEAD ", \"parts\": [\"http://h/1\"", "JSON" },
	{ "{" HEAD ", \"parts\": [\"http://h/1\"}", "JSON" },
	{ "{" HEAD ", \"parts\": [\"http://h/1\",]}", "JSON" },
	{ "{" HEAD ", \"parts\": [\"http://h/1]}", "JSON" },
	{ "{" HEAD ", \"parts\": [\"http://h/1\" \"http://h/2\"]}", "JSON" },
	{ "{" HEAD ", \"parts\": [,]}", "JSON" },
	{ "{" HEAD ", \"parts\": [", "JSON" },
	{ "{" HEAD ", \"parts\":", "JSON" },
	{ "{" HEAD ", \"parts\": [7]}", "a part has no URL" },
	{ "{" HEAD ", \"parts\": [\"\"]}", "a part has no URL" },
	{ "{" HEAD ", \"parts\": [\"\\u0000\"]}", "" },
	{ "{" HEAD ", \"parts\": []}", "no parts" },
	{ "{" HEAD ", \"parts\": \"http://h/1\"}", "no parts" },
	{ "{" HEAD ", \"parts\": {\"a\": \"http://h/1\"}}", "no parts" },
	{ "{" HEAD "}", "no parts" },
	{ "{" PLACE ", " UPLOAD ", " COMPLETE ", " SIZE ", " PARTS "}",
		"version" },
};

START_TEST(part_list_that_is_none_is_refused)
{
	struct part_list list;
	const char *says;

	ck_assert_int_eq(
		read_list(bad[_i].text, strlen(bad[_i].text), &list), -EBADMSG);
	says = avml_error_message(&err, 0);
	ck_assert_ptr_nonnull(strstr(says, " is no list of avml-part-urls: "));
	ck_assert_msg(strstr(says, bad[_i].says), "%s", says);
	ck_assert_ptr_null(strstr(says, SECRET));
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

/* A NUL ends no text that goes on behind it. */
START_TEST(part_list_with_a_nul_is_refused)
{
	static const char text[] = "{" HEAD ", " PARTS "}\0\n";
	struct part_list list;

	ck_assert_int_eq(read_list(text, sizeof(text) - 1, &list), -EBADMSG);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

/* --- where it comes from, and what is left of it ---------------------------
 */

/* A socket, as ssh and services give one, cannot be opened by a name. */
START_TEST(part_list_comes_from_any_stdin)
{
	static const char text[] = "{" HEAD ", " PARTS "}";
	struct part_list list;
	int ends[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(
		write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_msg(part_list_read("-", &list, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(list.parts.count, 2);
	part_list_release(&list);
	/* Stdin is there still. */
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

/* No core from before its first byte is read. */
START_TEST(part_list_that_cannot_be_read_is_named)
{
	char path[TEST_PATH_MAX], says[TEST_PATH_MAX + 96];
	struct part_list list;

	snprintf(path, sizeof(path), "%s", test_dir());
	ck_assert_int_eq(part_list_read(path, &list, &err), -EISDIR);
	snprintf(says, sizeof(says), "cannot read %s: Is a directory", path);
	ck_assert_str_eq(avml_error_message(&err, 0), says);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);

	strcat(path, "/none");
	ck_assert_int_eq(part_list_read(path, &list, &err), -ENOENT);
	snprintf(says, sizeof(says),
		"cannot open %s: No such file or directory", path);
	ck_assert_str_eq(avml_error_message(&err, 0), says);

	ck_assert_int_eq(close(STDIN_FILENO), 0);
	ck_assert_int_eq(part_list_read("-", &list, &err), -EBADF);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"cannot open stdin: Bad file descriptor");
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

/* How often it is in what this process can write to but its stack. */
static unsigned int count_in_memory(const char *text)
{
	const size_t len = strlen(text);
	unsigned int count = 0;
	unsigned long from, to;
	char line[512], *at;
	FILE *file = fopen("/proc/self/maps", "re");

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 ||
			!strstr(line, " rw") || strstr(line, "[stack]"))
			continue;
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): it says so */
		at = (char *)(uintptr_t)from;
		while ((at = memmem(at, to - (uintptr_t)at, text, len))) {
			count++;
			at += len;
		}
	}
	ck_assert_int_eq(fclose(file), 0);
	return count;
}

/* Nothing of any URL, be it that the list is good or that it is not. */
START_TEST(part_list_released_is_gone)
{
	static const char *const ends[] = { "}", "," };
	struct part_list list;

	if (CONFINE_SANITIZED)
		return;
	for (size_t i = 0; i < TEST_COUNT(ends); i++) {
		char name[TEST_PATH_MAX];
		const int fd = open(strcpy(name, test_file("list", "", 0)),
			O_WRONLY | O_CLOEXEC);

		/* By no buffer of ours. */
		ck_assert_int_gt(write(fd, "{" HEAD ", " PARTS,
					 strlen("{" HEAD ", " PARTS)),
			0);
		ck_assert_int_eq(write(fd, ends[i], 1), 1);
		ck_assert_int_eq(close(fd), 0);
		if (part_list_read(name, &list, &err) == 0) {
			ck_assert_uint_eq(i, 0);
			ck_assert_uint_ge(count_in_memory(SECRET), 2);
			part_list_release(&list);
		}
		ck_assert_uint_eq(count_in_memory(SECRET), 0);
	}
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

/* --- how many, and what they cost -------------------------------------------
 */

#define URL_LEN 1536

/* A list of `count` URLs, of URL_LEN bytes each, that was never in memory. */
static const char *make_long(size_t count, size_t *len)
{
	const char *path = test_file("list", "", 0);
	FILE *file = fopen(path, "we");
	long end;

	ck_assert_ptr_nonnull(file);
	fprintf(file, "{" HEAD ", \"parts\": [");
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\"http://h/%05zu?%0*d\"", i > 0 ? ",\n" : "",
			i, URL_LEN - 15, 0);
	fprintf(file, "]}\n");
	end = ftell(file);
	ck_assert_int_gt(end, 0);
	*len = (size_t)end;
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

/* KiB that the process has had in memory at the most. */
static unsigned long peak(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/self/status", "re");

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) &&
		sscanf(line, "VmHWM: %lu kB", &kib) != 1)
		;
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_uint_gt(kib, 0);
	return kib;
}

/* The text is the one place that the URLs are in. */
START_TEST(part_list_is_in_memory_once)
{
	struct part_list list;
	unsigned long before, after;
	const char *path;
	size_t len;

	path = make_long(10000, &len);
	before = peak();
	ck_assert_msg(part_list_read(path, &list, &err) == 0, "%s", err.text);
	after = peak();
	ck_assert_uint_eq(list.parts.count, 10000);
	for (size_t i = 0; i < list.parts.count; i++) {
		char number[32];

		snprintf(number, sizeof(number), "http://h/%05zu?", i);
		TEST_ASSERT(strlen(list.parts.urls[i]) == URL_LEN);
		TEST_ASSERT(strncmp(list.parts.urls[i], number,
				    strlen(number)) == 0);
	}
	part_list_release(&list);
	if (getenv("SHOW_PEAK"))
		fprintf(stderr, "%zu KiB of text: from %lu to %lu KiB\n",
			len >> 10, before, after);
	if (!CONFINE_SANITIZED)
		ck_assert_uint_lt(after - before, (len >> 10) * 3 / 2);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

START_TEST(part_list_has_a_limit)
{
	struct part_list list;
	size_t len;
	const char *path = make_long(10001, &len);

	ck_assert_int_eq(part_list_read(path, &list, &err), -EBADMSG);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&err, 0), "more than 10000 parts"));
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

static Suite *part_list_suite(void)
{
	Suite *suite = suite_create("part_list");
	TCase *tcase = tcase_create("part_list");

	tcase_add_loop_test(tcase, part_list_has_all, 0, TEST_COUNT(good));
	tcase_add_loop_test(
		tcase, part_list_that_is_none_is_refused, 0, TEST_COUNT(bad));
	tcase_add_test(tcase, part_list_with_a_nul_is_refused);
	tcase_add_test(tcase, part_list_comes_from_any_stdin);
	tcase_add_test(tcase, part_list_that_cannot_be_read_is_named);
	tcase_add_test(tcase, part_list_released_is_gone);
	tcase_add_test(tcase, part_list_is_in_memory_once);
	tcase_add_test(tcase, part_list_has_a_limit);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(part_list_suite)

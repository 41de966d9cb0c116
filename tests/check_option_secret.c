/* SPDX-License-Identifier: MIT */
/* What the network's commands want of options: sizes, secrets and URLs. */
#include "cmd/option.h"

#include <unistd.h>

#include "check_main.h"
#include "cmd/remote.h"

#define ARGS_MAX 8
#define SECRET "s3cr3tvalue"
#define URL "https://user:" SECRET "@host/a?sig=" SECRET

struct values {
	uint64_t size, least;
	const char *text, *token, *choice;
	uint64_t number;
	double percent;
	bool flag;
};

#define AT(member) offsetof(struct values, member)

static const struct option options[] = {
	{ .name = "size", .kind = OPTION_SIZE, .offset = AT(size), .arg = "N" },
	{ .name = "least",
		.kind = OPTION_SIZE,
		.offset = AT(least),
		.arg = "N",
		.min = 1024 },
	{ .name = "text", .kind = OPTION_TEXT, .offset = AT(text), .arg = "T" },
	{ .name = "place",
		.kind = OPTION_TEXT,
		.offset = AT(text),
		.arg = "URL" },
	{ .name = "token",
		.kind = OPTION_TEXT,
		.offset = AT(token),
		.arg = "T",
		.secret = true },
	{ .name = "choice",
		.kind = OPTION_CHOICE,
		.offset = AT(choice),
		.arg = "C",
		.choices = "a|b" },
	{ .name = "number",
		.kind = OPTION_NUMBER,
		.offset = AT(number),
		.arg = "N",
		.max = 9 },
	{ .name = "percent",
		.kind = OPTION_PERCENT,
		.offset = AT(percent),
		.arg = "P",
		.max = 9 },
	{ .name = "flag", .kind = OPTION_FLAG, .offset = AT(flag) },
	{ .name = NULL },
};

static const char *const file_url[] = { "FILE", "[URL]", NULL };
static const char *const file_only[] = { "FILE", NULL };

/* The arguments as a process has them: its own, to be written to. */
static char argv_bytes[ARGS_MAX][256];
static struct values values;
static const char *operands[2];
static struct avml_error err;

static int parse(
	const char *const *names, bool url_operand, const char *const *args)
{
	const struct command command = {
		.name = "test",
		.options = options,
		.operands = names,
		.url_operand = url_operand,
	};
	char *argv[ARGS_MAX + 1] = { NULL };
	int argc = 0;

	for (; argc < ARGS_MAX && args[argc]; argc++) {
		snprintf(argv_bytes[argc], sizeof(argv_bytes[argc]), "%s",
			args[argc]);
		argv[argc] = argv_bytes[argc];
	}
	values = (struct values){ .size = 77, .least = 88 };
	operands[0] = operands[1] = NULL;
	err = (struct avml_error)AVML_ERROR_INIT;
	return option_parse(&command, argc, argv, &values, operands, &err);
}

/* --- sizes -----------------------------------------------------------------
 */

static const struct {
	const char *value;
	bool good;
	uint64_t size;
} sizes[] = {
	{ "0", true, 0 },
	{ "0G", true, 0 },
	{ "1", true, 1 },
	{ "500K", true, UINT64_C(500) << 10 },
	{ "20M", true, UINT64_C(20) << 20 },
	{ "3G", true, UINT64_C(3) << 30 },
	{ "0001K", true, 1024 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18014398509481983K", true, UINT64_MAX - 1023 },
	{ "17592186044415M", true, UINT64_MAX - 1048575 },
	{ "17179869183G", true, UINT64_MAX - 1073741823 },
	{ "18446744073709551616", false, 0 },
	{ "18014398509481984K", false, 0 },
	{ "17592186044416M", false, 0 },
	{ "17179869184G", false, 0 },
	{ "99999999999999999999K", false, 0 },
	{ "K", false, 0 },
	{ "1k", false, 0 },
	{ "1m", false, 0 },
	{ "1T", false, 0 },
	{ "1KB", false, 0 },
	{ "1KK", false, 0 },
	{ "1 K", false, 0 },
	{ "1K ", false, 0 },
	{ " 1K", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ "1.5M", false, 0 },
	{ "0x10", false, 0 },
	{ "x", false, 0 },
};

START_TEST(option_size_is_bytes_or_has_a_unit)
{
	const char *const args[] = { "--size", sizes[_i].value, "F", NULL };
	char says[128];

	if (sizes[_i].good) {
		ck_assert_int_eq(parse(file_only, false, args), OPTIONS_DONE);
		ck_assert_uint_eq(values.size, sizes[_i].size);
		return;
	}
	ck_assert_int_eq(parse(file_only, false, args), -EINVAL);
	snprintf(says, sizeof(says),
		"--size: \"%s\" is not a number of bytes from 0 on, such as "
		"500K or 20M",
		sizes[_i].value);
	ck_assert_str_eq(avml_error_message(&err, 0), says);
}
END_TEST

START_TEST(option_size_may_have_a_least)
{
	static const char *const less[] = { "--least=1023", "F", NULL };
	static const char *const none[] = { "--least=0", "F", NULL };
	static const char *const unit[] = { "--least=1K", "F", NULL };

	ck_assert_int_eq(parse(file_only, false, unit), OPTIONS_DONE);
	ck_assert_uint_eq(values.least, 1024);
	ck_assert_int_eq(parse(file_only, false, none), -EINVAL);
	ck_assert_int_eq(parse(file_only, false, less), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"--least: \"1023\" is not a number of bytes from 1024 on, such "
		"as 500K or 20M");
}
END_TEST

/* --- secrets ---------------------------------------------------------------
 */

/* The sanitizers' own checks at the end need it undone, see secret.h. */
static void release(const char *copy)
{
	free((char *)(uintptr_t)copy);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

START_TEST(option_secret_text_is_taken_from_argv)
{
	static const char *const apart[] = { "--token", SECRET, "F", NULL };
	static const char *const joined[] = { "--token=" SECRET, "F", NULL };

	ck_assert_int_eq(parse(file_only, false, apart), OPTIONS_DONE);
	ck_assert_str_eq(values.token, SECRET);
	ck_assert_str_eq(argv_bytes[1], "xxxxxxxxxxx");
	release(values.token);
	ck_assert_int_eq(parse(file_only, false, joined), OPTIONS_DONE);
	ck_assert_str_eq(values.token, SECRET);
	ck_assert_str_eq(argv_bytes[0], "--token=xxxxxxxxxxx");
	release(values.token);
}
END_TEST

START_TEST(option_other_text_stays_in_argv)
{
	static const char *const args[] = { "--text", SECRET, "F", NULL };

	ck_assert_int_eq(parse(file_only, false, args), OPTIONS_DONE);
	ck_assert_ptr_eq(values.text, argv_bytes[1]);
	ck_assert_str_eq(argv_bytes[1], SECRET);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(option_url_operand_is_taken_from_argv)
{
	static const char *const args[] = { "F", "--flag", URL, NULL };

	ck_assert_int_eq(parse(file_url, true, args), OPTIONS_DONE);
	ck_assert_str_eq(operands[0], "F");
	ck_assert_ptr_eq(operands[0], argv_bytes[0]);
	ck_assert_str_eq(operands[1], URL);
	ck_assert_ptr_null(strstr(argv_bytes[2], SECRET));
	ck_assert_uint_eq(strlen(argv_bytes[2]), strlen(URL));
	release(operands[1]);
}
END_TEST

/* Of a URL where a file belongs nothing is told, or left to be seen by ps. */
START_TEST(option_url_that_nobody_wants_is_wiped)
{
	static const struct {
		const char *args[ARGS_MAX];
		const char *says;
	} strays[] = {
		{ { "--text", URL },
			"--text: \"https://host/a\" is a URL, not T" },
		{ { "--flag", "--text=" URL },
			"--text: \"https://host/a\" is a URL, not T" },
		{ { "--flag", URL }, "\"https://host/a\" is a URL, not FILE" },
		{ { "--flag", "u@h/?" SECRET "://" },
			"\"\" is a URL, not FILE" },
	};

	for (size_t i = 0; i < TEST_COUNT(strays); i++) {
		ck_assert_int_eq(
			parse(file_only, false, strays[i].args), -EINVAL);
		ck_assert_uint_eq(err.depth, 1);
		ck_assert_str_eq(avml_error_message(&err, 0), strays[i].says);
		ck_assert_ptr_null(strstr(argv_bytes[1], SECRET));
		ck_assert_uint_eq(
			strlen(argv_bytes[1]), strlen(strays[i].args[1]));
		release(NULL);
	}
}
END_TEST

/* Where one is wanted that has no secrets. */
START_TEST(option_url_that_is_wanted_stays)
{
	static const char *const args[] = { "--place", "https://host", "F",
		NULL };

	ck_assert_int_eq(parse(file_only, false, args), OPTIONS_DONE);
	ck_assert_ptr_eq(values.text, argv_bytes[1]);
	ck_assert_str_eq(values.text, args[1]);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
}
END_TEST

START_TEST(option_operand_may_be_left_out)
{
	static const char *const one[] = { "F", NULL };
	static const char *const none[] = { NULL };
	static const char *const empty[] = { "F", "", NULL };
	static const char *const many[] = { "F", "G", "H", NULL };

	ck_assert_int_eq(parse(file_url, true, one), OPTIONS_DONE);
	ck_assert_str_eq(operands[0], "F");
	ck_assert_ptr_null(operands[1]);
	ck_assert_int_eq(parse(file_url, true, none), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), "FILE is missing");
	ck_assert_int_eq(parse(file_url, true, empty), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), "URL is empty");
	ck_assert_int_eq(parse(file_url, true, many), -EINVAL);
	ck_assert_str_eq(
		avml_error_message(&err, 0), "one operand too many: \"H\"");
}
END_TEST

static const struct {
	const char *args[ARGS_MAX];
	const char *says;
} faults[] = {
	{ { "F", URL }, "one operand too many: \"https://host/a\"" },
	{ { "--" URL, "F" }, "unknown option --https" },
	{ { "--https://host/" SECRET "?a", "F" }, "unknown option --https" },
	{ { "--user:" SECRET "@host/", "F" }, "unknown option --user" },
	{ { "-" URL, "F" }, "unknown option -https://host/a" },
	{ { "--unknown=" URL, "F" }, "unknown option --unknown" },
	{ { "--flag=" URL, "F" }, "--flag takes no value" },
	{ { "--choice", URL, "F" },
		"--choice: \"https://host/a\" is none of a|b" },
	{ { "--number", URL, "F" },
		"--number: \"https://host/a\" is not a number from 0 to 9" },
	{ { "--percent", URL, "F" },
		"--percent: \"https://host/a\" is not a number from 0 to 9" },
	{ { "--size", URL, "F" },
		"--size: \"https://host/a\" is not a number of bytes from 0 "
		"on, such as 500K or 20M" },
};

START_TEST(option_faults_show_no_secret)
{
	ck_assert_int_eq(parse(file_only, true, faults[_i].args), -EINVAL);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_str_eq(avml_error_message(&err, 0), faults[_i].says);
	/* One that was taken before the fault. */
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
		release(operands[0]);
}
END_TEST

/* It is read later, by the library that shows it. */
START_TEST(option_key_of_a_certificate_stays_in)
{
	static const char *const kinds[] = { "tls", "put" };
	static const char *const places[] = { "host:443", "https://host/" };
	struct remote_args args = REMOTE_ARGS_DEFAULTS;

	err = (struct avml_error)AVML_ERROR_INIT;
	ck_assert_int_eq(
		remote_args_take(&args, kinds[_i], places[_i], &err), 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
	args.cert = "client.pem";
	args.key = "client.key";
	ck_assert_int_eq(
		remote_args_take(&args, kinds[_i], places[_i], &err), 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}
END_TEST

static Suite *option_secret_suite(void)
{
	Suite *suite = suite_create("option_secret");
	TCase *tcase = tcase_create("option_secret");

	tcase_add_loop_test(tcase, option_size_is_bytes_or_has_a_unit, 0,
		TEST_COUNT(sizes));
	tcase_add_test(tcase, option_size_may_have_a_least);
	tcase_add_test(tcase, option_secret_text_is_taken_from_argv);
	tcase_add_test(tcase, option_other_text_stays_in_argv);
	tcase_add_test(tcase, option_url_operand_is_taken_from_argv);
	tcase_add_test(tcase, option_url_that_nobody_wants_is_wiped);
	tcase_add_test(tcase, option_url_that_is_wanted_stays);
	tcase_add_test(tcase, option_operand_may_be_left_out);
	tcase_add_loop_test(
		tcase, option_faults_show_no_secret, 0, TEST_COUNT(faults));
	tcase_add_loop_test(tcase, option_key_of_a_certificate_stays_in, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(option_secret_suite)

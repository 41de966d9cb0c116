/* SPDX-License-Identifier: MIT */
#include "cmd/option.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "check_main.h"

#define ARGS_MAX 8

struct values {
	bool quiet;
	bool keep_zeros;
	const char *file_name;
	uint64_t threads;
	uint64_t big;
	double percent;
	double below;
	const char *choice;
};

#define AT(member) offsetof(struct values, member)

static const struct option options[] = {
	{ "quiet", OPTION_FLAG, AT(quiet), NULL, "says less", NULL, 0, 0, false,
		false, NULL },
	{ "keep-zeros", OPTION_FLAG, AT(keep_zeros), NULL, "keeps zeros", NULL,
		0, 0, false, false, NULL },
	{ "file-name", OPTION_TEXT, AT(file_name), "NAME", "names it", NULL, 0,
		0, false, false, "put" },
	{ "threads", OPTION_NUMBER, AT(threads), "N", "how many", NULL, 1, 64,
		false, false, NULL },
	{ "big", OPTION_NUMBER, AT(big), "N", "as large as can be", NULL, 0,
		18446744073709551616.0, false, false, NULL },
	{ "percent", OPTION_PERCENT, AT(percent), "P", "a part", NULL, 0, 100,
		false, false, NULL },
	{ "below", OPTION_PERCENT, AT(below), "P", "less than all", NULL, 0.01,
		100, true, false, NULL },
	{ "choice", OPTION_CHOICE, AT(choice), "WORD", "one of them",
		"raw|lime|lime_z", 0, 0, false, false, NULL },
	{ NULL, OPTION_FLAG, 0, NULL, NULL, NULL, 0, 0, false, false, NULL },
};

static const char *const one_operand[] = { "FILE", NULL };
static const char *const two_operands[] = { "FROM", "TO", NULL };
static const char *const no_operands[] = { NULL };

static const char untouched[] = "untouched";

/* What no option touches stays as it was. */
static const struct values defaults = {
	.file_name = untouched,
	.threads = 77,
	.big = 88,
	.percent = 99,
	.below = 66,
};

static int parse(const char *const *operand_names, const char *const *args,
	struct values *values, const char **operands, struct avml_error *err)
{
	const struct command command = {
		.name = "test",
		.options = options,
		.operands = operand_names,
	};
	char *argv[ARGS_MAX + 1] = { NULL };
	int argc = 0;

	while (argc < ARGS_MAX && args[argc]) {
		argv[argc] = (char *)(uintptr_t)args[argc];
		argc++;
	}
	*values = defaults;
	return option_parse(&command, argc, argv, values, operands, err);
}

static void assert_values(
	const struct values *values, const struct values *expected)
{
	ck_assert_int_eq(values->quiet, expected->quiet);
	ck_assert_int_eq(values->keep_zeros, expected->keep_zeros);
	ck_assert_pstr_eq(values->file_name, expected->file_name);
	ck_assert_uint_eq(values->threads, expected->threads);
	ck_assert_uint_eq(values->big, expected->big);
	ck_assert_double_eq(values->percent, expected->percent);
	ck_assert_double_eq(values->below, expected->below);
	ck_assert_pstr_eq(values->choice, expected->choice);
}

/* The defaults, but for what is named. */
#define VALUES(...)                                               \
	{                                                         \
		.file_name = untouched, .threads = 77, .big = 88, \
		.percent = 99, .below = 66, __VA_ARGS__           \
	}

/* --- what is taken ------------------------------------------------------- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct {
	const char *args[ARGS_MAX];
	struct values values;
} good[] = {
	{ { "F" }, VALUES(.quiet = false) },
	{ { "--quiet", "F" }, VALUES(.quiet = true) },
	{ { "F", "--quiet", "--keep-zeros" },
		VALUES(.quiet = true, .keep_zeros = true) },
	/* A value as the next argument, or behind "=". */
	{ { "--file-name", "x", "F" }, VALUES(.file_name = "x") },
	{ { "--file-name=x", "F" }, VALUES(.file_name = "x") },
	{ { "--file-name=a=b", "F" }, VALUES(.file_name = "a=b") },
	{ { "--file-name==", "F" }, VALUES(.file_name = "=") },
	{ { "F", "--threads", "8" }, VALUES(.threads = 8) },
	{ { "F", "--threads=8" }, VALUES(.threads = 8) },
	/* One of several words: the first, the last, one in between. */
	{ { "--choice", "raw", "F" }, VALUES(.choice = "raw") },
	{ { "--choice=lime", "F" }, VALUES(.choice = "lime") },
	{ { "--choice", "lime_z", "F" }, VALUES(.choice = "lime_z") },
	/* It is a value whatever it looks like. */
	{ { "--file-name", "--quiet", "F" }, VALUES(.file_name = "--quiet") },
	{ { "--file-name", "--", "F" }, VALUES(.file_name = "--") },
	{ { "--file-name", "-h", "F" }, VALUES(.file_name = "-h") },
	{ { "--file-name", "-", "F" }, VALUES(.file_name = "-") },
	/* AVML 0.1 to 0.3 had underscores. */
	{ { "--keep_zeros", "--file_name", "x_y-z", "F" },
		VALUES(.keep_zeros = true, .file_name = "x_y-z") },
	{ { "--file_name=x_y", "F" }, VALUES(.file_name = "x_y") },
	/* By the other name. */
	{ { "--put", "x", "F" }, VALUES(.file_name = "x") },
	{ { "F", "--put=x" }, VALUES(.file_name = "x") },
	/* Nothing behind "--" is an option. */
	{ { "--quiet", "--", "F" }, VALUES(.quiet = true) },
	{ { "F", "--" }, VALUES(.quiet = false) },
};

START_TEST(option_given_is_stored)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[1] = { NULL };
	struct values values;

	ck_assert_msg(parse(one_operand, good[_i].args, &values, operands,
			      &err) == OPTIONS_DONE,
		"%s", avml_error_message(&err, 0));
	assert_values(&values, &good[_i].values);
	ck_assert_pstr_eq(operands[0], "F");
}
END_TEST

#pragma GCC diagnostic pop

/* --- numbers ------------------------------------------------------------- */

static const struct {
	const char *option, *value;
	uint64_t number; /* in threads or big */
	bool good;
} numbers[] = {
	{ "--threads", "1", 1, true },
	{ "--threads", "64", 64, true },
	{ "--threads", "0000000000000000000000000000007", 7, true },
	{ "--threads", "0", 0, false },
	{ "--threads", "65", 0, false },
	{ "--threads", "4294967297", 0, false },
	{ "--threads", "18446744073709551617", 0, false },
	{ "--threads", "99999999999999999999999999", 0, false },
	{ "--threads", "-1", 0, false },
	{ "--threads", "+1", 0, false },
	{ "--threads", " 1", 0, false },
	{ "--threads", "1 ", 0, false },
	{ "--threads", "1\n", 0, false },
	{ "--threads", "1.0", 0, false },
	{ "--threads", "1,0", 0, false },
	{ "--threads", "0x10", 0, false },
	{ "--threads", "1e1", 0, false },
	{ "--threads", "4k", 0, false },
	{ "--threads", "four", 0, false },
	{ "--threads", "--quiet", 0, false },
	{ "--threads", "\xd9\xa3", 0, false },
	{ "--big", "0", 0, true },
	{ "--big", "18446744073709551615", UINT64_MAX, true },
	{ "--big", "18446744073709551616", 0, false },
	{ "--big", "18446744073709551620", 0, false },
	{ "--big", "184467440737095516150", 0, false },
};

START_TEST(option_number_is_whole_and_in_range)
{
	const char *const args[] = { numbers[_i].option, numbers[_i].value, "F",
		NULL };
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[1];
	struct values values;
	char expected[128];
	int ret = parse(one_operand, args, &values, operands, &err);

	if (numbers[_i].good) {
		ck_assert_int_eq(ret, OPTIONS_DONE);
		ck_assert_uint_eq(numbers[_i].option[2] == 't' ? values.threads
							       : values.big,
			numbers[_i].number);
		return;
	}
	ck_assert_int_eq(ret, -EINVAL);
	ck_assert_int_eq(err.code, EINVAL);
	snprintf(expected, sizeof(expected),
		"%s: \"%s\" is not a number from %s", numbers[_i].option,
		numbers[_i].value,
		numbers[_i].option[2] == 't' ? "1 to 64"
					     : "0 to 18446744073709551616");
	ck_assert_str_eq(avml_error_message(&err, 0), expected);
}
END_TEST

/* --- percentages --------------------------------------------------------- */

static const struct {
	const char *value;
	double percent;
	bool good, good_below; /* for --percent and for --below */
} percents[] = {
	{ "0", 0, true, false },
	{ "0.0", 0, true, false },
	{ "0.009", 0.009, true, false },
	{ "0.01", 0.01, true, true },
	{ "1", 1, true, true },
	{ "12.5", 12.5, true, true },
	{ "00012.500", 12.5, true, true },
	{ "99.999", 99.999, true, true },
	{ "100", 100, true, false },
	{ "100.0", 100, true, false },
	{ "100.001", 0, false, false },
	{ "101", 0, false, false },
	{ "1000000000000000000000000000000000000000", 0, false, false },
	{ ".", 0, false, false },
	{ "1.", 0, false, false },
	{ ".5", 0, false, false },
	{ "1.2.3", 0, false, false },
	{ "1,5", 0, false, false },
	{ "-1", 0, false, false },
	{ "-0", 0, false, false },
	{ "+1", 0, false, false },
	{ " 1", 0, false, false },
	{ "1 ", 0, false, false },
	{ "1%", 0, false, false },
	{ "1e1", 0, false, false },
	{ "0x1p3", 0, false, false },
	{ "nan", 0, false, false },
	{ "inf", 0, false, false },
	{ "infinity", 0, false, false },
};

static void check_percent(
	const char *option, const char *value, bool is_good, double percent)
{
	const char *const args[] = { option, value, "F", NULL };
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[1];
	struct values values;
	char expected[128];
	int ret = parse(one_operand, args, &values, operands, &err);

	if (is_good) {
		ck_assert_int_eq(ret, OPTIONS_DONE);
		ck_assert_double_eq(
			option[2] == 'p' ? values.percent : values.below,
			percent);
		return;
	}
	ck_assert_int_eq(ret, -EINVAL);
	snprintf(expected, sizeof(expected),
		"%s: \"%s\" is not a number from %s", option, value,
		option[2] == 'p' ? "0 to 100" : "0.01 to below 100");
	ck_assert_str_eq(avml_error_message(&err, 0), expected);
}

START_TEST(option_percentage_is_whole_and_in_range)
{
	check_percent("--percent", percents[_i].value, percents[_i].good,
		percents[_i].percent);
	check_percent("--below", percents[_i].value, percents[_i].good_below,
		percents[_i].percent);
}
END_TEST

/* --- what is refused ----------------------------------------------------- */

static const struct {
	const char *args[ARGS_MAX];
	const char *says;
} bad[] = {
	{ { "--quite", "F" }, "unknown option --quite" },
	{ { "--Quiet", "F" }, "unknown option --Quiet" },
	/* No beginnings of names, and no ends. */
	{ { "--keep", "F" }, "unknown option --keep" },
	{ { "--quietly", "F" }, "unknown option --quietly" },
	{ { "--keep-zeros-", "F" }, "unknown option --keep-zeros-" },
	{ { "--keep__zeros", "F" }, "unknown option --keep__zeros" },
	{ { "---quiet", "F" }, "unknown option ---quiet" },
	{ { "--quite=5", "F" }, "unknown option --quite" },
	{ { "--=5", "F" }, "unknown option --" },
	{ { "--verbose", "F" }, "--verbose goes with --version alone" },
	{ { "F", "--verbose" }, "--verbose goes with --version alone" },
	{ { "--verbose=1", "F" }, "unknown option --verbose" },
	{ { "--helpme", "F" }, "unknown option --helpme" },
	{ { "--help=x", "F" }, "unknown option --help" },
	{ { "-q", "F" }, "unknown option -q" },
	{ { "-hV", "F" }, "unknown option -hV" },
	{ { "-quiet", "F" }, "unknown option -quiet" },
	/* A flag has no value, not even an empty one. */
	{ { "--quiet=1", "F" }, "--quiet takes no value" },
	{ { "--quiet=", "F" }, "--quiet takes no value" },
	{ { "--keep_zeros=true", "F" }, "--keep-zeros takes no value" },
	/* Others have one. */
	{ { "F", "--threads" }, "--threads wants N after it" },
	{ { "F", "--file_name" }, "--file-name wants NAME after it" },
	{ { "--threads=", "F" }, "--threads wants N, not nothing" },
	{ { "--threads", "", "F" }, "--threads wants N, not nothing" },
	{ { "--file-name=", "F" }, "--file-name wants NAME, not nothing" },
	{ { "--percent", "", "F" }, "--percent wants P, not nothing" },
	/* Words whole and alone: no beginnings, no ends, no others. */
	{ { "--choice", "lim", "F" },
		"--choice: \"lim\" is none of raw|lime|lime_z" },
	{ { "--choice", "lime_", "F" },
		"--choice: \"lime_\" is none of raw|lime|lime_z" },
	{ { "--choice", "lime_zz", "F" },
		"--choice: \"lime_zz\" is none of raw|lime|lime_z" },
	{ { "--choice", "ime", "F" },
		"--choice: \"ime\" is none of raw|lime|lime_z" },
	{ { "--choice", "raw|lime", "F" },
		"--choice: \"raw|lime\" is none of raw|lime|lime_z" },
	{ { "--choice", "|", "F" },
		"--choice: \"|\" is none of raw|lime|lime_z" },
	{ { "--choice", "RAW", "F" },
		"--choice: \"RAW\" is none of raw|lime|lime_z" },
	{ { "--choice=", "F" }, "--choice wants WORD, not nothing" },
	/* Nothing twice, however it is written. */
	{ { "--quiet", "F", "--quiet" }, "--quiet is given twice" },
	{ { "--keep-zeros", "--keep_zeros", "F" },
		"--keep-zeros is given twice" },
	{ { "--threads", "1", "--threads=1", "F" },
		"--threads is given twice" },
	{ { "--file-name=x", "--file-name", "x", "F" },
		"--file-name is given twice" },
	{ { "--file-name=x", "--put", "x", "F" },
		"--file-name is given twice" },
	{ { "--pu", "x", "F" }, "unknown option --pu" },
	{ { "--puts", "x", "F" }, "unknown option --puts" },
	/* Operands. */
	{ { NULL }, "FILE is missing" },
	{ { "--quiet" }, "FILE is missing" },
	{ { "--" }, "FILE is missing" },
	{ { "--file-name", "F" }, "FILE is missing" },
	{ { "" }, "FILE is empty" },
	{ { "--", "" }, "FILE is empty" },
	{ { "F", "G" }, "one operand too many: \"G\"" },
	{ { "F", "" }, "one operand too many: \"\"" },
	{ { "F", "--", "--quiet" }, "one operand too many: \"--quiet\"" },
	{ { "F", "-" }, "one operand too many: \"-\"" },
	/* The first fault is told. */
	{ { "--threads", "0", "--quite" },
		"--threads: \"0\" is not a number from 1 to 64" },
	{ { "--quite", "--help" }, "unknown option --quite" },
};

START_TEST(option_bad_is_refused_with_the_reason)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[1] = { NULL };
	struct values values;

	ck_assert_int_eq(
		parse(one_operand, bad[_i].args, &values, operands, &err),
		-EINVAL);
	ck_assert_int_eq(err.code, EINVAL);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_str_eq(avml_error_message(&err, 0), bad[_i].says);
}
END_TEST

/* --- operands ------------------------------------------------------------ */

static const struct {
	const char *const *names;
	const char *args[ARGS_MAX];
	const char *operands[2];
} operand_cases[] = {
	{ no_operands, { NULL }, { NULL, NULL } },
	{ no_operands, { "--quiet" }, { NULL, NULL } },
	{ no_operands, { "--" }, { NULL, NULL } },
	{ one_operand, { "-" }, { "-", NULL } },
	{ one_operand, { "--", "-" }, { "-", NULL } },
	{ one_operand, { "--", "-h" }, { "-h", NULL } },
	{ one_operand, { "--", "--quiet" }, { "--quiet", NULL } },
	{ one_operand, { "--", "--" }, { "--", NULL } },
	{ two_operands, { "a", "b" }, { "a", "b" } },
	{ two_operands, { "a", "--quiet", "b" }, { "a", "b" } },
	{ two_operands, { "--threads", "2", "a", "--file-name", "c", "b" },
		{ "a", "b" } },
	{ two_operands, { "a", "--", "b" }, { "a", "b" } },
	{ two_operands, { "a", "--", "--" }, { "a", "--" } },
};

START_TEST(option_operands_stand_between_options)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[2] = { NULL, NULL };
	struct values values;

	ck_assert_int_eq(parse(operand_cases[_i].names, operand_cases[_i].args,
				 &values, operands, &err),
		OPTIONS_DONE);
	ck_assert_pstr_eq(operands[0], operand_cases[_i].operands[0]);
	ck_assert_pstr_eq(operands[1], operand_cases[_i].operands[1]);
}
END_TEST

START_TEST(option_second_operand_missing_is_named)
{
	static const char *const args[] = { "a", NULL };
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[2];
	struct values values;

	ck_assert_int_eq(
		parse(two_operands, args, &values, operands, &err), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), "TO is missing");
}
END_TEST

/* --- help and version ---------------------------------------------------- */

static const struct {
	const char *args[ARGS_MAX];
	int outcome;
} questions[] = {
	{ { "--help" }, OPTIONS_HELP },
	{ { "-h" }, OPTIONS_HELP },
	{ { "--version" }, OPTIONS_VERSION },
	{ { "-V" }, OPTIONS_VERSION },
	{ { "F", "--quiet", "-h" }, OPTIONS_HELP },
	{ { "F", "--version" }, OPTIONS_VERSION },
	/* The first question is answered, and nothing behind it counts. */
	{ { "-h", "-V" }, OPTIONS_HELP },
	{ { "-V", "-h" }, OPTIONS_VERSION },
	{ { "--version", "--verbose" }, OPTIONS_VERSION_VERBOSE },
	{ { "--verbose", "-V" }, OPTIONS_VERSION_VERBOSE },
	{ { "F", "--verbose", "--quiet", "-V" }, OPTIONS_VERSION_VERBOSE },
	{ { "-V", "--quite", "--verbose" }, OPTIONS_VERSION_VERBOSE },
	{ { "-V", "--", "--verbose" }, OPTIONS_VERSION },
	{ { "--verbose", "-h" }, OPTIONS_HELP },
	{ { "--help", "--quite", "G", "H" }, OPTIONS_HELP },
};

START_TEST(option_help_and_version_come_before_the_rest)
{
	struct avml_error err = AVML_ERROR_INIT;
	const char *operands[1];
	struct values values;

	ck_assert_int_eq(
		parse(one_operand, questions[_i].args, &values, operands, &err),
		questions[_i].outcome);
}
END_TEST

/* Every option in the text, with its argument, and all helps in line. */
START_TEST(option_usage_names_every_option)
{
	const struct command command = { .name = "test", .options = options };
	CLEANUP_FREE char *text = NULL;
	size_t len, lines = 0;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	option_usage(out, &command);
	ck_assert_int_eq(fclose(out), 0);
	for (const struct option *o = options; o->name; o++) {
		char expected[128];
		const int width = snprintf(expected, sizeof(expected),
			"  --%s%s%s", o->name, o->arg ? " " : "",
			o->arg ? o->arg : "");

		snprintf(expected + width, sizeof(expected) - (size_t)width,
			"%*s%s\n", 34 - width, "", o->help);
		ck_assert_msg(strstr(text, expected) != NULL,
			"\"%s\" is not in\n%s", expected, text);
		lines++;
	}
	ck_assert_ptr_nonnull(strstr(text, "  --help  "));
	ck_assert_ptr_nonnull(strstr(text, "  --version  "));
	ck_assert_ptr_nonnull(strstr(text, "  --verbose  "));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines--;
	ck_assert_int_eq((int)lines, -3);
}
END_TEST

static Suite *option_suite(void)
{
	Suite *suite = suite_create("option");
	TCase *tcase = tcase_create("option");

	tcase_add_loop_test(tcase, option_given_is_stored, 0, TEST_COUNT(good));
	tcase_add_loop_test(tcase, option_number_is_whole_and_in_range, 0,
		TEST_COUNT(numbers));
	tcase_add_loop_test(tcase, option_percentage_is_whole_and_in_range, 0,
		TEST_COUNT(percents));
	tcase_add_loop_test(tcase, option_bad_is_refused_with_the_reason, 0,
		TEST_COUNT(bad));
	tcase_add_loop_test(tcase, option_operands_stand_between_options, 0,
		TEST_COUNT(operand_cases));
	tcase_add_test(tcase, option_second_operand_missing_is_named);
	tcase_add_loop_test(tcase, option_help_and_version_come_before_the_rest,
		0, TEST_COUNT(questions));
	tcase_add_test(tcase, option_usage_names_every_option);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(option_suite)

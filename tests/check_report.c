/* SPDX-License-Identifier: MIT */
/* The report: what is in its lines, and what stays bounded. */
#include "cmd/report.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>

#include "check_main.h"
#include "cmd/cmd.h"

static struct target {
	bool flag, unset;
	const char *text;
	uint64_t number;
	double percent;
} target = { true, false, "a\"b\\\x01\xff\n", UINT64_MAX, 0.25 };

static const struct target defaults = { .percent = 1 };

static const struct option options[] = {
	{ .name = "flag", .kind = OPTION_FLAG },
	{ .name = "unset",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct target, unset) },
	{ .name = "text",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct target, text) },
	{ .name = "number",
		.kind = OPTION_NUMBER,
		.offset = offsetof(struct target, number) },
	{ .name = "percent",
		.kind = OPTION_PERCENT,
		.offset = offsetof(struct target, percent) },
	{ .name = NULL },
};
static const struct command command = { .name = "test", .options = options };

static struct report report;
static const char *path;
static struct avml_source_footprint footprint;

static void begin(void)
{
	struct report_options report_options = {
		.command = &command,
		.target = &target,
		.defaults = &defaults,
		.iomem = "made up",
	};
	struct avml_error err = AVML_ERROR_INIT;

	path = test_file("report", "old", 3);
	report_options.path = path;
	ck_assert_int_eq(report_begin(&report, &report_options, &err), 0);
}

static void finish(int status)
{
	const struct avml_snapshot_result result = {
		.source = "",
		.footprint = footprint,
		.read_bytes = UINT64_MAX,
		.digest = "",
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct report_end end = {
		.status = status,
		.image = "image",
		.result = &result,
	};

	avml_error_set(&err, EIO, "what went wrong");
	if (status == STATUS_FAILED)
		end.err = &err;
	ck_assert_int_eq(report_finish(&report, &end, &err), 0);
}

/* Line `i` of the report; the last is -1. */
static cJSON *line_at(int i, size_t *count)
{
	size_t len;
	char *text = test_load(path, &len), *at = text, *found = NULL;
	cJSON *object;

	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(text[len - 1], '\n');
	*count = 0;
	for (char *end; (end = memchr(at, '\n', len - (size_t)(at - text)));
		at = end + 1) {
		*end = '\0';
		if ((*count)++ == (size_t)i || i < 0)
			found = at;
	}
	ck_assert_ptr_nonnull(found);
	object = cJSON_Parse(found);
	ck_assert_ptr_nonnull(object);
	free(text);
	return object;
}

static double number_of(const cJSON *object, const char *key)
{
	return cJSON_GetNumberValue(
		cJSON_GetObjectItemCaseSensitive(object, key));
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(object, key));

	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(report_header_has_the_options_that_are_set)
{
	const cJSON *set;
	cJSON *header;
	size_t count, len;
	char *text;

	begin();
	finish(STATUS_COMPLETE);
	header = line_at(0, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(text_of(header, "type"), "header");
	set = cJSON_GetObjectItemCaseSensitive(header, "options");
	ck_assert_int_eq(cJSON_GetArraySize(set), 4);
	ck_assert(cJSON_IsTrue(cJSON_GetObjectItem(set, "flag")));
	ck_assert_str_eq(text_of(set, "text"), "a\"b\\\\x01\\xff\\x0a");
	ck_assert_double_eq(number_of(set, "percent"), 0.25);
	cJSON_Delete(header);
	/* No digit of 64 bits is lost. */
	text = test_load(path, &len);
	ck_assert_ptr_nonnull(memmem(text, len, ":18446744073709551615", 21));
	free(text);
}
END_TEST

/* What comes before the first line waits for it, but not without end. */
START_TEST(report_lines_before_the_header_follow_it)
{
	const size_t extra = 7;
	cJSON *object;
	size_t count;

	begin();
	for (size_t i = 0; i < REPORT_EARLY_MAX + (_i ? extra : 0); i++) {
		char text[32];

		snprintf(text, sizeof(text), "early %zu", i);
		report_warning(&report, text);
	}
	report_range(&report, (struct avml_range){ 4096, 8192 });
	report_warning(&report, "late");
	finish(STATUS_COMPLETE);
	object = line_at(1, &count);
	ck_assert_str_eq(text_of(object, "text"), "early 0");
	cJSON_Delete(object);
	object = line_at(REPORT_EARLY_MAX + 1, &count);
	ck_assert_uint_eq(count, REPORT_EARLY_MAX + 4 + (_i ? 1 : 0));
	ck_assert_str_eq(text_of(object, "type"), _i ? "left_out" : "range");
	if (_i)
		ck_assert_double_eq(number_of(object, "lines"), (double)extra);
	cJSON_Delete(object);
}
END_TEST

/* Of very many ranges of RAM, the first line has the first ones. */
START_TEST(report_ranges_of_ram_are_bounded)
{
	const size_t ranges = 1024 + 500;
	const cJSON *iomem;
	cJSON *header;
	size_t count;

	begin();
	for (uint64_t i = 0; i < ranges; i++)
		report_ram(&report,
			(struct avml_range){ i << 20, (i << 20) + 4096 });
	finish(STATUS_PARTIAL);
	header = line_at(0, &count);
	iomem = cJSON_GetObjectItem(header, "iomem");
	ck_assert_str_eq(text_of(iomem, "path"), "made up");
	ck_assert_int_eq(
		cJSON_GetArraySize(cJSON_GetObjectItem(iomem, "ranges")), 1024);
	ck_assert_double_eq(number_of(iomem, "ranges_left_out"), 500);
	ck_assert_double_eq(number_of(iomem, "bytes"), (double)ranges * 4096);
	cJSON_Delete(header);
}
END_TEST

static const struct {
	int status;
	const char *outcome;
} outcomes[] = { { STATUS_COMPLETE, "complete" }, { STATUS_FAILED, "failed" },
	{ STATUS_PARTIAL, "partial" }, { STATUS_SIGNAL + 15, "stopped" } };

START_TEST(report_summary_tells_the_outcome)
{
	cJSON *summary;
	size_t count;

	begin();
	finish(outcomes[_i].status);
	summary = line_at(-1, &count);
	ck_assert_str_eq(text_of(summary, "type"), "summary");
	ck_assert_str_eq(text_of(summary, "outcome"), outcomes[_i].outcome);
	ck_assert_double_eq(number_of(summary, "status"), outcomes[_i].status);
	if (outcomes[_i].status == STATUS_FAILED)
		ck_assert_str_eq(text_of(summary, "error"), "what went wrong");
	else
		ck_assert(cJSON_IsNull(cJSON_GetObjectItem(summary, "error")));
	ck_assert(cJSON_IsNull(cJSON_GetObjectItem(summary, "sha256")));
	cJSON_Delete(summary);
}
END_TEST

static const struct avml_source_footprint footprints[] = {
	{ .programs = 0 },
	{ .kind = "syscall", .loads = 3 },
	{ .kind = "syscall",
		.programs = 4,
		.loads = 7,
		.program_bytes = 300,
		.map_bytes = 2097152 },
};

/* Null only where nothing was loaded, be it gone again. */
START_TEST(report_summary_has_the_footprint)
{
	const struct avml_source_footprint *is = &footprints[_i];
	const cJSON *said;
	cJSON *summary;
	size_t count;

	footprint = *is;
	begin();
	finish(_i == 1 ? STATUS_FAILED : STATUS_COMPLETE);
	summary = line_at(-1, &count);
	said = cJSON_GetObjectItemCaseSensitive(summary, "footprint");
	ck_assert(_i == 0 ? cJSON_IsNull(said) : cJSON_IsObject(said));
	ck_assert_int_eq(cJSON_GetArraySize(said), _i == 0 ? 0 : 5);
	if (_i > 0) {
		ck_assert_str_eq(text_of(said, "program"), is->kind);
		ck_assert_double_eq(number_of(said, "programs"), is->programs);
		ck_assert_double_eq(number_of(said, "loads"), is->loads);
		ck_assert_double_eq(number_of(said, "program_bytes"),
			(double)is->program_bytes);
		ck_assert_double_eq(
			number_of(said, "map_bytes"), (double)is->map_bytes);
	}
	cJSON_Delete(summary);
}
END_TEST

/* Times are since the run began, to the microsecond. */
START_TEST(report_record_has_its_times)
{
	struct avml_image_record record = {
		.range = { 0x1000, UINT64_C(0x123456789abcd000) },
		.offset = 32,
		.len = 77,
	};
	cJSON *line;
	size_t count;

	begin();
	record.read_begin = (uint64_t)report.started.tv_sec * 1000000000 +
			    (uint64_t)report.started.tv_nsec + 1500000;
	record.read_end = record.read_begin + UINT64_C(7000000000);
	report_range(&report, record.range);
	report_record(&report, &record);
	/* Each line is there before the run goes on. */
	line = line_at(2, &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_str_eq(text_of(line, "start"), "0x0000000000001000");
	ck_assert_str_eq(text_of(line, "end"), "0x123456789abcd000");
	ck_assert_double_eq_tol(number_of(line, "read_begin"), 0.0015, 1e-9);
	ck_assert_double_eq_tol(number_of(line, "read_end"), 7.0015, 1e-9);
	cJSON_Delete(line);
	finish(STATUS_COMPLETE);
}
END_TEST

/* Where nobody asked for one, nothing happens. */
START_TEST(report_that_is_not_wanted_is_none)
{
	const struct report_options none = { .path = NULL };
	const struct report_end end = { .status = 0 };
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(report_begin(&report, &none, &err), 0);
	report_warning(&report, "x");
	report_ram(&report, (struct avml_range){ 0, 4096 });
	report_range(&report, (struct avml_range){ 0, 4096 });
	ck_assert_int_eq(report_finish(&report, &end, &err), 0);
}
END_TEST

static Suite *report_suite(void)
{
	Suite *suite = suite_create("report");
	TCase *tc = tcase_create("report");

	tcase_add_test(tc, report_header_has_the_options_that_are_set);
	tcase_add_loop_test(tc, report_lines_before_the_header_follow_it, 0, 2);
	tcase_add_test(tc, report_ranges_of_ram_are_bounded);
	tcase_add_loop_test(
		tc, report_summary_tells_the_outcome, 0, TEST_COUNT(outcomes));
	tcase_add_loop_test(tc, report_summary_has_the_footprint, 0, 3);
	tcase_add_test(tc, report_record_has_its_times);
	tcase_add_test(tc, report_that_is_not_wanted_is_none);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(report_suite)

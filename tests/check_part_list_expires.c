/* SPDX-License-Identifier: MIT */
/* Until when a list of URLs is good. */
#include "cmd/part_list.h"

#include "check_main.h"
#include "check_wrap.h"

/* 2026-01-31T12:00:00Z */
#define NOW 1769860800
#define LIST                                                     \
	"{\"version\": 1, \"bucket\": \"b\", \"key\": \"k\", "   \
	"\"upload_id\": \"id\", \"abort\": \"http://h/a\", "     \
	"\"complete\": \"http://h/c\", \"part_size\": 5242880, " \
	"\"parts\": [\"http://h/1\"], \"expires\": %s}"

static time_t ahead; /* of NOW */

int WRAP(clock_gettime)(clockid_t clock, struct timespec *now)
{
	const int ret = REAL(clock_gettime)(clock, now);

	if (clock == CLOCK_REALTIME && ahead)
		*now = (struct timespec){ .tv_sec = NOW + ahead };
	return ret;
}

static const struct {
	const char *expires; /* as JSON */
	time_t ahead;
	const char *says; /* NULL: it is good */
} times[] = {
	{ "\"2026-01-31T12:00:00Z\"", -86400, NULL },
	{ "\"2026-01-31T12:00:00Z\"", 1, NULL },
	/* As far as clocks are let differ. */
	{ "\"2026-01-31T12:00:00Z\"", 900, NULL },
	{ "\"2026-01-31T12:00:00Z\"", 901,
		": its URLs expired at 2026-01-31T12:00:00Z, and it is "
		"2026-01-31T12:15:01Z by this machine's clock" },
	{ "\"1999-12-31T23:59:59Z\"", 1,
		": its URLs expired at 1999-12-31T23:59:59Z, and it is "
		"2026-01-31T12:00:01Z by this machine's clock" },
	{ "\"9999-12-31T23:59:59Z\"", 1, NULL },
	{ "\"2024-02-29T00:00:00Z\"", -99999999, NULL },
	{ "\"2026-02-29T00:00:00Z\"", 1, "expires is no time" },
	{ "\"2026-13-01T00:00:00Z\"", 1, "expires is no time" },
	{ "\"2027-01-31T24:00:00Z\"", 1, "expires is no time" },
	{ "\"2027-01-31T12:00:00\"", 1, "expires is no time" },
	{ "\"2027-01-31T12:00:00+01:00\"", 1, "expires is no time" },
	{ "\"2027-01-31T12:00:00Zx\"", 1, "expires is no time" },
	{ "\"2027-01-31 12:00:00Z\"", 1, "expires is no time" },
	{ "\" 2027-01-31T12:00:00Z\"", 1, "expires is no time" },
	{ "\"99999999999-01-31T12:00:00Z\"", 1, "expires is no time" },
	{ "\"\"", 1, "expires is no time" },
	{ "1801396800", 1, "expires is no time" },
	{ "null", 1, "expires is no time" },
};

START_TEST(part_list_expired_is_refused)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct part_list list;
	char text[1024];
	int ret;

	snprintf(text, sizeof(text), LIST, times[_i].expires);
	ahead = times[_i].ahead;
	ret = part_list_read(
		test_file("list", text, strlen(text)), &list, &err);
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
	if (!times[_i].says) {
		ck_assert_msg(ret == 0, "%s", err.text);
		part_list_release(&list);
		return;
	}
	ck_assert_int_eq(
		ret, times[_i].says[0] == ':' ? -EKEYEXPIRED : -EBADMSG);
	ck_assert_msg(strstr(avml_error_message(&err, 0), times[_i].says), "%s",
		err.text);
}
END_TEST

static Suite *part_list_expires_suite(void)
{
	Suite *suite = suite_create("part_list_expires");
	TCase *tcase = tcase_create("part_list_expires");

	tcase_add_loop_test(
		tcase, part_list_expired_is_refused, 0, TEST_COUNT(times));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(part_list_expires_suite)

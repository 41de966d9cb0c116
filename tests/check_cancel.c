/* SPDX-License-Identifier: MIT */
#include "base/cancel.h"

#include <signal.h>

#include "check_main.h"

START_TEST(cancel_not_asked_is_level_zero)
{
	ck_assert_int_eq(cancel_level(), 0);
	ck_assert_int_eq(cancel_signal(), 0);
}
END_TEST

/* The first signal counts for the exit status, whatever came after it. */
START_TEST(cancel_asked_again_goes_up_to_two)
{
	cancel_request(SIGHUP);
	ck_assert_int_eq(cancel_level(), 1);
	cancel_request(SIGINT);
	ck_assert_int_eq(cancel_level(), 2);
	for (int i = 0; i < 1000; i++)
		cancel_request(SIGTERM);
	ck_assert_int_eq(cancel_level(), 2);
	ck_assert_int_eq(cancel_signal(), SIGHUP);
}
END_TEST

static const struct {
	int signal_number;
	const char *says;
} names[] = {
	{ SIGINT, "stopped by SIGINT" },
	{ SIGTERM, "stopped by SIGTERM" },
	{ SIGHUP, "stopped by SIGHUP" },
	{ SIGUSR1, "stopped by a signal" },
};

START_TEST(cancel_error_names_the_first_signal)
{
	struct avml_error err = AVML_ERROR_INIT;

	cancel_request(names[_i].signal_number);
	cancel_request(SIGQUIT);
	ck_assert_int_eq(cancel_error(&err), -EINTR);
	ck_assert_int_eq(err.code, EINTR);
	ck_assert_str_eq(avml_error_message(&err, 0), names[_i].says);
}
END_TEST

static void request(int signal_number)
{
	cancel_request(signal_number);
}

START_TEST(cancel_asked_by_a_handler_is_seen)
{
	const struct sigaction action = { .sa_handler = request };

	ck_assert_int_eq(sigaction(SIGTERM, &action, NULL), 0);
	ck_assert_int_eq(raise(SIGTERM), 0);
	ck_assert_int_eq(cancel_level(), 1);
	ck_assert_int_eq(cancel_signal(), SIGTERM);
}
END_TEST

static Suite *cancel_suite(void)
{
	Suite *suite = suite_create("cancel");
	TCase *tcase = tcase_create("cancel");

	tcase_add_test(tcase, cancel_not_asked_is_level_zero);
	tcase_add_test(tcase, cancel_asked_again_goes_up_to_two);
	tcase_add_loop_test(tcase, cancel_error_names_the_first_signal, 0,
		TEST_COUNT(names));
	tcase_add_test(tcase, cancel_asked_by_a_handler_is_seen);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(cancel_suite)

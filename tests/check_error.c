/* SPDX-License-Identifier: MIT */
#include <avml/error.h>

#include "check_main.h"

static void fill(char *text, size_t len)
{
	memset(text, 'x', len);
	text[len] = '\0';
}

/* Every message ends within the storage, and none is beyond the depth. */
static void assert_sound(const struct avml_error *err)
{
	ck_assert_uint_le(err->depth, AVML_ERROR_DEPTH);
	ck_assert_uint_lt(err->used, sizeof(err->text));
	for (unsigned int i = 0; i < err->depth; i++) {
		const char *message = avml_error_message(err, i);

		ck_assert_ptr_nonnull(message);
		ck_assert(message >= err->text);
		ck_assert_ptr_nonnull(memchr(message, '\0',
			(size_t)(err->text + sizeof(err->text) - message)));
	}
	ck_assert_ptr_null(avml_error_message(err, err->depth));
	ck_assert_ptr_null(avml_error_message(err, UINT32_MAX));
}

START_TEST(error_initialised_is_empty)
{
	struct avml_error from_macro = AVML_ERROR_INIT;
	struct avml_error from_call;

	memset(&from_call, 0xa5, sizeof(from_call));
	avml_error_init(&from_call);
	ck_assert_int_eq(from_call.code, 0);
	ck_assert_uint_eq(from_call.depth, 0);
	assert_sound(&from_macro);
	assert_sound(&from_call);
}
END_TEST

START_TEST(error_set_holds_one_message)
{
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(
		avml_error_set(&err, ENODATA, "%s:%d", "name", 42), -ENODATA);
	ck_assert_int_eq(err.code, ENODATA);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_str_eq(avml_error_message(&err, 0), "name:42");
	assert_sound(&err);
}
END_TEST

START_TEST(error_set_on_garbage_replaces_it)
{
	struct avml_error err;

	memset(&err, 0xff, sizeof(err));
	avml_error_set(&err, EIO, "new");
	ck_assert_str_eq(avml_error_message(&err, 0), "new");
	assert_sound(&err);
}
END_TEST

START_TEST(error_set_again_drops_the_old_chain)
{
	struct avml_error err = AVML_ERROR_INIT;

	avml_error_set(&err, EIO, "old");
	avml_error_wrap(&err, "old context");
	avml_error_set(&err, ENOENT, "new");
	ck_assert_int_eq(err.code, ENOENT);
	ck_assert_uint_eq(err.depth, 1);
	ck_assert_str_eq(avml_error_message(&err, 0), "new");
	assert_sound(&err);
}
END_TEST

/* The last is none. */
static const int errnos[] = { ENOENT, EPERM, ENOSPC, 99999 };

START_TEST(error_set_errno_appends_its_text)
{
	struct avml_error err = AVML_ERROR_INIT;
	const int code = errnos[_i];
	char text[256];

	ck_assert_int_eq(
		avml_error_set_errno(&err, code, "cannot open %s", "f"), -code);
	ck_assert_int_eq(err.code, code);
	snprintf(text, sizeof(text), "cannot open f: %s", strerror(code));
	ck_assert_str_eq(avml_error_message(&err, 0), text);
	assert_sound(&err);
}
END_TEST

START_TEST(error_wrapped_gives_outermost_first)
{
	struct avml_error err = AVML_ERROR_INIT;

	avml_error_set(&err, EIO, "inner");
	ck_assert_int_eq(avml_error_wrap(&err, "middle %d", 1), -EIO);
	ck_assert_int_eq(avml_error_wrap(&err, "outer"), -EIO);
	ck_assert_int_eq(err.code, EIO);
	ck_assert_uint_eq(err.depth, 3);
	ck_assert_str_eq(avml_error_message(&err, 0), "outer");
	ck_assert_str_eq(avml_error_message(&err, 1), "middle 1");
	ck_assert_str_eq(avml_error_message(&err, 2), "inner");
	assert_sound(&err);
}
END_TEST

START_TEST(error_wrapped_with_nothing_keeps_an_empty_message)
{
	struct avml_error err = AVML_ERROR_INIT;

	avml_error_set(&err, EIO, "inner");
	avml_error_wrap(&err, "%s", "");
	ck_assert_uint_eq(err.depth, 2);
	ck_assert_str_eq(avml_error_message(&err, 0), "");
	ck_assert_str_eq(avml_error_message(&err, 1), "inner");
	assert_sound(&err);
}
END_TEST

START_TEST(error_copied_keeps_its_messages)
{
	struct avml_error err = AVML_ERROR_INIT, copy;

	avml_error_set(&err, EIO, "inner");
	avml_error_wrap(&err, "outer");
	copy = err;
	memset(&err, 0, sizeof(err));
	ck_assert_str_eq(avml_error_message(&copy, 0), "outer");
	ck_assert_str_eq(avml_error_message(&copy, 1), "inner");
}
END_TEST

/* More wraps than the depth: the last one is outermost, the cause stays. */
START_TEST(error_deeper_than_the_depth_folds_into_the_outermost)
{
	struct avml_error err = AVML_ERROR_INIT;
	char expected[32];

	avml_error_set(&err, EIO, "cause");
	for (int i = 1; i <= 3 * AVML_ERROR_DEPTH; i++) {
		ck_assert_int_eq(avml_error_wrap(&err, "wrap %d", i), -EIO);
		assert_sound(&err);
		snprintf(expected, sizeof(expected), "wrap %d", i);
		ck_assert_str_eq(avml_error_message(&err, 0), expected);
	}
	ck_assert_uint_eq(err.depth, AVML_ERROR_DEPTH);
	ck_assert_str_eq(
		avml_error_message(&err, AVML_ERROR_DEPTH - 1), "cause");
	ck_assert_str_eq(
		avml_error_message(&err, AVML_ERROR_DEPTH - 2), "wrap 1");
}
END_TEST

/* Lengths around the storage's own: whole, or cut with "..." at its end. */
START_TEST(error_of_any_length_fits_or_is_cut)
{
	char text[AVML_ERROR_TEXT + 16];

	for (size_t len = AVML_ERROR_TEXT - 8; len < AVML_ERROR_TEXT + 8;
		len++) {
		struct avml_error err = AVML_ERROR_INIT;
		const char *message;

		fill(text, len);
		avml_error_set(&err, EIO, "%s", text);
		assert_sound(&err);
		message = avml_error_message(&err, 0);
		if (len < AVML_ERROR_TEXT) {
			ck_assert_str_eq(message, text);
			continue;
		}
		ck_assert_uint_eq(strlen(message), AVML_ERROR_TEXT - 1);
		ck_assert_str_eq(message + AVML_ERROR_TEXT - 4, "...");
	}
}
END_TEST

START_TEST(error_set_errno_of_any_length_is_sound)
{
	char text[AVML_ERROR_TEXT + 16];

	for (size_t len = AVML_ERROR_TEXT - 64; len < AVML_ERROR_TEXT + 8;
		len++) {
		struct avml_error err = AVML_ERROR_INIT;

		fill(text, len);
		ck_assert_int_eq(avml_error_set_errno(&err, ENOSPC, "%s", text),
			-ENOSPC);
		assert_sound(&err);
		ck_assert_uint_ge(strlen(avml_error_message(&err, 0)),
			AVML_ERROR_TEXT - 64);
	}
}
END_TEST

/*
 * Storage that is nearly full when a wrap comes: the cause is never harmed,
 * the code never changes, and nothing is written past the end.
 */
START_TEST(error_wrapped_when_nearly_full_keeps_the_cause)
{
	char text[AVML_ERROR_TEXT + 16];

	for (size_t len = AVML_ERROR_TEXT - 40; len < AVML_ERROR_TEXT; len++) {
		struct avml_error err = AVML_ERROR_INIT;

		fill(text, len);
		avml_error_set(&err, EIO, "%s", text);
		for (int i = 0; i < AVML_ERROR_DEPTH + 2; i++) {
			ck_assert_int_eq(
				avml_error_wrap(&err, "context %d", i), -EIO);
			assert_sound(&err);
			ck_assert_str_eq(
				avml_error_message(&err, err.depth - 1), text);
		}
	}
}
END_TEST

START_TEST(error_wrapped_too_long_is_cut_with_dots)
{
	struct avml_error err = AVML_ERROR_INIT;
	char text[AVML_ERROR_TEXT + 1];
	const char *outer;

	fill(text, AVML_ERROR_TEXT);
	avml_error_set(&err, EIO, "cause");
	avml_error_wrap(&err, "%s", text);
	assert_sound(&err);
	outer = avml_error_message(&err, 0);
	ck_assert_uint_eq(
		strlen(outer), AVML_ERROR_TEXT - 1 - strlen("cause "));
	ck_assert_str_eq(outer + strlen(outer) - 4, "x...");
	ck_assert_str_eq(avml_error_message(&err, 1), "cause");
}
END_TEST

/* A chain that is full of long wraps still tells its cause first given. */
START_TEST(error_wrapped_without_end_is_sound)
{
	struct avml_error err = AVML_ERROR_INIT;
	char text[200];

	avml_error_set(&err, EFBIG, "cause");
	for (size_t i = 0; i < 100; i++) {
		fill(text, i * 37 % (sizeof(text) - 1));
		ck_assert_int_eq(avml_error_wrap(&err, "%s", text), -EFBIG);
		assert_sound(&err);
		ck_assert_str_eq(
			avml_error_message(&err, err.depth - 1), "cause");
	}
}
END_TEST

START_TEST(error_joined_is_one_line)
{
	struct avml_error err = AVML_ERROR_INIT;
	char text[64];

	memset(text, 'x', sizeof(text));
	ck_assert_uint_eq(avml_error_join(&err, text, sizeof(text)), 0);
	ck_assert_str_eq(text, "");
	avml_error_set(&err, EIO, "the disk");
	ck_assert_uint_eq(avml_error_join(&err, text, sizeof(text)), 8);
	ck_assert_str_eq(text, "the disk");
	avml_error_wrap(&err, "a page");
	avml_error_wrap(&err, "the run");
	ck_assert_uint_eq(avml_error_join(&err, text, sizeof(text)), 25);
	ck_assert_str_eq(text, "the run: a page: the disk");
	/* Joining changes nothing. */
	ck_assert_uint_eq(err.depth, 3);
}
END_TEST

/* Where it is cut: it says so, and stays within its room. */
START_TEST(error_joined_into_any_room_is_whole_or_cut)
{
	static const char whole[] = "the run: a page: the disk";
	struct avml_error err = AVML_ERROR_INIT;

	avml_error_set(&err, EIO, "the disk");
	avml_error_wrap(&err, "a page");
	avml_error_wrap(&err, "the run");
	for (size_t size = 1; size < 40; size++) {
		char text[41];
		size_t len;

		memset(text, 'x', sizeof(text));
		len = avml_error_join(&err, text, size);
		ck_assert_uint_eq(strlen(text), len);
		ck_assert_int_eq(text[size], 'x');
		if (size >= sizeof(whole)) {
			ck_assert_str_eq(text, whole);
			continue;
		}
		ck_assert_uint_eq(len, size - 1);
		ck_assert(strncmp(text, whole, len > 3 ? len - 3 : 0) == 0);
		if (len >= 3)
			ck_assert_str_eq(text + len - 3, "...");
	}
}
END_TEST

static Suite *error_suite(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");

	tcase_add_test(tcase, error_initialised_is_empty);
	tcase_add_test(tcase, error_set_holds_one_message);
	tcase_add_test(tcase, error_set_on_garbage_replaces_it);
	tcase_add_test(tcase, error_set_again_drops_the_old_chain);
	tcase_add_loop_test(
		tcase, error_set_errno_appends_its_text, 0, TEST_COUNT(errnos));
	tcase_add_test(tcase, error_wrapped_gives_outermost_first);
	tcase_add_test(
		tcase, error_wrapped_with_nothing_keeps_an_empty_message);
	tcase_add_test(tcase, error_joined_is_one_line);
	tcase_add_test(tcase, error_joined_into_any_room_is_whole_or_cut);
	tcase_add_test(tcase, error_copied_keeps_its_messages);
	tcase_add_test(
		tcase, error_deeper_than_the_depth_folds_into_the_outermost);
	tcase_add_test(tcase, error_of_any_length_fits_or_is_cut);
	tcase_add_test(tcase, error_set_errno_of_any_length_is_sound);
	tcase_add_test(tcase, error_wrapped_when_nearly_full_keeps_the_cause);
	tcase_add_test(tcase, error_wrapped_too_long_is_cut_with_dots);
	tcase_add_test(tcase, error_wrapped_without_end_is_sound);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(error_suite)

/* SPDX-License-Identifier: MIT */
/* Small files of the system's, where a path may be anything. */
#include "base/io.h"

#include "base/cleanup.h"
#include "check_paths.h"

/* What nobody asked for must be a file: a FIFO would wait. */
START_TEST(io_read_system_text_is_of_regular_files)
{
	static const char *const others[] = { "/", "/dev/zero", "/dev/null",
		NULL };
	const char *fifo = test_path("fifo");
	struct avml_error err = AVML_ERROR_INIT;
	CLEANUP_FREE char *text = NULL;
	char *none = NULL;
	size_t len;

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < TEST_COUNT(others); i++) {
		const char *path = others[i] ? others[i] : fifo;

		ck_assert_int_eq(
			io_read_system_text(path, 100, &none, &len, &err),
			-ENODEV);
		ck_assert_ptr_null(none);
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), path));
	}
	ck_assert_int_eq(
		io_read_system_text("/nonexistent/f", 100, &none, &len, &err),
		-ENOENT);
	ck_assert_int_eq(io_read_system_text(test_file("text", "abc", 3), 3,
				 &text, &len, &err),
		0);
	ck_assert_uint_eq(len, 3);
	ck_assert_str_eq(text, "abc");
	ck_assert_int_eq(io_read_system_text(test_file("text", "abc", 3), 2,
				 &none, &len, &err),
		-EFBIG);
	ck_assert_ptr_null(none);
}
END_TEST

static Suite *io_system_suite(void)
{
	Suite *suite = suite_create("io_system");
	TCase *tc = tcase_create("io_system");

	tcase_add_test(tc, io_read_system_text_is_of_regular_files);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(io_system_suite)

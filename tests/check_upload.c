/* SPDX-License-Identifier: MIT */
/* Which file is sent: the one that is meant, and no other of its name. */
#include <avml/upload.h>

#include "check_main.h"

#define LEN 1000

static const struct {
	uint64_t len; /* wanted */
	bool taken;
} lengths[] = {
	{ 0, true },
	{ LEN, true },
	{ LEN - 1, false },
	{ LEN + 1, false },
	{ UINT64_MAX, false },
};

/* Nobody listens there: what is refused before has another error. */
START_TEST(upload_file_has_the_length_that_is_wanted)
{
	static const uint8_t image[LEN] = { 1 };
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	struct avml_upload_options options = {
		.remote = &remote, .remove = true, .len = lengths[_i].len
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_upload_result result;
	char text[AVML_ERROR_TEXT];
	int ret;

	options.file = test_file("image", image, LEN);
	remote.kind = AVML_REMOTE_PUT;
	remote.to = "http://127.0.0.1:1/x";
	remote.retries = 0;
	ret = avml_upload(&options, &result, &err);
	ck_assert_int_lt(ret, 0);
	avml_error_join(&err, text, sizeof(text));
	if (lengths[_i].taken) {
		ck_assert_msg(ret != -ESTALE, "%s", text);
	} else {
		ck_assert_int_eq(ret, -ESTALE);
		ck_assert_msg(strstr(text, "is not the image that was written"),
			"%s", text);
	}
	ck_assert(!result.confirmed && !result.removed);
	ck_assert_int_eq(access(options.file, F_OK), 0);
}
END_TEST

static Suite *upload_suite(void)
{
	Suite *suite = suite_create("upload");
	TCase *tcase = tcase_create("upload");

	tcase_add_loop_test(tcase, upload_file_has_the_length_that_is_wanted, 0,
		TEST_COUNT(lengths));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(upload_suite)

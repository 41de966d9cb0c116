/* SPDX-License-Identifier: MIT */
/*
 * What is refused, and what is warned of, before an image is begun: on a
 * made-up file system with 40 MiB for an image.
 */
#include "check_disk.h"

#include "job/output.h"

static char warning[512];
static bool no_memory;

void *WRAP(malloc)(size_t len)
{
	return no_memory ? NULL : REAL(malloc)(len);
}

static void on_warning(void *ctx, const char *text)
{
	ck_assert_ptr_eq(ctx, warning);
	snprintf(warning, sizeof(warning), "%s", text);
}

static struct output_options options_for(const char *destination)
{
	warning[0] = '\0';
	disk.looks = 0;
	return (struct output_options){
		.destination = destination,
		.writer = { .format = AVML_IMAGE_LIME },
		.warning = { warning, on_warning },
	};
}

/* Open, and close again at once. 0 or what was refused. */
static int try_open(
	const struct output_options *options, struct avml_error *err)
{
	struct output out = { .destination = NULL };
	int ret;

	avml_error_init(err);
	ret = output_open(&out, options, err);
	if (ret == 0)
		ck_assert_int_eq(output_close(&out, 0, err), 0);
	output_release(&out);
	return ret;
}

static void assert_says(const char *said, const char *part)
{
	ck_assert_msg(
		strstr(said, part) != NULL, "\"%s\" lacks \"%s\"", said, part);
}

/* In MiB. */
static const struct {
	uint64_t estimate, least, min_free;
	bool force;
	int ret;
	const char *says;   /* the error, or else the warning */
	const char *says_2; /* it too */
} rooms[] = {
	{ 0, 0, 0, false, 0, "", "" },
	{ 40, 0, 0, false, 0, "", "" },
	{ 41, 0, 0, false, 0, "might not fit: 40 MiB", "41" },
	{ 41, 40, 0, false, 0, "might not fit", "" },
	{ 41, 41, 0, false, -ENOSPC, "cannot fit: 40 MiB", "41 MiB" },
	{ 0, 41, 0, false, -ENOSPC, "cannot fit", "--force" },
	{ 41, 41, 0, true, 0, "might not fit", "" },
	/* What is to stay free is not there to be written. */
	{ 30, 0, 10, false, 0, "", "" },
	{ 31, 0, 10, false, 0, "might not fit: 30 MiB", "--min-free" },
	{ 31, 30, 10, false, 0, "might not fit: 30 MiB", "" },
	{ 31, 31, 10, false, -ENOSPC, "cannot fit: 30 MiB", "31 MiB" },
	{ 31, 31, 10, true, 0, "might not fit", "" },
	{ 0, 0, 40, false, 0, "", "" },
	{ 0, 1, 40, false, -ENOSPC, "cannot fit: 0 MiB", "" },
	{ 0, 0, 41, false, -ENOSPC, "40 MiB are free", "41 MiB" },
	/* A limit is a limit. */
	{ 0, 0, 41, true, -ENOSPC, "40 MiB are free", "--min-free" },
	{ 0, 0, UINT64_MAX, false, -ENOSPC, "less than", "--min-free" },
	{ 0, 0, (UINT64_C(1) << 44) + 1, false, -ENOSPC, "less than", "" },
	{ 1 << 30, 1 << 30, 0, false, -ENOSPC, "cannot fit", "" },
};

START_TEST(output_room_is_looked_at_first)
{
	const char *path = test_path("image");
	struct output_options options = options_for(path);
	struct avml_error err;
	int ret;

	options.estimate = rooms[_i].estimate * MIB;
	options.least = rooms[_i].least * MIB;
	options.min_free_mib = rooms[_i].min_free;
	options.force = rooms[_i].force;
	ret = try_open(&options, &err);
	ck_assert_int_eq(ret, rooms[_i].ret);
	if (ret < 0) {
		assert_says(avml_error_message(&err, 0), path);
		assert_says(avml_error_message(&err, 0), rooms[_i].says);
		assert_says(avml_error_message(&err, 0), rooms[_i].says_2);
	} else {
		ck_assert((warning[0] != '\0') == (rooms[_i].says[0] != '\0'));
		assert_says(warning, rooms[_i].says);
		assert_says(warning, rooms[_i].says_2);
	}
	/* Refused, it leaves nothing behind. */
	ck_assert_int_eq(access(path, F_OK), ret < 0 ? -1 : 0);
}
END_TEST

/* The borders between what is refused and what is not, to the byte. */
START_TEST(output_least_is_held_against_bytes)
{
	struct output_options options = options_for(test_path("image"));
	struct avml_error err;

	options.least = 40 * MIB + 1;
	ck_assert_int_eq(try_open(&options, &err), -ENOSPC);
	options.least = 40 * MIB;
	ck_assert_int_eq(try_open(&options, &err), 0);
}
END_TEST

START_TEST(output_refused_leaves_an_old_file)
{
	const char *path = test_text("%s", test_file("image", "old", 3));
	struct output_options options = options_for(path);
	struct avml_error err;
	struct stat st;

	/* It makes room for a new one, but for its few bytes. */
	options.min_free_mib = 42;
	ck_assert_int_eq(try_open(&options, &err), -ENOSPC);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 3);
}
END_TEST

START_TEST(output_without_memory_leaves_an_old_file)
{
	const char *path = test_text("%s", test_file("image", "old", 3));
	struct output_options options = options_for(path);
	struct avml_error err;
	struct stat st;
	int ret;

	options.writer.format = AVML_IMAGE_LIME_COMPRESSED;
	/* An assertion wants some, too. */
	no_memory = true;
	ret = try_open(&options, &err);
	no_memory = false;
	ck_assert_int_eq(ret, -ENOMEM);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 3);
}
END_TEST

/* --- streams, and what cannot be told ------------------------------------- */

START_TEST(output_of_a_stream_has_no_room_to_keep_free)
{
	struct avml_error err;
	const char *names[2];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	names[0] = "/dev/null";
	names[1] = test_text("/dev/fd/%d", ends[1]);
	for (size_t i = 0; i < TEST_COUNT(names); i++) {
		struct output_options options = options_for(names[i]);

		options.estimate = options.least = 1000 * MIB;
		options.in_memory = true;
		ck_assert_int_eq(try_open(&options, &err), 0);
		ck_assert_str_eq(warning, "");
		options.min_free_mib = 1;
		ck_assert_int_eq(try_open(&options, &err), -ENOTSUP);
		assert_says(avml_error_message(&err, 0), "--min-free");
		assert_says(avml_error_message(&err, 0), names[i]);
		options.force = true;
		ck_assert_int_eq(try_open(&options, &err), -ENOTSUP);
	}
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(output_of_an_unknown_disk_is_tried)
{
	const char *path = test_path("image");
	struct output_options options = options_for(path);
	struct avml_error err;

	disk.failure = EIO;
	options.estimate = options.least = 1000 * MIB;
	ck_assert_int_eq(try_open(&options, &err), 0);
	ck_assert_int_eq(unlink(path), 0);
	options.min_free_mib = 1;
	ck_assert_int_eq(try_open(&options, &err), -ENOTSUP);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* --- in memory ------------------------------------------------------------ */

START_TEST(output_in_memory_is_refused_where_memory_is_read)
{
	static const long types[] = { TMPFS_MAGIC, RAMFS_MAGIC };

	for (int way = 0; way < 8; way++) {
		const char *path = test_path("image");
		struct output_options options = options_for(path);
		const bool refused = (way & 3) == 1;
		struct avml_error err;
		int ret;

		options.in_memory = way & 1;
		options.force = way & 2;
		disk.type = types[way >> 2];
		ret = try_open(&options, &err);
		ck_assert_int_eq(ret, refused ? -EINVAL : 0);
		ck_assert_int_eq(access(path, F_OK), refused ? -1 : 0);
		if (!refused)
			continue;
		assert_says(avml_error_message(&err, 0), path);
		assert_says(avml_error_message(&err, 0), "tmpfs or ramfs");
		assert_says(avml_error_message(&err, 0), "--force");
	}
}
END_TEST

START_TEST(output_on_a_disk_is_written_where_memory_is_read)
{
	struct output_options options = options_for(test_path("image"));
	struct avml_error err;

	options.in_memory = true;
	ck_assert_int_eq(try_open(&options, &err), 0);
	ck_assert_str_eq(warning, "");
}
END_TEST

/* The limits of before are kept as well, and first. */
START_TEST(output_limits_of_usage_come_first)
{
	struct output_options options = options_for(test_path("image"));
	struct avml_error err;

	options.limit.max_mib = 10;
	options.estimate = 11 * MIB;
	options.min_free_mib = 1000;
	ck_assert_int_eq(try_open(&options, &err), -EDQUOT);
	options.limit.max_mib = 11;
	ck_assert_int_eq(try_open(&options, &err), -ENOSPC);
	options.min_free_mib = 1;
	ck_assert_int_eq(try_open(&options, &err), 0);
}
END_TEST

static Suite *output_suite(void)
{
	Suite *suite = suite_create("output");
	TCase *tc = tcase_create("output");

	tcase_add_loop_test(
		tc, output_room_is_looked_at_first, 0, TEST_COUNT(rooms));
	tcase_add_test(tc, output_least_is_held_against_bytes);
	tcase_add_test(tc, output_refused_leaves_an_old_file);
	tcase_add_test(tc, output_without_memory_leaves_an_old_file);
	tcase_add_test(tc, output_of_a_stream_has_no_room_to_keep_free);
	tcase_add_test(tc, output_of_an_unknown_disk_is_tried);
	tcase_add_test(tc, output_in_memory_is_refused_where_memory_is_read);
	tcase_add_test(tc, output_on_a_disk_is_written_where_memory_is_read);
	tcase_add_test(tc, output_limits_of_usage_come_first);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(output_suite)

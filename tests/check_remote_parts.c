/* SPDX-License-Identifier: MIT */
/* Uploads without a key, by what contrib/avml-part-urls prints. */
#include <avml/sink.h>

#include "check_main.h"

#include <sys/wait.h>

#include <cjson/cJSON.h>

#include "check_store.h"
#include "sink/remote_sink.h"

static cJSON *list; /* what `parts` points into */
static const char *urls[8];
static struct avml_remote_parts parts = { .urls = urls };

static __attribute__((noreturn)) void run_script(const char *out)
{
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
	setenv("AWS_SESSION_TOKEN", "to/ken+==", 1);
	setenv("AWS_REGION", "eu-central-1", 1);
	execlp("python3", "python3", "-ISB", "contrib/avml-part-urls",
		"--bucket", "evidence", "--key", "a b/x+", "--part-size", "5M",
		"--parts", "3", "--endpoint-url", endpoint, "--output", out,
		(char *)NULL);
	_exit(127);
}

static const char *text_of(const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(list, name);

	ck_assert_msg(cJSON_IsString(item), "no %s", name);
	return item->valuestring;
}

/* cJSON_Delete(list) ends it. */
static void make_list(void)
{
	char path[TEST_PATH_MAX + 8], *text;
	int status = 0;
	pid_t child;
	size_t len;

	snprintf(path, sizeof(path), "%s/list", store_dir);
	child = fork();
	if (child == 0)
		run_script(path);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	text = test_load(path, &len);
	list = cJSON_Parse(text);
	ck_assert_ptr_nonnull(list);
	free(text);
	parts.part_size =
		(uint64_t)cJSON_GetObjectItemCaseSensitive(list, "part_size")
			->valuedouble;
	parts.complete = text_of("complete");
	parts.abort = text_of("abort");
	parts.head = text_of("head");
	parts.upload_id = text_of("upload_id");
	for (const cJSON *part =
			cJSON_GetObjectItemCaseSensitive(list, "parts")->child;
		part; part = part->next)
		urls[parts.count++] = part->valuestring;
	ck_assert_uint_eq(parts.count, 3);
}

static struct avml_remote by_list(void)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	remote.kind = AVML_REMOTE_PARTS;
	remote.to = "s3://evidence/a b/x+";
	remote.parts = &parts;
	return remote;
}

#define NOT_YET "head 404 NoSuchKey: a b/x+\n"

static const struct {
	const char *fault, *log;
} passing[] = {
	{ NULL, "create 200\n" PARTS NOT_YET "complete 200\nhead 200\n" },
	{ "part=500", "create 200\npart 1 500\n" PARTS NOT_YET
		      "complete 200\nhead 200\n" },
	{ "complete=lost",
		"create 200\n" PARTS NOT_YET "complete cut\n"
		"complete 404 NoSuchUpload: id+1/=.~\nhead 200\nhead 200\n" },
};

START_TEST(remote_parts_image_arrives)
{
	const char *const faults[] = { passing[_i].fault, NULL };
	struct avml_error err, why;
	int ret;

	start_store(faults);
	make_list();
	ret = store_upload(by_list(), &err, &why);
	ck_assert_msg(ret == 0, "%s", err.text);
	expect_object("a%20b%2Fx%2B");
	expect_log(passing[_i].log);
	cJSON_Delete(list);
}
END_TEST

/* The upload is aborted, and of the URLs' secrets nothing is said. */
START_TEST(remote_parts_what_lasts_fails)
{
	static const char *const faults[] = { "part=403", NULL };
	struct avml_error err, why;
	char text[AVML_ERROR_TEXT];

	start_store(faults);
	make_list();
	ck_assert_int_lt(store_upload(by_list(), &err, &why), 0);
	avml_error_join(&err, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "server answered 403"));
	ck_assert_ptr_null(strstr(text, "X-Amz"));
	expect_log("create 200\npart 1 403\nabort 204\n");
	expect_no_object("a%20b%2Fx%2B");
	ck_assert_uint_eq(why.depth, 0);
	cJSON_Delete(list);
}
END_TEST

/* A URL of another key or time is none, be it as well-formed as it may. */
START_TEST(remote_parts_wrong_url_is_refused)
{
	char changed[4096], *at;
	struct avml_error err, why;

	start_store(NULL);
	make_list();
	snprintf(changed, sizeof(changed), "%s", urls[1]);
	at = strstr(changed, "partNumber=2");
	ck_assert_ptr_nonnull(at);
	at[strlen("partNumber=")] = '3';
	urls[1] = changed;
	ck_assert_int_eq(store_upload(by_list(), &err, &why), -EACCES);
	expect_no_object("a%20b%2Fx%2B");
	cJSON_Delete(list);
}
END_TEST

/* The parts are as many and as large as they are. */
static void on_room(void *ctx, const char *text)
{
	ck_assert(strstr(text, "might not fit"));
	++*(int *)ctx;
}

START_TEST(remote_parts_too_long_image_is_refused)
{
	static const char *const given[] = { "https://h/1?a=b", "http://h/2" };
	struct avml_remote_parts two = { .urls = given,
		.count = 2,
		.part_size = 5 * MIB,
		.complete = "http://h/c",
		.abort = "http://h/a",
		.upload_id = "id" };
	struct avml_remote remote = by_list();
	struct avml_sink_options options = { .remote = &remote,
		.most = 10 * MIB };
	struct avml_error err;
	struct avml_sink_left left;
	struct avml_sink *sink;
	int told = 0;

	remote.parts = &two;
	remote.ctx = &told;
	remote.notice = on_room;
	ck_assert_int_eq(avml_sink_open("x", &options, &sink, &err), 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	ck_assert_int_eq(told, 0);
	options.most++;
	options.of_file = true;
	ck_assert_int_eq(avml_sink_open("x", &options, &sink, &err), -EFBIG);
	/* A stream may turn out to be shorter. */
	options.of_file = false;
	ck_assert_int_eq(avml_sink_open("x", &options, &sink, &err), 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	ck_assert_int_eq(told, 1);
	options.most = 0;
	ck_assert_int_eq(avml_sink_open("x", &options, &sink, &err), 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	avml_sink_free(sink);
	remote.block_mib = 6;
	ck_assert_int_eq(avml_sink_open("x", &options, &sink, &err), -EINVAL);
}
END_TEST

START_TEST(remote_parts_list_is_checked)
{
	const char *given[] = { "https://h/1", "http://h/2" };
	const struct avml_remote_parts good = { .urls = given,
		.count = 2,
		.part_size = 5 * MIB,
		.complete = "http://h/c",
		.abort = "http://h/a",
		.upload_id = "id" };
	struct avml_remote_parts bad[7];
	struct avml_remote remote = by_list();
	struct avml_error err;

	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		bad[i] = good;
	bad[0].count = 0;
	bad[1].count = 10001;
	bad[2].part_size = 4 * MIB;
	bad[3].part_size = 5 * MIB + 1;
	bad[4].complete = "c";
	bad[5].abort = "ftp://h/a";
	bad[6].head = "";
	remote.parts = &good;
	ck_assert_int_eq(avml_remote_check(&remote, &err), 0);
	for (size_t i = 0; i < TEST_COUNT(bad); i++) {
		remote.parts = &bad[i];
		ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
	}
	given[1] = "x";
	remote.parts = &good;
	ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
}
END_TEST

static Suite *remote_parts_suite(void)
{
	Suite *suite = suite_create("remote_parts");
	TCase *tc = tcase_create("remote_parts");

	tcase_add_loop_test(
		tc, remote_parts_image_arrives, 0, TEST_COUNT(passing));
	tcase_add_test(tc, remote_parts_what_lasts_fails);
	tcase_add_test(tc, remote_parts_wrong_url_is_refused);
	tcase_add_test(tc, remote_parts_too_long_image_is_refused);
	tcase_add_test(tc, remote_parts_list_is_checked);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(remote_parts_suite)

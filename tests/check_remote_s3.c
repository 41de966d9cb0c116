/* SPDX-License-Identifier: MIT */
#include <avml/sink.h>

#include "check_main.h"

#include "check_store.h"
#include "check_wrap.h"
#include "net/checksum.h"
#include "net/s3_place.h"

/* Which end of the sink's own checksum fails, from 1; 0: none. */
static unsigned int ends, end_fails_at;
/* That one: what is signed has others. */
static const struct checksum *own;

bool WRAP(checksum_end_base64)(struct checksum *sum, char *base64);
bool REAL(checksum_end_base64)(struct checksum *sum, char *base64);
bool WRAP(checksum_end_hex)(struct checksum *sum, char *hex);
bool REAL(checksum_end_hex)(struct checksum *sum, char *hex);

bool WRAP(checksum_end_base64)(struct checksum *sum, char *base64)
{
	own = sum;
	base64[0] = '\0';
	return ++ends != end_fails_at && REAL(checksum_end_base64)(sum, base64);
}

bool WRAP(checksum_end_hex)(struct checksum *sum, char *hex)
{
	hex[0] = '\0';
	return (sum != own || ++ends != end_fails_at) &&
	       REAL(checksum_end_hex)(sum, hex);
}

static struct avml_remote_s3 keys = {
	.endpoint = endpoint,
	.region = "eu-central-1",
	.key_id = "AKID",
	.secret = SECRET,
	.token = "to/ken+==",
};

static int upload(const struct avml_remote_s3 *s3, const char *to,
	struct avml_error *err, struct avml_error *abort_err)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	remote.kind = AVML_REMOTE_S3;
	remote.to = to;
	remote.s3 = s3;
	return store_upload(remote, err, abort_err);
}

START_TEST(remote_s3_image_arrives)
{
	struct avml_error err, why;

	start_store(NULL);
	ck_assert_int_eq(
		upload(&keys, "s3://evidence/case 7/../h\xc3\xb6st+%.lime",
			&err, &why),
		0);
	expect_object("case%207%2F..%2Fh%C3%B6st%2B%25.lime");
	expect_log("create 200\n" PARTS
		   "head 404 NoSuchKey: case 7/../h\xc3\xb6st+%.lime\n"
		   "complete 200\nhead 200\n");
	ck_assert_str_eq(notices, "");
}
END_TEST

/* What may pass, at every step: the image arrives, and that is told. */
static const struct {
	const char *fault, *log;
} passing[] = {
	{ "create=503", "create 503\ncreate 200\n" WHOLE "head 200\n" },
	{ "part=500", "create 200\npart 1 500\n" WHOLE "head 200\n" },
	/* RequestTimeout, as AWS has it. */
	{ "part=400", "create 200\npart 1 400\n" WHOLE "head 200\n" },
	{ "part=cut", "create 200\npart 1 cut\n" WHOLE "head 200\n" },
	{ "complete=503", "create 200\n" PARTS NO_OBJECT
			  "complete 503\ncomplete 200\nhead 200\n" },
	/* 200, and a failure in it. */
	{ "complete=error*2",
		"create 200\n" PARTS NO_OBJECT
		"complete 200\ncomplete 200\ncomplete 200\nhead 200\n" },
	/* Done, and only its answer is lost. */
	{ "complete=lost",
		"create 200\n" PARTS NO_OBJECT "complete cut\n"
		"complete 404 NoSuchUpload: id+1/=.~\nhead 200\nhead 200\n" },
	/* That nobody tells its length takes nothing back, nor much time. */
	{ "head=501*2",
		"create 200\n" PARTS "head 501\ncomplete 200\nhead 501\n" },
	{ "head=503*3", "create 200\n" PARTS "head 503\nhead 503\nhead 503\n"
			"complete 200\nhead 200\n" },
	{ "head=403*2",
		"create 200\n" PARTS "head 403\ncomplete 200\nhead 403\n" },
};

START_TEST(remote_s3_what_may_pass_passes)
{
	const char *const faults[] = { passing[_i].fault, NULL };
	struct avml_error err, why;
	int ret;

	start_store(faults);
	ret = upload(&keys, "s3://evidence/x", &err, &why);
	ck_assert_msg(ret == 0, "%s: %s", passing[_i].fault, err.text);
	expect_object("x");
	expect_log(passing[_i].log);
}
END_TEST

/*
 * An old object of the same length does not stand for a new one: not even when
 * nobody told that it was there before.
 */
START_TEST(remote_s3_old_object_is_no_confirmation)
{
	static const char *const faults[][3] = {
		{ "complete=404", NULL },
		{ "complete=404", "head=503*3", NULL },
	};
	static const char *const logs[] = {
		"create 200\n" PARTS "head 200\ncomplete 404\nhead 200\n"
		"abort 204\n",
		"create 200\n" PARTS "head 503\nhead 503\nhead 503\n"
		"complete 404\nabort 204\n",
	};
	char path[2 * TEST_PATH_MAX];
	struct avml_error err, why;
	int fd;

	start_store(faults[_i]);
	snprintf(path, sizeof(path), "%s/objects/x", store_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, IMAGE_LEN), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_lt(upload(&keys, "s3://evidence/x", &err, &why), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "server answered 404"));
	expect_log(logs[_i]);
}
END_TEST

/* Done, the answer lost, and nobody tells what is there: nor does abort. */
START_TEST(remote_s3_lost_completion_may_be_there)
{
	static const char *const faults[] = { "complete=lost", "head=403*3",
		NULL };
	struct avml_error err, why;

	start_store(faults);
	ck_assert_int_lt(upload(&keys, "s3://evidence/x", &err, &why), 0);
	ck_assert(store_left.unknown);
	ck_assert(!store_left.dropped);
	ck_assert_uint_eq(why.depth, 0);
	expect_object("x");
	expect_log("create 200\n" PARTS "head 403\ncomplete cut\n"
		   "complete 404 NoSuchUpload: id+1/=.~\nhead 403\n"
		   "abort 404 NoSuchUpload: id+1/=.~\n");
}
END_TEST

/*
 * Of each of three parts and of their list: from there on no checksum is
 * taken, and what is signed is "unsigned", which the store looks at.
 */
START_TEST(remote_s3_checksum_that_fails_is_told)
{
	struct avml_error err, why;
	int ret;

	start_store(NULL);
	end_fails_at = (unsigned int)_i;
	ret = upload(&keys, "s3://evidence/x", &err, &why);
	ck_assert_msg(ret == 0, "end %d: %s", _i, err.text);
	expect_object("x");
	expect_log("create 200\n" WHOLE "head 200\n");
	ck_assert_str_eq(notices,
		"s3://evidence/x: what is sent from here on has no checksum: "
		"OpenSSL fails to take it");
}
END_TEST

/* What does not: no object, the upload is aborted, and why is told. */
static const struct {
	const char *faults[3], *why, *log;
} lasting[] = {
	{ { "create=403" }, "server answered 403", "create 403\n" },
	{ { "create=odd" }, "began no upload", "create 200\n" },
	{ { "part=403" }, "server answered 403",
		"create 200\npart 1 403\nabort 204\n" },
	{ { "part=503*4" }, "server answered 503",
		"create 200\npart 1 503\npart 1 503\npart 1 503\npart 1 503\n"
		"abort 204\n" },
	{ { "part=odd" }, "without an ETag",
		"create 200\npart 1 200\nabort 204\n" },
	{ { "complete=denied" },
		"the parts are not put together: AccessDenied: Not yours",
		"create 200\n" WHOLE "abort 204\n" },
	{ { "complete=error*4" }, "InternalError: We broke",
		"create 200\n" PARTS NO_OBJECT
		"complete 200\ncomplete 200\ncomplete 200\ncomplete 200\n"
		"abort 204\n" },
	{ { "complete=odd" }, "confirmed nothing",
		"create 200\n" WHOLE "abort 204\n" },
	/* Whoever else is asked gets neither signature nor session's token. */
	{ { "create=moved" }, "redirected to http://localhost",
		"create 307\n" },
	{ { "part=moved" }, "TemporaryRedirect: Elsewhere",
		"create 200\npart 1 307\nabort 204\n" },
	{ { "complete=moved" }, "a signed request goes nowhere else",
		"create 200\n" PARTS NO_OBJECT "complete 307\nabort 204\n" },
	/* It was confirmed, and is not there. */
	{ { "head=404*2" }, "and now has nothing there",
		"create 200\n" PARTS "head 404\ncomplete 200\nhead 404\n" },
	{ { "part=403", "abort=403" }, "server answered 403",
		"create 200\npart 1 403\nabort 403\n" },
};

START_TEST(remote_s3_what_lasts_fails)
{
	struct avml_error err, why;
	char text[AVML_ERROR_TEXT];

	start_store(lasting[_i].faults);
	ck_assert_int_lt(upload(&keys, "s3://evidence/x", &err, &why), 0);
	avml_error_join(&err, text, sizeof(text));
	ck_assert_msg(strstr(text, lasting[_i].why), "%s: %s",
		lasting[_i].faults[0], text);
	/* Of what was put together, who is asked. */
	if (strcmp(lasting[_i].faults[0], "head=404*2") != 0)
		expect_no_object("x");
	expect_log(lasting[_i].log);
	ck_assert(store_left.dropped);
	ck_assert(!store_left.unknown);
	ck_assert_uint_eq(why.depth, lasting[_i].faults[1] ? 1 : 0);
	if (lasting[_i].faults[1])
		ck_assert_ptr_nonnull(
			strstr(why.text, "until the upload id+1/=.~ is"));
}
END_TEST

/* What was under way may be taken in after an abort: there is another. */
START_TEST(remote_s3_part_cut_off_is_aborted_twice)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	const struct avml_sink_options options = { .remote = &remote,
		.most = IMAGE_LEN };
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink_left left;
	char path[TEST_PATH_MAX + 8], *log;
	uint8_t *bytes = make_image();
	struct avml_sink *sink;
	size_t len;

	start_store(NULL);
	remote.kind = AVML_REMOTE_S3;
	remote.to = "s3://evidence/x";
	remote.s3 = &keys;
	remote.rate = 100000;
	ck_assert_int_eq(avml_sink_open(remote.to, &options, &sink, &err), 0);
	ck_assert_int_eq(avml_sink_write(sink, bytes, 5 * MIB, &err), 0);
	ck_assert_int_eq(avml_sink_abort(sink, &left, &err), 0);
	ck_assert(left.dropped);
	avml_sink_free(sink);
	snprintf(path, sizeof(path), "%s/log", store_dir);
	log = test_load(path, &len);
	ck_assert_ptr_nonnull(strstr(log, "abort 204\n"));
	ck_assert_msg(strstr(log, "abort 404 NoSuchUpload"), "%s", log);
	free(log);
	free(bytes);
}
END_TEST

/* The judge judges, and of the secret nothing is said. */
START_TEST(remote_s3_wrong_secret_is_refused)
{
	struct avml_remote_s3 wrong = keys;
	struct avml_error err, why;
	char text[AVML_ERROR_TEXT];

	wrong.secret = "another/secret";
	start_store(NULL);
	ck_assert_int_eq(
		upload(&wrong, "s3://evidence/x", &err, &why), -EACCES);
	avml_error_join(&err, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "SignatureDoesNotMatch"));
	ck_assert_ptr_null(strstr(text, "another"));
}
END_TEST

static const struct {
	const char *to;
	struct avml_remote_s3 s3;
	const char *base, *path; /* NULL: the error */
} places[] = {
	{ "s3://evidence/a b", { 0 },
		"https://evidence.s3.us-east-1.amazonaws.com", "/a b" },
	{ "s3://evidence/k", { .region = "eu-west-1", .endpoint = "" },
		"https://evidence.s3.eu-west-1.amazonaws.com", "/k" },
	{ "s3://evidence/k", { .path_style = true },
		"https://s3.us-east-1.amazonaws.com", "/evidence/k" },
	{ "s3://evi.dence//k/", { 0 }, "https://s3.us-east-1.amazonaws.com",
		"/evi.dence//k/" },
	{ "s3://evi.dence/k", { .endpoint = "http://b.example:80" },
		"http://evi.dence.b.example", "/k" },
	{ "s3://evidence/k", { .endpoint = "https://b.example:443/" },
		"https://evidence.b.example", "/k" },
	{ "s3://evidence/k", { .endpoint = "https://b.example:9000" },
		"https://evidence.b.example:9000", "/k" },
	{ "s3://evidence/k", { .endpoint = "http://[::1]:9000" },
		"http://[::1]:9000", "/evidence/k" },
	{ "s3://evidence/k", { .endpoint = "http://localhost" },
		"http://localhost", "/evidence/k" },
	{ "https://evidence/k", { 0 }, NULL, "s3://BUCKET/KEY" },
	{ "s3://evidence", { 0 }, NULL, "s3://BUCKET/KEY" },
	{ "s3://evidence/", { 0 }, NULL, "1 to 1024 bytes" },
	{ "s3://Evidence/k", { 0 }, NULL, "no bucket" },
	{ "s3://-vidence/k", { 0 }, NULL, "no bucket" },
	{ "s3://ab/k", { 0 }, NULL, "no bucket" },
	{ "s3://a@b:c/k", { 0 }, NULL, "no bucket" },
	{ "s3://evidence/k", { .endpoint = "http://h/path" }, NULL,
		"more than a scheme" },
	{ "s3://evidence/k", { .endpoint = "http://h/?a=b" }, NULL,
		"more than a scheme" },
	{ "s3://evidence/k", { .endpoint = "http://u:p@h" }, NULL,
		"more than a scheme" },
	{ "s3://evidence/k", { .endpoint = "ftp://h" }, NULL, "endpoint" },
	{ "s3://evidence/k", { .region = "a\r\nb: c" }, NULL, "no region" },
	{ "s3://evidence/k", { .region = "evil.example/x" }, NULL,
		"no region" },
	{ "s3://evidence/k", { .token = "a\nb" }, NULL, "session token" },
	{ "s3://evidence/k", { .key_id = "a\nb" }, NULL, "key's id" },
	{ "s3://evidence/k", { .key_id = "a/b" }, NULL, "key's id" },
	{ "s3://evidence/k", { .key_id = "" }, NULL, "AWS_ACCESS_KEY_ID" },
	{ "s3://evidence/k", { .secret = "" }, NULL, "AWS_SECRET_ACCESS_KEY" },
};

START_TEST(s3_place_is_where_it_is_said)
{
	struct avml_remote_s3 s3 = places[_i].s3;
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;
	char text[AVML_ERROR_TEXT];
	struct s3_place place;
	int ret;

	if (!s3.key_id)
		s3.key_id = "AKID";
	if (!s3.secret)
		s3.secret = SECRET;
	remote.kind = AVML_REMOTE_S3;
	remote.to = places[_i].to;
	remote.s3 = &s3;
	ret = s3_place_init(&place, &remote, &err);
	avml_error_join(&err, text, sizeof(text));
	if (!places[_i].base) {
		ck_assert_int_eq(ret, -EINVAL);
		ck_assert_msg(strstr(text, places[_i].path), "%s", text);
		ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
		return;
	}
	ck_assert_msg(ret == 0, "%s", text);
	ck_assert_str_eq(place.base, places[_i].base);
	ck_assert_str_eq(place.path, places[_i].path);
	ck_assert_str_eq(place.host, strstr(place.base, "//") + 2);
	s3_place_release(&place);
}
END_TEST

START_TEST(s3_name_is_what_a_terminal_shows)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	char name[32];

	remote.kind = AVML_REMOTE_S3;
	remote.to = "s3://evidence/\033[2J\xc3\xa4";
	avml_remote_name(&remote, name, sizeof(name));
	ck_assert_str_eq(name, "s3://evidence/?[2J\xc3\xa4");
	avml_remote_name(&remote, name, 10);
	ck_assert_str_eq(name, "s3://evid");
}
END_TEST

static Suite *remote_s3_suite(void)
{
	Suite *suite = suite_create("remote_s3");
	TCase *tc = tcase_create("remote_s3");

	tcase_add_test(tc, remote_s3_image_arrives);
	tcase_add_loop_test(
		tc, remote_s3_what_may_pass_passes, 0, TEST_COUNT(passing));
	tcase_add_loop_test(
		tc, remote_s3_checksum_that_fails_is_told, 1, 1 + 4);
	tcase_add_loop_test(tc, remote_s3_old_object_is_no_confirmation, 0, 2);
	tcase_add_loop_test(
		tc, remote_s3_what_lasts_fails, 0, TEST_COUNT(lasting));
	tcase_add_test(tc, remote_s3_lost_completion_may_be_there);
	tcase_add_test(tc, remote_s3_part_cut_off_is_aborted_twice);
	tcase_add_test(tc, remote_s3_wrong_secret_is_refused);
	tcase_add_loop_test(
		tc, s3_place_is_where_it_is_said, 0, TEST_COUNT(places));
	tcase_add_test(tc, s3_name_is_what_a_terminal_shows);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(remote_s3_suite)

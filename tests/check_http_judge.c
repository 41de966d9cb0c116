/* SPDX-License-Identifier: MIT */
/* What is thought of answers that a server on loopback does not give. */
#include "net/http_parts.h"

#include "check_main.h"

#include <stdarg.h>

#include "check_wrap.h"

#define SECRET "s3cr3tvalue"

/* What libcurl says of the answer. */
static long status;
static const char *place;
static curl_off_t retry_after;

#undef curl_easy_getinfo
CURLcode WRAP(curl_easy_getinfo)(CURL *curl, CURLINFO info, ...);

CURLcode WRAP(curl_easy_getinfo)(CURL *curl, CURLINFO info, ...)
{
	void *to;
	va_list ap;

	(void)curl;
	va_start(ap, info);
	to = va_arg(ap, void *);
	va_end(ap);
	if (info == CURLINFO_RESPONSE_CODE)
		*(long *)to = status;
	else if (info == CURLINFO_REDIRECT_URL)
		*(const char **)to = place;
	else if (info == CURLINFO_RETRY_AFTER)
		*(curl_off_t *)to = retry_after;
	else
		return CURLE_UNKNOWN_OPTION;
	return CURLE_OK;
}

static struct avml_remote remote = AVML_REMOTE_DEFAULTS;
static struct http_common common = { .remote = &remote };
static struct http_job job;
static char empty[1], text[AVML_ERROR_TEXT];
static uint64_t wait_ms;

/* Of a request without a body, after so many redirects. */
static struct http_attempt attempt_to(const char *url)
{
	job = (struct http_job){ .method = "POST", .url = url };
	return (struct http_attempt){
		.common = &common, .job = &job, .text = empty
	};
}

static ssize_t no_read(
	void *ctx, uint64_t at, void *buf, size_t size, struct avml_error *err)
{
	(void)ctx;
	(void)at;
	(void)buf;
	(void)size;
	return avml_error_set(err, EIO, "nobody reads");
}

static bool not_again(void *ctx)
{
	(void)ctx;
	return false;
}

static enum http_verdict judge(struct http_attempt *a, CURLcode code)
{
	struct avml_error err = AVML_ERROR_INIT;
	const enum http_verdict verdict =
		attempt_judge(a, code, &wait_ms, &err);

	avml_error_join(&err, text, sizeof(text));
	ck_assert_ptr_null(strstr(text, SECRET));
	return verdict;
}

static const struct {
	const char *from, *to;
	const char *says; /* NULL: it is followed */
} ways[] = {
	{ "https://a/x", "https://b/y?" SECRET, NULL },
	{ "http://a/x", "https://b/y", NULL },
	{ "http://a/x", "http://b/y", NULL },
	/* Nobody who listens in may get what was meant to be encrypted. */
	{ "https://a/x?" SECRET, "http://a/x?" SECRET,
		"https://a/x: the server redirected from https to http: "
		"http://a/x" },
	{ "HTTPS://a/x", "HTTP://u:" SECRET "@a/x",
		"https://a/x: the server redirected from https to http: "
		"http://a/x" },
	{ "https://a/x", "file:///etc/passwd",
		"https://a/x: the server redirected to what is no place to "
		"send to: the URL has no host" },
};

START_TEST(http_judge_leads_nowhere_that_is_not_secure)
{
	struct http_attempt a = attempt_to(ways[_i].from);
	enum http_verdict verdict;

	status = 307;
	place = ways[_i].to;
	verdict = judge(&a, CURLE_OK);
	if (ways[_i].says) {
		ck_assert_int_eq(verdict, VERDICT_FAILED);
		ck_assert_str_eq(text, ways[_i].says);
		ck_assert_uint_eq(a.redirects, 0);
	} else {
		ck_assert_int_eq(verdict, VERDICT_ELSEWHERE);
		ck_assert_str_eq(attempt_url(&a), ways[_i].to);
	}
	attempt_forget_places(&a);
}
END_TEST

/* Not even to where it would be safe. */
START_TEST(http_judge_binds_what_is_signed)
{
	struct http_attempt a = attempt_to("https://a/x");

	status = 307;
	place = "https://b/y?" SECRET;
	job.bound = true;
	ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_FAILED);
	ck_assert_str_eq(text,
		"https://a/x: the server redirected to https://b/y, but a "
		"signed request goes nowhere else (are region and endpoint "
		"right?): no explanation");
	ck_assert_uint_eq(a.redirects, 0);
}
END_TEST

/* By way of another https, too: it is where one is that counts. */
START_TEST(http_judge_looks_at_the_last_place)
{
	struct http_attempt a = attempt_to("http://a/x");

	status = 308;
	place = "https://b/y?" SECRET;
	ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_ELSEWHERE);
	place = "http://a/x";
	ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_FAILED);
	ck_assert_str_eq(text,
		"https://b/y: the server redirected from https to http: "
		"http://a/x");
	attempt_forget_places(&a);
}
END_TEST

/* What may go better the next time, and what will not. */
static const struct {
	CURLcode code;
	enum http_verdict verdict;
} failures[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, VERDICT_AGAIN },
	{ CURLE_COULDNT_RESOLVE_PROXY, VERDICT_AGAIN },
	{ CURLE_COULDNT_CONNECT, VERDICT_AGAIN },
	{ CURLE_SSL_CONNECT_ERROR, VERDICT_AGAIN },
	{ CURLE_SEND_ERROR, VERDICT_AGAIN },
	{ CURLE_RECV_ERROR, VERDICT_AGAIN },
	{ CURLE_GOT_NOTHING, VERDICT_AGAIN },
	{ CURLE_PARTIAL_FILE, VERDICT_AGAIN },
	{ CURLE_OPERATION_TIMEDOUT, VERDICT_AGAIN },
	{ CURLE_SEND_FAIL_REWIND, VERDICT_AGAIN },
	{ CURLE_OUT_OF_MEMORY, VERDICT_AGAIN },
	{ CURLE_PEER_FAILED_VERIFICATION, VERDICT_FAILED },
	{ CURLE_SSL_PINNEDPUBKEYNOTMATCH, VERDICT_FAILED },
	{ CURLE_SSL_CERTPROBLEM, VERDICT_FAILED },
	{ CURLE_SSL_CACERT_BADFILE, VERDICT_FAILED },
	{ CURLE_URL_MALFORMAT, VERDICT_FAILED },
	{ CURLE_UNSUPPORTED_PROTOCOL, VERDICT_FAILED },
	{ CURLE_WEIRD_SERVER_REPLY, VERDICT_FAILED },
};

START_TEST(http_judge_knows_what_may_pass)
{
	struct http_attempt a = attempt_to("https://a/x?sig=" SECRET);

	status = 0;
	snprintf(a.curl_error, sizeof(a.curl_error), "it is so: sig=" SECRET);
	ck_assert_int_eq(judge(&a, failures[_i].code), failures[_i].verdict);
	ck_assert_str_eq(text, "https://a/x: it is so: [removed]");
}
END_TEST

/* --- secrets -------------------------------------------------------------- */

#define SIGNATURE "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St%2Buv%2Fwx%3D"
#define PIECE 6

/* What is shown of a refusal with this text. */
static void refuse(struct http_attempt *a, const char *said)
{
	status = 403;
	a->text = (char *)(uintptr_t)said;
	a->text_len = strlen(said);
	ck_assert_int_eq(judge(a, CURLE_OK), VERDICT_FAILED);
}

static void expect_no_piece_of(const char *secret)
{
	char piece[PIECE + 1];

	for (const char *at = secret; strlen(at) >= PIECE; at++) {
		memcpy(piece, at, PIECE);
		piece[PIECE] = '\0';
		ck_assert_msg(!strcasestr(text, piece), "%s", text);
	}
}

/* Where an answer is cut short, wherever its secret begins. */
static const struct {
	const char *before, *after;
} pages[] = {
	{ "", "?sig=" SIGNATURE " is refused" },
	{ "<html><title>", "?sig=" SIGNATURE "</title>" },
	{ "<Error><Code>Denied</Code><Message>",
		" " SIGNATURE "</Message></Error>" },
	/* And one that came no further. */
	{ "", "?sig=0Ab1Cd2Ef3Gh4Ij5Kl6" },
};

START_TEST(http_judge_cuts_no_secret_in_two)
{
	struct http_attempt a = attempt_to("https://a/x?sig=" SIGNATURE);
	char path[400], said[600];

	memset(path, 'p', sizeof(path));
	for (int len = 1; len <= (int)sizeof(path); len++) {
		snprintf(said, sizeof(said), "%s%.*s%s", pages[_i].before, len,
			path, pages[_i].after);
		refuse(&a, said);
		expect_no_piece_of(SIGNATURE);
		expect_no_piece_of("8Qr9St+uv/wx=");
	}
}
END_TEST

/* Of all places on the way. */
START_TEST(http_judge_knows_the_secrets_of_each_place)
{
	struct http_attempt a = attempt_to("https://a/x?sig=first-secret");
	static const char *const on[] = { "https://b/x?sig=second-secret",
		"https://u:third-secret@c/x", "https://d/x?sig=fourth-secret" };

	status = 307;
	for (size_t i = 0; i < TEST_COUNT(on); i++) {
		place = on[i];
		ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_ELSEWHERE);
	}
	refuse(&a, "no first-secret, second-secret, third-secret, "
		   "fourth-secret");
	ck_assert_str_eq(text, "https://d/x: the server answered 403: no "
			       "[removed], [removed], [removed], [removed]");
	attempt_forget_places(&a);
}
END_TEST

/* A request's own headers have some too. */
START_TEST(http_judge_knows_the_secrets_of_headers)
{
	struct http_attempt a = attempt_to("https://a/x");

	a.list = curl_slist_append(NULL, "x-amz-date: 20260101T000000Z");
	a.list = curl_slist_append(a.list, "X-Amz-Security-Token: to/ken+123");
	a.list = curl_slist_append(a.list,
		"Authorization: AWS4-HMAC-SHA256 Credential=KEY/day, "
		"SignedHeaders=host, Signature=0123456789abcdef");
	ck_assert_ptr_nonnull(a.list);
	refuse(&a, "at 20260101T000000Z AWS4-HMAC-SHA256 Credential=KEY/day, "
		   "SignedHeaders=host, Signature=0123456789abcdef; "
		   "{\"token\": \"to\\/ken+123\", \"s\": "
		   "\"0123456789abcdef\"}");
	ck_assert_str_eq(text, "https://a/x: the server answered 403: at "
			       "20260101T000000Z [removed]; "
			       "{\"token\": \"[removed]\", \"s\": "
			       "\"[removed]\"}");
	curl_slist_free_all(a.list);
}
END_TEST

/* --- when to come again --------------------------------------------------- */

/* Seconds, of what may pass alone; what is no time at all is none. */
static const struct {
	long status;
	curl_off_t after;
	uint64_t wait_ms;
	enum http_verdict verdict;
} waits[] = {
	{ 503, 7, 7000, VERDICT_AGAIN },
	{ 429, 0, 0, VERDICT_AGAIN },
	{ 503, -1, 0, VERDICT_AGAIN },
	{ 503, INT32_MAX, 0, VERDICT_AGAIN },
	{ 503, INT32_MAX - 1, (INT32_MAX - 1) * UINT64_C(1000), VERDICT_AGAIN },
	{ 404, 7, 0, VERDICT_FAILED },
};

START_TEST(http_judge_hears_how_long_to_wait)
{
	struct http_attempt a = attempt_to("https://a/x");

	status = waits[_i].status;
	retry_after = waits[_i].after;
	wait_ms = 1;
	ck_assert_int_eq(judge(&a, CURLE_OK), waits[_i].verdict);
	ck_assert_uint_eq(wait_ms, waits[_i].wait_ms);
}
END_TEST

/* Of 400, the code says whether it was only on the way. */
static const struct {
	const char *code;
	enum http_verdict verdict;
} codes[] = {
	{ "RequestTimeout", VERDICT_AGAIN },
	{ "BadDigest", VERDICT_AGAIN },
	{ "XAmzContentSHA256Mismatch", VERDICT_AGAIN },
	{ "Md5Mismatch", VERDICT_AGAIN },
	{ "InvalidDigest", VERDICT_FAILED },
	{ "InvalidMd5", VERDICT_FAILED },
	{ "InvalidArgument", VERDICT_FAILED },
	{ "", VERDICT_FAILED },
};

START_TEST(http_judge_knows_what_went_wrong_on_the_way)
{
	struct http_attempt a = attempt_to("https://a/x");
	char said[200], wanted[200];

	a.text_len = (size_t)snprintf(said, sizeof(said),
		"<?xml version=\"1.0\"?><Error><Code>%s</Code></Error>",
		codes[_i].code);
	a.text = said;
	status = 400;
	ck_assert_int_eq(judge(&a, CURLE_OK), codes[_i].verdict);
	snprintf(wanted, sizeof(wanted),
		"https://a/x: the server answered "
		"400: %s",
		codes[_i].code[0] ? codes[_i].code : "Bad Request");
	ck_assert_str_eq(text, wanted);
	/* Another status means what it says. */
	status = 403;
	ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_FAILED);
	/* And the whole has to be there to be sent again. */
	job.body = (struct http_body){ .read = no_read, .again = not_again };
	a.at = 1;
	status = 400;
	ck_assert_int_eq(judge(&a, CURLE_OK), VERDICT_FAILED);
}
END_TEST

static Suite *http_judge_suite(void)
{
	Suite *suite = suite_create("http_judge");
	TCase *tcase = tcase_create("http_judge");

	tcase_add_loop_test(tcase, http_judge_leads_nowhere_that_is_not_secure,
		0, TEST_COUNT(ways));
	tcase_add_test(tcase, http_judge_binds_what_is_signed);
	tcase_add_test(tcase, http_judge_looks_at_the_last_place);
	tcase_add_loop_test(
		tcase, http_judge_knows_what_may_pass, 0, TEST_COUNT(failures));
	tcase_add_loop_test(
		tcase, http_judge_cuts_no_secret_in_two, 0, TEST_COUNT(pages));
	tcase_add_test(tcase, http_judge_knows_the_secrets_of_each_place);
	tcase_add_test(tcase, http_judge_knows_the_secrets_of_headers);
	tcase_add_loop_test(
		tcase, http_judge_hears_how_long_to_wait, 0, TEST_COUNT(waits));
	tcase_add_loop_test(tcase, http_judge_knows_what_went_wrong_on_the_way,
		0, TEST_COUNT(codes));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(http_judge_suite)

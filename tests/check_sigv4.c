/* SPDX-License-Identifier: MIT */
/*
 * What AWS has published: the examples of the S3 API Reference, and cases of
 * its test suite for Signature Version 4 in which services do not differ.
 * tests/lib/sigv4.py comes to the same by code of its own.
 */
#include "net/sigv4.h"

#include "check_main.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "check_wrap.h"

#define NOTHING                            \
	"e3b0c44298fc1c149afbf4c8996fb924" \
	"27ae41e4649b934ca495991b7852b855"

/* How many HMACs there may be before one fails, and whether hashing does. */
static int hmacs_left = 1000;
static bool fail_hash;

unsigned char *WRAP(HMAC)(const EVP_MD *md, const void *key, int key_len,
	const unsigned char *data, size_t len, unsigned char *out,
	unsigned int *out_len);
unsigned char *REAL(HMAC)(const EVP_MD *md, const void *key, int key_len,
	const unsigned char *data, size_t len, unsigned char *out,
	unsigned int *out_len);
int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
int REAL(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);

unsigned char *WRAP(HMAC)(const EVP_MD *md, const void *key, int key_len,
	const unsigned char *data, size_t len, unsigned char *out,
	unsigned int *out_len)
{
	if (hmacs_left-- <= 0)
		return NULL;
	return REAL(HMAC)(md, key, key_len, data, len, out, out_len);
}

int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
	return fail_hash ? 0 : REAL(EVP_DigestUpdate)(ctx, bytes, len);
}

static const struct sigv4_keys s3_keys = {
	.id = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};
#define S3_TIME 1369353600 /* 2013-05-24 00:00:00 UTC */
#define S3_HOST "examplebucket.s3.amazonaws.com"

static const struct sigv4_keys suite_keys = {
	.id = "AKIDEXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};
#define SUITE_TIME 1440938160 /* 2015-08-30 12:36:00 UTC */

struct example {
	const char *name, *method, *path;
	struct pair query[3], headers[3];
	const char *payload, *names, *signature;
};

static const struct example s3_examples[] = {
	{ "GET Object", "GET", "/test.txt", { { 0 } },
		{ { "range", "bytes=0-9" } }, NOTHING,
		"host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed31"
		"0bd44f0170aba48dd91039c6036bdb41" },
	{ "PUT Object", "PUT", "/test$file.text", { { 0 } },
		{ { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
			{ "date", "Fri, 24 May 2013 00:00:00 GMT" } },
		"44ce7dd67c959e0d3524ffac1771dfbb"
		"a87d2b6b4b4e99e42034a8b803f8b072",
		"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
		"98ad721746da40c64f1a55b78f14c238"
		"d841ea1380cd77a1b5971af0ece108bd" },
	{ "GET Bucket Lifecycle", "GET", "/", { { "lifecycle", "" } },
		{ { 0 } }, NOTHING, "host;x-amz-content-sha256;x-amz-date",
		"fea454ca298b7da1c68078a5d1bdbfbb"
		"e0d65c699e0f91ac7a200a0136783543" },
	{ "GET Bucket", "GET", "/", { { "prefix", "J" }, { "max-keys", "2" } },
		{ { 0 } }, NOTHING, "host;x-amz-content-sha256;x-amz-date",
		"34b48302e7b5fa45bde8084f4b7868a8"
		"6f0a534bc59db6670ed5711ef69dc6f7" },
};

#define UNRESERVED                                                      \
	"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu" \
	"vwxyz"

static const struct example suite_examples[] = {
	{ "get-vanilla", "GET", "/", { { 0 } }, { { 0 } }, NOTHING,
		"host;x-amz-date",
		"5fa00fa31553b73ebf1942676e86291e"
		"8372ff2a2260956d9b8aae1d763fbf31" },
	{ "post-vanilla", "POST", "/", { { 0 } }, { { 0 } }, NOTHING,
		"host;x-amz-date",
		"5da7c1a2acd57cee7505fc6676e4e544"
		"621c30862966e37dddb68e92efbe5d6b" },
	{ "get-vanilla-query-order-key-case", "GET", "/",
		{ { "Param2", "value2" }, { "Param1", "value1" } }, { { 0 } },
		NOTHING, "host;x-amz-date",
		"b97d918cfa904a5beff61c982a1b6f45"
		"8b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-unreserved", "GET", "/",
		{ { UNRESERVED, UNRESERVED } }, { { 0 } }, NOTHING,
		"host;x-amz-date",
		"9c3e54bfcdf0b19771a7f523ee5669cd"
		"f59bc7cc0884027167c21bb143a40197" },
	{ "get-utf8", "GET", "/\xe1\x88\xb4", { { 0 } }, { { 0 } }, NOTHING,
		"host;x-amz-date",
		"8318018e0b0f223aa2bbf98705b62bb7"
		"87dc9c0e678f255a891fd03141be5d85" },
	{ "get-unreserved", "GET", "/" UNRESERVED, { { 0 } }, { { 0 } },
		NOTHING, "host;x-amz-date",
		"07ef7494c76fa4850883e2b006601f94"
		"0f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-space", "GET", "/example space/", { { 0 } }, { { 0 } }, NOTHING,
		"host;x-amz-date",
		"652487583200325589f1fba4c7e578f7"
		"2c47cb61beeca81406b39ddec1366741" },
	{ "get-header-value-trim", "GET", "/", { { 0 } },
		{ { "my-header2", " \"a   b   c\"" },
			{ "my-header1", " value1 " } },
		NOTHING, "host;my-header1;my-header2;x-amz-date",
		"acc3ed3afb60bb290fc8d2dd0098b991"
		"1fcaa05412b367055dee359757a9c736" },
};

static size_t count_pairs(const struct pair *pairs)
{
	size_t n = 0;

	while (n < 3 && pairs[n].name)
		n++;
	return n;
}

static void check_example(const struct example *e, const char *host,
	const struct sigv4_keys *keys, time_t now, const char *date,
	const char *scope)
{
	char *target = target_new(e->path, e->query, count_pairs(e->query));
	const struct sigv4_request request = {
		.method = e->method,
		.host = host,
		.target = target,
		.headers = e->headers,
		.header_count = count_pairs(e->headers),
		.payload = e->payload,
	};
	struct sigv4_signature signature = { .authorization = NULL };
	struct avml_error err;
	char wanted[512];

	ck_assert_ptr_nonnull(target);
	ck_assert_int_eq(sigv4_sign(keys, &request, now, &signature, &err), 0);
	snprintf(wanted, sizeof(wanted),
		"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, "
		"Signature=%s",
		keys->id, scope, e->names, e->signature);
	ck_assert_msg(strcmp(signature.authorization, wanted) == 0,
		"%s: %s is not %s", e->name, signature.authorization, wanted);
	ck_assert_str_eq(signature.date, date);
	free(signature.authorization);
	free(target);
}

START_TEST(sigv4_examples_of_s3_are_right)
{
	check_example(&s3_examples[_i], S3_HOST, &s3_keys, S3_TIME,
		"20130524T000000Z", "20130524/us-east-1/s3/aws4_request");
}
END_TEST

START_TEST(sigv4_examples_of_the_suite_are_right)
{
	check_example(&suite_examples[_i], "example.amazonaws.com", &suite_keys,
		SUITE_TIME, "20150830T123600Z",
		"20150830/us-east-1/service/aws4_request");
}
END_TEST

/* post-sts-header-before of the suite: the token is signed. */
START_TEST(sigv4_session_token_is_signed)
{
	static const struct example example = { "post-sts-header-before",
		"POST", "/", { { 0 } }, { { 0 } }, NOTHING,
		"host;x-amz-date;x-amz-security-token",
		"85d96828115b5dc0cfc3bd16ad9e210d"
		"d772bbebba041836c64533a82be05ead" };
	struct sigv4_keys keys = suite_keys;

	keys.token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4"
		     "x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8"
		     "YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phU"
		     "ZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8"
		     "YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scq"
		     "Kmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICC"
		     "R/oLxBA==";
	check_example(&example, "example.amazonaws.com", &keys, SUITE_TIME,
		"20150830T123600Z", "20150830/us-east-1/service/aws4_request");
}
END_TEST

static const struct sigv4_presign presigned = {
	.method = "GET",
	.host = S3_HOST,
	.path = "/test.txt",
	.expires_s = 86400,
};

START_TEST(sigv4_presigned_example_is_right)
{
	struct avml_error err;
	char *target;

	ck_assert_int_eq(
		sigv4_presign(&s3_keys, &presigned, S3_TIME, &target, &err), 0);
	ck_assert_str_eq(target,
		"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
		"%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
		"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
		"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835"
		"f995330da4c265957d157751f604d404");
	free(target);
}
END_TEST

/* Of tests/lib/sigv4.py: parameters around those of the signature. */
START_TEST(sigv4_presigned_part_is_right)
{
	static const struct pair query[] = { { "uploadId", "a+b/c=" },
		{ "partNumber", "10" } };
	struct sigv4_presign part = presigned;
	struct sigv4_keys keys = s3_keys;
	struct avml_error err;
	char *target;

	part.method = "PUT";
	part.path = "/a b/\xc3\xa4+%.lime";
	part.query = query;
	part.query_count = 2;
	keys.token = "to/ken+==";
	ck_assert_int_eq(
		sigv4_presign(&keys, &part, S3_TIME, &target, &err), 0);
	ck_assert_str_eq(target,
		"/a%20b/%C3%A4%2B%25.lime?X-Amz-Algorithm=AWS4-HMAC-SHA256"
		"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1"
		"%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
		"&X-Amz-Expires=86400&X-Amz-Security-Token=to%2Fken%2B%3D%3D"
		"&X-Amz-SignedHeaders=host&partNumber=10&uploadId=a%2Bb%2Fc%3D"
		"&X-Amz-Signature=b054b547765d9ae3d8d8a7ef82a568ec"
		"ab94c42b418becf236ce6ff13e1f6770");
	free(target);
}
END_TEST

static const struct {
	const char *path;
	struct pair query[3];
	const char *target;
} targets[] = {
	{ "/", { { 0 } }, "/" },
	{ "/a/b//c/../d/.", { { 0 } }, "/a/b//c/../d/." },
	{ "/%41?#&=+ ", { { 0 } }, "/%2541%3F%23%26%3D%2B%20" },
	{ "/\x7f\x80\xff\t", { { 0 } }, "/%7F%80%FF%09" },
	{ "/ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
		{ { "/*", "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}" } },
		"/%20%21%22%23%24%25%26%27%28%29%2A%2B%2C-./%3A%3B%3C%3D%3E%3F"
		"%40%5B%5C%5D%5E_%60%7B%7C%7D~?%2F%2A=%21%22%23%24%25%26%27%28"
		"%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D" },
	{ "/", { { "uploads", "" } }, "/?uploads=" },
	{ "/", { { "a", "/" }, { "a", "" }, { "A", "x" } }, "/?A=x&a=&a=%2F" },
	/* By the name alone first: "=" stands behind "-". */
	{ "/", { { "a-", "1" }, { "a", "2" } }, "/?a=2&a-=1" },
	/* As encoded: "%" stands before all others, and "\xff" behind " ". */
	{ "/", { { "~", "" }, { "\xff", "" }, { " ", "" } }, "/?%20=&%FF=&~=" },
	{ "/", { { "a", "b" }, { "a", "\xff" }, { "a", "/" } },
		"/?a=%2F&a=%FF&a=b" },
};

START_TEST(target_is_encoded_and_in_order)
{
	char *target = target_new(targets[_i].path, targets[_i].query,
		count_pairs(targets[_i].query));

	ck_assert_str_eq(target, targets[_i].target);
	free(target);
}
END_TEST

START_TEST(target_of_too_many_parameters_is_refused)
{
	struct pair query[TARGET_PARAMETERS_MAX + 1];
	char *target;

	for (size_t i = 0; i < TEST_COUNT(query); i++)
		query[i] = (struct pair){ "a", "b" };
	target = target_new("/", query, TARGET_PARAMETERS_MAX);
	ck_assert_uint_eq(strlen(target), 1 + 4 * TARGET_PARAMETERS_MAX);
	free(target);
	ck_assert_ptr_null(target_new("/", query, TARGET_PARAMETERS_MAX + 1));
}
END_TEST

static int sign_vanilla(time_t now, size_t header_count)
{
	static const struct pair headers[SIGV4_HEADERS_MAX + 1] = {
		{ "a", "" },
		{ "b", "" },
		{ "c", "" },
		{ "d", "" },
		{ "e", "" },
		{ "f", "" },
		{ "g", "" },
		{ "i", "" },
		{ "j", "" },
		{ "k", "" },
		{ "l", "" },
		{ "m", "" },
		{ "n", "" },
		{ "o", "" },
		{ "p", "" },
		{ "q", "" },
		{ "r", "" },
	};
	const struct sigv4_request request = {
		.method = "GET",
		.host = S3_HOST,
		.target = "/",
		.headers = headers,
		.header_count = header_count,
		.payload = NOTHING,
	};
	struct sigv4_signature signature = { .authorization = NULL };
	struct sigv4_keys keys = s3_keys;
	struct avml_error err = AVML_ERROR_INIT;
	int ret;

	keys.token = "token";
	ret = sigv4_sign(&keys, &request, now, &signature, &err);
	ck_assert(ret == 0 || !signature.authorization);
	ck_assert_int_eq(ret, -err.code);
	free(signature.authorization);
	return ret;
}

START_TEST(sigv4_too_many_headers_are_refused)
{
	ck_assert_int_eq(sign_vanilla(S3_TIME, SIGV4_HEADERS_MAX), 0);
	ck_assert_int_eq(sign_vanilla(S3_TIME, SIGV4_HEADERS_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(sigv4_presign_of_too_many_parameters_is_refused)
{
	struct pair query[TARGET_PARAMETERS_MAX];
	struct sigv4_presign what = presigned;
	struct sigv4_keys keys = s3_keys;
	struct avml_error err;
	char *target;

	for (size_t i = 0; i < TEST_COUNT(query); i++)
		query[i] = (struct pair){ "a", "b" };
	keys.token = "token";
	what.query = query;
	what.query_count = 10;
	ck_assert_int_eq(
		sigv4_presign(&keys, &what, S3_TIME, &target, &err), 0);
	free(target);
	what.query_count = 11;
	ck_assert_int_eq(
		sigv4_presign(&keys, &what, S3_TIME, &target, &err), -EINVAL);
	ck_assert_ptr_null(target);
}
END_TEST

/* A clock that is far off, as of a host whose battery is empty or worse. */
START_TEST(sigv4_year_of_other_than_four_digits_is_refused)
{
	ck_assert_int_eq(sign_vanilla(0, 0), 0);
	ck_assert_int_eq(sign_vanilla(253402300799, 0), 0);
	ck_assert_int_eq(sign_vanilla(253402300800, 0), -EINVAL);
	ck_assert_int_eq(sign_vanilla(-62167219201, 0), -EINVAL);
	ck_assert_int_eq(sign_vanilla(INT64_MAX, 0), -EINVAL);
}
END_TEST

START_TEST(sigv4_failure_of_the_library_is_told)
{
	/* The day, the region, the service, the end, the text. */
	hmacs_left = _i;
	ck_assert_int_eq(sign_vanilla(S3_TIME, 0), _i < 5 ? -EIO : 0);
	ck_assert_int_eq(hmacs_left, _i < 5 ? -1 : 0);
	hmacs_left = 5;
	fail_hash = true;
	ck_assert_int_eq(sign_vanilla(S3_TIME, 0), -EIO);
}
END_TEST

static Suite *sigv4_suite(void)
{
	Suite *suite = suite_create("sigv4");
	TCase *tc = tcase_create("sigv4");

	tcase_add_loop_test(
		tc, sigv4_examples_of_s3_are_right, 0, TEST_COUNT(s3_examples));
	tcase_add_loop_test(tc, sigv4_examples_of_the_suite_are_right, 0,
		TEST_COUNT(suite_examples));
	tcase_add_test(tc, sigv4_session_token_is_signed);
	tcase_add_test(tc, sigv4_presigned_example_is_right);
	tcase_add_test(tc, sigv4_presigned_part_is_right);
	tcase_add_loop_test(
		tc, target_is_encoded_and_in_order, 0, TEST_COUNT(targets));
	tcase_add_test(tc, target_of_too_many_parameters_is_refused);
	tcase_add_test(tc, sigv4_too_many_headers_are_refused);
	tcase_add_test(tc, sigv4_presign_of_too_many_parameters_is_refused);
	tcase_add_test(tc, sigv4_year_of_other_than_four_digits_is_refused);
	tcase_add_loop_test(tc, sigv4_failure_of_the_library_is_told, 0, 6);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(sigv4_suite)

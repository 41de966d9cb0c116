/* SPDX-License-Identifier: MIT */
#include "net/checksum.h"

#include "check_main.h"

#include <openssl/evp.h>

#include "check_wrap.h"

/* What OpenSSL refuses, as one of FIPS does MD5; and what else fails. */
static bool refuse_init, fail_update, fail_final, fail_context;

int WRAP(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine);
int REAL(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine);
int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
int REAL(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
int WRAP(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len);
int REAL(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len);
EVP_MD_CTX *WRAP(EVP_MD_CTX_new)(void);
EVP_MD_CTX *REAL(EVP_MD_CTX_new)(void);

int WRAP(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine)
{
	return refuse_init ? 0 : REAL(EVP_DigestInit_ex)(ctx, md, engine);
}

int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
	return fail_update ? 0 : REAL(EVP_DigestUpdate)(ctx, bytes, len);
}

int WRAP(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len)
{
	return fail_final ? 0 : REAL(EVP_DigestFinal_ex)(ctx, md, len);
}

EVP_MD_CTX *WRAP(EVP_MD_CTX_new)(void)
{
	return fail_context ? NULL : REAL(EVP_MD_CTX_new)();
}

/*
 * RFC 1321's and FIPS 180-4's own examples, and of nothing. The base64 is of
 * coreutils: printf TEXT | md5sum | xxd -r -p | base64.
 */
static const struct {
	enum checksum_kind kind;
	const char *text, *hex, *base64;
} examples[] = {
	{ CHECKSUM_MD5, "", "d41d8cd98f00b204e9800998ecf8427e",
		"1B2M2Y8AsgTpgAmY7PhCfg==" },
	{ CHECKSUM_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72",
		"kAFQmDzST7DWlj99KOF/cg==" },
	{ CHECKSUM_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0",
		"+WtpfXy3k41SWi8xqvFh0A==" },
	{ CHECKSUM_SHA256, "",
		"e3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855",
		"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
	{ CHECKSUM_SHA256, "abc",
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=" },
};

static struct checksum *new_checksum(enum checksum_kind kind)
{
	struct avml_error err;
	struct checksum *sum = checksum_new(kind, &err);

	ck_assert_ptr_nonnull(sum);
	return sum;
}

/* Byte by byte, twice of the same checksum, in both forms. */
START_TEST(checksum_examples_are_right)
{
	struct checksum *sum = new_checksum(examples[_i].kind);
	char hex[CHECKSUM_HEX_SIZE], base64[CHECKSUM_BASE64_SIZE];

	for (const char *at = examples[_i].text; *at; at++)
		ck_assert(checksum_add(sum, at, 1));
	ck_assert(checksum_end_hex(sum, hex));
	ck_assert_str_eq(hex, examples[_i].hex);
	ck_assert(checksum_reset(sum));
	ck_assert(checksum_add(
		sum, examples[_i].text, strlen(examples[_i].text)));
	ck_assert(checksum_end_base64(sum, base64));
	ck_assert_str_eq(base64, examples[_i].base64);
	checksum_free(sum);
}
END_TEST

/* What was added before counts no more. */
START_TEST(checksum_reset_forgets)
{
	struct checksum *sum = new_checksum(CHECKSUM_MD5);
	char hex[CHECKSUM_HEX_SIZE];

	ck_assert(checksum_add(sum, "other", 5));
	ck_assert(checksum_reset(sum));
	ck_assert(checksum_add(sum, "abc", 3));
	ck_assert(checksum_end_hex(sum, hex));
	ck_assert_str_eq(hex, examples[1].hex);
	checksum_free(sum);
}
END_TEST

START_TEST(checksum_refused_is_not_supported)
{
	struct avml_error err = AVML_ERROR_INIT;

	refuse_init = true;
	ck_assert_ptr_null(checksum_new(CHECKSUM_MD5, &err));
	ck_assert_int_eq(err.code, ENOTSUP);
	ck_assert_str_eq(
		avml_error_message(&err, 0), "OpenSSL here has no MD5 (FIPS?)");
}
END_TEST

START_TEST(checksum_without_memory_fails)
{
	struct avml_error err = AVML_ERROR_INIT;

	fail_context = true;
	ck_assert_ptr_null(checksum_new(CHECKSUM_SHA256, &err));
	ck_assert_int_eq(err.code, ENOMEM);
}
END_TEST

START_TEST(checksum_failures_are_told)
{
	struct checksum *sum = new_checksum(CHECKSUM_MD5);
	char hex[CHECKSUM_HEX_SIZE] = "x", base64[CHECKSUM_BASE64_SIZE] = "x";

	fail_update = true;
	ck_assert(!checksum_add(sum, "abc", 3));
	fail_final = true;
	ck_assert(!checksum_end_hex(sum, hex));
	ck_assert_str_eq(hex, "");
	ck_assert(!checksum_end_base64(sum, base64));
	ck_assert_str_eq(base64, "");
	refuse_init = true;
	ck_assert(!checksum_reset(sum));
	checksum_free(sum);
}
END_TEST

START_TEST(checksum_of_null_is_freed)
{
	checksum_free(NULL);
}
END_TEST

static Suite *checksum_suite(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tc = tcase_create("checksum");

	tcase_add_loop_test(
		tc, checksum_examples_are_right, 0, TEST_COUNT(examples));
	tcase_add_test(tc, checksum_reset_forgets);
	tcase_add_test(tc, checksum_refused_is_not_supported);
	tcase_add_test(tc, checksum_without_memory_fails);
	tcase_add_test(tc, checksum_failures_are_told);
	tcase_add_test(tc, checksum_of_null_is_freed);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(checksum_suite)

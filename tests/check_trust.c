/* SPDX-License-Identifier: MIT */
/* Whom to trust, of files that there are or are not. */
#include "net/trust.h"

#include "check_main.h"

#include <stdarg.h>

#include <openssl/crypto.h>

#include "check_wrap.h"

#define DEBIAN "/etc/ssl/certs/ca-certificates.crt"
#define FEDORA "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
#define SUSE "/etc/ssl/ca-bundle.pem"
#define LAST "/usr/local/share/certs/ca-root-nss.crt"
#define FILES_MAX 4
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* --- the system ----------------------------------------------------------- */

/* Files that can be read, and what the environment says; NULL: nothing. */
static const char *const *readable;
static const char *cert_file;

int WRAP(access)(const char *path, int mode)
{
	ck_assert_int_eq(mode, R_OK);
	for (size_t i = 0; i < FILES_MAX && readable && readable[i]; i++) {
		if (strcmp(readable[i], path) == 0)
			return 0;
	}
	/* One that is there, and others' alone. */
	errno = strcmp(path, "/theirs.pem") == 0 ? EACCES : ENOENT;
	return -1;
}

char *WRAP(getenv)(const char *name)
{
	if (strcmp(name, "SSL_CERT_FILE") == 0)
		return (char *)(uintptr_t)cert_file;
	return REAL(getenv)(name);
}

/* --- the libraries -------------------------------------------------------- */

static unsigned int crypto_starts, curl_starts;
static uint64_t crypto_options;
static bool crypto_fails, curl_fails;

int WRAP(OPENSSL_init_crypto)(
	uint64_t options, const OPENSSL_INIT_SETTINGS *settings);
CURLcode WRAP(curl_global_init)(long flags);

int WRAP(OPENSSL_init_crypto)(
	uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
	ck_assert_ptr_null(settings);
	crypto_options = options;
	crypto_starts++;
	return !crypto_fails;
}

CURLcode WRAP(curl_global_init)(long flags)
{
	ck_assert_int_eq(flags, CURL_GLOBAL_DEFAULT);
	/* It would load what openssl.cnf says, if nobody did before. */
	ck_assert_uint_eq(crypto_starts, 1);
	curl_starts++;
	return curl_fails ? CURLE_FAILED_INIT : CURLE_OK;
}

#undef curl_easy_setopt
#define OPTIONS_MAX 32

/* What is set, and the number of the one that fails; 0: none. */
static struct {
	CURLoption option;
	void *value;
} set[OPTIONS_MAX];
static size_t set_count, fails_at;

CURLcode WRAP(curl_easy_setopt)(CURL *curl, CURLoption option, ...);

CURLcode WRAP(curl_easy_setopt)(CURL *curl, CURLoption option, ...)
{
	va_list ap;

	ck_assert_ptr_null(curl);
	ck_assert_uint_lt(set_count, OPTIONS_MAX);
	va_start(ap, option);
	set[set_count].option = option;
	set[set_count].value = va_arg(ap, void *);
	va_end(ap);
	return ++set_count == fails_at ? CURLE_OUT_OF_MEMORY : CURLE_OK;
}

/* --- which file ----------------------------------------------------------- */

static const struct {
	const char *cacert, *environment;
	const char *files[FILES_MAX];
	const char *bundle; /* NULL: none */
} places[] = {
	/* The first there is, and no other. */
	{ NULL, NULL, { DEBIAN, FEDORA, SUSE, LAST }, DEBIAN },
	{ NULL, NULL, { LAST, SUSE, FEDORA }, FEDORA },
	{ NULL, NULL, { SUSE, LAST }, SUSE },
	{ NULL, NULL, { LAST }, LAST },
	{ NULL, NULL, { "/etc/ssl/certs", "/other.pem" }, NULL },
	{ NULL, NULL, { NULL }, NULL },
	/* What is said counts, even if it is not there: that is an error. */
	{ NULL, "/env.pem", { DEBIAN, "/env.pem" }, "/env.pem" },
	{ NULL, "/env.pem", { DEBIAN }, "/env.pem" },
	{ "/own.pem", "/env.pem", { DEBIAN, "/env.pem" }, "/own.pem" },
	{ "/own.pem", NULL, { DEBIAN }, "/own.pem" },
	/* An empty variable is as good as none. */
	{ NULL, "", { FEDORA }, FEDORA },
	{ NULL, "", { NULL }, NULL },
};

START_TEST(trust_bundle_is_the_first_that_counts)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	readable = places[_i].files;
	cert_file = places[_i].environment;
	remote.cacert = places[_i].cacert;
	ck_assert_pstr_eq(trust_bundle(&remote), places[_i].bundle);
}
END_TEST

#define NOBODY                                                               \
	"there is no file of certificates to trust: neither " DEBIAN " nor " \
	"another known place has one (--cacert or SSL_CERT_FILE names it)"

static const struct {
	const char *cacert, *environment, *cert, *key, *pin;
	const char *files[FILES_MAX];
	int code;
	const char *says; /* NULL: nothing is wrong */
} checks[] = {
	{ NULL, NULL, NULL, NULL, NULL, { DEBIAN }, 0, NULL },
	{ NULL, NULL, NULL, NULL, PIN, { LAST }, 0, NULL },
	{ "/own.pem", NULL, "/c.pem", "/k.pem", PIN ";" PIN,
		{ "/own.pem", "/c.pem", "/k.pem" }, 0, NULL },
	{ NULL, NULL, NULL, NULL, NULL, { NULL }, ENOENT, NOBODY },
	/* Each is named. */
	{ "/own.pem", NULL, NULL, NULL, NULL, { DEBIAN }, ENOENT,
		"the file of certificates to trust /own.pem cannot be read: "
		"No such file or directory" },
	{ NULL, "/theirs.pem", NULL, NULL, NULL, { DEBIAN }, EACCES,
		"the file of certificates to trust /theirs.pem cannot be read: "
		"Permission denied" },
	{ NULL, NULL, "/c.pem", "/k.pem", NULL, { DEBIAN, "/k.pem" }, ENOENT,
		"the certificate /c.pem cannot be read: No such file or "
		"directory" },
	{ NULL, NULL, "/c.pem", "/theirs.pem", NULL, { DEBIAN, "/c.pem" },
		EACCES,
		"the key /theirs.pem cannot be read: Permission denied" },
	{ "/own.pem", NULL, "/c.pem", "/k.pem", NULL, { NULL }, ENOENT,
		"the file of certificates to trust /own.pem cannot be read: "
		"No such file or directory" },
	/* Of what is no file, no secret is told. */
	{ "https://u:pw@host/a?sig=x", NULL, NULL, NULL, NULL, { DEBIAN },
		EINVAL,
		"the file of certificates to trust \"https://host/a\" is a "
		"URL, not a file" },
	{ NULL, "https://host/a?sig=x", NULL, NULL, NULL, { DEBIAN }, EINVAL,
		"the file of certificates to trust \"https://host/a\" is a "
		"URL, not a file" },
	{ NULL, NULL, "https://host/a?sig=x", "/k.pem", NULL, { DEBIAN },
		EINVAL,
		"the certificate \"https://host/a\" is a URL, not a file" },
	{ NULL, NULL, "/c.pem", "a?b://c", NULL, { DEBIAN, "/c.pem" }, EINVAL,
		"the key \"\" is a URL, not a file" },
	/* libcurl would read a file of that name. */
	{ NULL, NULL, NULL, NULL, "/pin.pem", { DEBIAN, "/pin.pem" }, EINVAL,
		"the pin \"/pin.pem\" does not begin with sha256//" },
	{ NULL, NULL, NULL, NULL, "", { DEBIAN }, EINVAL,
		"the pin \"\" does not begin with sha256//" },
	{ NULL, NULL, NULL, NULL, "SHA256//x", { DEBIAN }, EINVAL,
		"the pin \"SHA256//x\" does not begin with sha256//" },
};

static struct avml_remote remote_of(size_t i)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	readable = checks[i].files;
	cert_file = checks[i].environment;
	remote.cacert = checks[i].cacert;
	remote.cert = checks[i].cert;
	remote.key = checks[i].key;
	remote.pin = checks[i].pin;
	return remote;
}

START_TEST(trust_check_names_what_is_missing)
{
	const struct avml_remote remote = remote_of((size_t)_i);
	struct avml_error err = AVML_ERROR_INIT;
	char text[AVML_ERROR_TEXT];

	ck_assert_int_eq(trust_check(&remote, &err), -checks[_i].code);
	if (checks[_i].says) {
		ck_assert_int_eq(err.code, checks[_i].code);
		avml_error_join(&err, text, sizeof(text));
		ck_assert_str_eq(text, checks[_i].says);
	} else {
		ck_assert_uint_eq(err.depth, 0);
	}
}
END_TEST

/* Where nothing is encrypted nobody has to be trusted. */
static const struct {
	enum avml_remote_kind kind;
	const char *to;
	bool secure;
} kinds[] = {
	{ AVML_REMOTE_PUT, "https://host/x", true },
	{ AVML_REMOTE_PUT, "HTTPS://host/x", true },
	{ AVML_REMOTE_PUT, "http://host/x", false },
	{ AVML_REMOTE_BLOB, "https://host/x?sig=y", true },
	{ AVML_REMOTE_BLOB, "http://host/x?sig=y", false },
	{ AVML_REMOTE_TLS, "host:443", true },
	{ AVML_REMOTE_TCP, "host:443", false },
};

START_TEST(trust_is_asked_for_where_there_is_tls)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;

	remote.kind = kinds[_i].kind;
	remote.to = kinds[_i].to;
	ck_assert_int_eq(avml_remote_check(&remote, &err),
		kinds[_i].secure ? -ENOENT : 0);
	readable = (const char *const[]){ DEBIAN, "/c.pem", NULL };
	ck_assert_int_eq(avml_remote_check(&remote, &err), 0);
	/* One half of what is shown is of no use to anybody. */
	remote.cert = "/c.pem";
	ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
	remote.cert = NULL;
	remote.key = "/c.pem";
	ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
}
END_TEST

/* Any URL of a list, since each is sent to. */
START_TEST(trust_is_asked_for_where_any_url_is_secure)
{
	const char *urls[] = { "http://host/1", "http://host/2" };
	struct avml_remote_parts parts = {
		.urls = urls,
		.count = TEST_COUNT(urls),
		.part_size = 5 << 20,
		.complete = "http://host/complete",
		.abort = "http://host/abort",
		.head = "http://host/head",
	};
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;
	static const char secure[] = "https://host/x";

	remote.kind = AVML_REMOTE_PARTS;
	remote.to = "the list";
	remote.parts = &parts;
	if (_i == 1)
		urls[1] = secure;
	else if (_i == 2)
		parts.complete = secure;
	else if (_i == 3)
		parts.abort = secure;
	else if (_i == 4)
		parts.head = secure;
	ck_assert_int_eq(
		avml_remote_check(&remote, &err), _i == 0 ? 0 : -ENOENT);
}
END_TEST

/* Of one that nobody looks at, too. */
START_TEST(trust_pin_has_its_form_always)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;

	remote.kind = AVML_REMOTE_TCP;
	remote.to = "host:443";
	remote.pin = PIN;
	ck_assert_int_eq(avml_remote_check(&remote, &err), 0);
	remote.pin = "/pin.pem";
	ck_assert_int_eq(avml_remote_check(&remote, &err), -EINVAL);
}
END_TEST

/* --- libcurl's options ---------------------------------------------------- */

/* The value of an option; it is set once. */
static void *value_of(CURLoption option)
{
	void *value = NULL;
	int count = 0;

	for (size_t i = 0; i < set_count; i++) {
		if (set[i].option == option) {
			value = set[i].value;
			count++;
		}
	}
	ck_assert_int_eq(count, 1);
	return value;
}

static long number_of(CURLoption option)
{
	const void *value = value_of(option);

	return (long)(intptr_t)value;
}

START_TEST(trust_options_verify_always)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	remote.cert = "/c.pem";
	remote.key = "/k.pem";
	remote.pin = PIN;
	remote.connect_s = 7;
	ck_assert_int_eq(trust_set(NULL, &remote, "/own.pem"), CURLE_OK);
	ck_assert_int_eq(number_of(CURLOPT_SSL_VERIFYPEER), 1);
	ck_assert_int_eq(number_of(CURLOPT_SSL_VERIFYHOST), 2);
	ck_assert_int_eq(
		number_of(CURLOPT_SSLVERSION), CURL_SSLVERSION_TLSv1_2);
	ck_assert_str_eq(value_of(CURLOPT_CAINFO), "/own.pem");
	/* libcurl's own directory would be trusted as well. */
	ck_assert_ptr_null(value_of(CURLOPT_CAPATH));
	ck_assert_str_eq(value_of(CURLOPT_SSLCERT), "/c.pem");
	ck_assert_str_eq(value_of(CURLOPT_SSLKEY), "/k.pem");
	/* Else OpenSSL asks on a terminal, and waits. */
	ck_assert_str_eq(value_of(CURLOPT_KEYPASSWD), "");
	ck_assert_str_eq(value_of(CURLOPT_PINNEDPUBLICKEY), PIN);
	ck_assert_str_eq(value_of(CURLOPT_PROTOCOLS_STR), "http,https");
	ck_assert_int_eq(number_of(CURLOPT_CONNECTTIMEOUT), 7);
	ck_assert_int_eq(number_of(CURLOPT_NOSIGNAL), 1);
}
END_TEST

/* Whichever cannot be set: it is told, and nothing is sent without it. */
START_TEST(trust_option_that_fails_is_the_last)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;
	size_t count;

	remote.cert = remote.key = "/c.pem";
	remote.pin = PIN;
	ck_assert_int_eq(trust_set(NULL, &remote, "/own.pem"), CURLE_OK);
	count = set_count;
	for (fails_at = 1; fails_at <= count; fails_at++) {
		set_count = 0;
		ck_assert_int_eq(trust_set(NULL, &remote, "/own.pem"),
			CURLE_OUT_OF_MEMORY);
		ck_assert_uint_eq(set_count, fails_at);
	}
}
END_TEST

/* --- the libraries' start ------------------------------------------------- */

START_TEST(trust_init_is_once)
{
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(trust_init(&err), 0);
	ck_assert_int_eq(trust_init(&err), 0);
	ck_assert_uint_eq(crypto_starts, 1);
	ck_assert_uint_eq(curl_starts, 1);
	ck_assert_uint_eq(crypto_options, OPENSSL_INIT_NO_LOAD_CONFIG);
}
END_TEST

START_TEST(trust_init_that_fails_fails_for_good)
{
	struct avml_error err = AVML_ERROR_INIT;

	crypto_fails = _i == 0;
	curl_fails = _i == 1;
	ck_assert_int_eq(trust_init(&err), -EIO);
	ck_assert_str_eq(avml_error_message(&err, 0),
		"the libraries for networks cannot be started");
	crypto_fails = curl_fails = false;
	ck_assert_int_eq(trust_init(&err), -EIO);
}
END_TEST

static Suite *trust_suite(void)
{
	Suite *suite = suite_create("trust");
	TCase *tcase = tcase_create("trust");

	tcase_add_loop_test(tcase, trust_bundle_is_the_first_that_counts, 0,
		TEST_COUNT(places));
	tcase_add_loop_test(tcase, trust_check_names_what_is_missing, 0,
		TEST_COUNT(checks));
	tcase_add_loop_test(tcase, trust_is_asked_for_where_there_is_tls, 0,
		TEST_COUNT(kinds));
	tcase_add_loop_test(
		tcase, trust_is_asked_for_where_any_url_is_secure, 0, 5);
	tcase_add_test(tcase, trust_pin_has_its_form_always);
	tcase_add_test(tcase, trust_options_verify_always);
	tcase_add_test(tcase, trust_option_that_fails_is_the_last);
	tcase_add_test(tcase, trust_init_is_once);
	tcase_add_loop_test(tcase, trust_init_that_fails_fails_for_good, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(trust_suite)

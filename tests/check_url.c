/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include "check_main.h"

#define SECRET "s3cr3tvalue"
#define SECRET_BEGIN "s3cr3t"

/* --- what is a URL ---------------------------------------------------------
 */

START_TEST(url_good_is_taken)
{
	static const char *const good[] = {
		"http://host",
		"https://host/",
		"HTTPS://HOST/",
		"https://host:8443/a/b?c=d&e=%2F#f",
		"https://user:password@host/",
		"http://127.0.0.1:80/x",
		"http://[::1]:8080/x",
		"https://a.blob.core.windows.net/c/b?sv=2019-12-12&sig=a%2Bb%3D",
		"https://host/http://other//",
	};
	struct avml_error err = AVML_ERROR_INIT;

	for (size_t i = 0; i < TEST_COUNT(good); i++)
		ck_assert_msg(url_check(good[i], &err) == 0, "%s: %s", good[i],
			err.text);
}
END_TEST

static const struct {
	const char *url, *says;
} refused[] = {
	{ "", "the URL does not begin with http:// or https://" },
	{ "host/?sig=" SECRET,
		"the URL does not begin with http:// or https://" },
	{ "https:/host/?sig=" SECRET,
		"the URL does not begin with http:// or https://" },
	{ "https://host/a b?sig=" SECRET,
		"the URL has a blank, a control character or one that is not "
		"ASCII in it (such are written as %20)" },
	{ "https://host/?sig=" SECRET "\n",
		"the URL has a blank, a control character or one that is not "
		"ASCII in it (such are written as %20)" },
	{ "https://host/\x7f?sig=" SECRET,
		"the URL has a blank, a control character or one that is not "
		"ASCII in it (such are written as %20)" },
	{ "https://h\xc3\xb6st/?sig=" SECRET,
		"the URL has a blank, a control character or one that is not "
		"ASCII in it (such are written as %20)" },
	{ "https:///path?sig=" SECRET, "the URL has no host" },
	{ "https://?sig=" SECRET, "the URL is malformed: " },
	{ "https://user:" SECRET "@/x", "the URL is malformed: " },
	{ "https://host:99999/?sig=" SECRET, "the URL is malformed: " },
	{ "https://host:80x/?sig=" SECRET, "the URL is malformed: " },
	{ "https://[::1/?sig=" SECRET, "the URL is malformed: " },
	{ "https://ho<st>/?sig=" SECRET, "the URL is malformed: " },
	{ "ftp://host/?sig=" SECRET,
		"the URL's scheme is \"ftp\", not http or https" },
	{ "httpss://host/?sig=" SECRET,
		"the URL's scheme is \"httpss\", not http or https" },
	{ "s3://bucket/key?sig=" SECRET,
		"the URL's scheme is \"s3\", not http or https" },
	{ "file://host/" SECRET, "the URL is malformed: " },
};

START_TEST(url_bad_is_refused_without_its_secret)
{
	const char *says = refused[_i].says;
	struct avml_error err = AVML_ERROR_INIT;
	const char *text;

	ck_assert_int_eq(url_check(refused[_i].url, &err), -EINVAL);
	ck_assert_uint_eq(err.depth, 1);
	text = avml_error_message(&err, 0);
	ck_assert_ptr_null(strstr(text, SECRET));
	/* What follows a colon is libcurl's. */
	if (says[strlen(says) - 1] == ' ')
		ck_assert_msg(strncmp(text, says, strlen(says)) == 0 &&
				      strlen(text) > strlen(says),
			"%s", text);
	else
		ck_assert_str_eq(text, says);
}
END_TEST

/* 64 KiB is the most. */
START_TEST(url_length_has_a_limit)
{
	static char url[65536 + 2] = "https://host/";
	struct avml_error err = AVML_ERROR_INIT;

	memset(url + strlen(url), 'a', 65536 - strlen(url));
	ck_assert_uint_eq(strlen(url), 65536);
	ck_assert_int_eq(url_check(url, &err), 0);
	url[65536] = 'a';
	ck_assert_int_eq(url_check(url, &err), -EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), "the URL is too long");
}
END_TEST

START_TEST(url_secure_is_https)
{
	ck_assert(url_is_secure("https://host/"));
	ck_assert(url_is_secure("HTTPS://host/"));
	ck_assert(!url_is_secure("http://host/https://"));
	ck_assert(!url_is_secure("https:/"));
	ck_assert(!url_is_secure(""));
}
END_TEST

/* --- what of it is shown and sent ------------------------------------------
 */

static const struct {
	const char *url, *name;
} names[] = {
	{ "https://host/a/b", "https://host/a/b" },
	{ "https://host/a?sig=" SECRET, "https://host/a" },
	{ "https://host/a#" SECRET, "https://host/a" },
	{ "https://host/a?x#" SECRET, "https://host/a" },
	{ "https://user:" SECRET "@host:8443/a?b", "https://host:8443/a" },
	{ "https://" SECRET "@host/", "https://host/" },
	{ "https://user;" SECRET "@host/", "https://host/" },
	{ "http://[::1]:80/a%2Fb?c", "http://[::1]:80/a%2Fb" },
	{ "ftp://host/a?" SECRET, "ftp://host/a" },
	{ "https://host:" SECRET "/", "" },
	{ "", "" },
};

START_TEST(url_name_has_no_secret)
{
	char name[256] = "before";

	url_name(names[_i].url, name, sizeof(name));
	ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(url_name_is_cut_short)
{
	char name[9] = "xxxxxxxx";

	url_name("https://host/a", name, sizeof(name));
	ck_assert_str_eq(name, "https://");
	url_name("https://host/a", name, 1);
	ck_assert_str_eq(name, "");
	name[0] = 'x';
	url_name("https://host/a", name, 0);
	ck_assert_int_eq(name[0], 'x');
}
END_TEST

static const struct {
	const char *url, *parameter, *with;
} additions[] = {
	{ "https://host/a", "comp=block", "https://host/a?comp=block" },
	{ "https://host/a?sv=1&sig=a%2Fb%3D", "comp=block",
		"https://host/a?sv=1&sig=a%2Fb%3D&comp=block" },
	/* As it has to be encoded: base64. */
	{ "https://host/a?b",
		"blockid=AA+/A==", "https://host/a?b&blockid=AA%2b%2fA%3d%3d" },
	{ "https://host/a?b&", "c=d", "https://host/a?b&c=d" },
	{ "https://u:p@host:1/a#f", "c=d", "https://u:p@host:1/a?c=d#f" },
	{ "https://host:port/", "c=d", NULL },
};

START_TEST(url_with_another_parameter)
{
	char *with = url_with(additions[_i].url, additions[_i].parameter);

	if (!additions[_i].with)
		ck_assert_ptr_null(with);
	else
		ck_assert_msg(
			strcasecmp(with, additions[_i].with) == 0, "%s", with);
	free(with);
}
END_TEST

/* --- what others say -------------------------------------------------------
 */

#define QUERY "https://user12:pass%2Fword@host/path?sv=2019-12&sig=a%2Bbcdef%3D"

static const struct {
	const char *url, *text, *left;
} scrubs[] = {
	{ "https://host/a", "all is well", "all is well" },
	/* As it is, decoded, and encoded in another way. */
	{ QUERY, "sig a%2Bbcdef%3D is bad", "sig [removed] is bad" },
	{ QUERY, "sig a+bcdef= is bad", "sig [removed is bad" },
	{ "https://host/?sig=a+bcdef%3D", "sig a%2Bbcdef%3D is bad",
		"sig [removed] is bad" },
	{ "https://host/?sig=a+bcdef/", "sig a%2Bbcdef%2F is bad",
		"sig [removed] is bad" },
	/* Lower case, and a form's blanks. */
	{ QUERY, "sig a%2bbcdef%3d is bad", "sig [removed] is bad" },
	{ QUERY, "sig a bcdef= is bad", "sig [removed is bad" },
	{ "https://host/?sig=a+bcdef+gh", "<a bcdef gh>", "<[removed]>" },
	/* The query as a whole, and a parameter without a name. */
	{ QUERY, "?sv=2019-12&sig=a%2Bbcdef%3D!", "?[removed]!" },
	{ "https://host/?" SECRET, "<" SECRET ">", "<[removed]>" },
	{ "https://host/?x&" SECRET, "<" SECRET ">", "<[removed]>" },
	/* User and password. */
	{ QUERY, "no user12 here", "no [remov here" },
	{ QUERY, "not pass%2Fword", "not [removed]" },
	{ QUERY, "not pass/word", "not [removed]" },
	/* As they are sent (RFC 7617): "user12:pass/word". */
	{ QUERY, "auth Basic dXNlcjEyOnBhc3Mvd29yZA== here",
		"auth Basic [removed]== here" },
	{ "https://u@host/",
		"Basic dTo= or dTpwdw==", "Basic dTo= or dTpwdw==" },
	{ "https://user12@host/", "Basic dXNlcjEyOg==", "Basic [removed]==" },
	/* As JSON and HTML write them. */
	{ QUERY, "{\"not\":\"pass\\/word\"}", "{\"not\":\"[removed]\"}" },
	{ QUERY, "\\u0061+bcdef\\u003D\\u003d", "[removed=" },
	/* Behind the digits of one more of them, which are the secret's own. */
	{ "https://host/?a=%2B0123456789abcdef", "<\\u002b0123456789abcdef>",
		"<[removed]>" },
	{ QUERY, "a&#43;bcdef&#61; a&#x2b;bcdef&#X3D; a&#0043;bcdef&#061;",
		"[removed [removed [removed" },
	{ QUERY, "sv=2019-12&amp;sig=a%2Bbcdef%3D!", "[removed]!" },
	{ QUERY, "&#27;[1m &#233; &#x110000; &#; &#x; &# \\u001b \\",
		"&#27;[1m &#233; &#x110000; &#; &#x; &# \\u001b \\" },
	/* More than its begin did not come. */
	{ "https://host/?a=" SECRET, "is " SECRET_BEGIN, "is [remov" },
	{ "https://host/?a=abcdefgh", "abcde", "abcde" },
	/* More than once, and at both ends. */
	{ "https://host/?a=" SECRET, SECRET SECRET " " SECRET,
		"[removed][removed] [removed]" },
	/* Short ones are part of any word. */
	{ "https://host/?a=abcde", "abcde", "abcde" },
	{ "https://host/?a=abcdef", "abcdef", "[remov" },
	/* What cannot be shown. */
	{ "https://host/", "a\tb\nc\x1b[31m\x7f", "a b c [31m " },
	/* No URL: nothing is known to be safe. */
	{ "https://host:x/", "anything", "" },
	{ "https://host/?a=" SECRET, "", "" },
};

START_TEST(url_scrub_takes_secrets_out)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", scrubs[_i].text);
	url_scrub(scrubs[_i].url, text);
	ck_assert_str_eq(text, scrubs[_i].left);
}
END_TEST

/* A line's end in the middle of a secret does not save it, decoded or not. */
START_TEST(url_scrub_sees_through_control_characters)
{
	char text[] = "abc\ndefgh";

	url_scrub("https://host/?a=abc%0Adefgh", text);
	ck_assert_ptr_null(strstr(text, "defgh"));
}
END_TEST

/* --- host and port ---------------------------------------------------------
 */

static const struct {
	const char *to, *host;
	unsigned int port;
} places[] = {
	{ "host:1", "host", 1 },
	{ "host.example:65535", "host.example", 65535 },
	{ "127.0.0.1:00080", "127.0.0.1", 80 },
	{ "[::1]:443", "::1", 443 },
	{ "[fe80::1]:9", "fe80::1", 9 },
};

START_TEST(url_host_and_port_are_split)
{
	struct avml_error err = AVML_ERROR_INIT;
	unsigned int port = 0;
	char host[64];

	ck_assert_int_eq(
		url_split_host(places[_i].to, host, sizeof(host), &port, &err),
		0);
	ck_assert_str_eq(host, places[_i].host);
	ck_assert_uint_eq(port, places[_i].port);
}
END_TEST

#define FORM "where to send is written as HOST:PORT, the port from 1 to 65535"
#define IPV6 "an IPv6 address is written as [ADDRESS]:PORT"
#define HOST "the host in front of the port is none"

static const struct {
	const char *to, *says;
} bad_places[] = {
	{ "", FORM },
	{ "host", FORM },
	{ "host:", FORM },
	{ "host:0", FORM },
	{ "host:65536", FORM },
	{ "host:000080", FORM },
	{ "host:99999999999999999999", FORM },
	{ "host:-1", FORM },
	{ "host:+1", FORM },
	{ "host: 1", FORM },
	{ "host:1 ", FORM },
	{ "host:0x1", FORM },
	{ "host:http", FORM },
	{ "[::1]", FORM },
	{ "[::1", FORM },
	{ "[::1]443", FORM },
	{ "[::1]:", FORM },
	{ "[::1]x:443", FORM },
	{ "::1:443", IPV6 },
	{ "::1", IPV6 },
	{ "tcp://host:443", IPV6 },
	{ ":443", HOST },
	{ "[]:443", HOST },
	{ "a b:443", HOST },
	{ "a\n:443", HOST },
	{ "h\xc3\xb6st:443", HOST },
	{ "user@host:443", HOST },
	{ "host/x:443", HOST },
	{ "host?" SECRET ":443", HOST },
	{ "host#:443", HOST },
	{ "host\\:443", HOST },
	{ "[fe80::1%eth0]:443", HOST },
	/* There is room for 15 bytes and the NUL. */
	{ "0123456789abcdef:443", HOST },
};

START_TEST(url_bad_host_or_port_is_refused)
{
	struct avml_error err = AVML_ERROR_INIT;
	unsigned int port = 0;
	char host[16];

	ck_assert_int_eq(url_split_host(bad_places[_i].to, host, sizeof(host),
				 &port, &err),
		-EINVAL);
	ck_assert_str_eq(avml_error_message(&err, 0), bad_places[_i].says);
}
END_TEST

START_TEST(url_host_fills_its_room)
{
	struct avml_error err = AVML_ERROR_INIT;
	unsigned int port = 0;
	char host[16];

	ck_assert_int_eq(url_split_host("0123456789abcde:1", host, sizeof(host),
				 &port, &err),
		0);
	ck_assert_str_eq(host, "0123456789abcde");
}
END_TEST

static Suite *url_suite(void)
{
	Suite *suite = suite_create("url");
	TCase *tcase = tcase_create("url");

	tcase_add_test(tcase, url_good_is_taken);
	tcase_add_loop_test(tcase, url_bad_is_refused_without_its_secret, 0,
		TEST_COUNT(refused));
	tcase_add_test(tcase, url_length_has_a_limit);
	tcase_add_test(tcase, url_secure_is_https);
	tcase_add_loop_test(
		tcase, url_name_has_no_secret, 0, TEST_COUNT(names));
	tcase_add_test(tcase, url_name_is_cut_short);
	tcase_add_loop_test(
		tcase, url_with_another_parameter, 0, TEST_COUNT(additions));
	tcase_add_loop_test(
		tcase, url_scrub_takes_secrets_out, 0, TEST_COUNT(scrubs));
	tcase_add_test(tcase, url_scrub_sees_through_control_characters);
	tcase_add_loop_test(
		tcase, url_host_and_port_are_split, 0, TEST_COUNT(places));
	tcase_add_loop_test(tcase, url_bad_host_or_port_is_refused, 0,
		TEST_COUNT(bad_places));
	tcase_add_test(tcase, url_host_fills_its_room);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(url_suite)

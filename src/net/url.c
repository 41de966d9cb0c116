/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "net/curl_cleanup.h"
#include "net/scrub.h"

/* No server takes a longer one. */
#define URL_MAX 65536

/* NULL when it is no URL of http or https, or memory is out. */
static CURLU *parse(const char *url, CURLUcode *code)
{
	CURLU *parts = curl_url();

	*code = CURLUE_OUT_OF_MEMORY;
	if (!parts)
		return NULL;
	*code = curl_url_set(
		parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (*code == CURLUE_OK)
		return parts;
	curl_url_cleanup(parts);
	return NULL;
}

static bool has_bad_bytes(const char *url)
{
	for (; *url; url++) {
		if ((unsigned char)*url <= ' ' || (unsigned char)*url >= 0x7f)
			return true;
	}
	return false;
}

int url_check(const char *url, struct avml_error *err)
{
	CLEANUP_CURL_TEXT char *scheme = NULL, *host = NULL;
	CLEANUP_CURL_URL CURLU *parts = NULL;
	CURLUcode code;

	if (strlen(url) > URL_MAX)
		return avml_error_set(err, EINVAL, "the URL is too long");
	if (!strstr(url, "://"))
		return avml_error_set(err, EINVAL,
			"the URL does not begin with http:// or https://");
	if (has_bad_bytes(url))
		return avml_error_set(err, EINVAL,
			"the URL has a blank, a control character or one that "
			"is not ASCII in it (such are written as %%20)");
	/* libcurl would take what follows for the host. */
	if (strstr(url, "://")[3] == '/')
		return avml_error_set(err, EINVAL, "the URL has no host");
	parts = parse(url, &code);
	if (!parts)
		return avml_error_set(err,
			code == CURLUE_OUT_OF_MEMORY ? ENOMEM : EINVAL,
			"the URL is malformed: %s", curl_url_strerror(code));
	if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
		(strcasecmp(scheme, "http") != 0 &&
			strcasecmp(scheme, "https") != 0))
		return avml_error_set(err, EINVAL,
			"the URL's scheme is \"%.20s\", not http or https",
			scheme ? scheme : "");
	if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		host[0] == '\0')
		return avml_error_set(err, EINVAL, "the URL has no host");
	return 0;
}

bool url_is_secure(const char *url)
{
	return strncasecmp(url, "https://", 8) == 0;
}

void url_name(const char *url, char *name, size_t size)
{
	CLEANUP_CURL_TEXT char *text = NULL;
	CLEANUP_CURL_URL CURLU *parts = NULL;
	CURLUcode code;

	if (size > 0)
		name[0] = '\0';
	parts = parse(url, &code);
	if (!parts || curl_url_set(parts, CURLUPART_QUERY, NULL, 0) ||
		curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) ||
		curl_url_set(parts, CURLUPART_USER, NULL, 0) ||
		curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) ||
		curl_url_set(parts, CURLUPART_OPTIONS, NULL, 0) ||
		curl_url_get(parts, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return;
	snprintf(name, size, "%s", text);
}

char *url_with(const char *url, const char *parameter)
{
	CLEANUP_CURL_TEXT char *text = NULL;
	CLEANUP_CURL_URL CURLU *parts = NULL;
	CURLUcode code;

	parts = parse(url, &code);
	if (!parts ||
		curl_url_set(parts, CURLUPART_QUERY, parameter,
			CURLU_APPENDQUERY | CURLU_URLENCODE) != CURLUE_OK ||
		curl_url_get(parts, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return NULL;
	return strdup(text);
}

/* --- what others say ------------------------------------------------------ */

static void remove_part(CURLU *parts, CURLUPart part, char *text)
{
	CLEANUP_CURL_TEXT char *secret = NULL;

	if (curl_url_get(parts, part, &secret, 0) == CURLUE_OK)
		scrub_secret(secret, text);
}

/* As they are sent (RFC 7617), without the padding; the caller frees it. */
static char *basic(const char *user, const char *password)
{
	CLEANUP_FREE char *both = NULL;
	char *base64;
	int len;

	len = asprintf(&both, "%s:%s", user, password);
	if (len < 0) {
		both = NULL;
		return NULL;
	}
	base64 = malloc(((size_t)len + 2) / 3 * 4 + 1);
	if (!base64)
		return NULL;
	EVP_EncodeBlock(
		(unsigned char *)base64, (const unsigned char *)both, len);
	base64[strcspn(base64, "=")] = '\0';
	return base64;
}

static void remove_basic(CURLU *parts, char *text)
{
	CLEANUP_CURL_TEXT char *user = NULL, *password = NULL;
	CLEANUP_FREE char *sent = NULL;

	if (curl_url_get(parts, CURLUPART_USER, &user, CURLU_URLDECODE) !=
		CURLUE_OK)
		return;
	(void)curl_url_get(
		parts, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
	sent = basic(user, password ? password : "");
	if (sent)
		scrub_secret(sent, text);
}

static void remove_query(CURLU *parts, char *text)
{
	CLEANUP_CURL_TEXT char *query = NULL;
	char *rest, *parameter;

	remove_part(parts, CURLUPART_QUERY, text);
	if (curl_url_get(parts, CURLUPART_QUERY, &query, 0) != CURLUE_OK)
		return;
	for (parameter = strtok_r(query, "&", &rest); parameter;
		parameter = strtok_r(NULL, "&", &rest)) {
		const char *value = strchr(parameter, '=');

		scrub_secret(value ? value + 1 : parameter, text);
	}
}

void url_scrub(const char *url, char *text)
{
	CLEANUP_CURL_URL CURLU *parts = NULL;
	CURLUcode code;

	parts = parse(url, &code);
	if (!parts) {
		text[0] = '\0';
		return;
	}
	scrub_unescape(text);
	remove_query(parts, text);
	remove_basic(parts, text);
	remove_part(parts, CURLUPART_USER, text);
	remove_part(parts, CURLUPART_PASSWORD, text);
	/* Last: secrets may have such characters, once decoded. */
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

/* --- host and port -------------------------------------------------------- */

static bool parse_port(const char *text, unsigned int *port)
{
	unsigned long number = 0;

	if (*text == '\0' || strlen(text) > 5 ||
		strspn(text, "0123456789") != strlen(text))
		return false;
	number = strtoul(text, NULL, 10);
	*port = (unsigned int)number;
	return number > 0 && number <= 65535;
}

int url_split_host(const char *to, char *host, size_t size, unsigned int *port,
	struct avml_error *err)
{
	const char *begin = to, *end = strrchr(to, ':'), *after = end;

	if (to[0] == '[') {
		begin++;
		end = strchr(to, ']');
		after = end ? end + 1 : NULL;
	} else if (end && strchr(to, ':') != end) {
		return avml_error_set(err, EINVAL,
			"an IPv6 address is written as [ADDRESS]:PORT");
	}
	if (!end || !after || *after != ':' || !parse_port(after + 1, port))
		return avml_error_set(err, EINVAL,
			"where to send is written as HOST:PORT, the port from "
			"1 to 65535");
	if (end == begin || (size_t)(end - begin) >= size ||
		has_bad_bytes(to) || strpbrk(to, "/?#@\\%"))
		return avml_error_set(
			err, EINVAL, "the host in front of the port is none");
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "net/scrub.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "net/curl_cleanup.h"

/* Shorter ones are no secrets, and may be part of any word. */
#define SECRET_LEAST 6
#define REMOVED "[removed]"

/* --- how others write ----------------------------------------------------- */

static bool is_printable(unsigned long c)
{
	return c >= ' ' && c < 0x7f;
}

/*
 * Behind what begins it: `digits` of them, or 0 for as many as there are up to
 * a ";". The bytes up to its end, or 0 when it is none.
 */
static size_t number(const char *from, int base, size_t digits, char *c)
{
	const char *const known =
		base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
	const size_t all = strspn(from, known);
	const size_t len = digits ? digits : all;
	char text[16] = "";
	unsigned long value;

	if (all < len || len == 0 || len >= sizeof(text) ||
		(!digits && from[len] != ';'))
		return 0;
	memcpy(text, from, len);
	value = strtoul(text, NULL, base);
	if (!is_printable(value))
		return 0;
	*c = (char)value;
	return digits ? len : len + 1;
}

/* The length of what stands for `*c`; 0: nothing here does. */
static size_t escaped(const char *from, char *c)
{
	static const struct {
		const char *begin;
		int base; /* 0: `stands_for` */
		size_t digits;
		char stands_for;
	} forms[] = {
		{ "\\/", 0, 0, '/' },
		{ "\\u", 16, 4, 0 },
		{ "&#x", 16, 0, 0 },
		{ "&#", 10, 0, 0 },
		/* What is between a query's parameters. */
		{ "&amp;", 0, 0, '&' },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const size_t begin = strlen(forms[i].begin);
		size_t len;

		if (strncasecmp(from, forms[i].begin, begin) != 0)
			continue;
		if (forms[i].base == 0) {
			*c = forms[i].stands_for;
			return begin;
		}
		len = number(from + begin, forms[i].base, forms[i].digits, c);
		if (len > 0)
			return begin + len;
	}
	return 0;
}

void scrub_unescape(char *text)
{
	const char *from = text;
	char *to = text;

	while (*from) {
		char c = *from;
		const size_t len = escaped(from, &c);

		*to++ = c;
		from += len > 0 ? len : 1;
	}
	*to = '\0';
}

/* --- what goes ------------------------------------------------------------ */

/* In its place, and never longer: so many of its bytes are left. */
static size_t put_removed(char *at, size_t len)
{
	const size_t with =
		len < sizeof(REMOVED) - 1 ? len : sizeof(REMOVED) - 1;

	memcpy(at, REMOVED, with);
	return with;
}

/* What is cut short, here or on its way, may end in the middle of one. */
static void remove_begin(char *text, const char *secret)
{
	const size_t text_len = strlen(text), secret_len = strlen(secret);
	size_t len = secret_len - 1;

	if (len > text_len)
		len = text_len;
	for (; len >= SECRET_LEAST; len--) {
		char *at = text + text_len - len;

		if (strncasecmp(at, secret, len) != 0)
			continue;
		at[put_removed(at, len)] = '\0';
		return;
	}
}

/* Some encode as %2B, others as %2b. */
static void remove_all(char *text, const char *secret)
{
	const size_t len = strlen(secret);
	char *at = text;

	if (len < SECRET_LEAST)
		return;
	while ((at = strcasestr(at, secret))) {
		const size_t with = put_removed(at, len);

		memmove(at + with, at + len, strlen(at + len) + 1);
		at += with;
	}
	remove_begin(text, secret);
}

/*
 * As it is, and as servers show it: decoded, maybe with blanks for what was
 * "+", and encoded once more.
 */
void scrub_secret(const char *secret, char *text)
{
	CLEANUP_CURL_TEXT char *decoded = NULL, *encoded = NULL;

	remove_all(text, secret);
	decoded = curl_easy_unescape(NULL, secret, 0, NULL);
	if (!decoded)
		return;
	remove_all(text, decoded);
	encoded = curl_easy_escape(NULL, decoded, 0);
	if (encoded)
		remove_all(text, encoded);
	for (char *c = decoded; *c; c++) {
		if (*c == '+')
			*c = ' ';
	}
	remove_all(text, decoded);
}

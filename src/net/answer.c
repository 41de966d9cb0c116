/* SPDX-License-Identifier: MIT */
/* What a server says of a failure, as one line without secrets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "net/http_parts.h"
#include "net/scrub.h"
#include "net/url.h"
#include "net/xml.h"

/* Bytes that are shown of a page, which was written for another reader. */
#define PAGE_MAX 200

/* The names of statuses that servers often leave without a word (RFC 9110). */
static const char *status_name(long status)
{
	static const struct {
		long status;
		const char *name;
	} names[] = {
		{ 303, "See Other, which confirms nothing" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].status == status)
			return names[i].name;
	}
	return "no explanation";
}

/* Text as it is read in a browser: without what is between < and >. */
static void plain_text(const char *from, char *to, size_t size)
{
	bool inside = false, space = true;
	size_t len = 0;

	for (; *from && len + 1 < size; from++) {
		const unsigned char c = (unsigned char)*from;

		if (c == '<' || c == '>') {
			inside = c == '<';
			continue;
		}
		if (inside)
			continue;
		if (c <= ' ') {
			if (!space)
				to[len++] = ' ';
			space = true;
			continue;
		}
		to[len++] = (char)c;
		space = false;
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

/* Of a page its title says it, and the rest says it again. In place. */
static void page_text(char *text, size_t size)
{
	static const char begin[] = "<title>", end[] = "</title>";
	char *title = strcasestr(text, begin);
	char *close = title ? strcasestr(title, end) : NULL;

	if (close) {
		title += sizeof(begin) - 1;
		*close = '\0';
	}
	/* What comes out is never ahead of what goes in. */
	plain_text(close ? title : text, text, size);
}

/* "403 Forbidden" behind the number of the status is told without it. */
static const char *without_status(const char *said, long status)
{
	char number[16];
	const int len = snprintf(number, sizeof(number), "%ld ", status);

	return strncmp(said, number, (size_t)len) == 0 ? said + len : said;
}

bool answer_was_on_the_way(const struct http_answer *answer)
{
	/*
	 * S3's "Error responses" and those of Azure's Blob service: the body
	 * came too slowly, or is not what its checksum says.
	 */
	static const char *const codes[] = { "RequestTimeout", "BadDigest",
		"XAmzContentSHA256Mismatch", "Md5Mismatch" };
	char code[80];

	if (answer->status != 400 || !xml_find(answer->text, answer->len,
					     "Code", code, sizeof(code)))
		return false;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

/* --- what nobody may see -------------------------------------------------- */

/* The value of a header of this name. */
static const char *value_of(const char *line, const char *name)
{
	const size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 ? line + len : NULL;
}

/* Behind a token or a signature another could send as the same host. */
static void scrub_headers(const struct curl_slist *list, char *text)
{
	static const char part[] = "Signature=";

	for (; list; list = list->next) {
		const char *token =
			value_of(list->data, "x-amz-security-token: ");
		const char *login = value_of(list->data, "Authorization: ");
		const char *signature = login ? strstr(login, part) : NULL;

		if (token)
			scrub_secret(token, text);
		if (login)
			scrub_secret(login, text);
		if (signature)
			scrub_secret(signature + sizeof(part) - 1, text);
	}
}

void attempt_scrub(const struct http_attempt *a, char *text)
{
	url_scrub(a->job->url, text);
	for (unsigned int i = 0; i < a->redirects; i++)
		url_scrub(a->places[i], text);
	scrub_headers(a->list, text);
}

/* Azure's and S3's errors: <Error><Code>, <Message>. NULL: it is none. */
static char *error_text(const struct http_answer *answer)
{
	char code[80], message[300];
	char *both;

	if (answer->len == 0 || !xml_find(answer->text, answer->len, "Code",
					code, sizeof(code)))
		return NULL;
	(void)xml_find(
		answer->text, answer->len, "Message", message, sizeof(message));
	if (asprintf(&both, "%s%s%s", code, message[0] ? ": " : "", message) <
		0)
		return NULL;
	return both;
}

void attempt_explain(const struct http_attempt *a, char *text, size_t size)
{
	const struct http_answer *answer = &a->job->answer;
	CLEANUP_FREE char *said = error_text(answer);
	const bool is_error = said;

	if (!said)
		said = strdup(answer->len > 0 ? answer->text : "");
	/*
	 * All of it, before it is cut short: of a secret that is cut in two
	 * nobody knows any more that it is one. And again in the end: there may
	 * have been something in the middle of it.
	 */
	if (said) {
		attempt_scrub(a, said);
		if (is_error)
			plain_text(said, said, size);
		else
			page_text(said, PAGE_MAX < size ? PAGE_MAX : size);
		attempt_scrub(a, said);
	}
	snprintf(text, size, "%s",
		said && said[0] ? without_status(said, answer->status)
				: status_name(answer->status));
}

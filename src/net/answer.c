/* SPDX-License-Identifier: MIT */
/* What a server says of a failure, as one line without secrets. */
#include <stdio.h>
#include <string.h>

#include "net/http_parts.h"
#include "net/url.h"
#include "net/xml.h"

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

/* Of a page its title says it, and the rest says it again. */
static void page_text(const char *from, char *to, size_t size)
{
	static const char begin[] = "<title>", end[] = "</title>";
	const char *title = strcasestr(from, begin);
	const char *close = title ? strcasestr(title, end) : NULL;
	char part[200];

	if (close) {
		title += sizeof(begin) - 1;
		snprintf(part, sizeof(part), "%.*s", (int)(close - title),
			title);
		from = part;
	}
	plain_text(from, to, size);
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

void answer_explain(const struct http_answer *answer, const char *url,
	char *text, size_t size)
{
	char code[80] = "", message[300] = "", both[400], said[400];

	/* Azure's and S3's errors: <Error><Code>, <Message>. */
	if (answer->len > 0 && xml_find(answer->text, answer->len, "Code", code,
				       sizeof(code))) {
		(void)xml_find(answer->text, answer->len, "Message", message,
			sizeof(message));
		snprintf(both, sizeof(both), "%s%s%s", code,
			message[0] ? ": " : "", message);
		plain_text(both, said, sizeof(said));
	} else {
		page_text(answer->len > 0 ? answer->text : "", said,
			sizeof(said) / 2);
	}
	if (said[0] == '\0')
		snprintf(said, sizeof(said), "%s", status_name(answer->status));
	url_scrub(url, said);
	snprintf(text, size, "%s", without_status(said, answer->status));
}

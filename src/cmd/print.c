/* SPDX-License-Identifier: MIT */
#include "cmd/print.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

/* Room for two paths of the greatest length, and what is said of them. */
#define TEXT_MAX 10240
#define FRONT_MAX 16

/* A terminal has one cursor, and those who print know nothing of the line. */
static _Atomic(const char *) in_front;

/*
 * The length of a character that is shown as it is: printable ASCII, and
 * well-formed UTF-8 but for the control characters up to U+009F. 0 for
 * anything else.
 */
static size_t shown_len(const unsigned char *p)
{
	size_t len = 1;

	if (*p < 0x80)
		return *p >= 0x20 && *p != 0x7f;
	if (*p >= 0xc2 && *p <= 0xdf)
		len = 2;
	else if (*p >= 0xe0 && *p <= 0xef)
		len = 3;
	else if (*p >= 0xf0 && *p <= 0xf4)
		len = 4;
	if (len == 1 || (*p == 0xc2 && p[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Longer than need be, surrogates, and above U+10FFFF. */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
		(*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	/* U+202A to U+202E and U+2066 to U+2069 turn the text around. */
	if (*p == 0xe2 &&
		((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
			(p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
		return 0;
	return len;
}

/* A message that goes out slowly goes out whole, unless two signals end it. */
static void put(const char *buf, size_t len)
{
	const ssize_t n = write(STDERR_FILENO, buf, len);
	const size_t done = n > 0 ? (size_t)n : 0;
	struct iovec rest = io_vector(buf + done, len - done);
	uint64_t more;

	/* Nobody is left to tell when this fails. */
	(void)io_writev_full(STDERR_FILENO, &rest, 1, IO_APPEND, 2, &more);
}

size_t print_escape(const char *text, char *out)
{
	size_t len = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		const size_t shown = shown_len(p);

		if (shown == 0)
			len += (size_t)snprintf(out + len, 5, "\\x%02x", *p);
		memcpy(out + len, p, shown);
		len += shown;
		p += shown ? shown : 1;
	}
	out[len] = '\0';
	return len;
}

void print_path(const char *path, char out[PRINT_PATH_MAX])
{
	char front[PRINT_PATH_MAX / 4];

	snprintf(front, sizeof(front), "%s", path);
	print_escape(front, out);
}

const char *print_source(const char *path)
{
	return strcmp(path, "-") == 0 ? "stdin" : path;
}

char *print_shown(const char *text)
{
	char *out = malloc(PRINT_ESCAPED(strlen(text) + 1));

	if (out)
		print_escape(text, out);
	return out;
}

char *print_shown_error(const struct avml_error *err)
{
	char text[AVML_ERROR_TEXT + 2 * AVML_ERROR_DEPTH];

	avml_error_join(err, text, sizeof(text));
	return print_shown(text);
}

void print_set_front(const char *text)
{
	in_front = text;
}

const char *print_front(void)
{
	return in_front;
}

/* What is in front goes out once. */
static size_t take_front(char text[FRONT_MAX])
{
	/* Threads may print at once: one of them takes it. */
	const char *front = atomic_exchange(&in_front, NULL);

	return (size_t)snprintf(text, FRONT_MAX, "%s", front ? front : "");
}

void print_front_alone(void)
{
	char text[FRONT_MAX];
	const size_t len = take_front(text);

	if (len > 0)
		put(text, len);
}

static void put_line(const char *text)
{
	char line[FRONT_MAX + PRINT_ESCAPED(TEXT_MAX) + 1];
	size_t len = take_front(line);

	len += print_escape(text, line + len);

	line[len++] = '\n';
	put(line, len);
}

void print_line(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(text);
}

void print_digest(const char *path, const char *digest)
{
	if (digest[0] != '\0')
		print_line("avml: %s: SHA-256 %s", path, digest);
}

void print_asked_kernel(const char *path)
{
	print_line("note: to try source %s, the kernel was asked to take "
		   "programs and maps; nothing is left of them",
		path);
}

void print_error(const struct avml_error *err)
{
	const char *message;

	print_line("error: %s", avml_error_message(err, 0));
	for (unsigned int i = 1; (message = avml_error_message(err, i)); i++) {
		if (i == 1)
			print_line("caused by:");
		print_line("%5u: %s", i - 1, message);
	}
}

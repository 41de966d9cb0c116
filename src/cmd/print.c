/* SPDX-License-Identifier: MIT */
#include "cmd/print.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* C0, DEL, and C1 as UTF-8 has it (0xc2, 0x80 to 0x9f). */
static bool is_control(const unsigned char *p)
{
	if (*p == 0xc2)
		return p[1] >= 0x80 && p[1] <= 0x9f;
	return *p < 0x20 || *p == 0x7f;
}

static void put_line(const char *text)
{
	char line[4 * AVML_ERROR_TEXT + 2];
	size_t len = 0;

	for (const unsigned char *p = (const unsigned char *)text;
		*p && len + 6 < sizeof(line); p++) {
		if (is_control(p))
			len += (size_t)snprintf(line + len, 5, "\\x%02x", *p);
		else
			line[len++] = (char)*p;
	}
	line[len++] = '\n';
	/* Nobody is left to tell when this fails. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void print_line(const char *fmt, ...)
{
	char text[AVML_ERROR_TEXT + 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(text);
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

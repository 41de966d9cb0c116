/* SPDX-License-Identifier: MIT */
#include "cmd/print.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

/* Room for two paths of the greatest length, and what is said of them. */
#define TEXT_MAX 10240

/* C0, DEL, and C1 as UTF-8 has it (0xc2, 0x80 to 0x9f). */
static bool is_control(const unsigned char *p)
{
	if (*p == 0xc2)
		return p[1] >= 0x80 && p[1] <= 0x9f;
	return *p < 0x20 || *p == 0x7f;
}

/* A message that goes out slowly goes out whole, unless two signals end it. */
static void put(const char *buf, size_t len)
{
	const ssize_t n = write(STDERR_FILENO, buf, len);
	const size_t done = n > 0 ? (size_t)n : 0;
	struct iovec rest = { (void *)(buf + done), len - done };
	uint64_t more;

	/* Nobody is left to tell when this fails. */
	(void)io_writev_full(STDERR_FILENO, &rest, 1, IO_APPEND, 2, &more);
}

static void put_line(const char *text)
{
	/* A byte becomes four at the most. */
	char line[4 * TEXT_MAX + 1];
	size_t len = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (is_control(p))
			len += (size_t)snprintf(line + len, 5, "\\x%02x", *p);
		else
			line[len++] = (char)*p;
	}
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

/* SPDX-License-Identifier: MIT */
#include <avml/error.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void avml_error_init(struct avml_error *err)
{
	err->code = 0;
	err->depth = 0;
	err->used = 0;
	err->text[0] = '\0';
}

static void append(struct avml_error *err, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Append to the last message; what does not fit ends in "...". */
static void append(struct avml_error *err, const char *fmt, va_list ap)
{
	size_t room = sizeof(err->text) - err->used;
	int n = vsnprintf(err->text + err->used, room, fmt, ap);

	if (n < 0)
		return;
	if ((size_t)n < room) {
		err->used += (size_t)n;
		return;
	}
	err->used = sizeof(err->text) - 1;
	if (room > 3)
		memcpy(err->text + err->used - 3, "...", 3);
}

static void append_text(struct avml_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void append_text(struct avml_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(err, fmt, ap);
	va_end(ap);
}

/* Begin a message; false when there is no room for one more. */
static bool begin(struct avml_error *err)
{
	/* The NUL of the message before stays; two bytes make a message. */
	if (err->depth > 0 && err->used + 2 >= sizeof(err->text))
		return false;
	if (err->depth > 0)
		err->used++;
	if (err->depth < AVML_ERROR_DEPTH)
		err->at[err->depth++] = err->used;
	else
		err->at[AVML_ERROR_DEPTH - 1] = err->used;
	err->text[err->used] = '\0';
	return true;
}

int avml_error_set(struct avml_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	avml_error_init(err);
	err->code = code;
	begin(err);
	va_start(ap, fmt);
	append(err, fmt, ap);
	va_end(ap);
	return -code;
}

int avml_error_set_errno(struct avml_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	avml_error_init(err);
	err->code = code;
	begin(err);
	va_start(ap, fmt);
	append(err, fmt, ap);
	va_end(ap);
	/* For the errors that there are it gives constants, in any thread. */
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): as said */
	append_text(err, ": %s", strerror(code));
	return -code;
}

int avml_error_wrap(struct avml_error *err, const char *fmt, ...)
{
	va_list ap;

	if (begin(err)) {
		va_start(ap, fmt);
		append(err, fmt, ap);
		va_end(ap);
	}
	return -err->code;
}

const char *avml_error_message(const struct avml_error *err, unsigned int i)
{
	if (i >= err->depth)
		return NULL;
	return err->text + err->at[err->depth - 1 - i];
}

size_t avml_error_join(const struct avml_error *err, char *text, size_t size)
{
	const char *message;
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; (message = avml_error_message(err, i)); i++) {
		const int n = snprintf(text + len, size - len, "%s%s",
			i > 0 ? ": " : "", message);

		if (n < 0)
			break;
		if ((size_t)n >= size - len) {
			len = size - 1;
			if (size > 3)
				memcpy(text + len - 3, "...", 3);
			break;
		}
		len += (size_t)n;
	}
	return len;
}

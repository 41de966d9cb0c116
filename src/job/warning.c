/* SPDX-License-Identifier: MIT */
#include "job/warning.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 5120

void warning_tell(const struct warning *warning, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	if (!warning->tell)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	warning->tell(warning->ctx, text);
}

/* It is no reason to stop: a hostile image is but a possibility. */
void warning_unconfined(const struct warning *warning, const char *path,
	const struct avml_error *missing)
{
	warning_tell(warning,
		"this process is not confined as it should be while it reads "
		"%s: %s",
		path, avml_error_message(missing, 0));
}

/* SPDX-License-Identifier: MIT */
/* A warning is a line of text, for whoever listens. */
#ifndef JOB_WARNING_H
#define JOB_WARNING_H

#include <avml/error.h>

struct warning {
	void *ctx;
	void (*tell)(void *ctx, const char *text); /* NULL: nobody */
};

/* Make the text, cut short where it is longer than a path and its story. */
void warning_tell(const struct warning *warning, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What of confine() could not be had, while `path` is read. */
void warning_unconfined(const struct warning *warning, const char *path,
	const struct avml_error *missing);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Errors: a chain of messages in storage of the caller's.
 *
 * A fallible function returns 0 (or a count) on success, or a negative errno
 * value, and fills the avml_error it was given. The innermost message says
 * what failed; callers wrap it only to add what it lacks (a path, an
 * address, an offset). Nothing is allocated, so an error can be told even
 * when memory is out.
 *
 * Threads: an avml_error belongs to one thread at a time.
 */
#ifndef AVML_ERROR_H
#define AVML_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Messages of a chain; in a full one, a wrap takes the outermost's place. */
#define AVML_ERROR_DEPTH 8
/* Bytes of text in a whole chain; what does not fit is cut short. */
#define AVML_ERROR_TEXT 1400

struct avml_error {
	int code;	    /* errno value of the innermost cause, > 0 */
	unsigned int depth; /* messages held, 0: no error */
	size_t used;	    /* bytes of text used */
	size_t at[AVML_ERROR_DEPTH]; /* where each begins, innermost first */
	char text[AVML_ERROR_TEXT];
};

/* An empty error, as an initialiser and as a function. */
#define AVML_ERROR_INIT   \
	{                 \
		.code = 0 \
	}
void avml_error_init(struct avml_error *err);

/*
 * Begin a chain: the message of the innermost cause. When `code` (an errno
 * value, > 0) has a text of its own that the message should end in, say so
 * with avml_error_set_errno(), which adds ": " and that text.
 *
 * Return -code, so that a caller can write `return avml_error_set(...)`.
 * A chain that `err` held before is gone.
 */
int avml_error_set(struct avml_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int avml_error_set_errno(struct avml_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Put a message in front of the chain. Returns the negative code that the
 * chain holds.
 */
int avml_error_wrap(struct avml_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The messages, outermost first: i = 0 is the outermost, NULL is returned
 * past the innermost. The text lives as long as `err` and is not changed
 * by reading it.
 */
const char *avml_error_message(const struct avml_error *err, unsigned int i);

/*
 * All messages in one line, outermost first, as "WHAT: CAUSE: CAUSE"; where
 * `size` bytes (at least 1) are too few it ends in "...". Returns the length.
 */
size_t avml_error_join(const struct avml_error *err, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Messages, all to stderr, a line at once. What comes from outside (names,
 * lines of files) may hold control characters: those are shown as \xNN,
 * so that no file can play tricks on the terminal.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stddef.h>

#include <avml/error.h>

/*
 * The same text as it is shown: valid UTF-8 on one line. `out` has room for
 * PRINT_ESCAPED(strlen(text) + 1) bytes. Returns the length.
 */
#define PRINT_ESCAPED(len) (4 * (len))
size_t print_escape(const char *text, char *out);

/* A path, or the front of one that is longer than any can be. */
#define PRINT_PATH_MAX PRINT_ESCAPED(4097)
void print_path(const char *path, char out[PRINT_PATH_MAX]);

/* The name of an image that is read, as it was given: "-" is "stdin". */
const char *print_source(const char *path);

/* As it is shown. The caller frees it; NULL when memory is out. */
char *print_shown(const char *text);
char *print_shown_error(const struct avml_error *err);

/* The SHA-256 of the image at `path`, unless it is "". */
void print_digest(const char *path, const char *digest);

/* Of a source that was tried by what it loads, and for that alone. */
void print_asked_kernel(const char *path);

/*
 * Controls that remove a line which is redrawn in place on the terminal: they
 * go out in front of the next message, and with it, and are forgotten then.
 * A text that stays; NULL: there is no such line any more.
 */
void print_set_front(const char *text);
/* NULL when there is none, or a message took it away. */
const char *print_front(void);
/* Make room for what is not printed here: for stdout. */
void print_front_alone(void);

void print_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "error: WHAT", and the causes below it, innermost last. */
void print_error(const struct avml_error *err);

#endif

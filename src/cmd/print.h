/* SPDX-License-Identifier: MIT */
/*
 * Messages, all to stderr, a line at once. What comes from outside (names,
 * lines of files) may hold control characters: those are shown as \xNN,
 * so that no file can play tricks on the terminal.
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <avml/error.h>

void print_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "error: WHAT", and the causes below it, innermost last. */
void print_error(const struct avml_error *err);

#endif

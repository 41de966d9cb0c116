/* SPDX-License-Identifier: MIT */
/*
 * What shells complete, out of the tables that the commands parse with. Each
 * printer writes one shell's tables and is told the programs they are for;
 * what to do with them is in the file avml.SHELL here, which goes behind.
 */
#ifndef COMPLETIONS_H
#define COMPLETIONS_H

#include "cmd/cmd.h"

enum value_kind {
	VALUE_FLAG, /* an option that takes none */
	VALUE_TEXT, /* nothing that could be known */
	VALUE_WORD, /* one of `words` */
	VALUE_FILE, /* a path, or one of `words` */
	VALUE_DIRECTORY,
};

struct value {
	enum value_kind kind;
	const char *words; /* "a|b|c", or NULL */
};

struct operand {
	const char *name; /* without brackets; as long as `len` */
	size_t len;
	bool optional;
	struct value value;
};

/* "avml-convert" is the command convert; NULL: avml itself. */
const struct command *command_of(const char *program);

/* Ends the program where nothing is known of the argument's name. */
struct value option_value(const struct option *option);
struct operand operand_of(const char *name);

/* `text` with `before` in front of each of the characters in `special`. */
void print_escaped(const char *text, const char *special, const char *before);
/* "a|b|c" with blanks. */
void print_words(const char *words);

typedef void print_tables(char *const *programs, size_t count);
print_tables print_bash, print_fish, print_zsh;

#endif

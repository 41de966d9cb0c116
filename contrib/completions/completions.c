/* SPDX-License-Identifier: MIT */
/* completions SHELL PROGRAM...: that shell's tables for these programs. */
#include "completions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noreturn)) static void die(
	const char *why, const char *what, size_t len)
{
	fprintf(stderr, "completions: %s: %.*s\n", why, (int)len, what);
	exit(EXIT_FAILURE);
}

const struct command *command_of(const char *program)
{
	static const char prefix[] = "avml-";

	if (strcmp(program, "avml") == 0)
		return NULL;
	for (size_t i = 0; cmd_table[i]; i++) {
		if (strncmp(program, prefix, sizeof(prefix) - 1) == 0 &&
			strcmp(program + sizeof(prefix) - 1,
				cmd_table[i]->name) == 0)
			return cmd_table[i];
	}
	die("no such program", program, strlen(program));
}

/*
 * In the tables, the name of an argument says what it is. A new one has to be
 * added here: it is not to be found out by a user that files are offered for
 * a number, or nothing for a file.
 */
static enum value_kind kind_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum value_kind kind;
	} kinds[] = {
		{ "FILE", VALUE_FILE },
		{ "PATH", VALUE_FILE },
		{ "IMAGE", VALUE_FILE },
		{ "SOURCE", VALUE_FILE },
		{ "DESTINATION", VALUE_FILE },
		{ "DIR", VALUE_DIRECTORY },
		{ "URL", VALUE_TEXT },
		{ "TO", VALUE_TEXT },
		{ "s3://BUCKET/KEY", VALUE_TEXT },
		{ "NAME", VALUE_TEXT },
		{ "HASH", VALUE_TEXT },
		{ "N", VALUE_TEXT },
		{ "P", VALUE_TEXT },
		{ "MiB", VALUE_TEXT },
		{ "BYTES", VALUE_TEXT },
		{ "SECONDS", VALUE_TEXT },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == len &&
			memcmp(kinds[i].name, name, len) == 0)
			return kinds[i].kind;
	}
	die("what is completed where the tables say this", name, len);
}

struct value option_value(const struct option *option)
{
	struct value value = { VALUE_FLAG, option->choices };

	if (option->kind == OPTION_CHOICE)
		value.kind = VALUE_WORD;
	else if (option->kind != OPTION_FLAG)
		value.kind = kind_of(option->arg, strlen(option->arg));
	return value;
}

struct operand operand_of(const char *name)
{
	struct operand operand = { .name = name, .len = strlen(name) };

	if (*name == '[') {
		operand.optional = true;
		operand.name++;
		operand.len -= 2;
	}
	if (memchr(operand.name, '|', operand.len))
		operand.value = (struct value){ VALUE_WORD, operand.name };
	else
		operand.value.kind = kind_of(operand.name, operand.len);
	return operand;
}

void print_escaped(const char *text, const char *special, const char *before)
{
	for (; *text; text++)
		printf("%s%c", strchr(special, *text) ? before : "", *text);
}

void print_words(const char *words)
{
	for (; *words; words++)
		putchar(*words == '|' ? ' ' : *words);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		print_tables *print;
	} shells[] = {
		{ "bash", print_bash },
		{ "fish", print_fish },
		{ "zsh", print_zsh },
	};
	bool known = false;

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (argc < 3 || strcmp(argv[1], shells[i].name) != 0)
			continue;
		known = true;
		shells[i].print(argv + 2, (size_t)argc - 2);
	}
	if (!known) {
		fprintf(stderr, "usage: completions SHELL PROGRAM...\n");
		return EXIT_FAILURE;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS
						      : EXIT_FAILURE;
}

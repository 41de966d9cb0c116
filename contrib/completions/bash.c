/* SPDX-License-Identifier: MIT */
/* Two functions that look up in a table, and an array; see avml.bash. */
#include "completions.h"

#include <stdio.h>

static void print_options(const struct option *options)
{
	for (const struct option *o = options; o->name; o++)
		printf(" --%s", o->name);
}

static void print_value(const struct value *value)
{
	static const char *const names[] = {
		[VALUE_FLAG] = "flag",
		[VALUE_TEXT] = "text",
		[VALUE_WORD] = "word",
		[VALUE_FILE] = "file",
		[VALUE_DIRECTORY] = "directory",
	};

	printf("kind='%s'", names[value->kind]);
	if (value->words) {
		printf(" words='");
		print_words(value->words);
		printf("'");
	}
	printf(" ;;\n");
}

static void print_values(const struct command *command)
{
	for (const struct option *o = command->options; o->name; o++) {
		const struct value value = option_value(o);

		if (value.kind == VALUE_FLAG)
			continue;
		printf("\t%s,--%s) ", command->name, o->name);
		print_value(&value);
	}
	for (size_t i = 0; command->operands[i]; i++) {
		const struct operand operand = operand_of(command->operands[i]);

		printf("\t%s,%zu) ", command->name, i + 1);
		print_value(&operand.value);
	}
}

void print_bash(char *const *programs, size_t count)
{
	printf("# SPDX-License-Identifier: MIT\n# shellcheck shell=bash\n"
	       "_avml_commands=(");
	for (size_t i = 0; cmd_table[i]; i++)
		printf("%s%s", i > 0 ? " " : "", cmd_table[i]->name);
	printf(")\n\n_avml_options()\n{\n\tcase $1 in\n");
	for (size_t i = 0; cmd_table[i]; i++) {
		printf("\t%s) options='", cmd_table[i]->name);
		print_options(option_common);
		print_options(cmd_table[i]->options);
		printf(" ' ;;\n");
	}
	printf("\tesac\n}\n\n_avml_value()\n{\n\twords=''\n\tcase $1,$2 in\n");
	for (size_t i = 0; cmd_table[i]; i++)
		print_values(cmd_table[i]);
	printf("\t*,--*) kind='flag' ;;\n\t*) kind='text' ;;\n\tesac\n}\n\n"
	       "complete -F _avml");
	for (size_t i = 0; i < count; i++) {
		command_of(programs[i]);
		printf(" %s", programs[i]);
	}
	printf("\n\n");
}

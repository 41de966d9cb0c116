/* SPDX-License-Identifier: MIT */
/* A line for each thing that is completed, with conditions of avml.fish. */
#include "completions.h"

#include <stdio.h>

static void print_quoted(const char *text)
{
	printf("'");
	print_escaped(text, "'\\", "\\");
	printf("'");
}

static void print_value(const struct value *value)
{
	if (value->words) {
		printf(" -a '");
		print_words(value->words);
		printf("'");
	}
	if (value->kind == VALUE_FILE)
		printf(" -F");
	else if (value->kind == VALUE_DIRECTORY)
		printf(" -a '(__avml_directories)'");
}

static void print_options(
	const char *program, const char *command, const struct option *options)
{
	for (const struct option *o = options; o->name; o++) {
		const struct value value = option_value(o);

		printf("complete -c %s -n '__avml_wants %s --%s' -l %s -d ",
			program, command, o->name, o->name);
		print_quoted(o->help);
		if (value.kind == VALUE_FILE)
			printf(" -r");
		else if (value.kind != VALUE_FLAG)
			printf(" -x");
		print_value(&value);
		printf("\n");
	}
}

static void print_command(const char *program, const struct command *command)
{
	print_options(program, command->name, command->options);
	print_options(program, command->name, option_common);
	for (size_t i = 0; command->operands[i]; i++) {
		const struct operand operand = operand_of(command->operands[i]);

		if (operand.value.kind == VALUE_TEXT)
			continue;
		printf("complete -c %s -n '__avml_wants %s %zu'", program,
			command->name, i + 1);
		print_value(&operand.value);
		printf("\n");
	}
}

/* Which options have a value behind them. */
static void print_valued(void)
{
	printf("function __avml_valued\n\tswitch $argv[1]\n");
	for (size_t i = 0; cmd_table[i]; i++) {
		const struct option *o = cmd_table[i]->options;

		printf("\t\tcase %s\n\t\t\tprintf '%%s\\n'",
			cmd_table[i]->name);
		for (; o->name; o++) {
			if (o->kind != OPTION_FLAG)
				printf(" --%s", o->name);
		}
		printf("\n");
	}
	printf("\tend\nend\n\n");
}

void print_fish(char *const *programs, size_t count)
{
	printf("# SPDX-License-Identifier: MIT\n\n"
	       "function __avml_commands\n\tprintf '%%s\\n'");
	for (size_t i = 0; cmd_table[i]; i++)
		printf(" %s", cmd_table[i]->name);
	printf("\nend\n\n");
	print_valued();
	for (size_t i = 0; i < count; i++) {
		const struct command *only = command_of(programs[i]);

		printf("complete -c %s -f\n", programs[i]);
		for (size_t c = 0; cmd_table[c]; c++) {
			const struct command *command = cmd_table[c];

			if (!only || only == command)
				print_command(programs[i], command);
			if (only)
				continue;
			printf("complete -c %s -n __avml_wants_command -a %s "
			       "-d ",
				programs[i], command->name);
			print_quoted(command->summary);
			printf("\n");
		}
	}
	printf("\n");
}

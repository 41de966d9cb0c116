/* SPDX-License-Identifier: MIT */
/* A function for each command, of what _arguments wants; see avml.zsh. */
#include "completions.h"

#include <stdio.h>

/* Within single quotes, where a colon and brackets have a meaning. */
static void print_text(const char *text, size_t len)
{
	char one[2] = "";

	for (size_t i = 0; i < len && text[i]; i++) {
		one[0] = text[i];
		if (*one == '\'')
			printf("'\\''");
		else
			print_escaped(one, ":[]\\", "\\");
	}
}

static void print_action(const struct value *value)
{
	switch (value->kind) {
	case VALUE_FLAG:
		break;
	case VALUE_TEXT:
		printf(" ");
		break;
	case VALUE_WORD:
		printf("(");
		print_words(value->words);
		printf(")");
		break;
	case VALUE_FILE:
		if (!value->words) {
			printf("_files");
			break;
		}
		printf("{_alternative \"words\\:word\\:(");
		print_words(value->words);
		printf(")\" \"files\\:file\\:_files\"}");
		break;
	case VALUE_DIRECTORY:
		printf("_files -/");
		break;
	}
}

static void print_options(const struct option *options)
{
	for (const struct option *o = options; o->name; o++) {
		const struct value value = option_value(o);

		printf(" \\\n\t\t'--%s%s[", o->name,
			value.kind == VALUE_FLAG ? "" : "=");
		print_text(o->help, (size_t)-1);
		printf("]");
		if (value.kind != VALUE_FLAG) {
			printf(":");
			print_text(o->arg, (size_t)-1);
			printf(":");
			print_action(&value);
		}
		printf("'");
	}
}

static void print_operands(const char *const *operands)
{
	for (size_t i = 0; operands[i]; i++) {
		const struct operand operand = operand_of(operands[i]);

		printf(" \\\n\t\t'%zu:%s", i + 1, operand.optional ? ":" : "");
		print_text(operand.name, operand.len);
		printf(":");
		print_action(&operand.value);
		printf("'");
	}
}

void print_zsh(char *const *programs, size_t count)
{
	printf("#compdef");
	for (size_t i = 0; i < count; i++) {
		command_of(programs[i]);
		printf(" %s", programs[i]);
	}
	printf("\n# SPDX-License-Identifier: MIT\n\n"
	       "_avml_list()\n{\n\tcommands=(\n");
	for (size_t i = 0; cmd_table[i]; i++) {
		printf("\t\t'%s:", cmd_table[i]->name);
		print_text(cmd_table[i]->summary, (size_t)-1);
		printf("'\n");
	}
	printf("\t)\n}\n\n");
	for (size_t i = 0; cmd_table[i]; i++) {
		printf("_avml_%s()\n{\n\t_arguments -S", cmd_table[i]->name);
		print_options(cmd_table[i]->options);
		print_options(option_common);
		print_operands(cmd_table[i]->operands);
		printf("\n}\n\n");
	}
}

/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>

#include "cmd/print.h"

const struct command *const cmd_table[] = {
	&cmd_acquire,
	NULL,
};

void cmd_print_help(const struct command *command)
{
	printf("avml %s: %s\n\n", command->name, command->summary);
	printf("usage: avml %s [OPTIONS] %s\n", command->name,
		command->synopsis);
	if (command == cmd_table[0])
		printf("       avml [OPTIONS] %s\n", command->synopsis);
	printf("\n");
	option_usage(stdout, command);
}

void cmd_print_version(void)
{
	printf("avml %s\n", AVML_VERSION);
}

int cmd_wrong_usage(const struct command *command, const struct avml_error *err)
{
	print_error(err);
	print_line("usage: avml %s [OPTIONS] %s (see avml %s --help)",
		command->name, command->synopsis, command->name);
	return STATUS_USAGE;
}

int cmd_answer(const struct command *command, int outcome)
{
	if (outcome == OPTIONS_HELP)
		cmd_print_help(command);
	else if (outcome == OPTIONS_VERSION)
		cmd_print_version();
	else
		return -1;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		print_line("error: cannot write to stdout");
		return STATUS_FAILED;
	}
	return STATUS_COMPLETE;
}

/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>

#include "base/cancel.h"
#include "cmd/print.h"

const struct command *const cmd_table[] = {
	&cmd_acquire,
	&cmd_stream,
	&cmd_upload,
	&cmd_convert,
	&cmd_info,
	&cmd_verify,
	&cmd_sources,
	NULL,
};

void cmd_print_help(const struct command *command)
{
	printf("avml %s: %s\n\n", command->name, command->summary);
	printf("usage: avml %s [OPTIONS]%s%s\n", command->name,
		command->synopsis[0] ? " " : "", command->synopsis);
	if (command == cmd_table[0])
		printf("       avml [OPTIONS] %s\n", command->synopsis);
	printf("\n");
	option_usage(stdout, command);
	if (command != cmd_table[0])
		return;
	printf("\nother commands (avml COMMAND --help):\n");
	for (size_t i = 1; cmd_table[i]; i++)
		printf("  %-12s %s\n", cmd_table[i]->name,
			cmd_table[i]->summary);
}

int cmd_wrong_usage(const struct command *command, const struct avml_error *err)
{
	print_error(err);
	if (err->code == ENOMEM)
		return STATUS_FAILED;
	print_line("usage: avml %s [OPTIONS]%s%s (see avml %s --help)",
		command->name, command->synopsis[0] ? " " : "",
		command->synopsis, command->name);
	return STATUS_USAGE;
}

int cmd_status(const struct avml_error *err)
{
	return err->code == EINTR && cancel_signal()
		       ? STATUS_SIGNAL + cancel_signal()
		       : STATUS_FAILED;
}

int cmd_failed(const struct avml_error *err)
{
	print_error(err);
	return cmd_status(err);
}

int cmd_answer(const struct command *command, int outcome)
{
	if (outcome == OPTIONS_HELP)
		cmd_print_help(command);
	else if (outcome == OPTIONS_VERSION ||
		 outcome == OPTIONS_VERSION_VERBOSE)
		cmd_print_version(outcome == OPTIONS_VERSION_VERBOSE);
	else
		return -1;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		print_line("error: cannot write to stdout");
		return STATUS_FAILED;
	}
	return STATUS_COMPLETE;
}

void stopwatch_start(struct stopwatch *watch)
{
	clock_gettime(CLOCK_MONOTONIC, &watch->start);
}

double stopwatch_seconds(const struct stopwatch *watch)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - watch->start.tv_sec) +
	       (double)(now.tv_nsec - watch->start.tv_nsec) / 1e9;
}

double stopwatch_mib_per_second(const struct stopwatch *watch, uint64_t bytes)
{
	const double seconds = stopwatch_seconds(watch);

	return (double)bytes / (1 << 20) / (seconds > 0 ? seconds : 1e-9);
}

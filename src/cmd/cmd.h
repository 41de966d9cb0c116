/* SPDX-License-Identifier: MIT */
/* The subcommands. Each takes what follows its name, and gives the status. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdbool.h>
#include <time.h>

#include "cmd/option.h"

enum exit_status {
	STATUS_COMPLETE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_PARTIAL = 3,  /* written, but some bytes were unreadable */
	STATUS_SIGNAL = 128, /* plus the signal's number */
};

extern const struct command cmd_acquire;
extern const struct command cmd_convert;
extern const struct command cmd_info;
extern const struct command cmd_sources;
extern const struct command cmd_stream;
extern const struct command cmd_upload;
extern const struct command cmd_verify;

/* All commands, NULL at the end; the first is the default one. */
extern const struct command *const cmd_table[];

/* Usage text; of the default command with the names of the others. */
void cmd_print_help(const struct command *command);
/* Version and commit; verbose, what it is built of as well. */
void cmd_print_version(bool verbose);
/* The commit that it was built of, "" if that is not known; */
const char *cmd_commit(void);
/* "dynamic", "static" or "static-minimal"; and the compiler. */
const char *cmd_build(void);
const char *cmd_compiler(void);

/*
 * "error: ..." and where to find help; STATUS_USAGE. That memory is out is no
 * wrong usage: STATUS_FAILED.
 */
int cmd_wrong_usage(
	const struct command *command, const struct avml_error *err);

/* The status that an error means: a signal has one of its own. */
int cmd_status(const struct avml_error *err);

/* Tell it, too. */
int cmd_failed(const struct avml_error *err);

/*
 * Help and version go to stdout; there is no success if that is full.
 * `outcome` is of option_parse(); -1 when it is none of these.
 */
int cmd_answer(const struct command *command, int outcome);

/* How long a job took, for its summary. */
struct stopwatch {
	struct timespec start;
};

void stopwatch_start(struct stopwatch *watch);
double stopwatch_seconds(const struct stopwatch *watch);
double stopwatch_mib_per_second(const struct stopwatch *watch, uint64_t bytes);

#endif

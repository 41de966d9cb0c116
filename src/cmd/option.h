/* SPDX-License-Identifier: MIT */
/* Options from tables: one table makes the parsing and the usage text. */
#ifndef CMD_OPTION_H
#define CMD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <avml/error.h>

enum option_kind {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char *, of argv */
	OPTION_NUMBER,	/* uint64_t, from min to max */
	OPTION_PERCENT, /* double, from min to max, or below it */
	OPTION_CHOICE,	/* const char *, one of the words in choices */
	OPTION_SIZE,	/* uint64_t, of bytes; with K, M, G of 1024 */
};

struct option {
	const char *name; /* without the dashes; NULL ends a table */
	enum option_kind kind;
	size_t offset;	 /* of the value in the command's struct */
	const char *arg; /* the argument's name in the usage text */
	const char *help;
	const char *choices; /* "a|b|c"; of a text, words that it may be too */
	double min, max;
	bool below_max;	  /* max itself is too much */
	bool secret;	  /* a text that nobody may see: see secret.h */
	const char *also; /* what AVML's instructions call it, or NULL */
};

#define OPTION_MAX 64

/* Options that several commands have, and the commonest kinds. */
/* NOLINTBEGIN(bugprone-macro-parentheses): initializers of members, no sums */
#define OPTION_FLAG_AT(option, at, text)                           \
	{                                                          \
		.name = option, .kind = OPTION_FLAG, .offset = at, \
		.help = text                                       \
	}
#define OPTION_TEXT_AT(option, at, argument, text)                 \
	{                                                          \
		.name = option, .kind = OPTION_TEXT, .offset = at, \
		.arg = argument, .help = text                      \
	}
#define OPTION_THREADS(at)                                                    \
	{                                                                     \
		.name = "threads", .kind = OPTION_NUMBER, .offset = at,       \
		.arg = "N", .help = "threads, 1 to 64 (the CPUs, at most 4)", \
		.min = 1, .max = 64                                           \
	}
#define OPTION_DIGEST(at, file) \
	OPTION_FLAG_AT("digest", at, "take its SHA-256, into " file ".sha256")
#define OPTION_PROGRESS(at)                                              \
	{                                                                \
		.name = "progress", .kind = OPTION_CHOICE, .offset = at, \
		.arg = "WHEN", .choices = "auto|always|never",           \
		.help = "how far it is: auto, always or never (auto)"    \
	}
/* 2^44 MiB are 2^64 bytes: no image is larger. */
#define OPTION_MAX_DISK_USAGE(at, text)                                        \
	{                                                                      \
		.name = "max-disk-usage", .kind = OPTION_NUMBER, .offset = at, \
		.arg = "MiB", .help = text, .min = 1, .max = 1ull << 44        \
	}
#define OPTION_MIN_FREE(at)                                                   \
	{                                                                     \
		.name = "min-free", .kind = OPTION_NUMBER, .offset = at,      \
		.arg = "MiB", .help = "stop before less is free on the disk", \
		.min = 1, .max = 1ull << 44                                   \
	}
#define OPTION_MAX_DISK_USAGE_PERCENTAGE(at, text)                           \
	{                                                                    \
		.name = "max-disk-usage-percentage", .kind = OPTION_PERCENT, \
		.offset = at, .arg = "P", .help = text, .min = 0.01,         \
		.max = 100, .below_max = true                                \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

struct command {
	const char *name;
	const char *synopsis; /* the operands */
	const char *summary;
	const struct option *options;
	/* Names; NULL ends the list. "[NAME]"s at its end may be left out. */
	const char *const *operands;
	bool url_operand; /* one that is a URL is taken as a secret */
	int (*run)(int argc, char **argv);
};

/* What a command line asks for besides the options of the table. */
enum option_outcome {
	OPTIONS_DONE,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_VERSION_VERBOSE,
};

/*
 * Parse argv[0..argc) into `target`. Operands may stand between options;
 * "--" ends these. As many operands are wanted as the command names, and
 * go to `operands`; one that is left out is not touched. Names may have "_" for
 * "-", and an option's other name means the same. An enum option_outcome, or
 * -EINVAL.
 */
int option_parse(const struct command *command, int argc, char **argv,
	void *target, const char **operands, struct avml_error *err);

/*
 * What option_parse() copied, however it ended: texts that are secret, and
 * operands that are URLs. Operands it did not get to are NULL before it.
 */
void option_release(
	const struct command *command, void *target, const char **operands);

void option_usage(FILE *out, const struct command *command);

/* Flags that every command has besides its table, for usage texts. */
extern const struct option option_common[];

#endif

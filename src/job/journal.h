/* SPDX-License-Identifier: MIT */
/*
 * A file of lines that tells of a run while it lasts: each line is in the file
 * before the run goes on, so that what is told survives the process, killed or
 * not. What goes wrong with it ends it, and not the run.
 */
#ifndef JOB_JOURNAL_H
#define JOB_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <avml/sink.h>

struct journal {
	const char *path;
	struct avml_sink *sink; /* NULL: there is none, or no more */
	struct avml_sink_input input;
	bool failed;
	struct avml_error err; /* why */
};

#define JOURNAL_OTHERS_MAX 16

struct journal_options {
	bool no_clobber;
	/* Files that are none, by the names of struct avml_sink_input. */
	const char *const *others;
	size_t other_count; /* at most JOURNAL_OTHERS_MAX */
};

/*
 * See avml_sink_open() for the path, and what is refused: -EINVAL for what
 * never makes sense, another -errno for what the system would not do.
 */
int journal_open(struct journal *journal, const char *path,
	const struct journal_options *options, struct avml_error *err);

/* That this file must not be written over, for who opens others. */
const struct avml_sink_input *journal_input(const struct journal *journal);

/* `len` bytes, of which the last is a newline. */
void journal_line(struct journal *journal, const char *line, size_t len);

/* A line could not be made: the journal ends here, and is incomplete. */
void journal_fail(struct journal *journal);

/*
 * The end: on the disk, and closed. 0, or -errno when anything is missing that
 * was told. After a failed open too.
 */
int journal_close(struct journal *journal, struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How far a command is, on stderr: on a terminal one line that is redrawn in
 * place, else, if it is asked for, a line every now and then.
 *
 * It never holds the job up. What stderr cannot take at once is left out, and
 * when a write fails there is no more of it.
 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <avml/progress.h>

#include "cmd/progress_text.h"

/* So many, of ten a second, are a few seconds. */
#define PROGRESS_SAMPLES 64

struct progress_line {
	enum {
		PROGRESS_OFF,
		PROGRESS_DRAWN,
		PROGRESS_LOGGED,
	} how;
	pid_t group;	     /* of this process */
	bool stdout_is_near; /* a terminal: probably the same */
	bool cut;	     /* what was written last did not go out whole */
	const char *bad;     /* see struct progress_view */
	struct avml_progress now;
	uint64_t begin_ms, look_ms, log_ms; /* of the monotonic clock */
	/* Where it was at the last looks, the oldest first. */
	struct {
		uint64_t ms, done_bytes;
	} samples[PROGRESS_SAMPLES];
	unsigned int sample_count;
	size_t len;			   /* of what is drawn */
	char text[PROGRESS_TEXT_MAX + 16]; /* drawn last, with its controls */
};

/*
 * `when` is "auto" (or NULL), "always" or "never"; `quiet` turns auto off.
 */
void progress_line_begin(
	struct progress_line *p, const char *when, bool quiet, const char *bad);

/* What the event of a job tells. */
void progress_line_tell(
	struct progress_line *p, const struct avml_progress *now);

/* Before something is printed to stdout; print.h sees to messages. */
void progress_line_hide(const struct progress_line *p);

/* The job has ended, well or not: the line goes, a log gets its last one. */
void progress_line_end(struct progress_line *p);

#endif

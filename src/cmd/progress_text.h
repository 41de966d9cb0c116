/* SPDX-License-Identifier: MIT */
/* How far a job is, in words: for a terminal's line and for a log. */
#ifndef CMD_PROGRESS_TEXT_H
#define CMD_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <avml/progress.h>

struct progress_view {
	struct avml_progress now;
	double rate;	 /* bytes a second, below 0: not known yet */
	double seconds;	 /* since the beginning */
	const char *bad; /* what bad bytes are: "unreadable" */
	bool ended;	 /* all that is left stays undone */
};

/* For both: with what else a terminal is sent, less than 256 bytes. */
#define PROGRESS_TEXT_MAX 240

/*
 * For a terminal of so many columns: as many of bytes, percent, rate, time
 * left and bad bytes as fit, the last column left free, where some terminals
 * go on to the next line. No end of line. Returns the length, which is 0 where
 * nothing fits.
 */
size_t progress_text_line(const struct progress_view *view,
	unsigned int columns, char text[PROGRESS_TEXT_MAX]);

/* For a log: a whole line, with its end. Returns the length. */
size_t progress_text_log(
	const struct progress_view *view, char text[PROGRESS_TEXT_MAX]);

#endif

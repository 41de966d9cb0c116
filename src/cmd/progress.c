/* SPDX-License-Identifier: MIT */
#include "cmd/progress.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cmd/print.h"

/* At least so much lies between two looks, and so between two redraws, */
#define LOOK_MS 100
/* and between two lines of a log. */
#define LOG_MS 5000
/* The rate is that of the last few seconds, and at first is not told. */
#define WINDOW_MS 5000
#define RATE_MIN_MS 500
#define COLUMNS_DEFAULT 80

/* To the line's beginning, and all of it away. */
#define ERASE_END "\033[K"
#define ERASE "\r" ERASE_END

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A terminal on which a line can be erased. */
static bool can_redraw(void)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes it */
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && term && strcmp(term, "dumb") != 0;
}

void progress_line_begin(
	struct progress_line *p, const char *when, bool quiet, const char *bad)
{
	const bool always = when && strcmp(when, "always") == 0;
	const bool never = when && strcmp(when, "never") == 0;

	*p = (struct progress_line){ .how = PROGRESS_OFF, .bad = bad };
	if (never || (quiet && !always))
		return;
	if (can_redraw())
		p->how = PROGRESS_DRAWN;
	else if (always)
		p->how = PROGRESS_LOGGED;
	if (p->how == PROGRESS_OFF)
		return;
	p->group = getpgrp();
	p->stdout_is_near = isatty(STDOUT_FILENO) == 1;
	p->begin_ms = p->log_ms = clock_ms();
}

/*
 * Write what can be written now: whether anything was. An error is the end of
 * it all. stderr may block, and cannot be made not to for us alone. But where
 * poll() finds that something can be written, Linux has room for 256 bytes in
 * a terminal and for a page in a pipe: nothing here is longer.
 */
static bool put(struct progress_line *p, const char *text, size_t len)
{
	struct pollfd writable = { STDERR_FILENO, POLLOUT, 0 };
	ssize_t n;

	if (poll(&writable, 1, 0) != 1)
		return false;
	n = write(STDERR_FILENO, text, len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		p->how = PROGRESS_OFF;
	if (n <= 0)
		return false;
	p->cut = (size_t)n < len;
	return true;
}

/* The place of a new sample: those that are too old make room. */
static void add_sample(struct progress_line *p, uint64_t ms)
{
	unsigned int old = 0;

	/* One is left that is older, so that there are two in any case. */
	while (old + 1 < p->sample_count &&
		p->samples[old + 1].ms + WINDOW_MS <= ms)
		old++;
	if (old == 0 && p->sample_count == PROGRESS_SAMPLES)
		old = 1;
	p->sample_count -= old;
	memmove(p->samples, p->samples + old,
		p->sample_count * sizeof(p->samples[0]));
	p->samples[p->sample_count].ms = ms;
	p->samples[p->sample_count].done_bytes = p->now.done_bytes;
	p->sample_count++;
}

static double rate_between(
	uint64_t from_ms, uint64_t from, uint64_t ms, uint64_t done_bytes)
{
	return 1000 * (double)(done_bytes - from) / (double)(ms - from_ms);
}

static struct progress_view view_at(const struct progress_line *p, uint64_t ms)
{
	struct progress_view view = {
		.now = p->now,
		.rate = -1,
		.seconds = (double)(ms - p->begin_ms) / 1000,
		.bad = p->bad,
	};

	if (p->samples[0].ms + RATE_MIN_MS <= ms)
		view.rate = rate_between(p->samples[0].ms,
			p->samples[0].done_bytes, ms, p->now.done_bytes);
	return view;
}

/* In the background, a shell's prompt stands where the line would. */
static bool in_foreground(const struct progress_line *p)
{
	const pid_t group = tcgetpgrp(STDERR_FILENO);

	/* Another session's terminal, or a group of another namespace. */
	return group <= 0 || group == p->group;
}

static unsigned int columns(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
		       ? size.ws_col
		       : COLUMNS_DEFAULT;
}

static void draw(struct progress_line *p, uint64_t ms)
{
	const struct progress_view view = view_at(p, ms);
	char line[PROGRESS_TEXT_MAX], text[sizeof(p->text)];
	size_t len = 0;

	if (!in_foreground(p)) {
		print_set_front(NULL);
		return;
	}
	progress_text_line(&view, columns(), line);
	/* A control that was cut off must not take the next one with it. */
	len = (size_t)snprintf(text, sizeof(text), "%s%s" ERASE_END,
		p->cut ? ERASE : "\r", line);
	if (print_front() && !p->cut && len == p->len &&
		memcmp(text, p->text, len) == 0)
		return;
	if (!put(p, text, len))
		return;
	print_set_front(ERASE);
	memcpy(p->text, text, len);
	p->len = len;
}

void progress_line_tell(
	struct progress_line *p, const struct avml_progress *now)
{
	struct progress_view view;
	char text[PROGRESS_TEXT_MAX];
	uint64_t ms;

	p->now = *now;
	if (p->how == PROGRESS_OFF)
		return;
	ms = clock_ms();
	if (p->sample_count > 0 && ms - p->look_ms < LOOK_MS)
		return;
	p->look_ms = ms;
	add_sample(p, ms);
	if (p->how == PROGRESS_DRAWN) {
		draw(p, ms);
	} else if (ms - p->log_ms >= LOG_MS) {
		p->log_ms = ms;
		view = view_at(p, ms);
		put(p, text, progress_text_log(&view, text));
	}
}

void progress_line_hide(const struct progress_line *p)
{
	if (p->stdout_is_near)
		print_front_alone();
}

/* The rate is that of the whole run. */
static void log_end(struct progress_line *p)
{
	const uint64_t ms = clock_ms();
	const uint64_t from = p->begin_ms < ms ? p->begin_ms : ms - 1;
	struct progress_view view = view_at(p, ms);
	char text[PROGRESS_TEXT_MAX];

	view.ended = true;
	view.rate = rate_between(from, 0, ms, p->now.done_bytes);
	put(p, text, progress_text_log(&view, text));
}

void progress_line_end(struct progress_line *p)
{
	if (p->how == PROGRESS_OFF)
		return;
	/* A job that failed before it began has got nowhere. */
	if (p->how == PROGRESS_LOGGED && p->sample_count > 0)
		log_end(p);
	/* Else it goes together with what is said next. */
	if (p->how == PROGRESS_DRAWN && print_front() &&
		put(p, ERASE, sizeof(ERASE) - 1) && !p->cut)
		print_set_front(NULL);
	p->how = PROGRESS_OFF;
}

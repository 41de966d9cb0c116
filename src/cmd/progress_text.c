/* SPDX-License-Identifier: MIT */
#include "cmd/progress_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A time left beyond it says no more than that it takes long. */
#define HOURS_MAX 100

#define FIELD_MAX 80

static const char units[][6] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB",
	"EiB" };

/* The unit in which a number has at most three digits before the point. */
static unsigned int unit_of(double bytes)
{
	unsigned int unit = 0;

	while (bytes >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	return unit;
}

static double in_unit(double bytes, unsigned int unit)
{
	return bytes / (double)(UINT64_C(1) << (10 * unit));
}

/* 100 is only what is at its end. */
static unsigned int percent(const struct avml_progress *now)
{
	const double share = (double)now->done_bytes / (double)now->all_bytes;

	if (now->done_bytes >= now->all_bytes)
		return 100;
	return share < 0.99 ? (unsigned int)(100 * share) : 99;
}

/* Seconds, below 0 where they are not known or make no sense. */
static double seconds_left(const struct progress_view *view)
{
	const struct avml_progress *now = &view->now;
	double seconds;

	if (now->done_bytes >= now->all_bytes)
		return 0;
	if (view->ended || view->rate <= 0)
		return -1;
	seconds = (double)(now->all_bytes - now->done_bytes) / view->rate;
	return seconds < HOURS_MAX * 3600.0 ? seconds : -1;
}

static void bytes_field(const struct avml_progress *now, char field[FIELD_MAX])
{
	const uint64_t most = now->all_bytes ? now->all_bytes : now->done_bytes;
	const unsigned int unit = unit_of((double)most);
	const int digits = unit > 0 ? 1 : 0;
	const double done = in_unit((double)now->done_bytes, unit);
	const double all = in_unit((double)now->all_bytes, unit);
	char text[16];
	int width;

	if (now->all_bytes == 0) {
		snprintf(field, FIELD_MAX, " %5.*f %s", digits, done,
			units[unit]);
		return;
	}
	/* The numbers that follow stay where they are. */
	width = snprintf(text, sizeof(text), "%.*f", digits, all);
	snprintf(field, FIELD_MAX, " %*.*f of %s %s", width, digits, done, text,
		units[unit]);
}

static void rate_field(double rate, char field[FIELD_MAX])
{
	const unsigned int unit = unit_of(rate);
	const double value = in_unit(rate, unit);
	int digits = 0;

	if (rate < 0) {
		snprintf(field, FIELD_MAX, "%10s", "--/s");
		return;
	}
	if (unit > 0 && value < 99.95)
		digits = value < 9.995 ? 2 : 1;
	snprintf(field, FIELD_MAX, "%4.*f %s/s", digits, value, units[unit]);
}

static void time_field(double seconds, const char *what, char field[FIELD_MAX])
{
	const uint64_t whole = seconds < 0 ? 0 : (uint64_t)seconds;
	const uint64_t hours = whole / 3600;
	const unsigned int minutes = (unsigned int)(whole / 60 % 60);
	char text[32];

	if (seconds < 0)
		snprintf(text, sizeof(text), "--:--");
	else if (hours > 0)
		snprintf(text, sizeof(text), "%" PRIu64 ":%02u:%02u", hours,
			minutes, (unsigned int)(whole % 60));
	else
		snprintf(text, sizeof(text), "%u:%02u", minutes,
			(unsigned int)(whole % 60));
	snprintf(field, FIELD_MAX, "%5s %s", text, what);
}

struct line {
	char *text;
	size_t len, room;
	bool full; /* what comes further right does not stand there either */
};

static void add(struct line *line, const char *field)
{
	const char *gap = line->len > 0 ? "   " : "";
	const size_t len = strlen(gap) + strlen(field);

	line->full = line->full || line->len + len > line->room;
	if (line->full)
		return;
	memcpy(line->text + line->len, gap, strlen(gap));
	memcpy(line->text + line->len + strlen(gap), field, strlen(field) + 1);
	line->len += len;
}

size_t progress_text_line(const struct progress_view *view,
	unsigned int columns, char text[PROGRESS_TEXT_MAX])
{
	const struct avml_progress *now = &view->now;
	struct line line = { .text = text, .room = columns ? columns - 1 : 0 };
	char field[FIELD_MAX];

	if (line.room > PROGRESS_TEXT_MAX - 1)
		line.room = PROGRESS_TEXT_MAX - 1;
	text[0] = '\0';
	bytes_field(now, field);
	add(&line, field);
	if (now->all_bytes > 0) {
		snprintf(field, sizeof(field), "%3u %%", percent(now));
		add(&line, field);
	}
	rate_field(view->rate, field);
	add(&line, field);
	if (now->all_bytes > 0)
		time_field(seconds_left(view), "left", field);
	else
		time_field(view->seconds, "elapsed", field);
	add(&line, field);
	if (now->bad_bytes > 0) {
		snprintf(field, sizeof(field), "%" PRIu64 " bytes %.30s",
			now->bad_bytes, view->bad);
		add(&line, field);
	}
	return line.len;
}

/* A number of the log, "?" where it is not known. */
static void number(double value, int digits, char field[FIELD_MAX])
{
	if (value < 0)
		snprintf(field, FIELD_MAX, "?");
	else
		snprintf(field, FIELD_MAX, "%.*f", digits, value);
}

size_t progress_text_log(
	const struct progress_view *view, char text[PROGRESS_TEXT_MAX])
{
	const struct avml_progress *now = &view->now;
	char rate[FIELD_MAX], left[FIELD_MAX];
	int len;

	number(view->rate < 0 ? -1 : view->rate / (1 << 20), 1, rate);
	number(now->all_bytes > 0 ? seconds_left(view) : view->seconds, 0,
		left);
	if (now->all_bytes > 0)
		len = snprintf(text, PROGRESS_TEXT_MAX,
			"progress: %" PRIu64 " of %" PRIu64
			" bytes, %u %%, %s MiB/s, %s s left, %" PRIu64
			" bytes %.30s\n",
			now->done_bytes, now->all_bytes, percent(now), rate,
			left, now->bad_bytes, view->bad);
	else
		len = snprintf(text, PROGRESS_TEXT_MAX,
			"progress: %" PRIu64 " bytes, %s MiB/s, %s s elapsed, "
			"%" PRIu64 " bytes %.30s\n",
			now->done_bytes, rate, left, now->bad_bytes, view->bad);
	return (size_t)len;
}

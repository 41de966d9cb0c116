/* SPDX-License-Identifier: MIT */
#include "cmd/map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINES_MAX 48
#define COLUMNS_MIN 16
#define COLUMNS_MAX 256
/* "0x0000000100000000 " in front, and the last column left free. */
#define MARGIN 20
#define WIDTH_DEFAULT 80

/* What a character stands for, least of all first. */
enum look {
	LOOK_HOLE,
	LOOK_ZERO,
	LOOK_SPARSE,
	LOOK_QUARTER,
	LOOK_HALF,
	LOOK_MOST,
	LOOK_FULL,
	LOOK_BAD,
	LOOKS
};

#define COLOUR_ON(code) "\033[0;" code "m"
#define COLOUR_OFF "\033[0m"

static const struct {
	char character;
	const char *on; /* its colour: the eight of ANSI, that all have */
	const char *text;
} looks[LOOKS] = {
	[LOOK_HOLE] = { '.', COLOUR_ON("2"), "not in the image" },
	[LOOK_ZERO] = { '0', COLOUR_ON("34"), "zeros" },
	[LOOK_SPARSE] = { 'o', COLOUR_ON("36"), "7/8 zeros, or more" },
	[LOOK_QUARTER] = { '-', COLOUR_ON("32"),
		"data, compressed to less than 1/4" },
	[LOOK_HALF] = { '=', COLOUR_ON("32;1"), "to less than 1/2" },
	[LOOK_MOST] = { '+', COLOUR_ON("33"), "to less than 3/4" },
	[LOOK_FULL] = { '#', COLOUR_ON("31"), "to 3/4 or more, or not at all" },
	[LOOK_BAD] = { '!', COLOUR_ON("31;7"), "damaged" },
};

static const char *variable(const char *name)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets one */
	return getenv(name);
}

void map_style_of(int fd, struct map_style *style)
{
	const char *term = variable("TERM");
	const char *no_colour = variable("NO_COLOR");
	const bool terminal = isatty(fd) == 1;
	struct winsize size;

	style->width = WIDTH_DEFAULT;
	if (terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style->width = size.ws_col;
	style->colour = terminal && (!no_colour || !no_colour[0]) && term &&
			strcmp(term, "dumb") != 0;
}

const char *map_size(uint64_t bytes, char text[MAP_SIZE_MAX])
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB", "PiB",
		"EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]);
		unit++)
		value /= 1024;
	snprintf(text, MAP_SIZE_MAX, value < 10 ? "%.1f %s" : "%.0f %s", value,
		units[unit]);
	return text;
}

static enum look look_of(
	const struct avml_info_cell *cell, const struct map_style *style)
{
	const uint64_t memory = cell->memory_bytes;
	const uint64_t data = memory - cell->zero_bytes;

	if (cell->bad_bytes > 0)
		return LOOK_BAD;
	if (memory == 0)
		return LOOK_HOLE;
	if (data == 0)
		return LOOK_ZERO;
	if (data <= memory / 8)
		return LOOK_SPARSE;
	if (!style->compressed || cell->stored_bytes >= data - data / 4)
		return LOOK_FULL;
	if (cell->stored_bytes >= data - data / 2)
		return LOOK_MOST;
	return cell->stored_bytes >= data / 4 ? LOOK_HALF : LOOK_QUARTER;
}

static unsigned int columns_of(const struct map_style *style)
{
	unsigned int columns =
		style->width > MARGIN ? style->width - MARGIN : 0;

	if (columns < COLUMNS_MIN)
		return COLUMNS_MIN;
	if (columns > COLUMNS_MAX)
		return COLUMNS_MAX;
	return columns - columns % COLUMNS_MIN;
}

/* The line a cell is in, when each character is so many bytes. */
static uint64_t line_of(
	const struct avml_info_cell *cell, uint64_t bytes, unsigned int columns)
{
	return cell->start / bytes / columns;
}

/* How many lines there are; a gap between two is one. */
static size_t count_lines(const struct avml_info_cell *cells, size_t count,
	uint64_t bytes, unsigned int columns)
{
	uint64_t last = 0;
	size_t lines = 0;

	for (size_t i = 0; i < count; i++) {
		const uint64_t line = line_of(&cells[i], bytes, columns);

		if (i == 0 || line > last)
			lines += i > 0 && line > last + 1 ? 2 : 1;
		last = line;
	}
	return lines;
}

static void draw_looks(FILE *out, const enum look *line, unsigned int columns,
	const struct map_style *style)
{
	for (unsigned int i = 0; i < columns; i++) {
		if (style->colour && (i == 0 || line[i] != line[i - 1]))
			fputs(looks[line[i]].on, out);
		putc(looks[line[i]].character, out);
	}
	fputs(style->colour ? COLOUR_OFF "\n" : "\n", out);
}

/* What the characters mean; of what is not known, nothing is said. */
static void draw_legend(
	FILE *out, uint64_t bytes, const struct map_style *style)
{
	char size[MAP_SIZE_MAX];

	fprintf(out, "one character is %s:\n", map_size(bytes, size));
	for (int i = 0; i < LOOKS; i++) {
		const bool levels = i >= LOOK_QUARTER && i <= LOOK_MOST;

		if (levels && !style->compressed)
			continue;
		fprintf(out, "  %s%c%s  %s\n", style->colour ? looks[i].on : "",
			looks[i].character, style->colour ? COLOUR_OFF : "",
			i == LOOK_FULL && !style->compressed ? "data"
							     : looks[i].text);
	}
}

/* Draw one line of cells from `i` on; where the next one begins. */
static size_t draw_line(FILE *out, const struct avml_info_cell *cells, size_t i,
	size_t count, uint64_t bytes, const struct map_style *style)
{
	const unsigned int columns = columns_of(style);
	const uint64_t line = line_of(&cells[i], bytes, columns);
	enum look drawn[COLUMNS_MAX];

	for (unsigned int column = 0; column < columns; column++) {
		const uint64_t number = line * columns + column;
		struct avml_info_cell sum = { .start = 0 };

		for (; i < count && cells[i].start / bytes == number; i++) {
			sum.memory_bytes += cells[i].memory_bytes;
			sum.zero_bytes += cells[i].zero_bytes;
			sum.stored_bytes += cells[i].stored_bytes;
			sum.bad_bytes += cells[i].bad_bytes;
		}
		drawn[column] = look_of(&sum, style);
	}
	fprintf(out, "0x%016" PRIx64 " ", line * columns * bytes);
	draw_looks(out, drawn, columns, style);
	return i;
}

void map_draw(FILE *out, const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes, const struct map_style *style)
{
	const unsigned int columns = columns_of(style);
	uint64_t bytes = cell_bytes, last = 0;
	char size[MAP_SIZE_MAX];

	while (count_lines(cells, count, bytes, columns) > LINES_MAX &&
		bytes < UINT64_C(1) << 63)
		bytes *= 2;
	for (size_t i = 0; i < count;) {
		const uint64_t line = line_of(&cells[i], bytes, columns);

		if (i > 0 && line > last + 1)
			fprintf(out, "%*s(%s not in the image)\n", MARGIN - 1,
				"",
				map_size((line - last - 1) * columns * bytes,
					size));
		last = line;
		i = draw_line(out, cells, i, count, bytes, style);
	}
	draw_legend(out, bytes, style);
}

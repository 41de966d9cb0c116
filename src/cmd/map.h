/* SPDX-License-Identifier: MIT */
/* Physical memory, drawn in characters. */
#ifndef CMD_MAP_H
#define CMD_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <avml/info.h>

struct map_style {
	unsigned int width; /* columns that there are */
	bool colour;
	bool compressed; /* how well memory compressed is known */
};

/* As the terminal at `fd` wants it; 80 columns where that is none. */
void map_style_of(int fd, struct map_style *style);

/*
 * Draw cells of `cell_bytes`, a power of two, in order of address; where
 * they would take too many lines, several in one character. A legend
 * follows.
 */
void map_draw(FILE *out, const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes, const struct map_style *style);

/* A number of bytes in a unit that suits it, like "1.5 GiB". */
#define MAP_SIZE_MAX 24
const char *map_size(uint64_t bytes, char text[MAP_SIZE_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What physical memory is made of, in cells of one size: a map of bounded
 * size, whatever addresses an image has. Where there would be too many
 * cells, they become twice as large.
 */
#ifndef JOB_DENSITY_H
#define JOB_DENSITY_H

#include <stddef.h>

#include <avml/error.h>
#include <avml/info.h>
#include <avml/range.h>

struct density {
	unsigned int shift; /* a cell is 1 << shift bytes */
	size_t count, most;
	struct avml_info_cell *cells; /* by address; none is empty */
};

/*
 * `most` cells, at least 4: two for halves of all addresses, and as many to
 * come. 0 or -ENOMEM.
 */
int density_init(struct density *d, size_t most, struct avml_error *err);
void density_release(struct density *d);

/*
 * Add what a range, not empty, holds. Of a range in several cells each
 * gets its part of all: how it is spread is not known. What is added to
 * itself counts twice.
 */
void density_add(struct density *d, struct avml_range range,
	const struct avml_info_cell *holds);

#endif

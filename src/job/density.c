/* SPDX-License-Identifier: MIT */
#include "job/density.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The smallest cell: as much as a part of an image holds. */
#define SHIFT_MIN 18

int density_init(struct density *d, size_t most, struct avml_error *err)
{
	*d = (struct density){ .shift = SHIFT_MIN, .most = most };
	d->cells = calloc(most, sizeof(*d->cells));
	if (!d->cells)
		return avml_error_set_errno(err, ENOMEM, "the map");
	return 0;
}

void density_release(struct density *d)
{
	free(d->cells);
	d->cells = NULL;
}

static void add(struct avml_info_cell *to, const struct avml_info_cell *more)
{
	to->memory_bytes += more->memory_bytes;
	to->zero_bytes += more->zero_bytes;
	to->stored_bytes += more->stored_bytes;
	to->bad_bytes += more->bad_bytes;
}

/* The cell's number: its address in units of its size. */
static uint64_t number_of(const struct density *d, uint64_t address)
{
	return address >> d->shift;
}

/* Twice the size. */
static void coarsen(struct density *d)
{
	size_t out = 0;

	d->shift++;
	for (size_t i = 0; i < d->count; i++) {
		struct avml_info_cell cell = d->cells[i];
		const uint64_t number = number_of(d, cell.start);

		cell.start = number << d->shift;
		if (out > 0 && d->cells[out - 1].start == cell.start)
			add(&d->cells[out - 1], &cell);
		else
			d->cells[out++] = cell;
	}
	d->count = out;
}

/* The cell at an address, which there is room for if it is a new one. */
static struct avml_info_cell *cell_at(struct density *d, uint64_t start)
{
	size_t low = 0, high = d->count;

	/* Images ascend: it is the last, or behind it. */
	if (high > 0 && d->cells[high - 1].start < start)
		low = high;
	else if (high > 0 && d->cells[high - 1].start == start)
		return &d->cells[high - 1];
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (d->cells[middle].start == start)
			return &d->cells[middle];
		if (d->cells[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	memmove(d->cells + low + 1, d->cells + low,
		(d->count - low) * sizeof(*d->cells));
	d->count++;
	d->cells[low] = (struct avml_info_cell){ .start = start };
	return &d->cells[low];
}

/* `part` of `whole`, of a count of bytes. */
static uint64_t share(uint64_t bytes, uint64_t part, uint64_t whole)
{
	return (uint64_t)((unsigned __int128)bytes * part / whole);
}

void density_add(struct density *d, struct avml_range range,
	const struct avml_info_cell *holds)
{
	const uint64_t len = avml_range_len(range);
	uint64_t done = 0;

	while (number_of(d, range.end - 1) - number_of(d, range.start) >=
		d->most - d->count)
		coarsen(d);
	while (done < len) {
		const uint64_t at = range.start + done;
		const uint64_t start = number_of(d, at) << d->shift;
		const uint64_t room = (UINT64_C(1) << d->shift) - (at - start);
		const uint64_t to =
			done + (room < len - done ? room : len - done);
		struct avml_info_cell part;

		/* By what lies before: so that the parts add up. */
		part = (struct avml_info_cell){
			.memory_bytes = share(holds->memory_bytes, to, len) -
					share(holds->memory_bytes, done, len),
			.zero_bytes = share(holds->zero_bytes, to, len) -
				      share(holds->zero_bytes, done, len),
			.stored_bytes = share(holds->stored_bytes, to, len) -
					share(holds->stored_bytes, done, len),
			.bad_bytes = share(holds->bad_bytes, to, len) -
				     share(holds->bad_bytes, done, len),
		};
		add(cell_at(d, start), &part);
		done = to;
	}
}

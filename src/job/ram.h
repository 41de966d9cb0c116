/* SPDX-License-Identifier: MIT */
/* What is RAM, as iomem tells it, in the pages that can be read. */
#ifndef JOB_RAM_H
#define JOB_RAM_H

#include <stdbool.h>

#include <avml/error.h>
#include <avml/range.h>

struct ram {
	bool known;
	struct avml_range_list pages;	/* whole ones, merged */
	struct avml_range_list trimmed; /* cut off at the edges */
	unsigned long skipped;		/* lines not understood */
	unsigned long first_skipped;
};

void ram_release(struct ram *ram);

/*
 * Read iomem at `path`; `given` says that the user named it. A host may
 * not tell what is RAM (no iomem, an empty one, one of zeros): kcore's
 * headers can serve, so this is no failure, but `known` is false and `err`
 * has the reason. Else 0 or -errno.
 */
int ram_read(const char *path, bool given, size_t page_size, struct ram *ram,
	struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Pages that were not read, joined to ranges as they come by. */
#ifndef JOB_UNREADABLE_H
#define JOB_UNREADABLE_H

#include <stddef.h>
#include <stdint.h>

#include <avml/range.h>

struct unreadable {
	void *ctx;
	void (*tell)(void *ctx, struct avml_range range, unsigned int status);
	struct avml_range run; /* not told yet; empty: none */
	unsigned int status;   /* of the run */
	uint64_t bytes;	       /* all so far, the run included */
};

/* The next pages, in order of address; `status` has one value a page. */
void unreadable_pages(struct unreadable *u, struct avml_range range,
	size_t page_size, const uint8_t *status);

/* Tell the last run. */
void unreadable_finish(struct unreadable *u);

#endif

/* SPDX-License-Identifier: MIT */
#include "job/unreadable.h"

#include <avml/source.h>

void unreadable_finish(struct unreadable *u)
{
	if (u->run.start < u->run.end && u->tell)
		u->tell(u->ctx, u->run, u->status);
	u->run.end = u->run.start;
}

void unreadable_pages(struct unreadable *u, struct avml_range range,
	size_t page_size, const uint8_t *status)
{
	for (uint64_t at = range.start; at < range.end;
		at += page_size, status++) {
		if (*status == AVML_PAGE_READ)
			continue;
		u->bytes += page_size;
		if (u->run.start < u->run.end && u->run.end == at &&
			u->status == *status) {
			u->run.end += page_size;
			continue;
		}
		unreadable_finish(u);
		u->run = (struct avml_range){ at, at + page_size };
		u->status = *status;
	}
}

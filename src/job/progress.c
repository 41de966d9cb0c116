/* SPDX-License-Identifier: MIT */
#include <avml/progress.h>

#include "job/progress.h"

void progress_at(struct progress *p, uint64_t done_bytes)
{
	struct avml_progress *now = &p->now;

	if (done_bytes > now->done_bytes)
		now->done_bytes = done_bytes;
	/* A file that somebody still appends to. */
	if (now->done_bytes > now->all_bytes)
		now->all_bytes = 0;
	if (p->tell)
		p->tell(p->ctx, now);
}

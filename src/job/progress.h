/* SPDX-License-Identifier: MIT */
/* How far a job is, and who is told of it. */
#ifndef JOB_PROGRESS_H
#define JOB_PROGRESS_H

#include <avml/progress.h>

struct progress {
	void *ctx;
	/* NULL: nobody */
	void (*tell)(void *ctx, const struct avml_progress *progress);
	struct avml_progress now;
};

/*
 * So many bytes are done, and the job has set what else there is in `now`:
 * tell it. They may be fewer than before, and are taken for as many then.
 */
void progress_at(struct progress *p, uint64_t done_bytes);

#endif

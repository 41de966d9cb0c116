/* SPDX-License-Identifier: MIT */
/*
 * What became of RAM while it was read: memory can be plugged in and out.
 */
#ifndef JOB_CHANGES_H
#define JOB_CHANGES_H

#include <avml/range.h>
#include <avml/source.h>

#include "job/warning.h"

struct changes {
	struct warning warning;
	void *ctx; /* of late() */
	/* RAM that was not there at the start. */
	void (*late)(void *ctx, struct avml_range range);
	const char *iomem_path;		   /* to be read again; NULL: not */
	const struct avml_range_list *ram; /* as it was, in whole pages */
	bool ram_of_source;		   /* by what it covers, not by iomem */
	const struct avml_source *source;
};

/*
 * Read iomem and what the source says that it covers once more, and tell
 * how they differ from what they were. Never fails: what cannot be told
 * becomes a warning.
 */
void changes_tell(const struct changes *changes);

#endif

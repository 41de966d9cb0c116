/* SPDX-License-Identifier: MIT */
/*
 * A list of sources that work, as one source: the first is the primary,
 * and a page that it cannot read is asked of the others in turn.
 */
#ifndef SOURCE_FALLBACK_H
#define SOURCE_FALLBACK_H

#include "source/source_ops.h"

/* The most sources that a list can have. */
#define FALLBACK_MAX AVML_SOURCE_PATHS_MAX

/*
 * Takes over the members, on failure too; `fills_low[i]` says whether one
 * may be asked below SOURCE_LOW_MEMORY. 0 or -ENOMEM.
 */
int fallback_new(struct avml_source *const *members, const bool *fills_low,
	size_t count, struct avml_source **source, struct avml_error *err);

#endif

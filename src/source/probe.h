/* SPDX-License-Identifier: MIT */
/* Whether a source can be read. */
#ifndef SOURCE_PROBE_H
#define SOURCE_PROBE_H

#include "source/source_ops.h"

struct probe {
	bool above_low; /* a page above SOURCE_LOW_MEMORY was read */
	uint8_t status; /* of the last page that was not read */
};

/* As avml_source_probe(), and more of what was found. */
int probe_source(const struct avml_source *source,
	const struct avml_range_list *ranges, struct probe *probe,
	struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Segments that claim the same physical addresses, made into ones that do
 * not: the larger one keeps them (of equals, the one named first).
 */
#ifndef MEM_OVERLAP_H
#define MEM_OVERLAP_H

#include <stddef.h>

#include <avml/kcore.h>

/*
 * Replace the array by one that is sorted by address and has no overlaps.
 * It may be longer. 0 or -ENOMEM, which leaves the array as it was.
 * Time is O(n log n), whatever a lying table says.
 */
int overlap_resolve(struct avml_kcore_segment **segments, size_t *count);

#endif

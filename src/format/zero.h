/* SPDX-License-Identifier: MIT */
/* Which bytes are zero, in units that holes are made of. */
#ifndef FORMAT_ZERO_H
#define FORMAT_ZERO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The unit of the map below, in bytes: the smallest page there is. */
#define ZERO_UNIT 4096u

/* Whether all of `len` bytes are 0. */
bool zero_test(const void *buf, size_t len);

/*
 * One byte a unit of `buf`, 1 when the unit is all zeros; the last unit may
 * be a part. Returns whether all of them are.
 */
bool zero_map(const void *buf, size_t len, uint8_t *map);

/*
 * The end of the run of equal units that begins at unit `first` of `count`.
 */
size_t zero_run_end(const uint8_t *map, size_t count, size_t first);

#endif

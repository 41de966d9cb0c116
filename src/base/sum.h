/* SPDX-License-Identifier: MIT */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include <stdint.h>

/*
 * Add what an image claims, which may be anything: a sum that is too large
 * stays the largest there is.
 */
static inline void sum_add(uint64_t *sum, uint64_t more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = UINT64_MAX;
}

#endif

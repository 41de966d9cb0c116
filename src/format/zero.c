/* SPDX-License-Identifier: MIT */
#include "format/zero.h"

#include <string.h>

/* Of any alignment, and standing for bytes of any type. */
typedef uint64_t vec __attribute__((vector_size(16), aligned(1), may_alias));

#define VECS 16
#define STEP (VECS * sizeof(vec))

/* In as many registers as there are on all processors: one test at the end. */
static bool step_is_zero(const void *at)
{
	const vec *v = at;
	vec sum[4];

	for (size_t i = 0; i < 4; i++)
		sum[i] = v[i] | v[i + 4] | v[i + 8] | v[i + 12];
	sum[0] |= sum[1];
	sum[2] |= sum[3];
	sum[0] |= sum[2];
	return (sum[0][0] | sum[0][1]) == 0;
}

bool zero_test(const void *buf, size_t len)
{
	const unsigned char *p = buf;

	/*
	 * Out at the first step that is not zero: memory that is not zero shows
	 * it within a few bytes, nearly always.
	 */
	for (; len >= STEP; p += STEP, len -= STEP) {
		if (!step_is_zero(p))
			return false;
	}
	for (; len > 0; p++, len--) {
		if (*p != 0)
			return false;
	}
	return true;
}

bool zero_map(const void *buf, size_t len, uint8_t *map)
{
	const unsigned char *p = buf;
	bool all = true;

	while (len > 0) {
		const size_t part = len < ZERO_UNIT ? len : ZERO_UNIT;

		*map = zero_test(p, part);
		all &= *map++;
		p += part;
		len -= part;
	}
	return all;
}

size_t zero_run_end(const uint8_t *map, size_t count, size_t first)
{
	size_t end = first + 1;

	while (end < count && map[end] == map[first])
		end++;
	return end;
}

/* SPDX-License-Identifier: MIT */
#include "format/zero.h"

#include <string.h>

/* Bytes or-ed together before a look: wide enough for vector registers. */
#define STRIDE 256

bool zero_test(const void *buf, size_t len)
{
	const unsigned char *p = buf;
	unsigned char rest = 0;

	/* Most pages that are not zero show it at once. */
	if (len == 0 || p[0] != 0)
		return len == 0;
	for (; len >= STRIDE; p += STRIDE, len -= STRIDE) {
		uint64_t word, sum = 0;

		for (size_t i = 0; i < STRIDE; i += sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			sum |= word;
		}
		if (sum != 0)
			return false;
	}
	while (len-- > 0)
		rest |= *p++;
	return rest == 0;
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

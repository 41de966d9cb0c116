/* SPDX-License-Identifier: MIT */
#include "format/zero.h"

#include <string.h>

bool zero_test(const void *buf, size_t len)
{
	const unsigned char *p = buf;
	uint64_t w[8];

	/*
	 * 64 bytes at a time, which compilers turn into vector registers,
	 * and out at the first that are not zero: memory that is not zero
	 * shows it within a few bytes, nearly always.
	 */
	for (; len >= sizeof(w); p += sizeof(w), len -= sizeof(w)) {
		memcpy(w, p, sizeof(w));
		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
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

/* SPDX-License-Identifier: MIT */
#include "format/zero.h"

/* Of any alignment, and standing for bytes of any type. */
typedef unsigned long word __attribute__((aligned(1), may_alias));

#define WORDS (256 / sizeof(word))
#define STEP (WORDS * sizeof(word))

/*
 * In general registers, which the barrier keeps: vector registers are twice as
 * fast on a processor, at 100 GB/s in place of 58, but where one is emulated
 * they cost five times as much, and reading is far slower than either.
 */
static inline bool step_is_zero(const word *p)
{
	unsigned long a = 0, b = 0, c = 0, d = 0;

	for (size_t i = 0; i < WORDS; i += 4) {
		a |= p[i];
		b |= p[i + 1];
		c |= p[i + 2];
		d |= p[i + 3];
		__asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
	}
	return (a | b | c | d) == 0;
}

bool zero_test(const void *buf, size_t len)
{
	const unsigned char *p = buf;

	/*
	 * Out at the first step that is not zero: memory that is not zero shows
	 * it within a few bytes, nearly always.
	 */
	for (; len >= STEP; p += STEP, len -= STEP) {
		if (!step_is_zero((const word *)p))
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

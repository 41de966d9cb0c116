/* SPDX-License-Identifier: MIT */
/*
 * memmove() and memcpy() of static-minimal, in the place of musl's. libsnappy
 * copies by short calls of them, for which it counts on a C library that is
 * quick at it; with musl's it expands at less than a third of its rate.
 *
 * Up to 64 bytes go through registers, loaded before the first is stored, so
 * that it does not matter how source and destination overlap. Vectors of 16
 * bytes are whatever the processor has for these.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of any alignment, and standing for bytes of any type. */
typedef uint8_t vec __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint32_t word4 __attribute__((aligned(1), may_alias));

#define STEP 64

/* The first and the last bytes, which overlap where there are fewer. */
static inline void move_short(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len >= 8) {
		const uint64_t first = *(const word8 *)from;
		const uint64_t last = *(const word8 *)(from + len - 8);

		*(word8 *)to = first;
		*(word8 *)(to + len - 8) = last;
	} else if (len >= 4) {
		const uint32_t first = *(const word4 *)from;
		const uint32_t last = *(const word4 *)(from + len - 4);

		*(word4 *)to = first;
		*(word4 *)(to + len - 4) = last;
	} else if (len > 0) {
		const uint8_t first = from[0], middle = from[len / 2],
			      last = from[len - 1];

		to[0] = first;
		to[len / 2] = middle;
		to[len - 1] = last;
	}
}

/* From 16 to 64 bytes. */
static inline void move_vectors(uint8_t *to, const uint8_t *from, size_t len)
{
	const vec first = *(const vec *)from;
	const vec last = *(const vec *)(from + len - 16);

	if (len > 32) {
		const vec second = *(const vec *)(from + 16);
		const vec third = *(const vec *)(from + len - 32);

		*(vec *)(to + 16) = second;
		*(vec *)(to + len - 32) = third;
	}
	*(vec *)to = first;
	*(vec *)(to + len - 16) = last;
}

/* STEP bytes. */
static inline void move_step(uint8_t *to, const uint8_t *from)
{
	const vec a = ((const vec *)from)[0], b = ((const vec *)from)[1];
	const vec c = ((const vec *)from)[2], d = ((const vec *)from)[3];

	((vec *)to)[0] = a;
	((vec *)to)[1] = b;
	((vec *)to)[2] = c;
	((vec *)to)[3] = d;
}

/* Upwards, when what is stored is not yet to be loaded, else downwards. */
static void move_long(uint8_t *to, const uint8_t *from, size_t len)
{
	if ((uintptr_t)to - (uintptr_t)from >= len) {
		for (; len > STEP; len -= STEP) {
			move_step(to, from);
			to += STEP;
			from += STEP;
		}
		if (len >= 16)
			move_vectors(to, from, len);
		else
			move_short(to, from, len);
		return;
	}
	for (; len > STEP; len -= STEP)
		move_step(to + len - STEP, from + len - STEP);
	if (len >= 16)
		move_vectors(to, from, len);
	else
		move_short(to, from, len);
}

void *memmove(void *to, const void *from, size_t len)
{
	if (len < 16)
		move_short(to, from, len);
	else if (len <= STEP)
		move_vectors(to, from, len);
	else
		move_long(to, from, len);
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
	__attribute__((alias("memmove")));

/* SPDX-License-Identifier: MIT */
/*
 * A bounds-checked cursor over bytes from outside. A read past the end
 * gives 0 and marks the cursor as failed, so that a whole structure can be
 * read and checked once. Little-endian unless `big` is set.
 *
 * The stores are the same for bytes going out: little-endian, always.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool big;
	bool failed;
};

static inline struct cursor cursor_over(const void *buf, size_t len)
{
	const uint8_t *bytes = buf;

	return (struct cursor){ .at = bytes, .end = bytes + len };
}

static inline uint64_t cursor_uint(struct cursor *c, unsigned int size)
{
	uint64_t value = 0;

	if ((size_t)(c->end - c->at) < size) {
		c->failed = true;
		c->at = c->end;
		return 0;
	}
	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)c->at[i] << 8 * (c->big ? size - 1 - i : i);
	c->at += size;
	return value;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	return (uint16_t)cursor_uint(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	return (uint32_t)cursor_uint(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	return cursor_uint(c, 8);
}

static inline void cursor_skip(struct cursor *c, size_t len)
{
	if ((size_t)(c->end - c->at) < len) {
		c->failed = true;
		len = (size_t)(c->end - c->at);
	}
	c->at += len;
}

static inline void store_le32(uint8_t *to, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static inline void store_le64(uint8_t *to, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

#endif

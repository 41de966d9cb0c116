/* SPDX-License-Identifier: MIT */
/*
 * For tests: memory with an inaccessible page at either end, so that code
 * no sanitizer looks into (a library) is caught too when it reads or writes
 * past a buffer; and random bytes for it.
 */
#ifndef TESTS_GUARD_H
#define TESTS_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_main.h"

struct guard {
	uint8_t *start; /* the first accessible byte */
	size_t len;
};

static inline struct guard guard_new(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (len + page - 1) / page * page;
	uint8_t *map = mmap(NULL, whole + 2 * page, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED ||
		mprotect(map + page, whole, PROT_READ | PROT_WRITE) < 0)
		abort();
	return (struct guard){ .start = map + page, .len = whole };
}

static inline void guard_free(struct guard *g)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(g->start - page, g->len + 2 * page);
}

/* Where `len` bytes end at the inaccessible page. */
static inline uint8_t *guard_last(const struct guard *g, size_t len)
{
	if (len > g->len)
		abort();
	return g->start + g->len - len;
}

/* From 0 to below - 1. */
static inline size_t random_below(uint64_t *state, size_t below)
{
	return (size_t)((test_random(state) >> 16) % below);
}

static inline void random_fill(uint64_t *state, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(test_random(state) >> 56);
}

#endif

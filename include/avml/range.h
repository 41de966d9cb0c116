/* SPDX-License-Identifier: MIT */
/*
 * Ranges of physical addresses, in bytes, half open: [start, end).
 *
 * A range_list that is called "merged" below is sorted by address, has no
 * empty range, and no two of its ranges touch or overlap. The set
 * operations take and give merged lists.
 *
 * Ownership: a list owns its items; avml_range_list_release() frees them
 * and leaves an empty list. Functions with an `out` list replace what it
 * held; on failure (-ENOMEM) it is left empty. `out` must not be an input.
 *
 * Threads: a list may be read by many threads while none changes it.
 */
#ifndef AVML_RANGE_H
#define AVML_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_range {
	uint64_t start; /* physical address of the first byte */
	uint64_t end;	/* one past the last byte */
};

struct avml_range_list {
	struct avml_range *items;
	size_t count;
	size_t capacity;
};

#define AVML_RANGE_LIST_INIT  \
	{                     \
		.items = NULL \
	}
void avml_range_list_init(struct avml_range_list *list);
void avml_range_list_release(struct avml_range_list *list);

/* Append [start, end); an empty or reversed one is left out. 0 or -ENOMEM. */
int avml_range_list_add(
	struct avml_range_list *list, uint64_t start, uint64_t end);

/* Sort, and join what touches or overlaps: the list is merged after it. */
void avml_range_list_merge(struct avml_range_list *list);

/*
 * Shrink every range of a merged list to whole pages (start up, end down),
 * and drop what holds none. `page_size` is a power of two, in bytes. The
 * parts cut off are appended to `trimmed` (may be NULL). 0 or -ENOMEM.
 */
int avml_range_list_align(struct avml_range_list *list, uint64_t page_size,
	struct avml_range_list *trimmed);

/* What is in both, and what is in `a` but not in `b`. 0 or -ENOMEM. */
int avml_range_list_intersect(const struct avml_range_list *a,
	const struct avml_range_list *b, struct avml_range_list *out);
int avml_range_list_subtract(const struct avml_range_list *a,
	const struct avml_range_list *b, struct avml_range_list *out);

/* The same items once more. 0 or -ENOMEM. */
int avml_range_list_copy(
	const struct avml_range_list *list, struct avml_range_list *out);

/* Bytes in a merged list; at most 2^64 - 1, since no list holds more. */
uint64_t avml_range_list_total(const struct avml_range_list *list);

/*
 * The first piece of `range`: at most `max` bytes from its start, which is
 * taken off it. False when the range is empty.
 */
bool avml_range_split(
	struct avml_range *range, uint64_t max, struct avml_range *piece);

static inline uint64_t avml_range_len(struct avml_range range)
{
	return range.end - range.start;
}

#ifdef __cplusplus
}
#endif

#endif

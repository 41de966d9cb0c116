/* SPDX-License-Identifier: MIT */
#include "mem/overlap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"

/*
 * A sweep over the addresses. The heap holds the segments begun so far,
 * the best on top; ended ones are dropped when they come up.
 */
struct candidate {
	struct avml_kcore_segment seg;
	size_t rank; /* place in the table it came from */
};

struct heap {
	const struct candidate **items;
	size_t count;
};

static uint64_t segment_len(const struct avml_kcore_segment *seg)
{
	return seg->end - seg->start;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
	const uint64_t x = segment_len(&a->seg), y = segment_len(&b->seg);

	return x != y ? x > y : a->rank < b->rank;
}

static void heap_push(struct heap *heap, const struct candidate *c)
{
	size_t i = heap->count++;

	while (i > 0 && is_better(c, heap->items[(i - 1) / 2])) {
		heap->items[i] = heap->items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->items[i] = c;
}

static void heap_pop(struct heap *heap)
{
	const struct candidate *last = heap->items[--heap->count];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
			is_better(heap->items[child + 1], heap->items[child]))
			child++;
		if (!is_better(heap->items[child], last))
			break;
		heap->items[i] = heap->items[child];
		i = child;
	}
	heap->items[i] = last;
}

static int compare_start(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	return (x->seg.start > y->seg.start) - (x->seg.start < y->seg.start);
}

/* Emit [start, end) of `from`, joined to the last if it goes on there. */
static void emit(struct avml_kcore_segment *out, size_t *count,
	const struct avml_kcore_segment *from, uint64_t start, uint64_t end)
{
	const uint64_t offset = from->offset + (start - from->start);

	if (*count > 0) {
		struct avml_kcore_segment *last = &out[*count - 1];

		if (last->end == start &&
			last->offset + segment_len(last) == offset) {
			last->end = end;
			return;
		}
	}
	out[(*count)++] = (struct avml_kcore_segment){ start, end, offset };
}

static size_t sweep(const struct candidate *all, size_t n, struct heap *heap,
	struct avml_kcore_segment *out)
{
	size_t next = 0, count = 0;
	uint64_t at = 0;

	while (next < n || heap->count > 0) {
		const struct avml_kcore_segment *top;
		uint64_t stop;

		if (heap->count == 0)
			at = all[next].seg.start;
		while (next < n && all[next].seg.start <= at)
			heap_push(heap, &all[next++]);
		top = &heap->items[0]->seg;
		if (top->end <= at) {
			heap_pop(heap);
			continue;
		}
		stop = top->end;
		if (next < n && all[next].seg.start < stop)
			stop = all[next].seg.start;
		emit(out, &count, top, at, stop);
		at = stop;
	}
	return count;
}

int overlap_resolve(struct avml_kcore_segment **segments, size_t *count)
{
	const size_t n = *count;
	CLEANUP_FREE struct candidate *all = calloc(n, sizeof(*all));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are sorted */
	CLEANUP_FREE const struct candidate **items = calloc(n, sizeof(*items));
	/* Every start and every end begins at most one piece. */
	struct avml_kcore_segment *out = calloc(2 * n, sizeof(*out));
	struct heap heap = { .items = items };

	if (!all || !items || !out) {
		free(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		all[i] = (struct candidate){ (*segments)[i], i };
	qsort(all, n, sizeof(*all), compare_start);
	*count = sweep(all, n, &heap, out);
	free(*segments);
	*segments = out;
	return 0;
}

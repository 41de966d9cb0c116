/* SPDX-License-Identifier: MIT */
#include <avml/range.h>

#include <errno.h>
#include <stdlib.h>

void avml_range_list_init(struct avml_range_list *list)
{
	list->items = NULL;
	list->count = 0;
	list->capacity = 0;
}

void avml_range_list_release(struct avml_range_list *list)
{
	free(list->items);
	avml_range_list_init(list);
}

int avml_range_list_add(
	struct avml_range_list *list, uint64_t start, uint64_t end)
{
	if (start >= end)
		return 0;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct avml_range *items =
			reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = (struct avml_range){ start, end };
	return 0;
}

int avml_range_list_copy(
	const struct avml_range_list *list, struct avml_range_list *out)
{
	out->count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (avml_range_list_add(
			    out, list->items[i].start, list->items[i].end)) {
			avml_range_list_release(out);
			return -ENOMEM;
		}
	}
	return 0;
}

static int compare_start(const void *a, const void *b)
{
	const struct avml_range *x = a;
	const struct avml_range *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void avml_range_list_merge(struct avml_range_list *list)
{
	size_t kept = 0;

	if (list->count < 2)
		return;
	qsort(list->items, list->count, sizeof(*list->items), compare_start);
	for (size_t i = 1; i < list->count; i++) {
		struct avml_range *last = &list->items[kept];

		if (list->items[i].start > last->end)
			list->items[++kept] = list->items[i];
		else if (list->items[i].end > last->end)
			last->end = list->items[i].end;
	}
	list->count = kept + 1;
}

int avml_range_list_align(struct avml_range_list *list, uint64_t page_size,
	struct avml_range_list *trimmed)
{
	const uint64_t mask = page_size - 1;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct avml_range range = list->items[i];
		struct avml_range whole = { range.start & ~mask,
			range.end & ~mask };

		/* Rounding up past 2^64 means that there is no whole page. */
		if ((range.start & mask) && __builtin_add_overflow(whole.start,
						    page_size, &whole.start))
			whole.start = whole.end;
		if (whole.start >= whole.end)
			whole.start = whole.end = range.end;
		if (trimmed && (avml_range_list_add(
					trimmed, range.start, whole.start) ||
				       avml_range_list_add(
					       trimmed, whole.end, range.end)))
			return -ENOMEM;
		if (whole.start < whole.end)
			list->items[kept++] = whole;
	}
	list->count = kept;
	return 0;
}

int avml_range_list_intersect(const struct avml_range_list *a,
	const struct avml_range_list *b, struct avml_range_list *out)
{
	size_t i = 0, j = 0;

	out->count = 0;
	while (i < a->count && j < b->count) {
		struct avml_range x = a->items[i];
		struct avml_range y = b->items[j];

		if (avml_range_list_add(out,
			    x.start > y.start ? x.start : y.start,
			    x.end < y.end ? x.end : y.end)) {
			avml_range_list_release(out);
			return -ENOMEM;
		}
		if (x.end < y.end)
			i++;
		else
			j++;
	}
	return 0;
}

int avml_range_list_subtract(const struct avml_range_list *a,
	const struct avml_range_list *b, struct avml_range_list *out)
{
	size_t j = 0;

	out->count = 0;
	for (size_t i = 0; i < a->count; i++) {
		uint64_t at = a->items[i].start;
		const uint64_t end = a->items[i].end;

		while (j < b->count && b->items[j].end <= at)
			j++;
		/* The last cut of this range may cut the next one as well. */
		for (size_t k = j; at < end; k++) {
			const bool cut =
				k < b->count && b->items[k].start < end;

			if (avml_range_list_add(
				    out, at, cut ? b->items[k].start : end)) {
				avml_range_list_release(out);
				return -ENOMEM;
			}
			if (!cut)
				break;
			at = b->items[k].end;
		}
	}
	return 0;
}

uint64_t avml_range_list_total(const struct avml_range_list *list)
{
	uint64_t total = 0;

	for (size_t i = 0; i < list->count; i++)
		total += avml_range_len(list->items[i]);
	return total;
}

bool avml_range_split(
	struct avml_range *range, uint64_t max, struct avml_range *piece)
{
	if (range->start >= range->end)
		return false;
	*piece = *range;
	if (avml_range_len(*piece) > max)
		piece->end = piece->start + max;
	range->start = piece->end;
	return true;
}

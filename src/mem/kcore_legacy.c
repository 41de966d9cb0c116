/* SPDX-License-Identifier: MIT */
#include "mem/kcore_legacy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * Looks at headers before a table is given up as senseless: honest ones of
 * thousands of headers take some ten millions.
 */
#define STEPS_MAX (1u << 28)

/*
 * The direct map is made of large pages: 1 GiB with KASLR on x86-64, 2 MiB
 * at the least (arm64). A base that is off by less is none.
 */
#define BASE_ALIGN (2u << 20)

struct search {
	const struct kcore_phdr *phdrs; /* sorted by vaddr */
	size_t count;
	const struct avml_range_list *ram;
	uint64_t ram_end;
	size_t steps;
	uint64_t best; /* bytes of RAM that a base covers */
	uint64_t base; /* the base that does */
	bool unique;
};

static int compare_vaddr(const void *a, const void *b)
{
	const struct kcore_phdr *x = a;
	const struct kcore_phdr *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/*
 * Where the header's memory is with that base. False when it would begin
 * below 0 or reach past all RAM, as vmalloc's does.
 */
static bool place(const struct kcore_phdr *ph, uint64_t base, uint64_t ram_end,
	struct avml_range *range)
{
	if (ph->vaddr < base)
		return false;
	range->start = ph->vaddr - base;
	return !__builtin_add_overflow(range->start, ph->filesz, &range->end) &&
	       range->end <= ram_end;
}

/* Bytes of `part` that are RAM; `*at` is where the search may begin. */
static uint64_t ram_in(struct search *s, struct avml_range part, size_t *at)
{
	const struct avml_range_list *ram = s->ram;
	uint64_t bytes = 0;

	while (*at < ram->count && ram->items[*at].end <= part.start)
		(*at)++;
	for (size_t i = *at; i < ram->count; i++) {
		struct avml_range r = ram->items[i];

		if (r.start >= part.end)
			break;
		if (r.start < part.start)
			r.start = part.start;
		if (r.end > part.end)
			r.end = part.end;
		bytes += avml_range_len(r);
		s->steps++;
	}
	return bytes;
}

/*
 * How many bytes of RAM the headers from number `first` on cover with that
 * base; 0 when a range of RAM begins where no header is.
 */
static uint64_t weigh(struct search *s, size_t first, uint64_t base)
{
	const struct avml_range_list *ram = s->ram;
	uint64_t reach = 0, bytes = 0;
	size_t begun = 0, at = 0;

	for (size_t i = first; i < s->count && s->steps < STEPS_MAX; i++) {
		struct avml_range range;

		s->steps++;
		if (s->phdrs[i].vaddr - base >= s->ram_end)
			break;
		if (!place(&s->phdrs[i], base, s->ram_end, &range))
			continue;
		/* All that follow begin behind it too. */
		if (begun < ram->count && ram->items[begun].start < range.start)
			return 0;
		while (begun < ram->count &&
			ram->items[begun].start < range.end)
			begun++;
		if (range.start < reach)
			range.start = reach;
		if (range.start >= range.end)
			continue;
		bytes += ram_in(s, range, &at);
		reach = range.end;
	}
	return begun == ram->count ? bytes : 0;
}

/* The base with which header `i` begins where RAM does. */
static void try_base(struct search *s, size_t i)
{
	const uint64_t start = s->ram->items[0].start;
	uint64_t base, bytes;

	if (s->phdrs[i].vaddr < start)
		return;
	base = s->phdrs[i].vaddr - start;
	if (base % BASE_ALIGN != 0)
		return;
	bytes = weigh(s, i, base);
	if (bytes > s->best) {
		s->best = bytes;
		s->base = base;
		s->unique = true;
	} else if (bytes == s->best && base != s->base) {
		s->unique = false;
	}
}

/* With no range of RAM in it, a header is for something else. */
static bool is_ram(struct avml_range range, const struct avml_range_list *ram)
{
	size_t low = 0, high = ram->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (ram->items[mid].end <= range.start)
			low = mid + 1;
		else
			high = mid;
	}
	return low < ram->count && ram->items[low].start < range.end;
}

static void apply(
	const struct search *s, struct kcore_phdr *phdrs, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct avml_range range;

		if (!place(&phdrs[i], s->base, s->ram_end, &range) ||
			!is_ram(range, s->ram))
			continue;
		phdrs[kept] = phdrs[i];
		phdrs[kept++].paddr = range.start;
	}
	*count = kept;
}

/* Whether `b`, which begins within `a`, ends behind it. */
static bool lies_across(const struct kcore_phdr *a, const struct kcore_phdr *b)
{
	return b->paddr - a->paddr < a->filesz &&
	       b->filesz > a->filesz - (b->paddr - a->paddr);
}

bool kcore_legacy_is(const struct kcore_phdr *phdrs, size_t count)
{
	const struct kcore_phdr *zero = NULL, *within = NULL;
	uint64_t delta = 0;

	for (size_t i = 0; i < count; i++) {
		if (phdrs[i].paddr != 0)
			continue;
		if (zero)
			return true;
		zero = &phdrs[i];
	}
	for (size_t i = 0; zero && i < count; i++) {
		const struct kcore_phdr *ph = &phdrs[i];

		if (ph == zero || ph->paddr >= zero->filesz)
			continue;
		if (lies_across(zero, ph))
			return true;
		if (within && ph->vaddr - ph->paddr == delta &&
			delta != zero->vaddr)
			return true;
		within = ph;
		delta = ph->vaddr - ph->paddr;
	}
	return false;
}

int kcore_legacy_derive(struct kcore_phdr *phdrs, size_t *count,
	const struct avml_range_list *ram)
{
	const uint64_t total = avml_range_list_total(ram);
	struct search s = {
		.phdrs = phdrs,
		.count = *count,
		.ram = ram,
		.ram_end = ram->items[ram->count - 1].end,
	};

	qsort(phdrs, *count, sizeof(*phdrs), compare_vaddr);
	/* The lowest header of RAM begins where RAM does. */
	for (size_t i = 0; i < *count && s.steps < STEPS_MAX; i++)
		try_base(&s, i);
	/* Missing are at most pages in which two of iomem's lines meet. */
	if (s.best < total - total / 64 || s.steps >= STEPS_MAX)
		return -ENODATA;
	if (!s.unique)
		return -ENOTUNIQ;
	apply(&s, phdrs, count);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "mem/kcore_legacy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* Of honest headers the one that is looked for is a long one. */
#define BASES_MAX 64

/* The largest of them: a header for it cannot be taken for much else. */
static struct avml_range largest(const struct avml_range_list *ram)
{
	struct avml_range best = ram->items[0];

	for (size_t i = 1; i < ram->count; i++) {
		if (avml_range_len(ram->items[i]) > avml_range_len(best))
			best = ram->items[i];
	}
	return best;
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

static int compare_filesz(const void *a, const void *b)
{
	const struct kcore_phdr *x = a;
	const struct kcore_phdr *y = b;

	return (x->filesz < y->filesz) - (x->filesz > y->filesz);
}

/*
 * Bases with which a header begins where the largest range does. The
 * header may be shorter than that: the kernel leaves out a page in which
 * two of iomem's lines meet. The long ones come first.
 */
static size_t list_bases(const struct kcore_phdr *phdrs, size_t count,
	const struct avml_range_list *ram, uint64_t bases[BASES_MAX])
{
	const uint64_t ram_end = ram->items[ram->count - 1].end;
	const struct avml_range target = largest(ram);
	size_t found = 0;

	for (size_t i = 0; i < count && found < BASES_MAX; i++) {
		const uint64_t base = phdrs[i].vaddr - target.start;
		struct avml_range range;
		bool known = false;

		if (phdrs[i].vaddr < target.start ||
			!place(&phdrs[i], base, ram_end, &range))
			continue;
		for (size_t k = 0; k < found; k++)
			known = known || bases[k] == base;
		if (!known)
			bases[found++] = base;
	}
	return found;
}

/* Whether every range of `ram` begins within one of `covered`. */
static bool covers_starts(const struct avml_range_list *covered,
	const struct avml_range_list *ram)
{
	size_t at = 0;

	for (size_t i = 0; i < ram->count; i++) {
		const uint64_t start = ram->items[i].start;

		while (at < covered->count && covered->items[at].end <= start)
			at++;
		if (at == covered->count || covered->items[at].start > start)
			return false;
	}
	return true;
}

/* How many bytes of RAM the headers cover with that base; 0: too few. */
static int weigh(const struct kcore_phdr *phdrs, size_t count, uint64_t base,
	const struct avml_range_list *ram, uint64_t *bytes)
{
	const uint64_t ram_end = ram->items[ram->count - 1].end;
	const uint64_t total = avml_range_list_total(ram);
	CLEANUP(avml_range_list_release)
	struct avml_range_list all = AVML_RANGE_LIST_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list covered = AVML_RANGE_LIST_INIT;

	*bytes = 0;
	for (size_t i = 0; i < count; i++) {
		struct avml_range range;

		if (place(&phdrs[i], base, ram_end, &range) &&
			avml_range_list_add(&all, range.start, range.end))
			return -ENOMEM;
	}
	avml_range_list_merge(&all);
	if (avml_range_list_intersect(&all, ram, &covered))
		return -ENOMEM;
	*bytes = avml_range_list_total(&covered);
	if (*bytes < total - total / 8 || !covers_starts(&covered, ram))
		*bytes = 0;
	return 0;
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

static void apply(struct kcore_phdr *phdrs, size_t *count, uint64_t base,
	const struct avml_range_list *ram)
{
	const uint64_t ram_end = ram->items[ram->count - 1].end;
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct avml_range range;

		if (!place(&phdrs[i], base, ram_end, &range) ||
			!is_ram(range, ram))
			continue;
		phdrs[kept] = phdrs[i];
		phdrs[kept++].paddr = range.start;
	}
	*count = kept;
}

int kcore_legacy_derive(struct kcore_phdr *phdrs, size_t *count,
	const struct avml_range_list *ram)
{
	uint64_t bases[BASES_MAX], best_base = 0, best = 0;
	bool unique = true;
	size_t found;

	qsort(phdrs, *count, sizeof(*phdrs), compare_filesz);
	found = list_bases(phdrs, *count, ram, bases);

	for (size_t i = 0; i < found; i++) {
		uint64_t bytes;
		int ret = weigh(phdrs, *count, bases[i], ram, &bytes);

		if (ret < 0)
			return ret;
		if (bytes > best) {
			best = bytes;
			best_base = bases[i];
			unique = true;
		} else if (bytes == best) {
			unique = false;
		}
	}
	if (best == 0)
		return -ENODATA;
	if (!unique)
		return -ENOTUNIQ;
	apply(phdrs, count, best_base, ram);
	return 0;
}

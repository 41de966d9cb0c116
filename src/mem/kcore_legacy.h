/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses for the kcore of Linux before 4.11, whose program
 * headers have 0 in every p_paddr.
 *
 * Such a kernel lists a header for each range of RAM, at its place in the
 * direct map: p_vaddr = base + physical address, with a base that differs
 * between architectures, kernels and (KASLR) boots. The others are for
 * vmalloc, modules, the kernel's text and its table of pages.
 */
#ifndef MEM_KCORE_LEGACY_H
#define MEM_KCORE_LEGACY_H

#include <stdbool.h>
#include <stddef.h>

#include <avml/range.h>

#include "mem/kcore_elf.h"

/*
 * Whether the p_paddr are no addresses: several are 0, or one at 0 lies
 * across another, or holds two, one after the other in the table, that
 * agree to be elsewhere in virtual memory. In honest headers only the
 * kernel's text lies within a header of RAM.
 */
bool kcore_legacy_is(const struct kcore_phdr *phdrs, size_t count);

/*
 * Find the base with which the headers cover the start of every range of
 * `ram` (merged, not empty), fill in their p_paddr by it, and keep only the
 * ones that are RAM: they move to the front, `*count` of them. -ENODATA
 * when nothing fits, -ENOTUNIQ when more than one base fits as well as the
 * other.
 */
int kcore_legacy_derive(struct kcore_phdr *phdrs, size_t *count,
	const struct avml_range_list *ram);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * /proc/kpageflags: what the kernel knows of each page, and so which pages
 * must not be touched.
 *
 * The file has a 64-bit word of the machine's byte order for each page
 * frame (Linux's Documentation/admin-guide/mm/pagemap.rst; the bits are
 * those of include/uapi/linux/kernel-page-flags.h, which do not change).
 * To read a page that is poisoned by a hardware error, or given back to
 * the hypervisor, can end the machine.
 *
 * Threads: a struct avml_page_flags does not change once it is open, and
 * may be shared.
 */
#ifndef AVML_PAGE_FLAGS_H
#define AVML_PAGE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a page must not be touched. */
enum avml_page_mark {
	AVML_PAGE_MARK_NONE,
	AVML_PAGE_MARK_POISONED, /* HWPOISON: its memory is broken */
	AVML_PAGE_MARK_OFFLINE,	 /* OFFLINE: not this machine's for now */
	AVML_PAGE_MARK_NO_PAGE,	 /* NOPAGE: the kernel has no such page */
	AVML_PAGE_MARK_UNKNOWN,	 /* the file ends before it */
	AVML_PAGE_MARK_ERROR,	 /* the file cannot be read there */
};

struct avml_page_flags {
	bool open;
	int fd;
};

#define AVML_PAGE_FLAGS_INIT  \
	{                     \
		.open = false \
	}

/*
 * Open the file at `path`. -ENODATA when it is empty, as a masked one is;
 * else an errno of opening or reading. On failure it is not open.
 */
int avml_page_flags_open(const char *path, struct avml_page_flags *flags,
	struct avml_error *err);
void avml_page_flags_release(struct avml_page_flags *flags);

/* Whether it is open. */
static inline bool avml_page_flags_known(const struct avml_page_flags *flags)
{
	return flags->open;
}

/*
 * The marks of `count` page frames from number `pfn` on, an enum
 * avml_page_mark each.
 */
void avml_page_flags_marks(const struct avml_page_flags *flags, uint64_t pfn,
	size_t count, uint8_t *marks);

#ifdef __cplusplus
}
#endif

#endif

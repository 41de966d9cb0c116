/* SPDX-License-Identifier: MIT */
/*
 * The program headers of /proc/kcore: where in that file each physical
 * address is found.
 *
 * /proc/kcore is an ELF64 core file (ELF specification; Linux's
 * fs/proc/kcore.c). A PT_LOAD whose p_paddr is all ones is virtual memory
 * only. Others may overlap in p_paddr, as the kernel's text does with the
 * direct map: the larger one then serves.
 *
 * Linux before 4.11 writes 0 in every p_paddr. The physical addresses are
 * then those of the kernel's direct map, a window onto all of RAM at a
 * virtual address that differs between kernels and boots: it is found by
 * the ranges that are RAM.
 */
#ifndef AVML_KCORE_H
#define AVML_KCORE_H

#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_kcore_segment {
	uint64_t start;	 /* physical address of the first byte */
	uint64_t end;	 /* one past the last */
	uint64_t offset; /* of the first byte in the file */
};

/* Sorted by address; no two overlap. The map owns its segments. */
struct avml_kcore_map {
	struct avml_kcore_segment *segments;
	size_t count;
};

#define AVML_KCORE_MAP_INIT      \
	{                        \
		.segments = NULL \
	}
void avml_kcore_map_release(struct avml_kcore_map *map);

/*
 * Read the headers through `fd`; `path` is for messages. `ram` is what is
 * RAM, merged and in whole pages, or NULL when that is not known: headers
 * without physical addresses are then of no use. -EINVAL when the headers
 * make no sense, -ENODATA when no physical addresses can be had from them,
 * else an errno of reading. On failure the map is empty.
 */
int avml_kcore_map_read(int fd, const char *path,
	const struct avml_range_list *ram, struct avml_kcore_map *map,
	struct avml_error *err);

/* The segment that holds `addr`, or NULL. */
const struct avml_kcore_segment *avml_kcore_map_find(
	const struct avml_kcore_map *map, uint64_t addr);

/* All that the segments hold, as a merged list. 0 or -ENOMEM. */
int avml_kcore_map_ranges(
	const struct avml_kcore_map *map, struct avml_range_list *ranges);

/* What a note holds, by its place in the file, in bytes. */
struct avml_kcore_note {
	uint64_t offset;
	uint64_t len; /* at most AVML_KCORE_NOTES_MAX */
};

/* More than that of notes makes no sense: Linux writes some 20 KiB. */
#define AVML_KCORE_NOTES_MAX (1u << 20)

/*
 * Find the note `name` of the kcore behind `fd`; `path` is for messages.
 * "VMCOREINFO" is the kernel's own list of what crash(8) and others need to
 * make sense of its memory (Linux 4.19 and newer). Headers and notes alone
 * are read, never memory. -ENODATA when there is no such note, -EINVAL when
 * headers or notes make no sense, else an errno of reading.
 */
int avml_kcore_note_find(int fd, const char *path, const char *name,
	struct avml_kcore_note *note, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

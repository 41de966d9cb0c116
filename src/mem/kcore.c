/* SPDX-License-Identifier: MIT */
#include <avml/kcore.h>

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "mem/kcore_elf.h"
#include "mem/kcore_legacy.h"
#include "mem/overlap.h"

void avml_kcore_map_release(struct avml_kcore_map *map)
{
	free(map->segments);
	map->segments = NULL;
	map->count = 0;
}

/* An error when the header lies of what it has in memory and in the file. */
static int check_phdr(const struct kcore_elf *elf, const struct kcore_phdr *ph,
	struct avml_error *err)
{
	uint64_t end;

	if (__builtin_add_overflow(ph->paddr, ph->filesz, &end))
		return avml_error_set(err, EINVAL,
			"%s: program header %u: 0x%" PRIx64 " bytes at "
			"physical address 0x%" PRIx64 " reach past 2^64",
			elf->path, ph->number, ph->filesz, ph->paddr);
	if (__builtin_add_overflow(ph->offset, ph->filesz, &end) ||
		end > INT64_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program header %u: 0x%" PRIx64 " bytes at "
			"file offset 0x%" PRIx64 " reach past 2^63",
			elf->path, ph->number, ph->filesz, ph->offset);
	return 0;
}

/* Those that tell of memory which may have a physical address. */
static int read_phdrs(const struct kcore_elf *elf, struct kcore_phdr *phdrs,
	size_t *count, struct avml_error *err)
{
	*count = 0;
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct kcore_phdr *ph = &phdrs[*count];
		uint32_t type = PT_NULL;
		int ret = kcore_elf_phdr(elf, i, ph, &type, err);

		if (ret < 0)
			return ret;
		*count += type == PT_LOAD && ph->paddr != UINT64_MAX &&
			  ph->filesz > 0;
	}
	if (*count == 0)
		return avml_error_set(err, ENODATA,
			"%s: none of its %u program headers tells of physical "
			"memory",
			elf->path, elf->phnum);
	return 0;
}

static int derive_addresses(const struct kcore_elf *elf,
	struct kcore_phdr *phdrs, size_t *count,
	const struct avml_range_list *ram, struct avml_error *err)
{
	const size_t all = *count;
	int ret;

	if (!ram || ram->count == 0)
		return avml_error_set(err, ENODATA,
			"%s: its %zu program headers do not tell physical "
			"addresses, as those of kernels before 4.11, and "
			"which ranges are RAM is not known",
			elf->path, all);
	ret = kcore_legacy_derive(phdrs, count, ram);
	if (ret < 0)
		return avml_error_set(err, ENODATA,
			"%s: its %zu program headers do not tell physical "
			"addresses, as those of kernels before 4.11, and "
			"%s",
			elf->path, all,
			ret == -ENOTUNIQ
				? "their virtual addresses fit the ranges of "
				  "RAM in more than one way"
				: "their virtual addresses do not fit the "
				  "ranges of RAM");
	return 0;
}

static int make_map(const struct kcore_elf *elf, const struct kcore_phdr *phdrs,
	size_t count, struct avml_kcore_map *map, struct avml_error *err)
{
	uint64_t first_offset = UINT64_MAX;

	map->segments = calloc(count, sizeof(*map->segments));
	if (!map->segments)
		return avml_error_set_errno(err, ENOMEM, "%s", elf->path);
	for (size_t i = 0; i < count; i++) {
		const struct kcore_phdr *ph = &phdrs[i];
		int ret = check_phdr(elf, ph, err);

		if (ret < 0)
			return ret;
		if (ph->offset < first_offset)
			first_offset = ph->offset;
		map->segments[map->count++] = (struct avml_kcore_segment){
			.start = ph->paddr,
			.end = ph->paddr + ph->filesz,
			.offset = ph->offset,
		};
	}
	if (first_offset < elf->phoff + (uint64_t)elf->phnum * elf->phentsize)
		return avml_error_set(err, EINVAL,
			"%s: %u program headers reach into the memory at "
			"file offset 0x%" PRIx64 ": too many",
			elf->path, elf->phnum, first_offset);
	if (overlap_resolve(&map->segments, &map->count) < 0)
		return avml_error_set_errno(err, ENOMEM, "%s", elf->path);
	return 0;
}

int avml_kcore_map_read(int fd, const char *path,
	const struct avml_range_list *ram, struct avml_kcore_map *map,
	struct avml_error *err)
{
	CLEANUP_FREE struct kcore_phdr *phdrs = NULL;
	struct kcore_elf elf;
	size_t count;
	int ret;

	*map = (struct avml_kcore_map)AVML_KCORE_MAP_INIT;
	ret = kcore_elf_open(fd, path, &elf, err);
	if (ret < 0)
		return ret;
	phdrs = calloc(elf.phnum, sizeof(*phdrs));
	if (!phdrs)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	ret = read_phdrs(&elf, phdrs, &count, err);
	if (ret == 0 && kcore_legacy_is(phdrs, count))
		ret = derive_addresses(&elf, phdrs, &count, ram, err);
	if (ret == 0)
		ret = make_map(&elf, phdrs, count, map, err);
	if (ret < 0)
		avml_kcore_map_release(map);
	return ret;
}

const struct avml_kcore_segment *avml_kcore_map_find(
	const struct avml_kcore_map *map, uint64_t addr)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (addr >= map->segments[mid].end)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == map->count || addr < map->segments[low].start)
		return NULL;
	return &map->segments[low];
}

int avml_kcore_map_ranges(
	const struct avml_kcore_map *map, struct avml_range_list *ranges)
{
	ranges->count = 0;
	for (size_t i = 0; i < map->count; i++) {
		if (avml_range_list_add(ranges, map->segments[i].start,
			    map->segments[i].end)) {
			avml_range_list_release(ranges);
			return -ENOMEM;
		}
	}
	avml_range_list_merge(ranges);
	return 0;
}

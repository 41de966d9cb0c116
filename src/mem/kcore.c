/* SPDX-License-Identifier: MIT */
#include <avml/kcore.h>

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/io.h"
#include "mem/kcore_legacy.h"
#include "mem/overlap.h"

/* An entry may be longer than we know, in a version of ELF to come. */
#define PHENTSIZE_MAX 1024

struct elf_table {
	const char *path;
	bool big; /* big-endian, as on s390x */
	uint64_t phoff;
	unsigned int phentsize;
	unsigned int phnum;
};

void avml_kcore_map_release(struct avml_kcore_map *map)
{
	free(map->segments);
	map->segments = NULL;
	map->count = 0;
}

/* Exactly `len` bytes, or an error: a header is whole or worth nothing. */
static int read_exactly(int fd, const char *path, void *buf, size_t len,
	uint64_t offset, struct avml_error *err)
{
	ssize_t n = io_pread_full(fd, buf, len, offset);

	if (n < 0)
		return avml_error_set_errno(err, (int)-n,
			"cannot read %s at offset 0x%" PRIx64, path, offset);
	if ((size_t)n < len)
		return avml_error_set(err, EINVAL,
			"%s ends at offset 0x%" PRIx64 ", within its ELF "
			"headers",
			path, offset + (uint64_t)n);
	return 0;
}

static int check_ident(
	const uint8_t *ident, const char *path, struct avml_error *err)
{
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return avml_error_set(err, EINVAL,
			"%s is no ELF file: the magic is wrong", path);
	if (ident[EI_CLASS] != ELFCLASS64)
		return avml_error_set(err, EINVAL,
			"%s is no 64-bit ELF file: class %u", path,
			ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return avml_error_set(err, EINVAL,
			"%s: ELF data encoding %u is unknown", path,
			ident[EI_DATA]);
	return 0;
}

static int read_table(int fd, const char *path, struct elf_table *table,
	struct avml_error *err)
{
	uint8_t raw[sizeof(Elf64_Ehdr)] = { 0 };
	struct cursor c = cursor_over(raw, sizeof(raw));
	unsigned int type;
	int ret;

	ret = read_exactly(fd, path, raw, sizeof(raw), 0, err);
	if (ret < 0)
		return ret;
	ret = check_ident(raw, path, err);
	if (ret < 0)
		return ret;
	c.big = raw[EI_DATA] == ELFDATA2MSB;
	cursor_skip(&c, EI_NIDENT);
	type = cursor_u16(&c);
	cursor_skip(&c, 2 + 4 + 8); /* machine, version, entry */
	table->path = path;
	table->big = c.big;
	table->phoff = cursor_u64(&c);
	cursor_skip(&c, 8 + 4 + 2); /* shoff, flags, ehsize */
	table->phentsize = cursor_u16(&c);
	table->phnum = cursor_u16(&c);
	if (type != ET_CORE)
		return avml_error_set(err, EINVAL,
			"%s is no ELF core file: type %u", path, type);
	if (table->phentsize < sizeof(Elf64_Phdr) ||
		table->phentsize > PHENTSIZE_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program headers of %u bytes make no sense", path,
			table->phentsize);
	if (table->phnum == 0 || table->phnum == PN_XNUM)
		return avml_error_set(err, EINVAL,
			"%s: a table of %u program headers makes no sense",
			path, table->phnum);
	if (table->phoff > INT64_MAX - PN_XNUM * PHENTSIZE_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program headers at offset 0x%" PRIx64
			" make no sense",
			path, table->phoff);
	return 0;
}

static int read_phdr(int fd, const struct elf_table *table, unsigned int i,
	struct kcore_phdr *ph, uint32_t *type, struct avml_error *err)
{
	uint8_t raw[sizeof(Elf64_Phdr)] = { 0 };
	struct cursor c = cursor_over(raw, sizeof(raw));
	int ret;

	ret = read_exactly(fd, table->path, raw, sizeof(raw),
		table->phoff + (uint64_t)i * table->phentsize, err);
	if (ret < 0)
		return avml_error_wrap(
			err, "program header %u of %u", i, table->phnum);
	c.big = table->big;
	*type = cursor_u32(&c);
	cursor_skip(&c, 4); /* flags */
	ph->offset = cursor_u64(&c);
	ph->vaddr = cursor_u64(&c);
	ph->paddr = cursor_u64(&c);
	ph->filesz = cursor_u64(&c);
	return 0;
}

/* An error when the header lies of what it has in memory and in the file. */
static int check_phdr(const struct elf_table *table,
	const struct kcore_phdr *ph, struct avml_error *err)
{
	uint64_t end;

	if (__builtin_add_overflow(ph->paddr, ph->filesz, &end))
		return avml_error_set(err, EINVAL,
			"%s: program header %u: 0x%" PRIx64 " bytes at "
			"physical address 0x%" PRIx64 " reach past 2^64",
			table->path, ph->number, ph->filesz, ph->paddr);
	if (__builtin_add_overflow(ph->offset, ph->filesz, &end) ||
		end > INT64_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program header %u: 0x%" PRIx64 " bytes at "
			"file offset 0x%" PRIx64 " reach past 2^63",
			table->path, ph->number, ph->filesz, ph->offset);
	return 0;
}

/* Those that tell of memory which may have a physical address. */
static int read_phdrs(int fd, const struct elf_table *table,
	struct kcore_phdr *phdrs, size_t *count, struct avml_error *err)
{
	*count = 0;
	for (unsigned int i = 0; i < table->phnum; i++) {
		struct kcore_phdr *ph = &phdrs[*count];
		uint32_t type = PT_NULL;
		int ret = read_phdr(fd, table, i, ph, &type, err);

		if (ret < 0)
			return ret;
		ph->number = i;
		*count += type == PT_LOAD && ph->paddr != UINT64_MAX &&
			  ph->filesz > 0;
	}
	if (*count == 0)
		return avml_error_set(err, ENODATA,
			"%s: none of its %u program headers tells of physical "
			"memory",
			table->path, table->phnum);
	return 0;
}

static int derive_addresses(const struct elf_table *table,
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
			table->path, all);
	ret = kcore_legacy_derive(phdrs, count, ram);
	if (ret < 0)
		return avml_error_set(err, ENODATA,
			"%s: its %zu program headers do not tell physical "
			"addresses, as those of kernels before 4.11, and "
			"%s",
			table->path, all,
			ret == -ENOTUNIQ
				? "their virtual addresses fit the ranges of "
				  "RAM in more than one way"
				: "their virtual addresses do not fit the "
				  "ranges of RAM");
	return 0;
}

static int make_map(const struct elf_table *table,
	const struct kcore_phdr *phdrs, size_t count,
	struct avml_kcore_map *map, struct avml_error *err)
{
	uint64_t first_offset = UINT64_MAX;

	map->segments = calloc(count, sizeof(*map->segments));
	if (!map->segments)
		return avml_error_set_errno(err, ENOMEM, "%s", table->path);
	for (size_t i = 0; i < count; i++) {
		const struct kcore_phdr *ph = &phdrs[i];
		int ret = check_phdr(table, ph, err);

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
	if (first_offset <
		table->phoff + (uint64_t)table->phnum * table->phentsize)
		return avml_error_set(err, EINVAL,
			"%s: %u program headers reach into the memory at "
			"file offset 0x%" PRIx64 ": too many",
			table->path, table->phnum, first_offset);
	if (overlap_resolve(&map->segments, &map->count) < 0)
		return avml_error_set_errno(err, ENOMEM, "%s", table->path);
	return 0;
}

int avml_kcore_map_read(int fd, const char *path,
	const struct avml_range_list *ram, struct avml_kcore_map *map,
	struct avml_error *err)
{
	CLEANUP_FREE struct kcore_phdr *phdrs = NULL;
	struct elf_table table = { .path = path };
	size_t count;
	int ret;

	*map = (struct avml_kcore_map)AVML_KCORE_MAP_INIT;
	ret = read_table(fd, path, &table, err);
	if (ret < 0)
		return ret;
	phdrs = calloc(table.phnum, sizeof(*phdrs));
	if (!phdrs)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	ret = read_phdrs(fd, &table, phdrs, &count, err);
	if (ret == 0 && kcore_legacy_is(phdrs, count))
		ret = derive_addresses(&table, phdrs, &count, ram, err);
	if (ret == 0)
		ret = make_map(&table, phdrs, count, map, err);
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

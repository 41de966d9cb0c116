/* SPDX-License-Identifier: MIT */
/*
 * The program headers of kcore. In front of the file stands what is RAM: a
 * count, and for each range the gap before it and its length, in pages.
 */
#include "memory_file.h"

#include <errno.h>

#include <avml/kcore.h>

#define PAGE 4096u
#define RANGES_MAX 16
#define LOADS_MAX 64

static void take_ram(struct fuzz_input *in, struct avml_range_list *ram)
{
	const unsigned int count = (unsigned int)fuzz_number(in, 1);
	uint64_t at = 0;

	for (unsigned int i = 0; i < count % (RANGES_MAX + 1); i++) {
		const uint64_t start = at + PAGE * fuzz_number(in, 3);

		at = start + PAGE * (1 + fuzz_number(in, 3));
		FUZZ_ASSERT(avml_range_list_add(ram, start, at) == 0);
	}
	avml_range_list_merge(ram);
}

/* A number of the file's own order of bytes, 0 behind its end. */
static uint64_t number_at(
	const struct fuzz_input *in, uint64_t at, unsigned int size)
{
	const bool big = in->left > 5 && in->at[5] == 2;
	uint64_t number = 0;

	for (unsigned int i = 0; i < size; i++) {
		const uint64_t from = at + (big ? i : size - 1 - i);

		number = number << 8 | (from < in->left ? in->at[from] : 0);
	}
	return number;
}

/*
 * The headers of memory with an address, read in another way than the code
 * does it. 0 when they are many, or have to be guessed.
 */
static size_t take_loads(
	const struct fuzz_input *in, struct avml_kcore_segment *loads)
{
	const uint64_t phoff = number_at(in, 32, 8);
	const uint64_t size = number_at(in, 54, 2);
	const uint64_t total = number_at(in, 56, 2);
	size_t count = 0;

	for (uint64_t i = 0; i < total; i++) {
		const uint64_t at = phoff + i * size;
		const uint64_t paddr = number_at(in, at + 24, 8);
		const uint64_t len = number_at(in, at + 32, 8);

		if (number_at(in, at, 4) != 1 || paddr == UINT64_MAX ||
			len == 0)
			continue;
		if (count == LOADS_MAX || paddr == 0)
			return 0;
		loads[count].start = paddr;
		loads[count].end = paddr + len;
		loads[count++].offset = number_at(in, at + 8, 8);
	}
	return count;
}

/* Of those that hold the address the largest serves, the first of equals. */
static void check_address(const struct avml_kcore_map *map,
	const struct avml_kcore_segment *loads, size_t count, uint64_t addr)
{
	const struct avml_kcore_segment *best = NULL;
	const struct avml_kcore_segment *s = avml_kcore_map_find(map, addr);

	for (size_t i = 0; i < count; i++) {
		if (addr < loads[i].start || addr >= loads[i].end)
			continue;
		if (!best ||
			loads[i].end - loads[i].start > best->end - best->start)
			best = &loads[i];
	}
	FUZZ_ASSERT(!s == !best);
	FUZZ_ASSERT(!s || s->offset + (addr - s->start) ==
				  best->offset + (addr - best->start));
}

static void check_overlaps(
	const struct avml_kcore_map *map, const struct fuzz_input *in)
{
	struct avml_kcore_segment loads[LOADS_MAX];
	const size_t count = take_loads(in, loads);

	for (size_t i = 0; i < count; i++) {
		check_address(map, loads, count, loads[i].start - 1);
		check_address(map, loads, count, loads[i].start);
		check_address(map, loads, count, loads[i].end - 1);
		check_address(map, loads, count, loads[i].end);
	}
	for (size_t i = 0; count > 0 && i < map->count; i++)
		check_address(map, loads, count, map->segments[i].start);
}

static void check_map(const struct avml_kcore_map *map)
{
	struct avml_range_list all = AVML_RANGE_LIST_INIT;
	uint64_t total = 0;

	FUZZ_ASSERT(map->count > 0);
	FUZZ_ASSERT(avml_kcore_map_find(map, UINT64_MAX) == NULL);
	for (size_t i = 0; i < map->count; i++) {
		const struct avml_kcore_segment *s = &map->segments[i];

		FUZZ_ASSERT(s->start < s->end);
		FUZZ_ASSERT(i == 0 || s[-1].end <= s->start);
		FUZZ_ASSERT(s->offset <= INT64_MAX - (s->end - s->start));
		FUZZ_ASSERT(avml_kcore_map_find(map, s->start) == s);
		FUZZ_ASSERT(avml_kcore_map_find(map, s->end - 1) == s);
		if (i > 0 && s[-1].end < s->start)
			FUZZ_ASSERT(!avml_kcore_map_find(map, s->start - 1));
		total += s->end - s->start;
	}
	FUZZ_ASSERT(avml_kcore_map_ranges(map, &all) == 0);
	FUZZ_ASSERT(avml_range_list_total(&all) == total);
	avml_range_list_release(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	struct avml_kcore_map map;
	struct avml_error err = AVML_ERROR_INIT;
	int ret;

	take_ram(&in, &ram);
	ret = avml_kcore_map_read(memory_file(in.at, in.left), "kcore",
		ram.count > 0 ? &ram : NULL, &map, &err);
	if (ret < 0) {
		FUZZ_ASSERT(ret == -EINVAL || ret == -ENODATA);
		FUZZ_ASSERT(err.code == -ret && err.depth > 0);
		FUZZ_ASSERT(map.count == 0 && !map.segments);
	} else {
		check_map(&map);
		check_overlaps(&map, &in);
	}
	avml_kcore_map_release(&map);
	avml_range_list_release(&ram);
	return 0;
}

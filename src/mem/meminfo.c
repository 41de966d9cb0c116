/* SPDX-License-Identifier: MIT */
#include <avml/meminfo.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Larger than that of any kernel. */
#define MEMINFO_MAX (64u << 10)
#define KIB 1024

/* The numbers as they stand there. */
struct numbers {
	uint64_t total, free, huge_free, huge_kib, poisoned, unaccepted;
};

static const struct {
	const char *name;
	size_t offset;
} lines[] = {
	{ "MemTotal:", offsetof(struct numbers, total) },
	{ "MemFree:", offsetof(struct numbers, free) },
	{ "HugePages_Free:", offsetof(struct numbers, huge_free) },
	{ "Hugepagesize:", offsetof(struct numbers, huge_kib) },
	{ "HardwareCorrupted:", offsetof(struct numbers, poisoned) },
	{ "Unaccepted:", offsetof(struct numbers, unaccepted) },
};

static void read_line(const char *line, struct numbers *numbers)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const size_t len = strlen(lines[i].name);
		uint64_t *number = (void *)((char *)numbers + lines[i].offset);

		if (strncmp(line, lines[i].name, len) == 0)
			*number = strtoull(line + len, NULL, 10);
	}
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

int avml_meminfo_read(
	const char *path, struct avml_meminfo *meminfo, struct avml_error *err)
{
	CLEANUP_FREE char *text = NULL;
	struct numbers numbers = { .total = 0 };
	char *rest = NULL;
	size_t len;
	int ret;

	*meminfo = (struct avml_meminfo){ .total = 0 };
	ret = io_read_system_text(path, MEMINFO_MAX, &text, &len, err);
	if (ret < 0)
		return ret;
	for (char *line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		read_line(line, &numbers);
	*meminfo = (struct avml_meminfo){
		.total = times(numbers.total, KIB),
		.free = times(numbers.free, KIB),
		.free_huge =
			times(numbers.huge_free, times(numbers.huge_kib, KIB)),
		.poisoned = times(numbers.poisoned, KIB),
		.unaccepted = times(numbers.unaccepted, KIB),
	};
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <avml/meminfo.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Larger than that of any kernel. */
#define MEMINFO_MAX (64u << 10)
#define KIB 1024

static const struct {
	const char *name;
	size_t offset;
} lines[] = {
	{ "MemTotal:", offsetof(struct avml_meminfo, total) },
	{ "MemFree:", offsetof(struct avml_meminfo, free) },
	{ "HardwareCorrupted:", offsetof(struct avml_meminfo, poisoned) },
	{ "Unaccepted:", offsetof(struct avml_meminfo, unaccepted) },
};

static void read_line(const char *line, struct avml_meminfo *meminfo)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const size_t len = strlen(lines[i].name);
		uint64_t *value =
			(uint64_t *)((char *)meminfo + lines[i].offset);

		if (strncmp(line, lines[i].name, len) != 0)
			continue;
		*value = strtoull(line + len, NULL, 10);
		if (__builtin_mul_overflow(*value, KIB, value))
			*value = UINT64_MAX;
	}
}

int avml_meminfo_read(
	const char *path, struct avml_meminfo *meminfo, struct avml_error *err)
{
	CLEANUP_FREE char *text = NULL;
	char *rest = NULL;
	size_t len;
	int ret;

	*meminfo = (struct avml_meminfo){ .total = 0 };
	ret = io_read_text(path, MEMINFO_MAX, &text, &len, err);
	if (ret < 0)
		return ret;
	for (char *line = strtok_r(text, "\n", &rest); line;
		line = strtok_r(NULL, "\n", &rest))
		read_line(line, meminfo);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * coreranges: a line OFFSET LENGTH for each range of RAM, in bytes: where in
 * /proc/kcore it is. For dd, to read what avml reads.
 *
 * Of kernels that write physical addresses, and of whole pages.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

#define SEGMENTS_MAX 64

static Elf64_Phdr segments[SEGMENTS_MAX];
static int segment_count;

static void read_segments(void)
{
	FILE *core = fopen("/proc/kcore", "rb");
	Elf64_Ehdr head;

	if (!core || fread(&head, sizeof(head), 1, core) != 1)
		die("/proc/kcore");
	if (fseek(core, (long)head.e_phoff, SEEK_SET) != 0)
		die("/proc/kcore");
	for (int i = 0; i < head.e_phnum && segment_count < SEGMENTS_MAX; i++) {
		Elf64_Phdr *p = &segments[segment_count];

		if (fread(p, sizeof(*p), 1, core) != 1)
			die("/proc/kcore");
		if (p->p_type == PT_LOAD && p->p_paddr != UINT64_MAX)
			segment_count++;
	}
	fclose(core);
}

/* The largest that has it: kernel text is mapped a second time. */
static const Elf64_Phdr *segment_of(uint64_t address)
{
	const Elf64_Phdr *best = NULL;

	for (int i = 0; i < segment_count; i++) {
		const Elf64_Phdr *p = &segments[i];

		if (address >= p->p_paddr &&
			address - p->p_paddr < p->p_memsz &&
			(!best || p->p_memsz > best->p_memsz))
			best = p;
	}
	return best;
}

int main(void)
{
	FILE *iomem = fopen("/proc/iomem", "r");
	char line[256];

	read_segments();
	if (!iomem)
		die("/proc/iomem");
	while (fgets(line, sizeof(line), iomem)) {
		uint64_t start, end;
		const Elf64_Phdr *p;

		if (!strstr(line, " : System RAM") ||
			sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			continue;
		start = (start + PAGE - 1) / PAGE * PAGE;
		end = (end + 1) / PAGE * PAGE;
		p = segment_of(start);
		if (!p || end <= start)
			continue;
		if (end - p->p_paddr > p->p_memsz)
			end = p->p_paddr + p->p_memsz;
		printf("%" PRIu64 " %" PRIu64 "\n",
			p->p_offset + (start - p->p_paddr), end - start);
	}
	return 0;
}

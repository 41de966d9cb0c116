/* SPDX-License-Identifier: MIT */
/* Pages with known content and known frames, for the guest's programs. */
#ifndef TESTS_VM_PAGES_H
#define TESTS_VM_PAGES_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGE 4096u
#define WORDS (PAGE / 8)

/* /proc/self/pagemap: bit 63 present, bits 0 to 54 the frame number. */
#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_PFN ((UINT64_C(1) << 55) - 1)

static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline uint64_t splitmix64(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + n * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t new_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		die("getrandom");
	return seed;
}

/* Word w of page i is output number i * 512 + w + 1 of the sequence. */
static inline void page_fill(unsigned char *page, uint64_t seed, size_t index)
{
	for (size_t w = 0; w < WORDS; w++) {
		uint64_t v = splitmix64(seed, index * WORDS + w + 1);

		memcpy(page + w * 8, &v, 8);
	}
}

static inline uint64_t page_frame(const unsigned char *page)
{
	static int fd = -1;
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)page / PAGE * sizeof(entry));

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), at) != sizeof(entry))
		die("/proc/self/pagemap");
	/* Frame 0 is what a reader without CAP_SYS_ADMIN is shown. */
	if (!(entry & PM_PRESENT) || !(entry & PM_PFN)) {
		errno = ENODATA;
		die("a page has no frame");
	}
	return entry & PM_PFN;
}

/*
 * A table is "seed 0x..." and a line "INDEX 0xPFN" for each page. Written
 * under another name first: who waits for the file sees all of it.
 */
static inline void table_write(
	const char *path, uint64_t seed, const uint64_t *frames, size_t count)
{
	char tmp[300];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	f = fopen(tmp, "w");
	if (!f)
		die(tmp);
	fprintf(f, "seed 0x%016" PRIx64 "\n", seed);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%zu 0x%" PRIx64 "\n", i, frames[i]);
	if (fclose(f) || rename(tmp, path))
		die(path);
}

#endif

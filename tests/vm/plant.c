/* SPDX-License-Identifier: MIT */
/*
 * plant: known pages at known physical addresses, inside the guest.
 *
 *   plant LOW_MIB HIGH_MIB DIR
 *
 * Fills LOW_MIB of pages below 4 GiB and HIGH_MIB at and above it, and keeps
 * them. Every 64-bit word is one output of the splitmix64 sequence that starts
 * at a random seed: word w of page i is output number i * 512 + w + 1. No two
 * pages are alike and no page of another boot can be taken for one of these.
 *
 * DIR/before gets "seed 0x..." and a line "INDEX 0xPFN" for each page, and
 * stands there only once all pages are in place. On SIGUSR1 the frame numbers
 * are looked up again and written to DIR/after: a page that the kernel moved
 * meanwhile shows as a difference.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#define PAGE 4096u
#define WORDS (PAGE / 8)
#define PAGES_PER_MIB (1048576u / PAGE)
#define FOUR_GIB_PFN (UINT64_C(1) << 20)

/* /proc/self/pagemap: bit 63 present, bits 0 to 54 the frame number. */
#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_PFN ((UINT64_C(1) << 55) - 1)

struct planted {
	unsigned char *page;
	uint64_t pfn;
};

static int pagemap_fd;

static void die(const char *what)
{
	fprintf(stderr, "plant: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t splitmix64(uint64_t seed, uint64_t n)
{
	uint64_t z = seed + n * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t frame_of(const unsigned char *page)
{
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)page / PAGE * sizeof(entry));

	if (pread(pagemap_fd, &entry, sizeof(entry), at) != sizeof(entry))
		die("/proc/self/pagemap");
	/* Frame 0 is what a reader without CAP_SYS_ADMIN is shown. */
	if (!(entry & PM_PRESENT) || !(entry & PM_PFN)) {
		errno = ENODATA;
		die("a page has no frame");
	}
	return entry & PM_PFN;
}

static void fill(unsigned char *page, uint64_t seed, size_t index)
{
	for (size_t w = 0; w < WORDS; w++) {
		uint64_t v = splitmix64(seed, index * WORDS + w + 1);

		memcpy(page + w * 8, &v, 8);
	}
}

/* Written under another name first: who waits for the file sees all of it. */
static void write_table(const char *dir, const char *name, uint64_t seed,
	const struct planted *table, size_t count)
{
	char path[256], tmp[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	f = fopen(tmp, "w");
	if (!f)
		die(tmp);
	fprintf(f, "seed 0x%016" PRIx64 "\n", seed);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%zu 0x%" PRIx64 "\n", i, frame_of(table[i].page));
	if (fclose(f) || rename(tmp, path))
		die(path);
}

int main(int argc, char **argv)
{
	size_t want[2], count = 0, total, limit, tried, drop = 0;
	struct planted *table;
	unsigned char *area;
	uint64_t seed;
	sigset_t set;
	int sig;

	if (argc != 4) {
		fprintf(stderr, "usage: plant LOW_MIB HIGH_MIB DIR\n");
		return 2;
	}
	want[0] = strtoul(argv[1], NULL, 10) * PAGES_PER_MIB;
	want[1] = strtoul(argv[2], NULL, 10) * PAGES_PER_MIB;
	total = want[0] + want[1];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap_fd < 0)
		die("/proc/self/pagemap");
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		die("getrandom");
	table = calloc(total, sizeof(*table));
	if (!table)
		die("calloc");

	/*
	 * Nobody can ask for a page above or below 4 GiB. So pages are taken
	 * one after the other, those of a side that has enough are set aside
	 * and given back at the end, and the kernel turns to the other side
	 * when one runs low. The limit leaves the guest room to live.
	 */
	limit = (size_t)sysconf(_SC_AVPHYS_PAGES) * 9 / 10;
	area = mmap(NULL, limit * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		die("mmap");
	/* A huge page would be split or moved; small ones stay. */
	if (madvise(area, limit * PAGE, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("MADV_NOHUGEPAGE");

	for (tried = 0; tried < limit && count < total; tried++) {
		unsigned char *page = area + tried * PAGE;
		int side;

		page[0] = 1;
		side = frame_of(page) >= FOUR_GIB_PFN;
		if (!want[side])
			continue;
		if (mlock(page, PAGE))
			die("mlock");
		want[side]--;
		fill(page, seed, count);
		table[count++].page = page;
	}
	for (size_t i = 0, next = 0; i < tried; i++) {
		unsigned char *page = area + i * PAGE;

		if (next < count && table[next].page == page) {
			next++;
			continue;
		}
		if (madvise(page, PAGE, MADV_DONTNEED))
			die("MADV_DONTNEED");
		drop++;
	}
	fprintf(stderr, "plant: %zu of %zu pages, %zu set aside and freed\n",
		count, total, drop);

	write_table(argv[3], "before", seed, table, count);
	while (!sigwait(&set, &sig))
		write_table(argv[3], "after", seed, table, count);
	return 0;
}

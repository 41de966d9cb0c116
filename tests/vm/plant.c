/* SPDX-License-Identifier: MIT */
/*
 * plant: known pages at known physical addresses, inside the guest.
 *
 *   plant LOW_MIB HIGH_MIB DIR
 *
 * Fills LOW_MIB of pages below 4 GiB and HIGH_MIB at and above it, and keeps
 * them. Every 64-bit word is one output of the splitmix64 sequence that starts
 * at a random seed (pages.h). No two pages are alike and no page of another
 * boot can be taken for one of these.
 *
 * The table of them is DIR/before, which stands there only once all pages are
 * in place. On SIGUSR1 the frame numbers are looked up again and written to
 * DIR/after: a page that the kernel moved meanwhile shows as a difference.
 */
#include <signal.h>
#include <sys/mman.h>

#include "pages.h"

#define PAGES_PER_MIB (1048576u / PAGE)
#define FOUR_GIB_PFN (UINT64_C(1) << 20)

struct planted {
	unsigned char **pages;
	size_t count;
	uint64_t seed;
};

static void write_frames(
	const char *dir, const char *name, const struct planted *planted)
{
	uint64_t *frames = calloc(planted->count + 1, sizeof(*frames));
	char path[256];

	if (!frames)
		die("calloc");
	for (size_t i = 0; i < planted->count; i++)
		frames[i] = page_frame(planted->pages[i]);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	table_write(path, planted->seed, frames, planted->count);
	free(frames);
}

/*
 * Nobody can ask for a page above or below 4 GiB. So pages are taken one
 * after the other, those of a side that has enough are set aside, and the
 * kernel turns to the other side when one runs low. Returns how many were
 * tried.
 */
static size_t take(unsigned char *area, size_t limit, size_t want[2],
	struct planted *planted)
{
	const size_t total = want[0] + want[1];
	size_t tried;

	for (tried = 0; tried < limit && planted->count < total; tried++) {
		unsigned char *page = area + tried * PAGE;
		int side;

		page[0] = 1;
		side = page_frame(page) >= FOUR_GIB_PFN;
		if (!want[side])
			continue;
		if (mlock(page, PAGE))
			die("mlock");
		want[side]--;
		page_fill(page, planted->seed, planted->count);
		planted->pages[planted->count++] = page;
	}
	return tried;
}

/* What was set aside. Returns how many. */
static size_t give_back(
	unsigned char *area, size_t tried, const struct planted *planted)
{
	size_t next = 0;

	for (size_t i = 0; i < tried; i++) {
		unsigned char *page = area + i * PAGE;

		if (next < planted->count && planted->pages[next] == page)
			next++;
		else if (madvise(page, PAGE, MADV_DONTNEED))
			die("MADV_DONTNEED");
	}
	return tried - next;
}

static unsigned char *map_area(size_t pages)
{
	unsigned char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		die("mmap");
	/* A huge page would be split or moved; small ones stay. */
	if (madvise(area, pages * PAGE, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("MADV_NOHUGEPAGE");
	return area;
}

int main(int argc, char **argv)
{
	struct planted planted = { .count = 0 };
	size_t want[2], total, limit, tried, freed;
	unsigned char *area;
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

	planted.seed = new_seed();
	planted.pages = calloc(total + 1, sizeof(*planted.pages));
	if (!planted.pages)
		die("calloc");
	/* The limit leaves the guest room to live. */
	limit = (size_t)sysconf(_SC_AVPHYS_PAGES) * 9 / 10;
	area = map_area(limit);
	tried = take(area, limit, want, &planted);
	freed = give_back(area, tried, &planted);
	fprintf(stderr, "plant: %zu of %zu pages, %zu set aside and freed\n",
		planted.count, total, freed);

	write_frames(argv[3], "before", &planted);
	while (!sigwait(&set, &sig))
		write_frames(argv[3], "after", &planted);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * odd: pages that a reader of memory has to be careful with.
 *
 *   odd poisoned COUNT TABLE    marked by the kernel as hardware poisoned
 *   odd secret COUNT TABLE      memfd_secret(2): in no map of the kernel
 *
 * The pages are filled like those of plant, and TABLE is written like its
 * tables (pages.h). The process then stays: what it holds is not given away.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "pages.h"

#define COUNT_MAX 64
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static unsigned char *map_secret(size_t len)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);

	if (fd < 0)
		die("memfd_secret");
	if (ftruncate(fd, (off_t)len))
		die("ftruncate");
	return mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static unsigned char *map_plain(size_t len)
{
	unsigned char *area = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area != MAP_FAILED && madvise(area, len, MADV_NOHUGEPAGE) &&
		errno != EINVAL)
		die("MADV_NOHUGEPAGE");
	return area;
}

static void on_sigbus(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	uint64_t frames[COUNT_MAX], seed = new_seed();
	size_t count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned char *area;
	int secret;

	if (count == 0 || count > COUNT_MAX) {
		fprintf(stderr, "usage: odd poisoned|secret COUNT TABLE\n");
		return 2;
	}
	secret = strcmp(argv[1], "secret") == 0;
	area = secret ? map_secret(count * PAGE) : map_plain(count * PAGE);
	if (area == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < count; i++) {
		page_fill(area + i * PAGE, seed, i);
		frames[i] = page_frame(area + i * PAGE);
	}
	/*
	 * The kernel tells those who hold such a page, and kills those who do
	 * not listen; this one knows.
	 */
	signal(SIGBUS, on_sigbus);
	for (size_t i = 0; i < count && !secret; i++) {
		if (madvise(area + i * PAGE, PAGE, MADV_HWPOISON))
			die("MADV_HWPOISON");
	}
	table_write(argv[3], seed, frames, count);
	for (;;)
		pause();
}

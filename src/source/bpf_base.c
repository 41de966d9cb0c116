/* SPDX-License-Identifier: MIT */
/*
 * The direct map begins at a multiple of a large page table entry's reach,
 * moved by chance under KASLR: 1 GiB on x86-64 (arch/x86/mm/kaslr.c, PUD_MASK),
 * 1 GiB or 512 MiB on arm64 (ARM64_MEMSTART_ALIGN, by the size of a page). So
 * its begin is so many steps below any address in it.
 */
#include "source/bpf_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"

#define STEP ((uint64_t)512 << 20)
/* What a processor can address, 4 PiB: more would be a lie of iomem's. */
#define RAM_MAX ((uint64_t)1 << 52)

#define PROOFS 8 /* pages */
/* Between two looks the kernel may have moved one. */
#define TRIES 4

/* Linux's Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PAGEMAP_FRAME (((uint64_t)1 << 55) - 1)

struct proofs {
	size_t page; /* bytes */
	unsigned char *pages;
	uint64_t frames[PROOFS];
};

static void proofs_release(struct proofs *proofs)
{
	if (proofs->pages)
		munmap(proofs->pages, PROOFS * proofs->page);
}

static int proofs_make(struct proofs *proofs, struct avml_error *err)
{
	const size_t len = PROOFS * proofs->page;
	unsigned char *pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return avml_error_set_errno(err, errno, "pages of our own");
	proofs->pages = pages;
	/* Where they cannot be locked they may move, which is seen. */
	(void)mlock(pages, len);
	for (size_t done = 0; done < len;) {
		const ssize_t n = getrandom(pages + done, len - done, 0);

		if (n < 0 && errno != EINTR)
			return avml_error_set_errno(err, errno, "random bytes");
		if (cancel_level() > 0)
			return cancel_error(err);
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Where they are. 0 or -errno. */
static int look_up(const struct proofs *proofs, int fd, const char *pagemap,
	uint64_t frames[PROOFS], struct avml_error *err)
{
	const uint64_t first = (uintptr_t)proofs->pages / proofs->page;
	uint64_t words[PROOFS];
	const ssize_t n = io_pread_full(
		fd, words, sizeof(words), first * sizeof(words[0]));

	if (n < 0)
		return avml_error_set_errno(err, (int)-n, "%s", pagemap);
	if (n < (ssize_t)sizeof(words))
		return avml_error_set(
			err, ENODATA, "%s ends before our own pages", pagemap);
	for (size_t i = 0; i < PROOFS; i++) {
		frames[i] = words[i] & PAGEMAP_FRAME;
		if (!(words[i] & PAGEMAP_PRESENT))
			return avml_error_set(err, EAGAIN,
				"%s: a page of our own is not in memory",
				pagemap);
		/* So it is shown to those who may not know. */
		if (frames[i] == 0)
			return avml_error_set(err, EPERM,
				"%s does not tell where our own pages are",
				pagemap);
	}
	return 0;
}

static bool proves(struct bpf_program *program, const struct proofs *proofs,
	size_t i, uint64_t base)
{
	return bpf_program_read(program, 0,
		       base + proofs->frames[i] * proofs->page,
		       proofs->page) == 0 &&
	       memcmp(program->buffer, proofs->pages + i * proofs->page,
		       proofs->page) == 0;
}

/*
 * Upwards, until all pages are where they should be. Too low a base asks for
 * what lies below the direct map, where there is nothing, or for other memory
 * in it; too high a one could end up in what devices are mapped to, behind it.
 * So it ends too where some of the pages are: the others may have moved.
 */
static int search(struct bpf_program *program, const struct proofs *proofs,
	uint64_t task, uint64_t end, uint64_t *base, struct avml_error *err)
{
	const uint64_t last = task & ~(STEP - 1);

	for (uint64_t below = end | (STEP - 1);; below -= STEP) {
		size_t right = 0;

		if (cancel_level() > 0)
			return cancel_error(err);
		*base = last - (below & ~(STEP - 1));
		for (size_t i = 0; i < PROOFS; i++)
			right += proves(program, proofs, i, *base);
		if (right == PROOFS)
			return 0;
		if (right > 0)
			return avml_error_set(err, ERANGE,
				"only %zu of %d pages of our own read back "
				"where they should be",
				right, PROOFS);
		if (below < STEP)
			break;
	}
	return avml_error_set(err, ERANGE,
		"no place of the kernel's direct map proves right: our own "
		"pages read back through none");
}

/* The task is somewhere in RAM, of which a list may tell a part only. */
static uint64_t search_end(const struct proofs *proofs, uint64_t ram_end)
{
	uint64_t end = ram_end;

	for (size_t i = 0; i < PROOFS; i++) {
		if (end < proofs->frames[i] * proofs->page)
			end = proofs->frames[i] * proofs->page;
	}
	return end < RAM_MAX / 2 ? end * 2 : RAM_MAX;
}

static int prove(struct bpf_program *program, const char *pagemap,
	uint64_t ram_end, struct proofs *proofs, uint64_t *base,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = io_open(pagemap, O_RDONLY, 0);
	uint64_t task = 0, now[PROOFS];
	struct avml_error ignored;
	int ret;

	if (fd < 0)
		return avml_error_set_errno(err, -fd, "%s", pagemap);
	ret = bpf_program_task(program, &task, err);
	for (int tries = 0; ret == 0; tries++) {
		ret = look_up(proofs, fd, pagemap, proofs->frames, err);
		if (ret < 0)
			break;
		ret = search(program, proofs, task, search_end(proofs, ram_end),
			base, err);
		/* They may have moved meanwhile. */
		if (ret != -ERANGE || tries == TRIES ||
			look_up(proofs, fd, pagemap, now, &ignored) < 0 ||
			memcmp(now, proofs->frames, sizeof(now)) == 0)
			break;
		ret = 0;
	}
	return ret;
}

int bpf_base_find(struct bpf_program *program, const char *pagemap,
	uint64_t ram_end, uint64_t *base, struct avml_error *err)
{
	struct proofs proofs = { .page = (size_t)sysconf(_SC_PAGESIZE) };
	int ret = proofs_make(&proofs, err);

	if (ret == 0)
		ret = prove(program, pagemap, ram_end, &proofs, base, err);
	proofs_release(&proofs);
	return ret;
}

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

struct search {
	struct bpf_program *program;
	const struct avml_page_flags *flags;
	const struct avml_range_list *ram;
	const char *pagemap;
	int pagemap_fd; /* -1: none */
	uint64_t task;	/* an address in the direct map */
	size_t page;	/* bytes */
	unsigned char *pages;
	uint64_t frames[PROOFS];
	size_t deciding; /* the page that is sought; the others follow it */
};

static void search_release(struct search *s)
{
	if (s->pages)
		munmap(s->pages, PROOFS * s->page);
	if (s->pagemap_fd >= 0)
		close(s->pagemap_fd);
}

/* --- pages of our own ----------------------------------------------------- */

static int make_pages(struct search *s, struct avml_error *err)
{
	const size_t len = PROOFS * s->page;
	unsigned char *pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		return avml_error_set_errno(err, errno, "pages of our own");
	s->pages = pages;
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

/* What is swapped out comes back so, and what is on its way arrives. */
static void touch_pages(const struct search *s)
{
	for (size_t i = 0; i < PROOFS; i++)
		(void)*(const volatile unsigned char *)(s->pages + i * s->page);
}

/* Where they are. 0 or -errno; -EAGAIN: one is nowhere just now. */
static int look_up(
	const struct search *s, uint64_t frames[PROOFS], struct avml_error *err)
{
	const uint64_t first = (uintptr_t)s->pages / s->page;
	uint64_t words[PROOFS];
	const ssize_t n = io_pread_full(
		s->pagemap_fd, words, sizeof(words), first * sizeof(words[0]));

	if (n < 0)
		return avml_error_set_errno(err, (int)-n, "%s", s->pagemap);
	if (n < (ssize_t)sizeof(words))
		return avml_error_set(err, ENODATA,
			"%s ends before our own pages", s->pagemap);
	for (size_t i = 0; i < PROOFS; i++) {
		frames[i] = words[i] & PAGEMAP_FRAME;
		if (!(words[i] & PAGEMAP_PRESENT))
			return avml_error_set(err, EAGAIN,
				"%s: a page of our own is not in memory",
				s->pagemap);
		/* So it is shown to those who may not know. */
		if (frames[i] == 0)
			return avml_error_set(err, EPERM,
				"%s does not tell where our own pages are",
				s->pagemap);
	}
	return 0;
}

/* -EAGAIN where one of `count` pages is no longer where it was. */
static int look_again(
	struct search *s, size_t first, size_t count, struct avml_error *err)
{
	uint64_t now[PROOFS];
	const int ret = look_up(s, now, err);

	if (ret < 0)
		return ret;
	if (memcmp(now + first, s->frames + first, count * sizeof(now[0])) != 0)
		return avml_error_set(err, EAGAIN,
			"our own pages do not stay where they are");
	memcpy(s->frames, now, sizeof(now));
	return 0;
}

/* --- what may be touched -------------------------------------------------- */

static bool is_ram(const struct search *s, uint64_t addr)
{
	for (size_t i = 0; i < s->ram->count; i++) {
		if (addr >= s->ram->items[i].start &&
			addr < s->ram->items[i].end)
			return true;
	}
	return false;
}

/*
 * Whether memory that must not be touched is where a base that is too low looks
 * for this frame: any number of steps below it, down to the begin of memory.
 *
 * What has no page is in holes between RAM, as below 4 GiB: the kernel maps
 * none of them, so that reading one is a fault, which is caught; almost every
 * frame has some below it. But RAM without a page is memory that was taken
 * offline, maybe because it is bad: that stays mapped, with no mark of its own.
 * An end before a frame that is below one of ours is not this kernel's.
 */
static bool has_bad_below(const struct search *s, uint64_t frame)
{
	const uint64_t step = STEP / s->page;
	uint8_t mark;

	if (!avml_page_flags_known(s->flags))
		return false;
	while (frame >= step) {
		frame -= step;
		avml_page_flags_marks(s->flags, frame, 1, &mark);
		if (mark == AVML_PAGE_MARK_NO_PAGE
				? is_ram(s, frame * s->page)
				: mark != AVML_PAGE_MARK_NONE)
			return true;
	}
	return false;
}

/* The lowest that may be: the fewest steps below it are in memory. */
static int decide(struct search *s, struct avml_error *err)
{
	size_t best = PROOFS;

	for (size_t i = 0; i < PROOFS; i++) {
		if ((best == PROOFS || s->frames[i] < s->frames[best]) &&
			!has_bad_below(s, s->frames[i]))
			best = i;
	}
	if (best == PROOFS)
		return avml_error_set(err, EPERM,
			"wherever our own pages would be sought there is "
			"memory that must not be touched (kpageflags)");
	s->deciding = best;
	return 0;
}

/* --- the search ----------------------------------------------------------- */

/* 1: it reads back; 0: something else or nothing does; -errno. */
static int proves(
	const struct search *s, size_t i, uint64_t base, struct avml_error *err)
{
	const int ret = bpf_program_read(
		s->program, 0, base + s->frames[i] * s->page, s->page);

	/* Nothing is there, or it is no address of the kernel's at all. */
	if (ret == -EFAULT || ret == -ERANGE)
		return 0;
	if (ret < 0)
		return avml_error_set_errno(err, -ret, "to run a BPF program");
	return memcmp(s->program->buffer, s->pages + i * s->page, s->page) == 0;
}

/* Now that the deciding page has been found. */
static int prove_others(struct search *s, uint64_t base, struct avml_error *err)
{
	int right = 1, ret;

	for (size_t i = 0; i < PROOFS; i++) {
		ret = i == s->deciding ? 0 : proves(s, i, base, err);
		if (ret < 0)
			return ret;
		right += ret;
	}
	if (right == PROOFS)
		return 0;
	ret = look_again(s, 0, PROOFS, err);
	if (ret < 0)
		return ret;
	return avml_error_set(err, ERANGE,
		"only %d of %d pages of our own read back where they should be",
		right, PROOFS);
}

/* The task is somewhere in RAM, of which a list may tell a part only. */
static uint64_t search_end(const struct search *s)
{
	uint64_t end = 0;

	if (s->ram->count > 0)
		end = s->ram->items[s->ram->count - 1].end;
	for (size_t i = 0; i < PROOFS; i++) {
		if (end < s->frames[i] * s->page)
			end = s->frames[i] * s->page;
	}
	return end < RAM_MAX / 2 ? end * 2 : RAM_MAX;
}

/*
 * Upwards, until a page is where it should be. Too low a base asks for what
 * lies below the direct map, where there is nothing, or for other memory in it:
 * of one page only, so that little is touched, all of it known beforehand. Too
 * high a base could end up in what devices are mapped to, behind memory. So
 * with each miss it is seen whether that page is still there: if it was not,
 * this may have been the right one. That the kernel has no other bytes of a
 * page than we, while it is there, is taken for granted.
 */
static int search(struct search *s, uint64_t *base, struct avml_error *err)
{
	const uint64_t last = s->task & ~(STEP - 1);

	for (uint64_t below = search_end(s) | (STEP - 1);; below -= STEP) {
		int ret;

		if (cancel_level() > 0)
			return cancel_error(err);
		*base = last - (below & ~(STEP - 1));
		ret = proves(s, s->deciding, *base, err);
		if (ret > 0)
			return prove_others(s, *base, err);
		if (ret == 0)
			ret = look_again(s, s->deciding, 1, err);
		if (ret < 0)
			return ret;
		if (below < STEP)
			break;
	}
	return avml_error_set(err, ERANGE,
		"no place of the kernel's direct map proves right: our own "
		"pages read back through none");
}

static int prove(struct search *s, uint64_t *base, struct avml_error *err)
{
	int ret;

	for (int tries = 0;; tries++) {
		ret = look_up(s, s->frames, err);
		if (ret == 0)
			ret = decide(s, err);
		if (ret == 0)
			ret = search(s, base, err);
		if (ret != -EAGAIN || tries == TRIES)
			return ret;
		touch_pages(s);
	}
}

int bpf_base_find(struct bpf_program *program, const char *pagemap,
	const struct avml_page_flags *flags, const struct avml_range_list *ram,
	uint64_t *base, struct avml_error *err)
{
	struct search s = {
		.program = program,
		.flags = flags,
		.ram = ram,
		.pagemap = pagemap,
		.pagemap_fd = -1,
		.page = (size_t)sysconf(_SC_PAGESIZE),
	};
	int ret = make_pages(&s, err);

	if (ret == 0) {
		s.pagemap_fd = io_open(pagemap, O_RDONLY, 0);
		if (s.pagemap_fd < 0)
			ret = avml_error_set_errno(
				err, -s.pagemap_fd, "%s", pagemap);
	}
	if (ret == 0)
		ret = bpf_program_task(program, &s.task, err);
	if (ret == 0)
		ret = prove(&s, base, err);
	search_release(&s);
	return ret;
}

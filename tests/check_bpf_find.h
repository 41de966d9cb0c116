/* SPDX-License-Identifier: MIT */
/* The base of the made-up machine's memory, sought; and what that touched. */
#ifndef CHECK_BPF_FIND_H
#define CHECK_BPF_FIND_H

#include "check_bpf.h"
#include "source/bpf_base.h"

#define PAGEMAP "/proc/self/pagemap"
#define STEP (GIB / 2) /* from one guess to the next */

/* RAM begins there, of which bpf_base_find() is told. */
static uint64_t ram_start;
/* Nothing is known of what must not be touched. */
static bool without_flags;

/* All of it: the descriptors and mappings that are left too. */
static inline int find(uint64_t ram_end, uint64_t *base, struct avml_error *err)
{
	struct avml_range range = { ram_start, ram_end };
	const struct avml_range_list ram = { .items = &range, .count = 1 };
	struct avml_page_flags flags = AVML_PAGE_FLAGS_INIT;
	struct bpf_program program;
	const int fds = machine_open_fds();
	int ret;

	*err = (struct avml_error)AVML_ERROR_INIT;
	if (!without_flags)
		ck_assert_int_eq(
			avml_page_flags_open("/proc/kpageflags", &flags, err),
			0);
	ck_assert_int_eq(bpf_program_open(&program, 1, err), 0);
	*base = 0;
	ret = bpf_base_find(&program, PAGEMAP, &flags, &ram, base, err);
	ck_assert_int_eq(machine.maps, 1);
	bpf_program_close(&program);
	avml_page_flags_release(&flags);
	ck_assert_int_eq(machine.maps, 0);
	ck_assert_int_eq(machine_open_fds(), fds);
	return ret;
}

static inline uint64_t highest_frame(void)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < PROOF_PAGES; i++) {
		if (machine.frames[i] > highest)
			highest = machine.frames[i];
	}
	return highest;
}

/* Behind memory there may be devices: nothing is tried there. */
static inline void assert_nothing_beyond(void)
{
	ck_assert_uint_le(machine.last_asked,
		machine.base + (highest_frame() + 1) * PAGE);
}

static inline size_t lowest_page(void)
{
	size_t lowest = 0;

	for (size_t i = 1; i < PROOF_PAGES; i++) {
		if (machine.frames[i] < machine.frames[lowest])
			lowest = i;
	}
	return lowest;
}

/*
 * With each guess one page was read, the same, a step above the one before;
 * and the others where they are, once it was found.
 */
static inline void assert_touched_for(size_t page)
{
	const size_t guesses = machine.asked_count - (PROOF_PAGES - 1);
	const uint64_t found = machine.frames[page] * PAGE;
	const uint64_t *others = machine.asked + guesses;

	ck_assert_uint_eq(machine.asked_count, machine.reads);
	ck_assert_uint_ge(machine.asked_count, PROOF_PAGES);
	for (size_t i = 0; i < guesses; i++)
		ck_assert_msg(
			machine.asked[i] == found - (guesses - 1 - i) * STEP,
			"read %zu is of 0x%llx", i,
			(unsigned long long)machine.asked[i]);
	for (size_t i = 0; i < PROOF_PAGES; i++) {
		if (i != page)
			ck_assert_uint_eq(*others++, machine.frames[i] * PAGE);
	}
}

static inline void assert_base(uint64_t ram_end)
{
	struct avml_error err;
	uint64_t base;
	const int ret = find(ram_end, &base, &err);

	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	ck_assert_msg(base == machine.base, "0x%llx, not 0x%llx",
		(unsigned long long)base, (unsigned long long)machine.base);
	assert_nothing_beyond();
}

/* At once, by the page that is to decide. */
static inline void assert_found(uint64_t ram_end)
{
	assert_base(ram_end);
	assert_touched_for(lowest_page());
}

static inline void assert_not_found(int code, const char *says)
{
	struct avml_error err;
	uint64_t base;
	const int ret = find(machine.end, &base, &err);

	ck_assert_msg(ret == -code, "%d: %s", ret, avml_error_message(&err, 0));
	ck_assert_msg(strstr(avml_error_message(&err, 0), says) != NULL,
		"\"%s\" lacks \"%s\"", avml_error_message(&err, 0), says);
}

#endif

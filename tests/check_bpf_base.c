/* SPDX-License-Identifier: MIT */
/* Where the kernel has memory: found, proved, and not taken without proof. */
#include <signal.h>

#include "base/cancel.h"
#include "check_bpf_find.h"

/* --- found ---------------------------------------------------------------- */

static const struct {
	uint64_t base, start, task;
} layouts[] = {
	{ 0xffff888000000000, 0, GIB },		  /* x86-64 */
	{ 0xffff888000000000, 0, 0x1000 },	  /* the very begin */
	{ 0xffff888000000000, 0, 3 * GIB - 64 },  /* and end */
	{ 0xffff9a8440000000, 0, 0x7654321 * 8 }, /* KASLR */
	{ 0xffffa00000000000, 0, 2 * GIB },
	{ 0xff11000000000000, 0, GIB + 0x40 }, /* five levels */
	{ 0xff2c3a51c0000000, 0, GIB },	       /* and KASLR */
	/* arm64 has its first memory where the direct map begins. */
	{ 0xffff000000000000 - GIB, GIB, GIB + 0x800 },
	{ 0xfff0000000000000 - GIB, GIB, 2 * GIB },
	{ 0xffff00a460000000, 0, GIB },
	{ 0xffff00a460000000 - GIB / 2, GIB / 2, 3 * GIB - 64 },
};

START_TEST(base_is_found_in_each_layout)
{
	machine_begin();
	machine_put(layouts[_i].base, layouts[_i].task);
	machine.start = layouts[_i].start;
	/* In what is memory in each, not in order. */
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine.frames[i] = GIB / PAGE + (i * 5 % 8) * 0xfff1 + i;
	assert_found(machine.end);
}
END_TEST

/* Pages at either end of memory, of which frame 0 cannot be one. */
START_TEST(base_is_found_by_pages_anywhere)
{
	machine_begin();
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine.frames[i] =
			_i == 0	  ? i + 1
			: _i == 1 ? machine.end / PAGE - 1 - i
				  : (i % 2 ? machine.end / PAGE - i : i + 1);
	assert_found(machine.end);
}
END_TEST

/* What iomem tells may be a part of it only: pages are known to be more. */
START_TEST(base_is_found_where_ram_is_told_in_part)
{
	machine_begin();
	assert_found(_i == 0 ? PAGE : _i == 1 ? MIB : GIB);
}
END_TEST

/* Nor is it sought for ever where iomem tells of too much. */
START_TEST(base_is_found_where_ram_is_a_lie)
{
	const uint64_t most = UINT64_C(1) << 52;

	machine_begin();
	/* The lowest that is tried is so far below the task. */
	machine.end = most;
	machine_put(UINT64_C(0xff11000000000000), most - GIB);
	assert_found(UINT64_MAX - PAGE + 1);
	ck_assert_uint_lt(machine.reads, 50);
	ck_assert_uint_ge(machine.first_asked, machine.base - 2 * GIB);
}
END_TEST

/* Holes where a page would be looked for, at the bases that are wrong. */
START_TEST(base_is_found_beside_holes)
{
	machine_begin();
	machine.holes[0] = (struct avml_range){ GIB, GIB + GIB / 4 };
	machine.holes[1] = (struct avml_range){ 0, MIB };
	assert_found(machine.end);
}
END_TEST

/* --- proved --------------------------------------------------------------- */

/* One page that is not itself: no proof, whichever it is. */
START_TEST(base_needs_every_page)
{
	machine_begin();
	machine.odd = (unsigned int)_i + 1;
	if ((size_t)_i == lowest_page()) {
		/* It is what is sought. */
		assert_not_found(ERANGE, "read back through none");
		return;
	}
	assert_not_found(ERANGE, "only 7 of 8 pages of our own read back");
	assert_nothing_beyond();
}
END_TEST

/* At a base that is tried first all but one are there. */
START_TEST(base_is_not_one_that_all_but_one_page_prove)
{
	machine_begin();
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine.frames[i] = GIB / PAGE + i * 0x1001;
	machine.decoy = GIB / 2;
	machine.odd = (unsigned int)_i + 1;
	if ((size_t)_i == lowest_page()) {
		/* What is sought is not there: so that base is passed. */
		assert_found(machine.end);
		return;
	}
	assert_not_found(ERANGE, "only 7 of 8 pages of our own read back");
	assert_nothing_beyond();
}
END_TEST

/* Memory at which the right base is not a multiple of what moves it. */
START_TEST(base_is_not_between_two_steps)
{
	machine_begin();
	machine_put(machine.base + 2 * MIB, GIB);
	assert_not_found(ERANGE, "read back through none");
}
END_TEST

START_TEST(base_is_not_found_where_pages_cannot_be_read)
{
	machine_begin();
	for (size_t i = 0; i < 2; i++)
		machine.holes[i] =
			(struct avml_range){ machine.frames[i * 6] * PAGE,
				machine.frames[i * 6] * PAGE + 1 };
	assert_not_found(ERANGE, "only 6 of 8 pages of our own read back");
	assert_nothing_beyond();
}
END_TEST

/* --- where pages are ------------------------------------------------------ */

START_TEST(base_needs_frames)
{
	static const struct {
		enum machine_pagemap pagemap;
		int code;
		const char *says;
	} kinds[] = {
		{ HIDDEN, EPERM, "does not tell where" },
		{ ABSENT, ENOENT, PAGEMAP },
		{ ENDED, ENODATA, "ends before our own pages" },
		{ BROKEN, EIO, PAGEMAP },
		{ SWAPPED, EAGAIN, "not in memory" },
	};

	machine_begin();
	machine.pagemap = kinds[_i].pagemap;
	assert_not_found(kinds[_i].code, kinds[_i].says);
	ck_assert_uint_eq(machine.reads, 0);
}
END_TEST

/* --- what fails ----------------------------------------------------------- */

START_TEST(base_copes_with_random_bytes_that_come_slowly)
{
	machine_begin();
	machine.random_most = 1000;
	machine.mlock_error = ENOMEM;
	assert_found(machine.end);
}
END_TEST

START_TEST(base_tells_what_fails)
{
	machine_begin();
	if (_i == 0) {
		machine.random_error = ENOSYS;
		assert_not_found(ENOSYS, "random bytes");
	} else if (_i == 1) {
		/* The first is the map's. */
		machine.map_fails = 2;
		assert_not_found(ENOMEM, "pages of our own");
	} else if (_i == 2) {
		/* The program that tells where the task is. */
		kernel.fail[BPF_PROG_LOAD].error = EMFILE;
		kernel.fail[BPF_PROG_LOAD].from = 1;
		assert_not_found(EMFILE, "a BPF program");
	} else {
		/* The one that tells where the task is, or one that reads. */
		kernel.fail[BPF_PROG_TEST_RUN].error = ENOMEM;
		kernel.fail[BPF_PROG_TEST_RUN].from = (unsigned int)_i - 2;
		assert_not_found(ENOMEM, "to run a BPF program");
	}
}
END_TEST

static int read_and_stop(void *to, uint64_t addr, uint64_t len)
{
	if (machine.reads == 1)
		cancel_request(SIGTERM);
	return machine_read(to, addr, len);
}

START_TEST(base_is_not_sought_once_stopped)
{
	machine_begin();
	if (_i == 2)
		kernel.read = read_and_stop;
	else
		cancel_request(SIGTERM);
	/* What is asked for again and again until then. */
	machine.random_error = _i == 1 ? EINTR : 0;
	assert_not_found(EINTR, "SIGTERM");
	ck_assert_uint_le(machine.reads, 2);
}
END_TEST

static Suite *bpf_base_suite(void)
{
	Suite *suite = suite_create("bpf_base");
	TCase *tc = tcase_create("bpf_base");

	tcase_add_loop_test(
		tc, base_is_found_in_each_layout, 0, TEST_COUNT(layouts));
	tcase_add_loop_test(tc, base_is_found_by_pages_anywhere, 0, 3);
	tcase_add_loop_test(tc, base_is_found_where_ram_is_told_in_part, 0, 3);
	tcase_add_test(tc, base_is_found_where_ram_is_a_lie);
	tcase_add_test(tc, base_is_found_beside_holes);
	tcase_add_loop_test(tc, base_needs_every_page, 0, PROOF_PAGES);
	tcase_add_loop_test(tc, base_is_not_one_that_all_but_one_page_prove, 0,
		PROOF_PAGES);
	tcase_add_test(tc, base_is_not_between_two_steps);
	tcase_add_test(tc, base_is_not_found_where_pages_cannot_be_read);
	tcase_add_loop_test(tc, base_needs_frames, 0, 5);
	tcase_add_test(tc, base_copes_with_random_bytes_that_come_slowly);
	tcase_add_loop_test(tc, base_tells_what_fails, 0, 5);
	tcase_add_loop_test(tc, base_is_not_sought_once_stopped, 0, 3);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_base_suite)

/* SPDX-License-Identifier: MIT */
/*
 * What the search for the base touches that is not ours: nothing that is
 * marked, nothing behind memory, and that too when our pages are moved.
 */
#include "check_bpf_find.h"

/* Pages of ours, the lowest first. */
static void by_frame(size_t order[PROOF_PAGES])
{
	for (size_t i = 0; i < PROOF_PAGES; i++) {
		size_t below = 0;

		for (size_t k = 0; k < PROOF_PAGES; k++)
			below += machine.frames[k] < machine.frames[i];
		order[below] = i;
	}
}

static bool was_asked(uint64_t addr)
{
	for (size_t i = 0; i < machine.asked_count; i++) {
		if (machine.asked[i] == addr)
			return true;
	}
	return false;
}

/* Where a base looks for it that is so many steps too low. */
static uint64_t stray_of(size_t page, uint64_t steps)
{
	return machine.frames[page] - steps * (STEP / PAGE);
}

static uint64_t strays(size_t page)
{
	return machine.frames[page] / (STEP / PAGE);
}

static void mark_strays(size_t page, uint64_t bits)
{
	for (uint64_t i = 1; i <= strays(page); i++)
		machine_mark(stray_of(page, i), bits);
}

/* --- marks ---------------------------------------------------------------- */

static const uint64_t bad[] = { POISONED, OFFLINE, NO_PAGE,
	POISONED | OFFLINE | NO_PAGE };

/* One, at any step: another page decides, and then a third. */
START_TEST(base_search_keeps_off_marks)
{
	const uint64_t steps = 1 + (uint64_t)_i % 2;
	size_t order[PROOF_PAGES] = { 0 };

	machine_begin();
	by_frame(order);
	ck_assert_uint_eq(strays(order[0]), 2);
	/* Without marks it would be touched. */
	assert_found(machine.end);
	ck_assert(was_asked(stray_of(order[0], steps) * PAGE));
	for (size_t n = 0; n + 1 < PROOF_PAGES; n++) {
		const uint64_t frame = stray_of(order[n], steps);

		machine_mark(frame, bad[_i / 2]);
		atomic_store(&machine.reads, 0);
		machine.asked_count = 0;
		assert_base(machine.end);
		ck_assert(!was_asked(frame * PAGE));
		assert_touched_for(order[n + 1]);
	}
}
END_TEST

/* Not even once. */
START_TEST(base_search_does_not_begin_where_all_are_marked)
{
	machine_begin();
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine_mark(stray_of(i, 1 + i % strays(i)), bad[_i]);
	assert_not_found(EPERM, "must not be touched");
	ck_assert_uint_eq(machine.reads, 0);
}
END_TEST

/* Nor where the file does not tell of what is below our pages. */
START_TEST(base_search_does_not_begin_where_marks_end)
{
	machine_begin();
	ck_assert_int_eq(truncate(machine.flags, MIB / 2), 0);
	assert_not_found(EPERM, "must not be touched");
	ck_assert_uint_eq(machine.reads, 0);
}
END_TEST

/* Below the first step there is nothing that could be marked. */
START_TEST(base_search_has_a_page_below_the_first_step)
{
	machine_begin();
	machine.frames[_i] = STEP / PAGE - 1;
	for (size_t i = 0; i < PROOF_PAGES; i++)
		mark_strays(i, bad[(size_t)_i % TEST_COUNT(bad)]);
	/* Of what it is itself nothing has to be known. */
	machine_mark(machine.frames[_i], OFFLINE);
	assert_found(machine.end);
}
END_TEST

/* What has no page is a hole where it is no RAM. */
START_TEST(base_search_goes_on_over_holes)
{
	size_t order[PROOF_PAGES] = { 0 };

	machine_begin();
	by_frame(order);
	/* The second stray is below it, the first in it. */
	ram_start = stray_of(order[0], 1) * PAGE;
	machine_mark(stray_of(order[0], 2), NO_PAGE);
	assert_found(machine.end);
	machine_mark(stray_of(order[0], 1), NO_PAGE);
	machine.asked_count = 0;
	atomic_store(&machine.reads, 0);
	assert_base(machine.end);
	assert_touched_for(order[1]);
}
END_TEST

/* As it is where somebody wants it all the same. */
START_TEST(base_search_goes_on_without_marks)
{
	machine_begin();
	for (size_t i = 0; i < PROOF_PAGES; i++)
		mark_strays(i, POISONED);
	without_flags = true;
	assert_found(machine.end);
}
END_TEST

/* --- pages that are moved ------------------------------------------------- */

static struct {
	size_t page;
	unsigned int read;  /* before which it is moved; 0: the right one's */
	unsigned int times; /* that are still to come */
} move;

static int move_and_read(void *to, uint64_t addr, uint64_t len)
{
	uint64_t *frame = &machine.frames[move.page];
	const bool now = move.read > 0 ? machine.reads + 1 >= move.read
				       : addr == machine.base + *frame * PAGE;

	if (now && move.times > 0) {
		move.times--;
		*frame += 100;
	}
	return machine_read(to, addr, len);
}

static void begin_moving(size_t page, unsigned int read, unsigned int times)
{
	machine_begin();
	kernel.read = move_and_read;
	move.page = page;
	move.read = read;
	move.times = times;
}

/* Just when it would be found, as often as that is. */
START_TEST(base_is_found_when_pages_have_moved)
{
	begin_moving((size_t)_i / 5, 0, (unsigned int)_i % 5);
	assert_base(machine.end);
	ck_assert_uint_eq(move.times, 0);
}
END_TEST

/* At any time: the page that is sought, or another one. */
START_TEST(base_is_found_when_a_page_moves_meanwhile)
{
	begin_moving(
		_i < 20 ? PROOF_PAGES - 1 : 2, 1 + (unsigned int)_i % 20, 1);
	ck_assert_uint_eq(lowest_page(), PROOF_PAGES - 1);
	assert_base(machine.end);
	/* Another one is followed while the search goes on, as it does. */
	if (_i >= 20 && _i < 28)
		assert_touched_for(lowest_page());
}
END_TEST

START_TEST(base_is_not_sought_for_ever_when_pages_move)
{
	begin_moving((size_t)_i, 0, 1000);
	assert_not_found(EAGAIN, "do not stay where they are");
	assert_nothing_beyond();
	ck_assert_uint_ge(move.times, 990);
}
END_TEST

/* Then other memory lies below it. */
START_TEST(base_search_asks_for_marks_of_where_a_page_is_now)
{
	const size_t page = PROOF_PAGES - 1;

	begin_moving(page, 0, 1);
	machine.frames[page] += 100;
	mark_strays(page, OFFLINE);
	machine.frames[page] -= 100;
	assert_base(machine.end);
	/* Now it is there. */
	for (uint64_t i = 1; i <= strays(page); i++)
		ck_assert(!was_asked(stray_of(page, i) * PAGE));
}
END_TEST

/* On its way to another place a page is nowhere. */
START_TEST(base_is_found_when_a_page_is_on_its_way)
{
	machine_begin();
	machine.away = (unsigned int)_i;
	assert_found(machine.end);
	ck_assert_uint_eq(machine.away, 0);
}
END_TEST

START_TEST(base_is_not_sought_for_ever_when_a_page_is_nowhere)
{
	machine_begin();
	machine.away = 1000;
	assert_not_found(EAGAIN, "not in memory");
	ck_assert_uint_le(machine.looks, 10);
	ck_assert_uint_eq(machine.reads, 0);
}
END_TEST

/* --- reads that fail ------------------------------------------------------ */

static unsigned int failures;
static int failure;

/* Of the right base, which must not be passed. */
static int fail_or_read(void *to, uint64_t addr, uint64_t len)
{
	const int ret = machine_read(to, addr, len);

	if (failures == 0 ||
		addr != machine.base + machine.frames[lowest_page()] * PAGE)
		return ret;
	failures--;
	memset(to, 0, len);
	return -failure;
}

START_TEST(base_search_does_not_pass_a_base_that_cannot_be_read)
{
	machine_begin();
	kernel.read = fail_or_read;
	failures = _i == 0 ? 3 : 1000;
	failure = _i == 2 ? EPERM : EAGAIN;
	if (_i == 0)
		assert_base(machine.end);
	else
		assert_not_found(failure, "to run a BPF program");
	assert_nothing_beyond();
}
END_TEST

/* What kernels say of an address that is none of theirs. */
static int refuse_or_read(void *to, uint64_t addr, uint64_t len)
{
	const int ret = machine_read(to, addr, len);

	return addr < machine.base ? -ERANGE : ret;
}

START_TEST(base_search_goes_on_where_no_address_of_the_kernels_is)
{
	machine_begin();
	kernel.read = refuse_or_read;
	assert_found(machine.end);
}
END_TEST

static Suite *bpf_strays_suite(void)
{
	Suite *suite = suite_create("bpf_strays");
	TCase *tc = tcase_create("bpf_strays");

	tcase_add_loop_test(
		tc, base_search_keeps_off_marks, 0, 2 * TEST_COUNT(bad));
	tcase_add_loop_test(tc, base_search_does_not_begin_where_all_are_marked,
		0, TEST_COUNT(bad));
	tcase_add_test(tc, base_search_does_not_begin_where_marks_end);
	tcase_add_loop_test(tc, base_search_has_a_page_below_the_first_step, 0,
		PROOF_PAGES);
	tcase_add_test(tc, base_search_goes_on_over_holes);
	tcase_add_test(tc, base_search_goes_on_without_marks);
	tcase_add_loop_test(
		tc, base_is_found_when_pages_have_moved, 0, 5 * PROOF_PAGES);
	tcase_add_loop_test(
		tc, base_is_found_when_a_page_moves_meanwhile, 0, 40);
	tcase_add_loop_test(tc, base_is_not_sought_for_ever_when_pages_move, 0,
		PROOF_PAGES);
	tcase_add_test(tc, base_search_asks_for_marks_of_where_a_page_is_now);
	tcase_add_loop_test(tc, base_is_found_when_a_page_is_on_its_way, 0, 5);
	tcase_add_test(tc, base_is_not_sought_for_ever_when_a_page_is_nowhere);
	tcase_add_loop_test(
		tc, base_search_does_not_pass_a_base_that_cannot_be_read, 0, 3);
	tcase_add_test(
		tc, base_search_goes_on_where_no_address_of_the_kernels_is);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_strays_suite)

/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses for headers that have none: machines at random, and
 * tables that are meant to cost much.
 */
#include "mem/kcore_legacy.h"

#include "check_main.h"

#include "base/cleanup.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
/* What is not kept. */
#define DROPPED UINT64_MAX

/* --- machines at random -------------------------------------------------- */

struct guess {
	struct avml_range_list ram;
	struct kcore_phdr phdrs[64];
	uint64_t paddrs[64]; /* by number; DROPPED */
	size_t count;
};

static void add_phdr(
	struct guess *g, uint64_t vaddr, uint64_t len, uint64_t paddr)
{
	const unsigned int number = (unsigned int)g->count++;

	g->phdrs[number] = (struct kcore_phdr){ .number = number,
		.vaddr = vaddr,
		.filesz = len,
		.offset = number };
	g->paddrs[number] = paddr;
}

/* RAM in up to 8 ranges, of which some are in up to 4 touching parts. */
static void make_guess(struct guess *g, uint64_t *seed)
{
	static const uint64_t bases[] = { 0xffff880000000000,
		0xffff9b8240000000, 0xfffffc0000000000, 0xc000000000000000 };
	const uint64_t base =
		bases[test_random(seed) % 4] + test_random(seed) % 1024 * GIB;
	const size_t ranges = 1 + test_random(seed) % 8;
	uint64_t at = test_random(seed) % 2 ? 0x1000 : GIB;

	for (size_t i = 0; i < ranges; i++) {
		const size_t parts =
			test_random(seed) % 2 ? 1 : 1 + test_random(seed) % 4;
		const uint64_t start = at;

		for (size_t k = 0; k < parts; k++) {
			const uint64_t len = (1 + test_random(seed) % 500000)
					     << 12;

			add_phdr(g, base + at, len, at);
			at += len;
		}
		ck_assert_int_eq(avml_range_list_add(&g->ram, start, at), 0);
		at += (1 + test_random(seed) % 100000) << 12;
	}
	/* Text, modules and vmalloc, behind all RAM and before it. */
	add_phdr(g, 0xffffffff81000000, 24 * MIB, DROPPED);
	add_phdr(g, 0xffffffffa0000000, 1520 * MIB, DROPPED);
	add_phdr(g, base + (UINT64_C(1) << 46), 0x1fffffffffff, DROPPED);
	add_phdr(g, base - (UINT64_C(1) << 45), 0x1fffffff0000, DROPPED);
	for (size_t i = g->count; i-- > 1;) {
		const size_t with = test_random(seed) % (i + 1);
		const struct kcore_phdr other = g->phdrs[with];

		g->phdrs[with] = g->phdrs[i];
		g->phdrs[i] = other;
	}
}

START_TEST(kcore_legacy_random_machine_gives_its_addresses)
{
	uint64_t seed = 0x6c6567616379;

	for (int round = 0; round < 500; round++) {
		struct guess g = { .count = 0 };
		size_t count, expected = 0;
		int ret;

		make_guess(&g, &seed);
		for (size_t i = 0; i < g.count; i++)
			expected += g.paddrs[i] != DROPPED;
		count = g.count;
		ret = kcore_legacy_derive(g.phdrs, &count, &g.ram);
		ck_assert_msg(ret == 0, "round %d: %d", round, ret);
		ck_assert_msg(count == expected, "round %d: %zu, not %zu",
			round, count, expected);
		for (size_t i = 0; i < count; i++)
			TEST_ASSERT(g.phdrs[i].paddr ==
				    g.paddrs[g.phdrs[i].number]);
		avml_range_list_release(&g.ram);
	}
}
END_TEST

/*
 * More blocks than are tried, all of one length: the one that RAM begins
 * with has to be among those that are.
 */
START_TEST(kcore_legacy_many_equal_blocks_in_any_order)
{
	static struct kcore_phdr phdrs[500];
	const uint64_t block = 128 * MIB, start = 4 * GIB;
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	uint64_t seed = 0x626c6f636b73;
	size_t count = TEST_COUNT(phdrs);

	ck_assert_int_eq(
		avml_range_list_add(&ram, start, start + count * block), 0);
	for (unsigned int i = 0; i < count; i++) {
		/* Forwards, backwards, and in one step and another. */
		const uint64_t n = _i == 0   ? i
				   : _i == 1 ? count - 1 - i
					     : (i * 77 + 250) % count;

		phdrs[i] = (struct kcore_phdr){ .number = (unsigned int)n,
			.vaddr = 0xffff880000000000 + start + n * block,
			.filesz = block,
			.offset = test_random(&seed) };
	}
	ck_assert_int_eq(kcore_legacy_derive(phdrs, &count, &ram), 0);
	ck_assert_uint_eq(count, TEST_COUNT(phdrs));
	for (size_t i = 0; i < count; i++)
		TEST_ASSERT(phdrs[i].paddr == start + phdrs[i].number * block);
}
END_TEST

/* --- tables that lie ----------------------------------------------------- */

#define MANY 65534u
#define MANY_RANGES 10000u

/*
 * As many headers as a table can have, of which each could be where RAM
 * begins: with all of RAM in each, with a small part of it, and touching.
 * Comparing all with all of them would take minutes, and Check ends it.
 */
static const struct {
	uint64_t step, len;
	uint64_t ram_step, ram_len;
} hostile[] = {
	{ 2 * MIB, MANY_RANGES * 0x10000, 0x10000, 0x8000 },
	{ 2 * MIB, 2 * MIB, 8 * MIB, 0x1000 },
	{ 0x10000, 0x8000, 0x10000, 0x8000 },
	{ 0, 0x8000, 0x10000, 0x8000 },
	{ 2 * MIB, UINT64_MAX, 2 * MIB, MIB },
};

START_TEST(kcore_legacy_hostile_table_is_little_work)
{
	struct kcore_phdr *phdrs = calloc(MANY, sizeof(*phdrs));
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;
	size_t count = MANY;
	int ret;

	ck_assert_ptr_nonnull(phdrs);
	for (uint64_t i = 1; i <= MANY_RANGES; i++)
		ck_assert_int_eq(
			avml_range_list_add(&ram, hostile[_i].ram_step * i,
				hostile[_i].ram_step * i + hostile[_i].ram_len),
			0);
	for (unsigned int i = 0; i < MANY; i++)
		phdrs[i] = (struct kcore_phdr){
			.number = i,
			/* In no order. */
			.vaddr = 0xffff880000000000 + hostile[_i].ram_step +
				 i * UINT64_C(7919) % MANY * hostile[_i].step,
			.filesz = hostile[_i].len,
		};
	ret = kcore_legacy_derive(phdrs, &count, &ram);
	ck_assert(ret == 0 || ret == -ENODATA || ret == -ENOTUNIQ);
	ck_assert_uint_le(count, MANY);
	for (size_t i = 0; ret == 0 && i < count; i++)
		TEST_ASSERT(phdrs[i].paddr + phdrs[i].filesz <=
				    ram.items[ram.count - 1].end &&
			    phdrs[i].vaddr - phdrs[i].paddr ==
				    phdrs[0].vaddr - phdrs[0].paddr);
	free(phdrs);
}
END_TEST

static Suite *kcore_legacy_random_suite(void)
{
	Suite *suite = suite_create("kcore_legacy_random");
	TCase *tc = tcase_create("kcore_legacy_random");

	tcase_add_test(tc, kcore_legacy_random_machine_gives_its_addresses);
	tcase_add_loop_test(
		tc, kcore_legacy_many_equal_blocks_in_any_order, 0, 3);
	tcase_add_loop_test(tc, kcore_legacy_hostile_table_is_little_work, 0,
		TEST_COUNT(hostile));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(kcore_legacy_random_suite)

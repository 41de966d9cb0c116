/* SPDX-License-Identifier: MIT */
/* How large blocks are and how many: every limit at its edge. */
#include "sink/remote_blocks.h"

#include "check_main.h"

#define GIB (UINT64_C(1) << 30)

/* As Azure's. */
static const struct block_dialect of_blocks = {
	.block_min = 5 * MIB,
	.block_max = 4000 * MIB,
	.blocks_max = 50000,
};

/* As that of S3, which has a limit of its own for the whole. */
static const struct block_dialect of_object = {
	.block_min = 5 * MIB,
	.block_max = 5 * GIB,
	.blocks_max = 10000,
	.object_max = UINT64_C(5) << 40,
};

/* One that has room for no more than three. */
static const struct block_dialect few = {
	.block_min = 1 * MIB,
	.block_max = 1000 * MIB,
	.blocks_max = 3,
};

static const struct {
	const struct block_dialect *dialect;
	uint64_t most, block_mib;
	bool stream;
	uint64_t mib; /* 0: refused */
	const char *says;
} sizes[] = {
	/* The smallest, as long as there is room for so many. */
	{ &of_blocks, 0, 0, false, 5, NULL },
	{ &of_blocks, 1, 0, false, 5, NULL },
	{ &of_blocks, 50000 * 5 * MIB, 0, false, 5, NULL },
	{ &of_blocks, 50000 * 5 * MIB + 1, 0, false, 6, NULL },
	{ &of_blocks, 50000 * 6 * MIB, 0, false, 6, NULL },
	{ &of_blocks, 50000 * 6 * MIB + 1, 0, false, 7, NULL },
	/* What was wished is the least, and no more than there is. */
	{ &of_blocks, 1, 4, false, 5, NULL },
	{ &of_blocks, 1, 5, false, 5, NULL },
	{ &of_blocks, 1, 6, false, 6, NULL },
	{ &of_blocks, 50000 * 8 * MIB + 1, 7, false, 9, NULL },
	{ &of_blocks, 1, 4000, false, 4000, NULL },
	{ &of_blocks, 1, 4001, false, 0,
		"blocks of 4001 MiB are more than 4000 MiB, which the service "
		"takes" },
	{ &of_blocks, 1, UINT64_MAX, false, 0,
		"blocks of 18446744073709551615 MiB are more than 4000 MiB, "
		"which the service takes" },
	/* As much as the largest hold. */
	{ &of_blocks, 50000 * 4000 * MIB, 0, false, 4000, NULL },
	{ &of_blocks, 50000 * 4000 * MIB + 1, 0, false, 0,
		"209715200000001 bytes are more than the 209715200000000 that "
		"fit there" },
	{ &of_blocks, UINT64_MAX, 0, false, 0,
		"18446744073709551615 bytes are more than the 209715200000000 "
		"that fit there" },
	{ &few, 3 * 1000 * MIB, 0, false, 1000, NULL },
	{ &few, 3 * 1000 * MIB + 1, 0, false, 0,
		"3145728001 bytes are more than the 3145728000 that fit there" },
	{ &few, 3 * MIB, 0, false, 1, NULL },
	{ &few, 3 * MIB + 1, 0, false, 2, NULL },
	/* The whole's own limit. */
	{ &of_object, UINT64_C(5) << 40, 0, false, 525, NULL },
	{ &of_object, (UINT64_C(5) << 40) + 1, 0, false, 0,
		"5497558138881 bytes are more than the 5497558138880 that fit "
		"there" },
	{ &of_object, 1, 5 * 1024, false, 5 * 1024, NULL },
	/* Those of a stream are in memory: 500 MiB. */
	{ &of_blocks, 50000 * 500 * MIB, 0, true, 500, NULL },
	{ &of_blocks, 50000 * 500 * MIB + 1, 0, false, 501, NULL },
	/* One that might be longer is tried: it may turn out to be shorter. */
	{ &of_blocks, 50000 * 500 * MIB + 1, 0, true, 500, NULL },
	{ &of_blocks, UINT64_MAX, 0, true, 500, NULL },
	{ &of_blocks, 1, 500, true, 500, NULL },
	{ &of_blocks, 1, 501, true, 0,
		"blocks of 501 MiB are more than 500 MiB, which a stream's may "
		"have in memory" },
};

START_TEST(blocks_are_as_large_as_need_be)
{
	struct avml_error err = AVML_ERROR_INIT;
	const uint64_t size = blocks_size_for(sizes[_i].dialect, sizes[_i].most,
		sizes[_i].block_mib, sizes[_i].stream, &err);

	ck_assert_uint_eq(size, sizes[_i].mib * MIB);
	if (sizes[_i].says) {
		ck_assert_uint_eq(err.depth, 1);
		ck_assert_str_eq(avml_error_message(&err, 0), sizes[_i].says);
	} else {
		ck_assert_uint_eq(err.depth, 0);
	}
}
END_TEST

/* Whatever is taken has room for all, and no MiB too much. */
START_TEST(blocks_hold_all_and_are_no_larger)
{
	struct avml_error err = AVML_ERROR_INIT;
	uint64_t state = 7;

	for (unsigned int i = 0; i < 100000; i++) {
		const uint64_t most =
			test_random(&state) >> (17 + test_random(&state) % 40);
		const uint64_t size =
			blocks_size_for(&of_blocks, most, 0, false, &err);

		TEST_ASSERT(size % MIB == 0);
		TEST_ASSERT(size >= 5 * MIB && size <= 4000 * MIB);
		TEST_ASSERT(size * 50000 >= most);
		TEST_ASSERT(size == 5 * MIB || (size - MIB) * 50000 < most);
	}
}
END_TEST

static const struct {
	unsigned int wished;
	uint64_t mib;
	bool stream;
	unsigned int count;
	uint64_t rate; /* bytes a second; 0: any */
} counts[] = {
	/* Unless it was said: 4 of a stream, and 10 of a file. */
	{ 0, 5, true, 4, 0 },
	{ 0, 5, false, 10, 0 },
	{ 1, 5, true, 1, 0 },
	{ 1, 5, false, 1, 0 },
	{ 10, 5, true, 10, 0 },
	{ 10, 5, false, 10, 0 },
	{ 11, 5, true, 10, 0 },
	{ 11, 5, false, 10, 0 },
	{ UINT32_MAX, 5, true, 10, 0 },
	/* Of a stream, 500 MiB are in memory at the most. */
	{ 10, 50, true, 10, 0 },
	{ 10, 51, true, 9, 0 },
	{ 0, 16, true, 4, 0 },
	{ 0, 17, true, 2, 0 },
	{ 0, 250, true, 2, 0 },
	{ 0, 251, true, 1, 0 },
	{ 4, 125, true, 4, 0 },
	{ 4, 126, true, 3, 0 },
	{ 10, 250, true, 2, 0 },
	{ 10, 251, true, 1, 0 },
	{ 10, 500, true, 1, 0 },
	{ 10, 501, true, 1, 0 },
	{ 10, 4000, true, 1, 0 },
	{ 10, 4000, false, 10, 0 },
	{ 3, 0, true, 3, 0 },
	/* No more than a rate keeps busy: one, and what goes out in 5 s. */
	{ 0, 5, false, 2, MIB },
	{ 0, 5, false, 1, MIB - 1 },
	{ 0, 5, true, 2, MIB },
	{ 10, 5, false, 9, 8 * MIB },
	{ 10, 5, false, 10, 9 * MIB },
	{ 10, 64, false, 1, MIB },
	{ 2, 5, false, 2, 100 * MIB },
	{ 10, 5, false, 1, 1 },
	{ 10, 5, false, 10, UINT64_MAX },
	{ 10, 5, false, 10, UINT64_MAX / 5 },
	{ 3, 0, true, 3, 1 },
};

START_TEST(blocks_at_once_are_so_many)
{
	struct avml_remote remote = AVML_REMOTE_DEFAULTS;

	remote.concurrency = counts[_i].wished;
	remote.rate = counts[_i].rate;
	ck_assert_uint_eq(blocks_at_once(&remote, counts[_i].mib * MIB,
				  counts[_i].stream),
		counts[_i].count);
}
END_TEST

static Suite *blocks_suite(void)
{
	Suite *suite = suite_create("blocks");
	TCase *tcase = tcase_create("blocks");

	tcase_add_loop_test(
		tcase, blocks_are_as_large_as_need_be, 0, TEST_COUNT(sizes));
	tcase_add_test(tcase, blocks_hold_all_and_are_no_larger);
	tcase_add_loop_test(
		tcase, blocks_at_once_are_so_many, 0, TEST_COUNT(counts));
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(blocks_suite)

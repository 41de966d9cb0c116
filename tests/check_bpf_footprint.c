/* SPDX-License-Identifier: MIT */
/* What a BPF program is to those who ask the source: its filter, its size. */
#include "check_bpf_source.h"

/* Pages that are marked are not asked for. */
START_TEST(bpf_stays_behind_the_filter)
{
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	uint8_t bytes[4 * PAGE], status[4];

	ck_assert(avml_source_is_filtered(source));
	machine_mark(ADDR / PAGE + 1, POISONED);
	machine.holes[0] = (struct avml_range){ ADDR + PAGE, ADDR + 2 * PAGE };
	atomic_store(&machine.reads, 0);
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, sizeof(bytes), status),
		1);
	ck_assert_uint_eq(status[1], AVML_PAGE_POISONED);
	ck_assert_uint_eq(machine.reads, 2);
	avml_source_reader_free(reader);
	avml_source_free(source);
}
END_TEST

/* That they could be read once is no use where they are not those in front. */
START_TEST(bpf_opens_its_filter_once)
{
	const int fds = machine_open_fds();
	struct avml_source *source;

	machine.flags_opens = 1;
	source = open_source();
	ck_assert(avml_source_is_filtered(source));
	ck_assert_uint_eq(machine.flags_opened, 1);
	avml_source_free(source);
	ck_assert_int_eq(machine_open_fds(), fds);
}
END_TEST

/* --- what it has put there ------------------------------------------------ */

static void assert_footprint(const struct avml_source *source, const char *kind,
	unsigned int programs, uint64_t elements)
{
	struct avml_source_footprint f;

	ck_assert(avml_source_footprint(source, &f));
	ck_assert_str_eq(f.kind, kind);
	ck_assert_uint_eq(f.programs, programs);
	ck_assert_uint_eq(f.program_bytes, 17 * (8 + 24));
	ck_assert_uint_eq(f.map_bytes, elements * PIECE);
}

START_TEST(bpf_tells_its_footprint)
{
	static const char *const kinds[] = { "syscall", "raw-tracepoint" };
	const char *kind = kinds[_i];
	struct avml_source_reader *readers[2];
	struct avml_source *source;
	uint8_t page[PAGE], status;

	kernel.before_5_14 = _i == 1;
	source = open_source();
	ck_assert(avml_source_is_live(source));
	ck_assert(avml_source_is_host(source));
	ck_assert_ptr_null(avml_source_coverage(source));
	/* Nothing stays of what was there for the proof. */
	assert_footprint(source, kind, 0, 0);
	for (size_t i = 0; i < 2; i++)
		readers[i] = new_reader(source);
	assert_footprint(source, kind, 0, 0);
	ck_assert_uint_eq(
		avml_source_read(readers[1], ADDR, page, PAGE, &status), 0);
	assert_footprint(source, kind, 1, 1);
	ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 5));
	assert_footprint(source, kind, 2, 6);
	ck_assert_uint_eq(
		avml_source_read(readers[0], ADDR, page, PAGE, &status), 0);
	assert_footprint(source, kind, 3, 7);
	for (size_t i = 0; i < 2; i++)
		avml_source_reader_free(readers[i]);
	assert_footprint(source, kind, 1, 5);
	avml_source_free(source);
}
END_TEST

/* The kernel may not tell its size. */
START_TEST(bpf_tells_its_footprint_without_a_size)
{
	struct avml_source_footprint f;
	struct avml_source *source;

	kernel.fail[BPF_OBJ_GET_INFO_BY_FD].error = EPERM;
	source = open_source();
	ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 2));
	ck_assert(avml_source_footprint(source, &f));
	ck_assert_uint_eq(f.program_bytes, 0);
	ck_assert_uint_eq(f.map_bytes, (uint64_t)2 * PIECE);
	avml_source_free(source);
}
END_TEST

static Suite *bpf_footprint_suite(void)
{
	Suite *suite = suite_create("bpf_footprint");
	TCase *tc = tcase_create("bpf_footprint");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_test(tc, bpf_stays_behind_the_filter);
	tcase_add_test(tc, bpf_opens_its_filter_once);
	tcase_add_loop_test(tc, bpf_tells_its_footprint, 0, 2);
	tcase_add_test(tc, bpf_tells_its_footprint_without_a_size);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_footprint_suite)

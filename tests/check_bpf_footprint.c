/* SPDX-License-Identifier: MIT */
/* What a BPF program is to those who ask the source: its filter, its size. */
#include <avml/snapshot.h>

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

/* Where the file ends memory may go on: nothing else guards what is there. */
START_TEST(bpf_stays_before_the_end_of_the_marks)
{
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	uint8_t bytes[4 * PAGE], status[4];

	ck_assert_int_eq(
		truncate(machine.flags, (off_t)(ADDR / PAGE + 3) * 8 - 1), 0);
	memset(bytes, 0xee, sizeof(bytes));
	atomic_store(&machine.reads, 0);
	machine.last_asked = 0;
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, sizeof(bytes), status),
		2);
	ck_assert_uint_eq(machine.reads, 1);
	ck_assert_uint_eq(machine.last_asked, machine.base + ADDR + 2 * PAGE);
	ck_assert_uint_eq(status[1], AVML_PAGE_READ);
	for (size_t i = 2; i < 4; i++) {
		ck_assert_uint_eq(status[i], AVML_PAGE_UNMARKED);
		ck_assert_uint_eq(bytes[i * PAGE], 0);
	}
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
	unsigned int programs, unsigned int loads, uint64_t elements)
{
	struct avml_source_footprint f;

	ck_assert(avml_source_footprint(source, &f));
	ck_assert_str_eq(f.kind, kind);
	ck_assert_uint_eq(f.programs, programs);
	/* With that of the proof, and the one that told where the task is. */
	ck_assert_uint_eq(f.loads, 2 + loads);
	ck_assert_uint_eq(f.loads, kernel.programs);
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
	assert_footprint(source, kind, 0, 0, 0);
	for (size_t i = 0; i < 2; i++)
		readers[i] = new_reader(source);
	assert_footprint(source, kind, 0, 0, 0);
	ck_assert_uint_eq(
		avml_source_read(readers[1], ADDR, page, PAGE, &status), 0);
	assert_footprint(source, kind, 1, 1, 1);
	ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 5, 0));
	assert_footprint(source, kind, 2, 2, 6);
	ck_assert_uint_eq(
		avml_source_read(readers[0], ADDR, page, PAGE, &status), 0);
	assert_footprint(source, kind, 3, 3, 7);
	for (size_t i = 0; i < 2; i++)
		avml_source_reader_free(readers[i]);
	assert_footprint(source, kind, 1, 3, 5);
	avml_source_free(source);
}
END_TEST

/* That it cannot read is found at once; that it was there is counted. */
START_TEST(bpf_counts_what_was_loaded_in_vain)
{
	struct avml_source *source = open_source();

	kernel.fail[BPF_PROG_TEST_RUN].error = EBUSY;
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 5, 2));
	assert_footprint(source, "syscall", 0, 1, 0);
	avml_source_free(source);
}
END_TEST

/* All is there from the begin: a page that faults has no program loaded. */
START_TEST(bpf_loads_nothing_while_it_reads)
{
	struct avml_source *source = open_source();
	struct avml_source_reader *readers[3];
	uint8_t *buffers = avml_source_buffers(source, PIECE, 4, 2);
	uint8_t page[PAGE], status[PIECE / PAGE];

	for (size_t i = 0; i < 3; i++)
		readers[i] = new_reader(source);
	machine.holes[0] =
		(struct avml_range){ ADDR + 5 * PAGE, ADDR + 6 * PAGE };
	assert_footprint(source, "syscall", 1, 1, 6);
	kernel.fail[BPF_PROG_LOAD].error = EMFILE;
	for (size_t i = 0; i < 4; i++) {
		ck_assert_uint_eq(avml_source_read(readers[i % 2], ADDR,
					  buffers + i * PIECE, PIECE, status),
			1);
		ck_assert_uint_eq(status[5], EFAULT);
		ck_assert_uint_eq(buffers[i * PIECE + 6 * PAGE],
			byte_at(ADDR + 6 * PAGE));
	}
	assert_footprint(source, "syscall", 1, 1, 6);
	/* A reader more than was said has to. */
	ck_assert_uint_eq(
		avml_source_read(readers[2], ADDR, page, PAGE, status), 1);
	ck_assert_uint_eq(status[0], EMFILE);
	kernel.fail[BPF_PROG_LOAD].error = 0;
	ck_assert_uint_eq(
		avml_source_read(readers[2], ADDR, page, PAGE, status), 0);
	assert_footprint(source, "syscall", 2, 2, 7);
	for (size_t i = 0; i < 3; i++)
		avml_source_reader_free(readers[i]);
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
	ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 2, 0));
	ck_assert(avml_source_footprint(source, &f));
	ck_assert_uint_eq(f.program_bytes, 0);
	ck_assert_uint_eq(f.map_bytes, (uint64_t)2 * PIECE);
	avml_source_free(source);
}
END_TEST

static void note_source(void *ctx, const struct avml_source_verdict *verdict)
{
	*(bool *)ctx = verdict->changes_kernel;
}

/* It was there, though the run ended before anything was read. */
START_TEST(bpf_footprint_is_told_of_a_run_that_did_not_begin)
{
	static const char iomem[] = "00100000-bfffffff : System RAM\n";
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_snapshot_result result;
	struct avml_snapshot_options options = {
		.source = "bpf", .page_size = PAGE, .threads = 1
	};
	bool used = false;
	const struct avml_snapshot_events events = { .ctx = &used,
		.source = note_source };

	machine_begin();
	options.iomem = test_file("iomem", iomem, strlen(iomem));
	options.destination = test_path("none/image");
	ck_assert_int_eq(
		avml_snapshot(&options, &events, &result, &err), -ENOENT);
	ck_assert(used);
	ck_assert_str_eq(result.source, "bpf");
	ck_assert_ptr_nonnull(result.footprint.kind);
	ck_assert_uint_eq(result.footprint.programs, 1);
	ck_assert_uint_eq(result.footprint.loads, 4);
	ck_assert_uint_eq(result.footprint.map_bytes, 2 * PIECE);
	ck_assert_int_eq(machine.maps, 0);
}
END_TEST

static Suite *bpf_footprint_suite(void)
{
	Suite *suite = suite_create("bpf_footprint");
	TCase *tc = tcase_create("bpf_footprint");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_test(tc, bpf_stays_behind_the_filter);
	tcase_add_test(tc, bpf_stays_before_the_end_of_the_marks);
	tcase_add_test(tc, bpf_opens_its_filter_once);
	tcase_add_loop_test(tc, bpf_tells_its_footprint, 0, 2);
	tcase_add_test(tc, bpf_counts_what_was_loaded_in_vain);
	tcase_add_test(tc, bpf_loads_nothing_while_it_reads);
	tcase_add_test(tc, bpf_tells_its_footprint_without_a_size);
	tcase_add_test(tc, bpf_footprint_is_told_of_a_run_that_did_not_begin);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_footprint_suite)

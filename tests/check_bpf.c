/* SPDX-License-Identifier: MIT */
/* Reading by a BPF program: into its own buffers and into other memory. */
#include <pthread.h>

#include "check_bpf_source.h"
#include "source/bpf_program.h"

static void assert_bytes(const void *buf, uint64_t addr, size_t len)
{
	const uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++)
		TEST_ASSERT(bytes[i] == byte_at(addr + i));
}

/* --- the program ---------------------------------------------------------- */

/* What the caller may get wrong, the program refuses. */
START_TEST(bpf_program_keeps_its_bounds)
{
	struct bpf_program program;
	struct avml_error err;
	uint8_t *bytes;

	machine_begin();
	ck_assert_int_eq(bpf_program_open(&program, 3, &err), 0);
	ck_assert_uint_eq(bpf_program_map_size(&program), 3 * PIECE);
	bytes = program.buffer;
	ck_assert_int_eq(
		bpf_program_read(&program, 2, machine.base + ADDR, PIECE), 0);
	assert_bytes(bytes + (size_t)2 * PIECE, ADDR, PIECE);
	for (size_t i = 0; i < (size_t)2 * PIECE; i++)
		TEST_ASSERT(bytes[i] == 0);
	atomic_store(&machine.reads, 0);
	ck_assert_int_eq(
		bpf_program_read(&program, 3, machine.base, 1), -E2BIG);
	ck_assert_int_eq(
		bpf_program_read(&program, UINT32_MAX, machine.base, 1),
		-E2BIG);
	ck_assert_int_eq(
		bpf_program_read(&program, 0, machine.base, PIECE + 1), -E2BIG);
	ck_assert_int_eq(
		bpf_program_read(&program, 0, machine.base, SIZE_MAX), -E2BIG);
	ck_assert_uint_eq(machine.reads, 0);
	ck_assert_int_eq(
		bpf_program_read(&program, 0, machine.base - 1, 1), -EFAULT);
	bpf_program_close(&program);
	ck_assert_int_eq(program.map_fd, -1);
	ck_assert_int_eq(program.prog_fd, -1);
	ck_assert_ptr_null(program.buffer);
	/* Once more does no harm. */
	bpf_program_close(&program);
	ck_assert_int_eq(machine.maps, 0);
}
END_TEST

/* --- into memory that is its own ------------------------------------------ */

/* Whole pieces, each into an element of its own, without a copy. */
START_TEST(bpf_fills_its_buffers)
{
	struct avml_source *source = open_source();
	const unsigned int loads = calls_of(BPF_PROG_LOAD);
	uint8_t status[PIECE / PAGE];
	uint8_t *buffers = avml_source_buffers(source, PIECE, 4, 0);
	struct avml_source_reader *reader = new_reader(source);

	ck_assert_ptr_nonnull(buffers);
	ck_assert_uint_eq((uintptr_t)buffers % PAGE, 0);
	ck_assert_int_eq(machine.maps, 1);
	atomic_store(&machine.reads, 0);
	for (size_t i = 4; i-- > 0;)
		ck_assert_uint_eq(avml_source_read(reader, ADDR + i * PIECE,
					  buffers + i * PIECE, PIECE, status),
			0);
	assert_bytes(buffers, ADDR, (size_t)4 * PIECE);
	ck_assert_uint_eq(machine.reads, 4);
	/* A piece that is short is one read too. */
	ck_assert_uint_eq(
		avml_source_read(reader, 2 * ADDR, buffers + (size_t)2 * PIECE,
			3 * PAGE, status),
		0);
	assert_bytes(buffers + (size_t)2 * PIECE, 2 * ADDR, 3 * PAGE);
	assert_bytes(buffers + (size_t)2 * PIECE + 3 * PAGE,
		ADDR + (uint64_t)2 * PIECE + 3 * PAGE, PIECE - 3 * PAGE);
	ck_assert_uint_eq(machine.reads, 5);
	ck_assert_uint_eq(calls_of(BPF_PROG_LOAD), loads + 1);
	avml_source_reader_free(reader);
	avml_source_free(source);
	ck_assert_int_eq(machine.maps, 0);
}
END_TEST

START_TEST(bpf_has_no_buffers_of_another_kind)
{
	const int none = machine_open_fds();
	struct avml_source *source = open_source();
	const int fds = machine_open_fds();

	ck_assert_ptr_null(avml_source_buffers(source, PIECE / 2, 4, 0));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE * 2, 4, 0));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 0, 0));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 70000, 0));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 1, 70000));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 0, 1));
	kernel.fail[BPF_MAP_CREATE].error = ENOMEM;
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 4, 0));
	kernel.fail[BPF_MAP_CREATE].error = 0;
	machine.map_fails = machine.map_calls + 1;
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 4, 0));
	kernel.fail[BPF_PROG_TEST_RUN].error = EBUSY;
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 4, 0));
	kernel.fail[BPF_PROG_TEST_RUN].error = 0;
	ck_assert_int_eq(machine.maps, 0);
	ck_assert_int_eq(machine_open_fds(), fds);
	/* Nor twice. */
	ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 4, 0));
	ck_assert_ptr_null(avml_source_buffers(source, PIECE, 4, 0));
	avml_source_free(source);
	ck_assert_int_eq(machine.maps, 0);
	ck_assert_int_eq(machine_open_fds(), none);
}
END_TEST

struct job {
	const struct avml_source *source;
	uint8_t *buffers, *other;
	size_t first;
	pthread_t thread;
};

static void *read_often(void *arg)
{
	const struct job *job = arg;
	struct avml_source_reader *reader = new_reader(job->source);

	for (size_t i = 0; i < 16; i++) {
		uint8_t *piece = job->buffers + (job->first + i % 2) * PIECE;
		const uint64_t addr = ADDR + (job->first * 16 + i) * PIECE;
		uint8_t status[PIECE / PAGE];

		/* By an element of its own too, beside the other's. */
		if (i % 2 == 1)
			piece = job->other;
		TEST_ASSERT(avml_source_read(
				    reader, addr, piece, PIECE, status) == 0);
		assert_bytes(piece, addr, PIECE);
	}
	avml_source_reader_free(reader);
	return NULL;
}

START_TEST(bpf_is_read_by_two_threads)
{
	struct avml_source *source = open_source();
	uint8_t *buffers = avml_source_buffers(source, PIECE, 4, 2);
	const unsigned int loads = calls_of(BPF_PROG_LOAD);
	struct job jobs[2];

	for (size_t i = 0; i < 2; i++) {
		jobs[i] = (struct job){ source, buffers, malloc(PIECE), i * 2,
			0 };
		ck_assert_int_eq(pthread_create(&jobs[i].thread, NULL,
					 read_often, &jobs[i]),
			0);
	}
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_join(jobs[i].thread, NULL), 0);
		free(jobs[i].other);
	}
	ck_assert_uint_eq(calls_of(BPF_PROG_LOAD), loads);
	avml_source_free(source);
}
END_TEST

/* --- into other memory ---------------------------------------------------- */

START_TEST(bpf_reads_into_any_memory)
{
	const int none = machine_open_fds();
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	const unsigned int loads = calls_of(BPF_PROG_LOAD);
	const size_t len = 2 * PIECE + 5 * PAGE;
	const int fds = machine_open_fds();
	uint8_t *bytes = malloc(len + 1);
	uint8_t status[3 * PIECE / PAGE];

	/* With others of its own that it is not: in front of it, behind it. */
	if (_i == 1)
		ck_assert_ptr_nonnull(avml_source_buffers(source, PIECE, 2, 0));
	/* Nor is it aligned. */
	for (size_t i = 0; i < 2; i++) {
		memset(bytes, 0, len + 1);
		ck_assert_uint_eq(
			avml_source_read(reader, ADDR, bytes + i, len, status),
			0);
		assert_bytes(bytes + i, ADDR, len);
	}
	/* One program for all that this reader reads. */
	ck_assert_uint_eq(
		calls_of(BPF_PROG_LOAD), loads + 1 + (unsigned int)_i);
	free(bytes);
	avml_source_reader_free(reader);
	ck_assert_int_eq(machine.maps, _i);
	ck_assert_int_eq(machine_open_fds(), fds + 2 * _i);
	avml_source_free(source);
	ck_assert_int_eq(machine_open_fds(), none);
}
END_TEST

/* Pages, all of which fail, with the number of why no program was to be had. */
START_TEST(bpf_without_a_program_reads_nothing)
{
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	uint8_t bytes[2 * PAGE], status[2];
	const int fds = machine_open_fds();

	kernel.fail[_i].error = EMFILE;
	memset(bytes, 0xee, sizeof(bytes));
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, sizeof(bytes), status),
		2);
	ck_assert_uint_eq(status[0], EMFILE);
	ck_assert_uint_eq(status[1], EMFILE);
	for (size_t i = 0; i < sizeof(bytes); i++)
		ck_assert_uint_eq(bytes[i], 0);
	ck_assert_int_eq(machine_open_fds(), fds);
	/* It is tried again. */
	kernel.fail[_i].error = 0;
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, sizeof(bytes), status),
		0);
	avml_source_reader_free(reader);
	avml_source_free(source);
	ck_assert_int_eq(machine.maps, 0);
}
END_TEST

/* What no filter has cut in pieces: as far as it goes. */
START_TEST(bpf_reads_more_than_its_buffer)
{
	const size_t len = 3 * PIECE;
	struct avml_source_reader *reader;
	struct avml_source *source;
	uint8_t *bytes = malloc(len);
	uint8_t status[3 * PIECE / PAGE];

	unfiltered = true;
	source = open_source();
	reader = new_reader(source);
	atomic_store(&machine.reads, 0);
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, len, status), 0);
	assert_bytes(bytes, ADDR, len);
	ck_assert_uint_eq(machine.reads, 3);
	/* A page of the second piece. */
	machine.holes[0].start = ADDR + PIECE + PAGE;
	machine.holes[0].end = machine.holes[0].start + 1;
	memset(bytes, 0, len);
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, bytes, len, status), 1);
	ck_assert_uint_eq(status[PIECE / PAGE + 1], EFAULT);
	assert_bytes(bytes, ADDR, PIECE + PAGE);
	assert_bytes(bytes + PIECE + 2 * PAGE, ADDR + PIECE + 2 * PAGE,
		len - PIECE - 2 * PAGE);
	free(bytes);
	avml_source_reader_free(reader);
	avml_source_free(source);
}
END_TEST

/* Memory that begins where its buffers end is none of them. */
START_TEST(bpf_reads_right_behind_its_buffers)
{
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	const size_t len = 2 * PIECE;
	uint8_t *room = mmap(NULL, len + PIECE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t status[PIECE / PAGE];

	ck_assert_ptr_ne(room, MAP_FAILED);
	machine.map_at = room;
	ck_assert_ptr_eq(avml_source_buffers(source, PIECE, 2, 0), room);
	machine.map_at = NULL;
	ck_assert_uint_eq(
		avml_source_read(reader, ADDR, room + len, PIECE, status), 0);
	assert_bytes(room + len, ADDR, PIECE);
	avml_source_reader_free(reader);
	avml_source_free(source);
	ck_assert_int_eq(munmap(room + len, PIECE), 0);
}
END_TEST

/* --- pages that fault ----------------------------------------------------- */

static const struct {
	size_t first, count; /* pages of the piece */
} bad[] = { { 0, 1 }, { 1, 1 }, { 31, 2 }, { 40, 3 }, { 63, 1 }, { 0, 64 } };

static void assert_piece(const uint8_t *piece, const uint8_t *status, size_t i)
{
	for (size_t page = 0; page < PIECE / PAGE; page++) {
		const bool good = page < bad[i].first ||
				  page >= bad[i].first + bad[i].count;

		ck_assert_uint_eq(status[page], good ? 0 : EFAULT);
		assert_page_bytes(piece + page * PAGE, ADDR + page * PAGE, PAGE,
			good ? PAGE : 0, 0);
	}
}

/* Into its own buffers, and into others; nothing beside them is touched. */
START_TEST(bpf_zeros_pages_that_fault)
{
	const size_t by_spare = (size_t)_i / TEST_COUNT(bad);
	const size_t n = (size_t)_i % TEST_COUNT(bad);
	struct avml_source *source = open_source();
	struct avml_source_reader *reader = new_reader(source);
	uint8_t *buffers = avml_source_buffers(source, PIECE, 3, by_spare);
	uint8_t *other = malloc(PIECE), status[PIECE / PAGE];
	uint8_t *piece = buffers + PIECE;

	memset(buffers, 0x77, (size_t)3 * PIECE);
	machine.holes[0].start = ADDR + bad[n].first * PAGE + 17;
	machine.holes[0].end = ADDR + (bad[n].first + bad[n].count) * PAGE - 17;
	ck_assert_uint_eq(avml_source_read(reader, ADDR, piece, PIECE, status),
		bad[n].count);
	assert_piece(piece, status, n);
	for (size_t i = 0; i < PIECE; i++) {
		TEST_ASSERT(buffers[i] == 0x77);
		TEST_ASSERT(buffers[(size_t)2 * PIECE + i] == 0x77);
	}
	ck_assert_uint_eq(avml_source_read(reader, ADDR, other, PIECE, status),
		bad[n].count);
	assert_piece(other, status, n);
	free(other);
	avml_source_reader_free(reader);
	avml_source_free(source);
	ck_assert_int_eq(machine.maps, 0);
}
END_TEST

static Suite *bpf_suite(void)
{
	Suite *suite = suite_create("bpf");
	TCase *tc = tcase_create("bpf");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_test(tc, bpf_program_keeps_its_bounds);
	tcase_add_test(tc, bpf_fills_its_buffers);
	tcase_add_test(tc, bpf_has_no_buffers_of_another_kind);
	tcase_add_test(tc, bpf_is_read_by_two_threads);
	tcase_add_loop_test(tc, bpf_reads_into_any_memory, 0, 2);
	tcase_add_test(tc, bpf_reads_more_than_its_buffer);
	tcase_add_test(tc, bpf_reads_right_behind_its_buffers);
	tcase_add_loop_test(
		tc, bpf_zeros_pages_that_fault, 0, 2 * TEST_COUNT(bad));
	tcase_add_test(tc, bpf_without_a_program_reads_nothing);
	tcase_add_loop_test(tc, bpf_without_a_program_reads_nothing,
		BPF_PROG_LOAD, BPF_PROG_LOAD + 1);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_suite)

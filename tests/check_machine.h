/* SPDX-License-Identifier: MIT */
/*
 * A made-up machine: its memory in a file, its iomem, and the image that
 * must come of it. Everything lies in a directory that is its proc, so that
 * no run ever looks at the real one.
 */
#ifndef CHECK_MACHINE_H
#define CHECK_MACHINE_H

#include "check_image.h"
#include "check_paths.h"

#include <pthread.h>

#include <avml/snapshot.h>

#define MACHINE_SIZE 0x5700000u /* bytes of address space */
#define MACHINE_EVENTS 256

/* RAM as iomem tells it, and (end exclusive) as it must be understood. */
static const char machine_iomem[] = "00000000-00000fff : Reserved\n"
				    "00001000-0009fbff : System RAM\n"
				    "000a0000-000fffff : PCI Bus 0000:00\n"
				    "00200000-013234ff : System RAM\n"
				    "  01000000-011fffff : Kernel code\n"
				    "03000000-0303ffff : System RAM\n"
				    "03100800-031ff7ff : System RAM\n"
				    "03300100-033001ff : System RAM\n"
				    "03400000-034000ff : System RAM\n"
				    "03400100-0341ffff : System RAM\n";

static const struct avml_range machine_ram[] = {
	{ 0x1000, 0x9fc00 },
	{ 0x200000, 0x1323500 },
	{ 0x3000000, 0x3040000 },
	{ 0x3100800, 0x31ff800 },
	{ 0x3300100, 0x3300200 },
	{ 0x3400000, 0x3420000 },
};

/* RAM that is not in this iomem, in three blocks. */
static const struct avml_range machine_large = { 0x3500000, 0x5623500 };

/*
 * Where there is something else than zeros. The first block of the range
 * at 0x200000 has nothing, nor has the second of the large one.
 */
static const struct avml_range machine_data[] = {
	{ 0x1000, 0x3000 },
	{ 0x20000, 0x2fc00 },
	/* Zeros of 60, 60, 64, 68 and many KiB between them. */
	{ 0x1200000, 0x1210001 },
	{ 0x1220000, 0x1221000 },
	{ 0x1230000, 0x1231000 },
	{ 0x1241000, 0x1242000 },
	{ 0x1253000, 0x1254000 },
	{ 0x1300fff, 0x1301000 },
	{ 0x1312000, 0x1323500 },
	{ 0x3000000, 0x3040000 },
	{ 0x3100000, 0x3200000 },
	{ 0x3300000, 0x3301000 },
	{ 0x3410000, 0x3410010 },
	/* One byte within megabytes of zeros, and the last one of a block. */
	{ 0x3500000, 0x3580001 },
	{ 0x3c00fff, 0x3c01000 },
	{ 0x44fffff, 0x4500000 },
	{ 0x5512000, 0x5623500 },
};

struct machine {
	const char *proc, *iomem; /* of a test */
	const char *memory;
	uint8_t *bytes; /* of all addresses; a process's own copy */
};

/* Memory is the same for all tests of a program: a test changes a copy. */
static struct machine machine_shared;

/* The bytes into a file of their own. */
static inline void machine_write_memory(
	const struct machine *m, const char *path)
{
	int fd;

	test_make_file(path, "", 0);
	ck_assert_int_eq(truncate(path, MACHINE_SIZE), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < TEST_COUNT(machine_data); i++) {
		const struct avml_range r = machine_data[i];
		const size_t len = (size_t)avml_range_len(r);

		ck_assert_int_eq(
			pwrite(fd, m->bytes + r.start, len, (off_t)r.start),
			(ssize_t)len);
	}
	ck_assert_int_eq(close(fd), 0);
}

/* An unchecked fixture: once, before the tests are processes of their own. */
static inline void machine_setup(void)
{
	uint64_t seed = 0x6d656d6f7279;

	machine_shared.memory = test_path("memory");
	machine_shared.bytes = calloc(1, MACHINE_SIZE);
	ck_assert_ptr_nonnull(machine_shared.bytes);
	for (size_t i = 0; i < TEST_COUNT(machine_data); i++) {
		const struct avml_range r = machine_data[i];

		for (uint64_t at = r.start; at < r.end; at++)
			machine_shared.bytes[at] =
				(uint8_t)(1 + test_random(&seed) % 255);
	}
	machine_write_memory(&machine_shared, machine_shared.memory);
}

static inline void machine_teardown(void)
{
	free(machine_shared.bytes);
}

static inline struct machine machine_new(void)
{
	struct machine m = machine_shared;

	m.proc = test_text("%s", test_dir());
	m.iomem = test_text("%s/iomem", m.proc);
	test_make_file(m.iomem, machine_iomem, sizeof(machine_iomem) - 1);
	return m;
}

/* An acquisition of it in this thread alone, to a file. */
static inline struct avml_snapshot_options machine_options(
	const struct machine *m)
{
	return (struct avml_snapshot_options){
		.destination = test_path("image"),
		.source = m->memory,
		.iomem = m->iomem,
		.proc_dir = m->proc,
		.page_size = 4096,
		.threads = 1,
	};
}

/* What is told on the way. */
struct events {
	pthread_t caller;
	size_t count;
	struct event {
		char kind; /* w, r, t, u, s or c for a record */
		struct avml_range range;
		uint64_t value;
		char text[256];
	} log[MACHINE_EVENTS];
};

static inline void machine_event(struct events *e, char kind,
	struct avml_range range, uint64_t value, const char *text)
{
	struct event *event = &e->log[e->count];

	TEST_ASSERT(pthread_equal(pthread_self(), e->caller));
	TEST_ASSERT(e->count < MACHINE_EVENTS);
	*event = (struct event){ kind, range, value, "" };
	snprintf(event->text, sizeof(event->text), "%s", text);
	e->count++;
}

static inline void machine_on_warning(void *ctx, const char *text)
{
	machine_event(ctx, 'w', (struct avml_range){ 0, 0 }, 0, text);
}

static inline void machine_on_range(void *ctx, struct avml_range range)
{
	machine_event(ctx, 'r', range, 0, "");
}

static inline void machine_on_trimmed(void *ctx, struct avml_range range)
{
	machine_event(ctx, 't', range, 0, "");
}

static inline void machine_on_unreadable(
	void *ctx, struct avml_range range, unsigned int status)
{
	machine_event(ctx, 'u', range, status, "");
}

static inline void machine_on_record(
	void *ctx, const struct avml_image_record *record)
{
	machine_event(ctx, 'c', record->range, record->offset, "");
}

/* The reason as a number, in `start` whether it is the primary. */
static inline void machine_on_source(
	void *ctx, const struct avml_source_verdict *verdict)
{
	machine_event(ctx, 's', (struct avml_range){ verdict->primary, 0 },
		verdict->reason, verdict->path);
}

static inline struct avml_snapshot_events machine_listeners(struct events *e)
{
	*e = (struct events){ .caller = pthread_self() };
	return (struct avml_snapshot_events){
		.ctx = e,
		.warning = machine_on_warning,
		.range = machine_on_range,
		.trimmed = machine_on_trimmed,
		.unreadable = machine_on_unreadable,
		.record = machine_on_record,
		.source = machine_on_source,
	};
}

/* The event number `i` of a kind, NULL behind the last. */
static inline const struct event *machine_find(
	const struct events *e, char kind, size_t i)
{
	for (size_t k = 0; k < e->count; k++) {
		if (e->log[k].kind == kind && i-- == 0)
			return &e->log[k];
	}
	return NULL;
}

static inline size_t machine_count(const struct events *e, char kind)
{
	size_t count = 0;

	while (machine_find(e, kind, count))
		count++;
	return count;
}

static inline void machine_assert_event(const struct events *e, char kind,
	size_t i, uint64_t start, uint64_t end, uint64_t value)
{
	const struct event *event = machine_find(e, kind, i);

	ck_assert_msg(event != NULL, "no event %c %zu", kind, i);
	ck_assert_msg(event->range.start == start && event->range.end == end &&
			      event->value == value,
		"event %c %zu: 0x%llx-0x%llx %llu", kind, i,
		(unsigned long long)event->range.start,
		(unsigned long long)event->range.end,
		(unsigned long long)event->value);
}

/*
 * The only way to a snapshot in these tests: it sees to it that the source
 * and the ranges are made up.
 */
static inline int machine_snapshot(const struct avml_snapshot_options *options,
	const struct avml_snapshot_events *events,
	struct avml_snapshot_result *result, struct avml_error *err)
{
	const size_t len = strlen(test_root);

	ck_assert_ptr_nonnull(options->proc_dir);
	ck_assert(strncmp(options->proc_dir, test_root, len) == 0);
	memset(result, 0xee, sizeof(*result));
	avml_error_init(err);
	return avml_snapshot(options, events, result, err);
}

/* Whole pages of a range; empty if there are none. */
static inline struct avml_range machine_whole(
	struct avml_range range, uint64_t page)
{
	struct avml_range whole = { (range.start + page - 1) / page * page,
		range.end / page * page };

	if (whole.start >= whole.end)
		whole = (struct avml_range){ range.end, range.end };
	return whole;
}

/* The image of all RAM of the machine. */
static inline void machine_image(const struct machine *m, uint64_t page,
	bool keep_zeros, struct test_image *image)
{
	memset(image, 0, sizeof(*image));
	for (size_t i = 0; i < TEST_COUNT(machine_ram); i++) {
		const struct avml_range whole =
			machine_whole(machine_ram[i], page);

		test_image_range(image, whole, m->bytes + whole.start, 16 << 20,
			keep_zeros);
	}
}

#endif

/* SPDX-License-Identifier: MIT */
/* The source "bpf" of the made-up machine, opened, and readers of it. */
#ifndef CHECK_BPF_SOURCE_H
#define CHECK_BPF_SOURCE_H

#include "check_bpf.h"

#define PIECE (256u << 10)
/* Where memory is read, of which nothing is a hole yet. */
#define ADDR (16 * MIB)

static struct avml_range_list ram = AVML_RANGE_LIST_INIT;

/* A fixture's other half. */
static inline void release_ram(void)
{
	avml_range_list_release(&ram);
}

/* Set before it is opened: none of its pages has a mark. */
static bool unfiltered;

static inline struct avml_source *open_source(void)
{
	const struct avml_source_config config = {
		.page_size = PAGE, .ram = &ram, .force = unfiltered
	};
	struct avml_source *source = NULL;
	struct avml_error err = AVML_ERROR_INIT;
	int ret;

	machine_begin();
	if (unfiltered)
		machine.flags = NULL;
	ck_assert_int_eq(avml_range_list_add(&ram, MIB, machine.end), 0);
	ret = avml_source_open("bpf", &config, &source, &err);
	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	/* What was there to prove it is gone. */
	ck_assert_int_eq(machine.maps, 0);
	return source;
}

static inline struct avml_source_reader *new_reader(
	const struct avml_source *source)
{
	struct avml_source_reader *reader;
	struct avml_error err;

	ck_assert_int_eq(avml_source_reader_new(source, &reader, &err), 0);
	return reader;
}

/* What is told of the sources. */
struct verdicts {
	size_t count;
	struct verdict {
		char name[16], path[TEST_PATH_MAX];
		enum avml_source_reason reason;
		bool primary, changes_kernel, asked_kernel;
		char remedy[256], message[1024]; /* "": NULL */
	} items[8];
};

static inline void on_verdict(
	void *ctx, const struct avml_source_verdict *verdict)
{
	struct verdicts *all = ctx;
	struct verdict *v = &all->items[all->count++];

	ck_assert_uint_le(all->count, TEST_COUNT(all->items));
	snprintf(v->name, sizeof(v->name), "%s", verdict->name);
	snprintf(v->path, sizeof(v->path), "%s", verdict->path);
	v->reason = verdict->reason;
	v->primary = verdict->primary;
	v->changes_kernel = verdict->changes_kernel;
	v->asked_kernel = verdict->asked_kernel;
	snprintf(v->remedy, sizeof(v->remedy), "%s",
		verdict->remedy ? verdict->remedy : "");
	if (verdict->err)
		avml_error_join(verdict->err, v->message, sizeof(v->message));
}

static inline void assert_has(const char *text, const char *part)
{
	ck_assert_msg(
		strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static inline unsigned int calls_of(int command)
{
	return kernel.calls[command];
}

#endif

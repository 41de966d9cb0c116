/* SPDX-License-Identifier: MIT */
/* The made-up machine, changed in one thing, before its memory is asked for. */
#ifndef CHECK_BPF_SPOIL_H
#define CHECK_BPF_SPOIL_H

#include <linux/capability.h>

#include "check_bpf_source.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

#define CAPABILITY(name) (UINT64_C(1) << CAP_##name)

/* What is wrong with a machine where all else works. */
typedef void spoil_fn(struct avml_source_config *config);

static inline void plain(struct avml_source_config *config)
{
	(void)config;
}

static inline const char *text_file(const char *text)
{
	return test_text("%s", test_file("text", text, strlen(text)));
}

/* What --force has passed over: "n:text" each, after so many calls of bpf(2).
 */
static char forced_over[4 * AVML_ERROR_TEXT];

static inline unsigned int all_calls(void)
{
	unsigned int calls = 0;

	for (int i = 0; i < KERNEL_COMMANDS; i++)
		calls += kernel.calls[i];
	return calls;
}

static inline void on_forced(void *ctx, const char *text)
{
	const size_t len = strlen(forced_over);

	ck_assert_ptr_eq(ctx, &machine);
	snprintf(forced_over + len, sizeof(forced_over) - len, "%u:%s\n",
		all_calls(), text);
}

static inline struct avml_source_config begin(bool force)
{
	machine_begin();
	ck_assert_int_eq(avml_range_list_add(&ram, MIB, machine.end), 0);
	return (struct avml_source_config){
		.page_size = PAGE,
		.ram = &ram,
		.force = force,
		.forced = on_forced,
		.ctx = &machine,
	};
}

static inline void assert_nothing_left(int fds)
{
	ck_assert_int_eq(machine.maps, 0);
	ck_assert_int_eq(machine_open_fds(), fds);
}

#endif

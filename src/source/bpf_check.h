/* SPDX-License-Identifier: MIT */
/* Whether a BPF program may read this machine's memory, and why not. */
#ifndef SOURCE_BPF_CHECK_H
#define SOURCE_BPF_CHECK_H

#include "source/source_ops.h"

/* By what can be known before one is loaded: 0 or -errno, and the reason. */
int bpf_check(const struct source_place *place, struct source_refusal *why,
	struct avml_error *err);

/*
 * What it means that the kernel did not take or run one, which bpf_program.h
 * has as `ret`: the reason; the error says more. A negative errno.
 */
int bpf_explain(int ret, struct source_refusal *why, struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel has physical memory: the virtual address of physical 0, its
 * direct map being one piece.
 */
#ifndef SOURCE_BPF_BASE_H
#define SOURCE_BPF_BASE_H

#include <avml/page_flags.h>
#include <avml/range.h>

#include "source/bpf_program.h"

/*
 * Found by trying, and proved by pages of our own: several, full of random
 * bytes, each of which reads back through it. `pagemap` is the file that tells
 * where these are (/proc/self/pagemap), and `ram` is merged, with an end that
 * is not far from that of memory; it may be a part of it.
 *
 * Each wrong guess reads one page of memory that is not ours. None of them is
 * one that `flags` marks, which may be closed: then nothing is known. Only what
 * has no page and is not in `ram` is taken for a hole, of which a read fails.
 *
 * 0 or -errno: -EPERM where frame numbers are hidden, or where every guess
 * might touch what is marked; -ENOENT where there is no pagemap; -ERANGE where
 * no base proves right; -EAGAIN where our pages are moved about all the time;
 * -EINTR; or that of a call.
 */
int bpf_base_find(struct bpf_program *program, const char *pagemap,
	const struct avml_page_flags *flags, const struct avml_range_list *ram,
	uint64_t *base, struct avml_error *err);

#endif

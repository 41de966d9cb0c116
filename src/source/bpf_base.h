/* SPDX-License-Identifier: MIT */
/*
 * Where the kernel has physical memory: the virtual address of physical 0, its
 * direct map being one piece.
 */
#ifndef SOURCE_BPF_BASE_H
#define SOURCE_BPF_BASE_H

#include "source/bpf_program.h"

/*
 * Found by trying, and proved by pages of our own: several, full of random
 * bytes, each of which reads back through it. `pagemap` is the file that tells
 * where these are (/proc/self/pagemap), and `ram_end` the end of the highest
 * range of RAM, in bytes. 0 or -errno: -EPERM where frame numbers are hidden,
 * -ENOENT where there is no pagemap, -ERANGE where no base proves right,
 * -EINTR.
 */
int bpf_base_find(struct bpf_program *program, const char *pagemap,
	uint64_t ram_end, uint64_t *base, struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A program in the kernel that copies pieces of the kernel's memory to where we
 * see them, which is a map: what bpf(2) has to do with this source, and nothing
 * of which address is which.
 *
 * The program hangs on no event: it runs when it is told to
 * (BPF_PROG_TEST_RUN), and is gone with its descriptors.
 *
 * Threads: to read, several may share a program, into an element each.
 */
#ifndef SOURCE_BPF_PROGRAM_H
#define SOURCE_BPF_PROGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <avml/error.h>

/*
 * The length of an element, and what is copied at once, at most, in bytes: a
 * multiple of any page's size.
 */
#define BPF_PROGRAM_BUFFER (256u << 10)

struct bpf_program {
	int map_fd;	    /* an array; -1: none */
	int prog_fd;	    /* -1: none */
	unsigned int count; /* of its elements */
	unsigned int type;  /* an enum bpf_prog_type */
	unsigned int loads; /* that the kernel took, this one and others */
	void *buffer;	    /* all elements, in a row, page aligned */
};

#define BPF_PROGRAM_INIT                                    \
	{                                                   \
		.map_fd = -1, .prog_fd = -1, .buffer = NULL \
	}

/* The kernel's own ENOTSUPP, which bpf(2) lets out. */
#define BPF_NOT_SUPPORTED 524

/*
 * Make a map of `count` elements, and load the program that reads. 0, or the
 * -errno of the system call: -ENOSYS, -EPERM, -EINVAL, -EACCES,
 * -BPF_NOT_SUPPORTED, ...; -EAGAIN: signals came in between, again and again.
 * On failure nothing is left but the count of `loads`.
 */
int bpf_program_open(struct bpf_program *program, unsigned int count,
	struct avml_error *err);
void bpf_program_close(struct bpf_program *program);

/* Bytes of the map. */
static inline size_t bpf_program_map_size(const struct bpf_program *program)
{
	return (size_t)program->count * BPF_PROGRAM_BUFFER;
}

/*
 * Copy `len` bytes (at most BPF_PROGRAM_BUFFER) from an address of the
 * kernel's to an element. An address with nothing behind it is -EFAULT, and
 * does no harm.
 */
int bpf_program_read(const struct bpf_program *program, unsigned int element,
	uint64_t addr, size_t len);

/* An address in the direct map: where the kernel has this task. */
int bpf_program_task(
	struct bpf_program *program, uint64_t *addr, struct avml_error *err);

/* What the kernel has of it, in bytes: the instructions, both kinds. */
uint64_t bpf_program_size(const struct bpf_program *program);

/* "syscall", "raw-tracepoint"; constant. */
const char *bpf_program_type(const struct bpf_program *program);

#endif

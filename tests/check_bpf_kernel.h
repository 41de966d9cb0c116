/* SPDX-License-Identifier: MIT */
/*
 * A made-up kernel's bpf(2): maps that are memory, and an interpreter of what
 * the verifier let through. What a program then reads is the test's own, as
 * kernel.read says: nothing of this ever reaches the kernel that the test runs
 * on. Commands and their rules are those of Linux's kernel/bpf/syscall.c and
 * net/bpf/test_run.c.
 */
#ifndef CHECK_BPF_KERNEL_H
#define CHECK_BPF_KERNEL_H

#include "check_bpf_verifier.h"

#include <sys/mman.h>

#include "check_wrap.h"

/* --- the interpreter ------------------------------------------------------ */

/* Addresses of memory here, as the instructions have them. */
static inline void *kernel_pointer(uint64_t value)
{
	return (void *)(uintptr_t)value;
}

static inline uint64_t kernel_call(int32_t helper, const uint64_t r[11])
{
	const struct kernel_map *map = &kernel.maps[0];
	uint32_t key;

	if (helper == BPF_FUNC_get_current_task)
		return kernel.task;
	if (helper == BPF_FUNC_probe_read_kernel)
		return (uint64_t)(int64_t)kernel.read(
			kernel_pointer(r[1]), r[3], r[2]);
	map += r[1];
	memcpy(&key, kernel_pointer(r[2]), sizeof(key));
	return key < map->count
		       ? (uintptr_t)map->elements + (size_t)key * map->size
		       : 0;
}

/* What it leaves in r0. It has been verified. */
static inline uint64_t kernel_interpret(
	const struct kernel_program *program, void *context)
{
	uint8_t stack[KERNEL_STACK] = { 0 };
	uint64_t r[11] = {
		[1] = (uintptr_t)context, [10] = (uintptr_t)stack + KERNEL_STACK
	};

	for (size_t i = 0;; i++) {
		const struct bpf_insn in = program->code[i];
		uint64_t *to = &r[in.dst_reg];
		const uint64_t imm = (uint64_t)(int64_t)in.imm;
		const uint64_t off = (uint64_t)(int64_t)in.off;

		TEST_ASSERT(i < program->count);
		if (in.code == (BPF_ALU64 | BPF_MOV | BPF_X))
			*to = r[in.src_reg];
		else if (in.code == (BPF_ALU64 | BPF_MOV | BPF_K) ||
			 in.code == KERNEL_LOAD_MAP)
			*to = imm;
		else if (in.code == KERNEL_ADD)
			*to += imm;
		else if (in.code == (BPF_LDX | BPF_MEM | BPF_DW))
			memcpy(to, kernel_pointer(r[in.src_reg] + off), 8);
		else if (in.code == (BPF_STX | BPF_MEM | BPF_DW))
			memcpy(kernel_pointer(*to + off), &r[in.src_reg], 8);
		else if (in.code == (BPF_STX | BPF_MEM | BPF_W))
			*(uint32_t *)kernel_pointer(*to + off) =
				(uint32_t)r[in.src_reg];
		else if (in.code == (BPF_JMP | BPF_JEQ | BPF_K))
			i += *to == imm ? (size_t)off : 0;
		else if (in.code == (BPF_JMP | BPF_JGT | BPF_K))
			i += *to > imm ? (size_t)off : 0;
		else if (in.code == (BPF_JMP | BPF_CALL))
			r[0] = kernel_call(in.imm, r);
		else if (in.code == (BPF_JMP | BPF_EXIT))
			return r[0];
		else /* the other half of a map */
			TEST_ASSERT(in.code == 0);
	}
}

/* --- the system call ------------------------------------------------------ */

static inline int kernel_map_create(const union bpf_attr *attr)
{
	const uint64_t len = (uint64_t)attr->value_size * attr->max_entries;
	struct kernel_map *map = &kernel.maps[kernel.map_count];
	struct stat st;
	int fd;

	if (kernel.before_5_11 && !kernel.unlimited && len > 64 << 10)
		return -EPERM;
	/* Its elements have to be whole pages to be mapped one by one. */
	if (attr->map_type != BPF_MAP_TYPE_ARRAY || attr->key_size != 4 ||
		attr->map_flags != BPF_F_MMAPABLE || len == 0 ||
		attr->value_size % 4096 != 0)
		return -EINVAL;
	TEST_ASSERT(kernel.map_count < KERNEL_MAPS);
	fd = memfd_create("map", MFD_CLOEXEC);
	TEST_ASSERT(fd >= 0 && ftruncate(fd, (off_t)len) == 0);
	TEST_ASSERT(fstat(fd, &st) == 0);
	map->ino = st.st_ino;
	map->size = attr->value_size;
	map->count = attr->max_entries;
	/* The kernel's own view of it stays when others are gone. */
	map->elements = REAL64(mmap)(
		NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TEST_ASSERT(map->elements != MAP_FAILED);
	kernel.map_count++;
	return fd;
}

/* A descriptor of a map's: its number, or -EBADF. */
static inline int kernel_map_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -EBADF;
	for (size_t i = 0; i < kernel.map_count; i++) {
		if (kernel.maps[i].ino == st.st_ino)
			return (int)i;
	}
	return -EINVAL;
}

static inline const char *kernel_resolve_maps(struct kernel_program *program)
{
	for (size_t i = 0; i < program->count; i++) {
		struct bpf_insn *in = &program->code[i];

		if (in->code != KERNEL_LOAD_MAP)
			continue;
		in->imm = kernel_map_of(in->imm);
		if (in->imm < 0)
			return "fd is not pointing to valid bpf_map";
	}
	return NULL;
}

static inline int kernel_refuse(
	const union bpf_attr *attr, int error, const char *wrong)
{
	if (attr->log_level > 0)
		snprintf(kernel_pointer(attr->log_buf), attr->log_size,
			"0: R1=ctx(off=0,imm=0) R10=fp0\n0: (bf) r6 = r1\n"
			"%s\nprocessed 9 insns (limit 1000000)\n",
			wrong);
	return -error;
}

static inline int kernel_load(const union bpf_attr *attr)
{
	struct kernel_program program = { .type = attr->prog_type,
		.count = attr->insn_cnt };
	const bool syscalls = attr->prog_type == BPF_PROG_TYPE_SYSCALL;
	const char *wrong;
	int fd;

	if (syscalls ? kernel.before_5_14
		     : attr->prog_type != BPF_PROG_TYPE_RAW_TRACEPOINT)
		return -EINVAL;
	if (attr->insn_cnt == 0 || attr->insn_cnt > KERNEL_INSTRUCTIONS ||
		(attr->log_level > 0) != (attr->log_buf != 0))
		return -EINVAL;
	memcpy(program.code, kernel_pointer(attr->insns),
		attr->insn_cnt * sizeof(program.code[0]));
	if (attr->prog_flags != (syscalls ? BPF_F_SLEEPABLE : 0))
		return kernel_refuse(attr, EINVAL, "it may not sleep");
	if (strcmp(kernel_pointer(attr->license), "Dual MIT/GPL") != 0)
		return kernel_refuse(attr, EINVAL, "GPL-restricted function");
	wrong = kernel_resolve_maps(&program);
	if (!wrong)
		wrong = kernel_verify(&program);
	if (wrong)
		return kernel_refuse(
			attr, kernel.before_5_8 ? EINVAL : EACCES, wrong);
	fd = memfd_create("program", MFD_CLOEXEC);
	TEST_ASSERT(fd >= 0 &&
		    write(fd, &program, sizeof(program)) == sizeof(program));
	atomic_fetch_add(&kernel.programs, 1);
	return fd;
}

/* From the descriptor, so that one that is closed is no program. */
static inline int kernel_program_of(uint32_t fd, struct kernel_program *program)
{
	return REAL64(pread)((int)fd, program, sizeof(*program), 0) ==
			       sizeof(*program)
		       ? 0
		       : -EBADF;
}

static inline int kernel_run(union bpf_attr *attr)
{
	uint64_t context[12] = { 0 };
	struct kernel_program program;
	const uint32_t len = attr->test.ctx_size_in;
	const int ret = kernel_program_of(attr->test.prog_fd, &program);

	if (ret < 0)
		return ret;
	if (attr->test.data_in || attr->test.data_out || attr->test.ctx_out ||
		attr->test.duration || attr->test.repeat || attr->test.flags ||
		attr->test.cpu || len < program.context_len ||
		len > sizeof(context))
		return -EINVAL;
	memcpy(context, kernel_pointer(attr->test.ctx_in), len);
	attr->test.retval = (uint32_t)kernel_interpret(&program, context);
	/* It comes back, changed or not. */
	if (program.type == BPF_PROG_TYPE_SYSCALL)
		memcpy(kernel_pointer(attr->test.ctx_in), context, len);
	return 0;
}

static inline int kernel_info(const union bpf_attr *attr)
{
	struct bpf_prog_info *info = kernel_pointer(attr->info.info);
	struct kernel_program program;
	const int ret = kernel_program_of(attr->info.bpf_fd, &program);

	if (ret < 0)
		return ret;
	if (attr->info.info_len != sizeof(*info))
		return -EINVAL;
	info->type = program.type;
	/* The made-up compiler makes three bytes of one. */
	info->xlated_prog_len = program.count * 8;
	info->jited_prog_len = program.count * 24;
	return 0;
}

static inline bool kernel_fails(int command, unsigned int number)
{
	const unsigned int from = kernel.fail[command].from;
	const unsigned int times = kernel.fail[command].times;

	return kernel.fail[command].error && number >= from &&
	       (times == 0 || number - from < times);
}

/* bpf(2): a descriptor, 0 or -errno. */
static inline int kernel_bpf(int command, union bpf_attr *attr, size_t size)
{
	unsigned int number;

	TEST_ASSERT(command >= 0 && command < KERNEL_COMMANDS);
	TEST_ASSERT(size == sizeof(*attr));
	number = atomic_fetch_add(&kernel.calls[command], 1);
	if (kernel_fails(command, number))
		return -kernel.fail[command].error;
	switch (command) {
	case BPF_MAP_CREATE:
		return kernel_map_create(attr);
	case BPF_PROG_LOAD:
		return kernel_load(attr);
	case BPF_PROG_TEST_RUN:
		return kernel_run(attr);
	case BPF_OBJ_GET_INFO_BY_FD:
		return kernel_info(attr);
	default:
		ck_abort_msg("bpf(%d)", command);
	}
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What a made-up kernel is and has, and its verifier, which knows the few
 * instructions that are wanted here. What is checked is what Linux checks
 * (kernel/bpf/verifier.c), as far as a program here could go wrong.
 */
#ifndef CHECK_BPF_VERIFIER_H
#define CHECK_BPF_VERIFIER_H

#include "check_main.h"

#include <linux/bpf.h>
#include <stdatomic.h>

#define KERNEL_INSTRUCTIONS 32
#define KERNEL_STACK 512
#define KERNEL_MAPS 64
#define KERNEL_PATHS 8 /* of a program, that are yet to be looked at */
#define KERNEL_COMMANDS 16

/* Those whose other parts are 0: BPF_LD and BPF_IMM, BPF_ADD and BPF_K. */
#define KERNEL_LOAD_MAP BPF_DW
#define KERNEL_ADD BPF_ALU64

/* Memory of the kernel's to `to`: 0, or -errno. */
typedef int kernel_reader(void *to, uint64_t addr, uint64_t len);

struct kernel_map {
	ino_t ino;
	uint8_t *elements;
	uint32_t count, size;
};

struct kernel_program {
	uint32_t type, count;
	uint64_t context_len; /* that it looks at */
	struct bpf_insn code[KERNEL_INSTRUCTIONS];
};

static struct {
	/* What it is. */
	bool before_5_14; /* no program for system calls */
	bool before_5_11; /* maps are locked memory */
	bool before_5_8;  /* no helper that reads: with a line in the log */
	/* Errors of a command, from the n-th call of it on (0: the first). */
	struct {
		int error;
		unsigned int from, times; /* 0: for ever */
	} fail[KERNEL_COMMANDS];
	kernel_reader *read;
	uint64_t task; /* the address of ours */

	/* What it has. */
	bool unlimited; /* setrlimit() was called */
	struct kernel_map maps[KERNEL_MAPS];
	size_t map_count;
	atomic_uint programs; /* that it has taken */
	_Atomic unsigned int calls[KERNEL_COMMANDS];
} kernel;

/* --- the verifier --------------------------------------------------------- */

enum kernel_type { NOTHING, NUMBER, CONTEXT, STACK, MAP, MAYBE, ELEMENT };

struct kernel_register {
	enum kernel_type type;
	int64_t at;   /* within a stack: from its end */
	uint64_t max; /* of a number */
	size_t map;
};

struct kernel_state {
	size_t next;
	struct kernel_register r[11];
	bool stack[KERNEL_STACK]; /* has been written */
};

struct kernel_verifier {
	const struct kernel_program *program;
	uint64_t context_len;
	bool seen[KERNEL_INSTRUCTIONS];
	struct kernel_state paths[KERNEL_PATHS];
	size_t waiting;
};

static inline const char *kernel_verify_move(
	struct kernel_state *s, const struct bpf_insn *in)
{
	struct kernel_register *to = &s->r[in->dst_reg];

	if (in->dst_reg > 9 || in->off != 0)
		return "frame pointer is read only";
	if (in->code == (BPF_ALU64 | BPF_MOV | BPF_K)) {
		if (in->src_reg != 0)
			return "BPF_MOV uses reserved fields";
		*to = (struct kernel_register){ .type = NUMBER,
			.max = (uint64_t)(int64_t)in->imm };
	} else if (in->code == (BPF_ALU64 | BPF_MOV | BPF_X)) {
		if (in->src_reg > 10 || s->r[in->src_reg].type == NOTHING)
			return "R !read_ok";
		if (in->imm != 0)
			return "BPF_MOV uses reserved fields";
		*to = s->r[in->src_reg];
	} else {
		if (to->type != STACK)
			return "pointer arithmetic prohibited";
		to->at += in->imm;
	}
	return NULL;
}

/* Only the context is read. */
static inline const char *kernel_verify_load(struct kernel_verifier *v,
	struct kernel_state *s, const struct bpf_insn *in)
{
	if (in->src_reg > 10 || s->r[in->src_reg].type != CONTEXT ||
		in->dst_reg > 9)
		return "R invalid mem access";
	if (in->off < 0 || in->off % 8 != 0)
		return "invalid bpf_context access";
	if ((uint64_t)in->off + 8 > v->context_len)
		v->context_len = (uint64_t)in->off + 8;
	s->r[in->dst_reg] =
		(struct kernel_register){ .type = NUMBER, .max = UINT64_MAX };
	return NULL;
}

static inline const char *kernel_verify_store(
	struct kernel_state *s, const struct bpf_insn *in)
{
	const int len = BPF_SIZE(in->code) == BPF_DW ? 8 : 4;
	const struct kernel_register *to = &s->r[in->dst_reg];
	const int64_t at = to->at + in->off;

	if (in->dst_reg > 10 || in->src_reg > 10 ||
		s->r[in->src_reg].type != NUMBER)
		return "R !read_ok";
	if (at % len != 0)
		return "misaligned access";
	if (to->type == ELEMENT && at >= 0 &&
		at + len <= (int64_t)kernel.maps[to->map].size)
		return NULL;
	if (to->type != STACK || at < -KERNEL_STACK || at + len > 0)
		return "R invalid mem access";
	memset(s->stack + KERNEL_STACK + at, true, (size_t)len);
	return NULL;
}

/* Both ways are gone: the one over the jump is kept for later. */
static inline const char *kernel_verify_jump(struct kernel_verifier *v,
	struct kernel_state *s, const struct bpf_insn *in)
{
	struct kernel_register *r = &s->r[in->dst_reg];
	struct kernel_state *over = &v->paths[v->waiting++];

	TEST_ASSERT(v->waiting < KERNEL_PATHS);
	if (in->dst_reg > 10 || in->src_reg != 0)
		return "BPF_JMP uses reserved fields";
	/* The next is s->next by now; backwards would be a loop. */
	if (in->off < 0 || s->next + (size_t)in->off >= v->program->count)
		return "jump out of range";
	*over = *s;
	over->next += (size_t)in->off;
	if (in->code == (BPF_JMP | BPF_JEQ | BPF_K)) {
		if (r->type != MAYBE || in->imm != 0)
			return "R pointer comparison prohibited";
		over->r[in->dst_reg] =
			(struct kernel_register){ .type = NUMBER };
		r->type = ELEMENT;
	} else {
		if (r->type != NUMBER || in->imm < 0)
			return "R pointer comparison prohibited";
		if (r->max > (uint64_t)in->imm)
			r->max = (uint64_t)in->imm;
	}
	return NULL;
}

static inline bool kernel_is_key(const struct kernel_state *s, size_t reg)
{
	const int64_t at = s->r[reg].at;
	bool all = s->r[reg].type == STACK && at >= -KERNEL_STACK && at <= -4;

	for (int64_t i = at; all && i < at + 4; i++)
		all = s->stack[KERNEL_STACK + i];
	return all;
}

static inline const char *kernel_verify_call(
	struct kernel_state *s, const struct bpf_insn *in)
{
	struct kernel_register ret = { .type = NUMBER, .max = UINT64_MAX };

	if (in->src_reg != 0 || in->dst_reg != 0 || in->off != 0)
		return "BPF_CALL uses reserved fields";
	if (in->imm == BPF_FUNC_map_lookup_elem) {
		if (s->r[1].type != MAP)
			return "R1 expected=map_ptr";
		if (!kernel_is_key(s, 2))
			return "invalid indirect read from stack R2";
		ret = (struct kernel_register){ .type = MAYBE,
			.map = s->r[1].map };
	} else if (in->imm == BPF_FUNC_probe_read_kernel) {
		if (kernel.before_5_8)
			return "invalid func unknown#113";
		if (s->r[1].type != ELEMENT)
			return "R1 expected=fp, map_value";
		if (s->r[2].type != NUMBER ||
			s->r[2].max > kernel.maps[s->r[1].map].size)
			return "R2 unbounded memory access";
		if (s->r[3].type != NUMBER)
			return "R3 expected=scalar";
	} else if (in->imm != BPF_FUNC_get_current_task) {
		return "invalid func";
	}
	memset(&s->r[1], 0, 5 * sizeof(s->r[1]));
	s->r[0] = ret;
	return NULL;
}

/* The map's descriptor has been replaced by its number. */
static inline const char *kernel_verify_map(struct kernel_verifier *v,
	struct kernel_state *s, const struct bpf_insn *in)
{
	static const struct bpf_insn half = { .code = 0 };

	if (s->next >= v->program->count ||
		memcmp(in + 1, &half, sizeof(half)) != 0 || in->dst_reg > 9 ||
		in->src_reg != BPF_PSEUDO_MAP_FD || in->off != 0)
		return "invalid BPF_LD_IMM insn";
	v->seen[s->next++] = true;
	s->r[in->dst_reg] =
		(struct kernel_register){ .type = MAP, .map = (size_t)in->imm };
	return NULL;
}

/* One instruction; an exit has no next. */
static inline const char *kernel_verify_one(
	struct kernel_verifier *v, struct kernel_state *s)
{
	const struct bpf_insn *in = &v->program->code[s->next];

	v->seen[s->next++] = true;
	switch (in->code) {
	case BPF_ALU64 | BPF_MOV | BPF_X:
	case BPF_ALU64 | BPF_MOV | BPF_K:
	case KERNEL_ADD:
		return kernel_verify_move(s, in);
	case BPF_LDX | BPF_MEM | BPF_DW:
		return kernel_verify_load(v, s, in);
	case BPF_STX | BPF_MEM | BPF_DW:
	case BPF_STX | BPF_MEM | BPF_W:
		return kernel_verify_store(s, in);
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
		return kernel_verify_jump(v, s, in);
	case BPF_JMP | BPF_CALL:
		return kernel_verify_call(s, in);
	case KERNEL_LOAD_MAP:
		return kernel_verify_map(v, s, in);
	case BPF_JMP | BPF_EXIT:
		s->next = SIZE_MAX;
		/* To let out a pointer is allowed, and not meant. */
		return s->r[0].type == NUMBER ? NULL : "R0 !read_ok";
	default:
		return "unknown opcode";
	}
}

/* NULL, or what is wrong with it; and what it sees of its context. */
static inline const char *kernel_verify(struct kernel_program *program)
{
	struct kernel_verifier v = { .program = program, .waiting = 1 };
	const char *wrong = NULL;

	v.paths[0].r[1].type = CONTEXT;
	v.paths[0].r[10].type = STACK;
	while (v.waiting > 0 && !wrong) {
		struct kernel_state s = v.paths[--v.waiting];

		while (s.next != SIZE_MAX && !wrong)
			wrong = s.next >= program->count
					? "jump out of range"
					: kernel_verify_one(&v, &s);
	}
	for (size_t i = 0; i < program->count && !wrong; i++)
		wrong = v.seen[i] ? NULL : "unreachable insn";
	program->context_len = v.context_len;
	return wrong;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Instructions and commands are those of Linux's include/uapi/linux/bpf.h,
 * what a type of program may do that of kernel/bpf/syscall.c and verifier.c,
 * kernel/trace/bpf_trace.c and net/bpf/test_run.c.
 */
#include "source/bpf_program.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The helpers that read are for programs of that licence alone. */
#define LICENSE "Dual MIT/GPL"
#define NAME "avml_read"
#define LOG_SIZE 4096u
#define LOAD_TRIES 6

/* What the program is given; a raw tracepoint sees it as its arguments. */
struct request {
	uint64_t addr;
	uint64_t len;
	uint64_t element;
};

#define R(n) BPF_REG_##n

/* An instruction each, as linux/bpf.h has their codes. */
#define MOVE(to, from)                                            \
	{                                                         \
		BPF_ALU64 | BPF_MOV | BPF_X, R(to), R(from), 0, 0 \
	}
#define SET(to, value)                                            \
	{                                                         \
		BPF_ALU64 | BPF_MOV | BPF_K, R(to), 0, 0, (value) \
	}
#define ADD(to, value)                                            \
	{                                                         \
		BPF_ALU64 | BPF_ADD | BPF_K, R(to), 0, 0, (value) \
	}
#define LOAD(to, from, at)                                          \
	{                                                           \
		BPF_LDX | BPF_MEM | BPF_DW, R(to), R(from), (at), 0 \
	}
#define STORE(to, at, from)                                         \
	{                                                           \
		BPF_STX | BPF_MEM | BPF_DW, R(to), R(from), (at), 0 \
	}
#define STORE_INT(to, at, from)                                    \
	{                                                          \
		BPF_STX | BPF_MEM | BPF_W, R(to), R(from), (at), 0 \
	}
#define IF_0(reg, over)                                         \
	{                                                       \
		BPF_JMP | BPF_JEQ | BPF_K, R(reg), 0, (over), 0 \
	}
#define IF_ABOVE(reg, value, over)                                    \
	{                                                             \
		BPF_JMP | BPF_JGT | BPF_K, R(reg), 0, (over), (value) \
	}
#define CALL(helper)                                           \
	{                                                      \
		BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##helper \
	}
#define EXIT                                   \
	{                                      \
		BPF_JMP | BPF_EXIT, 0, 0, 0, 0 \
	}
/* Two: the map's descriptor is put there when it is known. */
#define LOAD_MAP(to)                                                      \
	{                                                                 \
		BPF_LD | BPF_DW | BPF_IMM, R(to), BPF_PSEUDO_MAP_FD, 0, 0 \
	}
#define SECOND_HALF           \
	{                     \
		0, 0, 0, 0, 0 \
	}

#define REQUEST(member) offsetof(struct request, member)
#define INSTRUCTIONS_MAX 20

struct code {
	size_t count;
	size_t map_at; /* the instruction that loads the map */
	struct bpf_insn instructions[INSTRUCTIONS_MAX];
};

/*
 * What it returns is what the helper says: 0, or -EFAULT. That comes back as
 * the result of the test run, with either type of program.
 */
static const struct code read_code = { 17, 3,
	{
		MOVE(6, 1),			    /* r6 = the request */
		LOAD(2, 6, REQUEST(element)),	    /* r2 = its element */
		STORE_INT(10, -4, 2),		    /* on the stack = r2 */
		LOAD_MAP(1),			    /* r1 = the map */
		SECOND_HALF,			    /* of that */
		MOVE(2, 10),			    /* r2 = the stack */
		ADD(2, -4),			    /* r2 = where r2 is */
		CALL(map_lookup_elem),		    /* r0 = element, or 0 */
		IF_0(0, 6),			    /* over to E2BIG */
		LOAD(2, 6, REQUEST(len)),	    /* r2 = the length */
		IF_ABOVE(2, BPF_PROGRAM_BUFFER, 4), /* over to E2BIG */
		LOAD(3, 6, REQUEST(addr)),	    /* r3 = the address */
		MOVE(1, 0),			    /* r1 = the element */
		CALL(probe_read_kernel),	    /* r0 = copied r3 to r1 */
		EXIT,				    /* with r0 */
		SET(0, -E2BIG),			    /* r0 = E2BIG */
		EXIT,				    /* with r0 */
	} };

/* Where the kernel has this task, into the first word of the first element. */
static const struct code task_code = { 15, 4,
	{
		CALL(get_current_task), /* r0 = the task */
		MOVE(7, 0),		/* r7 = r0 */
		SET(2, 0),		/* r2 = the first */
		STORE_INT(10, -4, 2),	/* on the stack = r2 */
		LOAD_MAP(1),		/* r1 = the map */
		SECOND_HALF,		/* of that */
		MOVE(2, 10),		/* r2 = the stack */
		ADD(2, -4),		/* r2 = where r2 is */
		CALL(map_lookup_elem),	/* r0 = element, or 0 */
		IF_0(0, 3),		/* over to E2BIG */
		STORE(0, 0, 7),		/* its first word = r7 */
		SET(0, 0),		/* r0 = 0 */
		EXIT,			/* with r0 */
		SET(0, -E2BIG),		/* r0 = E2BIG */
		EXIT,			/* with r0 */
	} };

static int bpf(int command, union bpf_attr *attr)
{
	const long ret = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/* --- the map -------------------------------------------------------------- */

static int create_map(unsigned int count)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = BPF_PROGRAM_BUFFER;
	attr.max_entries = count;
	attr.map_flags = BPF_F_MMAPABLE;
	memcpy(attr.map_name, NAME, sizeof(NAME));
	return bpf(BPF_MAP_CREATE, &attr);
}

/*
 * Before 5.11 maps count as locked memory, of which a user has 64 KiB, root
 * too: EPERM.
 */
static int create_map_beyond_limit(unsigned int count)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	const int fd = create_map(count);

	if (fd != -EPERM || setrlimit(RLIMIT_MEMLOCK, &all) < 0)
		return fd;
	return create_map(count);
}

static int open_map(struct bpf_program *p, struct avml_error *err)
{
	p->map_fd = create_map_beyond_limit(p->count);
	if (p->map_fd < 0)
		return avml_error_set_errno(
			err, -p->map_fd, "the map of a BPF program");
	p->buffer = mmap(NULL, bpf_program_map_size(p), PROT_READ | PROT_WRITE,
		MAP_SHARED, p->map_fd, 0);
	if (p->buffer != MAP_FAILED)
		return 0;
	p->buffer = NULL;
	return avml_error_set_errno(
		err, errno, "to see the map of a BPF program");
}

/* --- programs ------------------------------------------------------------- */

/* The verifier's last word on it: the line before its count of steps. */
static const char *last_line(char *log)
{
	char *line = log, *next;

	while ((next = strchr(line, '\n')) && next[1] != '\0' &&
		strncmp(next + 1, "processed ", 10) != 0)
		line = next + 1;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/*
 * A signal has the verifier give up (EAGAIN); it is delivered before the next
 * try, so that it does not come in the way of that.
 */
static int load_as(unsigned int type, const struct code *code, char *log)
{
	union bpf_attr attr;
	int fd = -EAGAIN;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)code->instructions;
	attr.insn_cnt = (uint32_t)code->count;
	attr.license = (uintptr_t)LICENSE;
	attr.prog_flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
	memcpy(attr.prog_name, NAME, sizeof(NAME));
	if (log) {
		log[0] = '\0';
		attr.log_buf = (uintptr_t)log;
		attr.log_size = LOG_SIZE;
		attr.log_level = 1;
	}
	for (int tries = 0; fd == -EAGAIN && tries < LOAD_TRIES; tries++)
		fd = bpf(BPF_PROG_LOAD, &attr);
	return fd;
}

static int run(int prog_fd, const struct request *request, uint32_t *result)
{
	union bpf_attr attr;
	struct request copy = *request;
	int ret;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)prog_fd;
	/* It comes back in place: there is no ctx_out with these types. */
	attr.test.ctx_in = (uintptr_t)&copy;
	attr.test.ctx_size_in = sizeof(copy);
	ret = bpf(BPF_PROG_TEST_RUN, &attr);
	*result = attr.test.retval;
	return ret;
}

/*
 * A program for system calls is of 5.14 and later, where kernels do not know
 * it that of a raw tracepoint can be run as well, from 5.10 on.
 */
static int load(
	struct bpf_program *p, const struct code *code, struct avml_error *err)
{
	static const unsigned int types[] = {
		BPF_PROG_TYPE_SYSCALL,
		BPF_PROG_TYPE_RAW_TRACEPOINT,
	};
	struct code copy = *code;
	char log[LOG_SIZE];
	unsigned int type = BPF_PROG_TYPE_UNSPEC;
	int fd = -EINVAL;

	copy.instructions[copy.map_at].imm = p->map_fd;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		type = types[i];
		fd = load_as(type, &copy, NULL);
		if (fd != -EINVAL)
			break;
	}
	log[0] = '\0';
	/* Once more, to hear why; or it works by now. */
	if (fd == -EINVAL || fd == -EACCES || fd == -EFAULT) {
		const int again = load_as(type, &copy, log);

		fd = again < 0 ? fd : again;
	}
	if (fd >= 0) {
		p->type = type;
		p->loads++;
		return fd;
	}
	if (fd == -EAGAIN)
		return avml_error_set(err, EAGAIN,
			"a BPF program: signals kept the kernel from its check "
			"of it, %d times",
			LOAD_TRIES);
	if (log[0] == '\0')
		return avml_error_set_errno(err, -fd, "a BPF program");
	/* It is not that it may not be. */
	return avml_error_set(err, EINVAL,
		"the kernel takes no such program: %s", last_line(log));
}

int bpf_program_open(
	struct bpf_program *program, unsigned int count, struct avml_error *err)
{
	const struct request nothing = { .len = 0 };
	uint32_t result = 0;
	int ret;

	*program = (struct bpf_program)BPF_PROGRAM_INIT;
	program->count = count;
	ret = open_map(program, err);
	if (ret == 0) {
		program->prog_fd = load(program, &read_code, err);
		ret = program->prog_fd < 0 ? program->prog_fd : 0;
	}
	if (ret == 0) {
		ret = run(program->prog_fd, &nothing, &result);
		if (ret < 0)
			(void)avml_error_set_errno(
				err, -ret, "to run a BPF program");
	}
	if (ret < 0) {
		const unsigned int loads = program->loads;

		bpf_program_close(program);
		program->loads = loads;
	}
	return ret;
}

void bpf_program_close(struct bpf_program *program)
{
	if (program->buffer)
		munmap(program->buffer, bpf_program_map_size(program));
	if (program->prog_fd >= 0)
		close(program->prog_fd);
	if (program->map_fd >= 0)
		close(program->map_fd);
	*program = (struct bpf_program)BPF_PROGRAM_INIT;
}

int bpf_program_read(const struct bpf_program *program, unsigned int element,
	uint64_t addr, size_t len)
{
	const struct request request = { addr, len, element };
	uint32_t result = 0;
	const int ret = run(program->prog_fd, &request, &result);

	return ret < 0 ? ret : (int)result;
}

int bpf_program_task(
	struct bpf_program *program, uint64_t *addr, struct avml_error *err)
{
	const struct request nothing = { .len = 0 };
	struct bpf_program task = *program;
	uint32_t result = 0;
	int ret;

	task.prog_fd = load(&task, &task_code, err);
	if (task.prog_fd < 0)
		return task.prog_fd;
	program->loads = task.loads;
	ret = run(task.prog_fd, &nothing, &result);
	close(task.prog_fd);
	if (ret == 0)
		ret = (int)result;
	if (ret < 0)
		return avml_error_set_errno(err, -ret, "to run a BPF program");
	memcpy(addr, program->buffer, sizeof(*addr));
#ifdef __aarch64__
	/* Without the tag that memory tagging has there: all ones match any. */
	*addr |= (uint64_t)0xff << 56;
#endif
	return 0;
}

uint64_t bpf_program_size(const struct bpf_program *program)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)program->prog_fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return 0;
	return (uint64_t)info.xlated_prog_len + info.jited_prog_len;
}

const char *bpf_program_type(const struct bpf_program *program)
{
	return program->type == BPF_PROG_TYPE_SYSCALL ? "syscall"
						      : "raw-tracepoint";
}

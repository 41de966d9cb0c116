/* SPDX-License-Identifier: MIT */
/*
 * The system calls that are allowed. Whoever adds one to the program finds
 * out by SIGSYS, and adds it to the table below and to that of
 * tests/check_confine_allowed.c.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/confine_parts.h"

/* This processor, as a filter is told; 0 where the table is not for it. */
#if defined(__x86_64__) && defined(__LP64__)
static const uint32_t arch_here = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__) && defined(__AARCH64EL__)
static const uint32_t arch_here = AUDIT_ARCH_AARCH64;
#elif defined(__s390x__)
static const uint32_t arch_here = AUDIT_ARCH_S390X;
#else
static const uint32_t arch_here = 0;
#endif

/* The calls of x32 have x86-64's architecture, and this in their number. */
#define X32_BIT 0x40000000u
/*
 * The last number that was given (Linux 5.17) when the table was made; since
 * 5.1 they are the same on all processors. What comes after it is answered by
 * ENOSYS: the C library of tomorrow may try a call of tomorrow first, and
 * falls back as on a kernel that lacks it.
 */
#define NEWEST 450u
/* Its flags are in memory, where a filter cannot look; libcs fall back. */
#define CLONE3 435u
/* s390 has clone's first two arguments the other way round. */
#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
/* TCGETS2, of glibc since 2.42; its macro needs a structure of Linux. */
#define TCGETS_NEW 0x802c542au
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Who may do it; each may do all that those below it may. */
#define READ CONFINE_TO_READ
#define WRITE CONFINE_TO_WRITE
#define OPEN CONFINE_TO_OPEN

enum condition {
	ALWAYS,
	EQUAL,
	WITH,
	WITHOUT,
	OWN,
	/* Flags as a destination is opened with: nothing is read or emptied. */
	AS_DESTINATION,
	/* Flags to read only: that is refused, and ends nothing. */
	READS_ONLY,
};

#define DESTINATION (O_WRONLY | O_CREAT | O_NOFOLLOW)
#define DESTINATION_BITS (DESTINATION | O_RDWR | O_TRUNC)
#define WRITE_BITS (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

struct rule {
	unsigned int number;
	enum confine_to to;
	enum condition condition;
	unsigned int argument; /* which of the six */
	uint32_t value;	       /* of its lower half, or bits in it */
};

/* Those that a conversion makes all the time come first. */
static const struct rule rules[] = {
	{ __NR_pread64, READ, ALWAYS, 0, 0 },
	{ __NR_futex, READ, ALWAYS, 0, 0 },
	{ __NR_pwritev, WRITE, ALWAYS, 0, 0 },
	{ __NR_writev, READ, ALWAYS, 0, 0 },
	{ __NR_read, READ, ALWAYS, 0, 0 },
	{ __NR_write, READ, ALWAYS, 0, 0 },
#ifdef __NR_poll
	{ __NR_poll, READ, ALWAYS, 0, 0 },
#endif
	{ __NR_ppoll, READ, ALWAYS, 0, 0 },
	{ __NR_sync_file_range, WRITE, ALWAYS, 0, 0 },
	{ __NR_fadvise64, READ, ALWAYS, 0, 0 },

	/* Files that are open. */
	{ __NR_close, READ, ALWAYS, 0, 0 },
	{ __NR_lseek, READ, ALWAYS, 0, 0 },
	{ __NR_fstat, READ, ALWAYS, 0, 0 },
	/* fstat() of newer libcs. */
	{ __NR_newfstatat, READ, WITH, 3, AT_EMPTY_PATH },
	{ __NR_newfstatat, WRITE, ALWAYS, 0, 0 },
	/* musl's fstat(), for a descriptor that is none. */
	{ __NR_fcntl, READ, EQUAL, 1, F_GETFD },
	{ __NR_fsync, WRITE, ALWAYS, 0, 0 },
	{ __NR_ftruncate, WRITE, ALWAYS, 0, 0 },
	{ __NR_fstatfs, WRITE, ALWAYS, 0, 0 },
	/* Whether stdout is a terminal, when something is first printed; */
	{ __NR_ioctl, READ, EQUAL, 1, TCGETS },
	{ __NR_ioctl, READ, EQUAL, 1, TCGETS_NEW },
	/* how wide stderr is, and whose turn, before progress is drawn. */
	{ __NR_ioctl, READ, EQUAL, 1, TIOCGWINSZ },
	{ __NR_ioctl, READ, EQUAL, 1, TIOCGPGRP },

/* Removing a file without a record, if its name still means it. */
#ifdef __NR_lstat
	{ __NR_lstat, WRITE, ALWAYS, 0, 0 },
#endif
#ifdef __NR_unlink
	{ __NR_unlink, WRITE, ALWAYS, 0, 0 },
#else
	{ __NR_unlinkat, WRITE, EQUAL, 2, 0 },
#endif

/* Memory, but not to put machine code into. */
#ifdef __s390x__
	/* Its arguments are in memory. */
	{ __NR_mmap, READ, ALWAYS, 0, 0 },
#else
	{ __NR_mmap, READ, WITHOUT, 2, PROT_EXEC },
#endif
	{ __NR_mprotect, READ, WITHOUT, 2, PROT_EXEC },
	{ __NR_munmap, READ, ALWAYS, 0, 0 },
	{ __NR_mremap, READ, ALWAYS, 0, 0 },
	{ __NR_madvise, READ, ALWAYS, 0, 0 },
	{ __NR_brk, READ, ALWAYS, 0, 0 },
	/* glibc names what it maps, where it is told to. */
	{ __NR_prctl, READ, EQUAL, 0, PR_SET_VMA },
	{ __NR_getrandom, READ, ALWAYS, 0, 0 },

	/* Threads, but no processes. */
	{ __NR_clone, READ, WITH, CLONE_FLAGS, CLONE_THREAD },
	{ __NR_set_robust_list, READ, ALWAYS, 0, 0 },
#ifdef __NR_rseq
	{ __NR_rseq, READ, ALWAYS, 0, 0 },
#endif
	{ __NR_membarrier, READ, ALWAYS, 0, 0 },
	{ __NR_sched_yield, READ, ALWAYS, 0, 0 },
	/* glibc's malloc, for how many heaps there shall be. */
	{ __NR_sched_getaffinity, READ, ALWAYS, 0, 0 },
	{ __NR_gettid, READ, ALWAYS, 0, 0 },
	{ __NR_getpid, READ, ALWAYS, 0, 0 },
	{ __NR_exit, READ, ALWAYS, 0, 0 },
	{ __NR_exit_group, READ, ALWAYS, 0, 0 },

	/* Signals: ours come and go, and abort() sends one to itself. */
	{ __NR_rt_sigreturn, READ, ALWAYS, 0, 0 },
	{ __NR_rt_sigaction, READ, ALWAYS, 0, 0 },
	{ __NR_rt_sigprocmask, READ, ALWAYS, 0, 0 },
	{ __NR_restart_syscall, READ, ALWAYS, 0, 0 },
#ifdef __NR_alarm
	{ __NR_alarm, READ, ALWAYS, 0, 0 },
#endif
	{ __NR_setitimer, READ, ALWAYS, 0, 0 },
	{ __NR_tgkill, READ, OWN, 0, 0 },
	/* musl's, from the first thread; in others it is SIGSYS that ends. */
	{ __NR_tkill, READ, OWN, 0, 0 },

	/* Clocks, where the kernel has none in the process itself. */
	{ __NR_clock_gettime, READ, ALWAYS, 0, 0 },
	{ __NR_gettimeofday, READ, ALWAYS, 0, 0 },

/* What it takes to open a destination, and to be confined further. */
#ifdef __NR_open
	{ __NR_open, OPEN, AS_DESTINATION, 1, 0 },
#endif
	{ __NR_openat, OPEN, AS_DESTINATION, 2, 0 },
	{ __NR_fcntl, OPEN, EQUAL, 1, F_DUPFD_CLOEXEC },
	{ __NR_fcntl, OPEN, EQUAL, 1, F_GETFL },
	{ __NR_fcntl, OPEN, EQUAL, 1, F_SETFD },
	{ __NR_fchmod, OPEN, EQUAL, 1, 0600 },
	{ __NR_statfs, OPEN, ALWAYS, 0, 0 },
	{ __NR_geteuid, OPEN, ALWAYS, 0, 0 },
#ifdef __NR_stat
	{ __NR_stat, OPEN, ALWAYS, 0, 0 },
#endif
#ifdef __NR_rename
	{ __NR_rename, OPEN, ALWAYS, 0, 0 },
#endif
#ifdef __NR_renameat
	{ __NR_renameat, OPEN, ALWAYS, 0, 0 },
#endif
	{ __NR_renameat2, OPEN, ALWAYS, 0, 0 },
	{ __NR_prctl, OPEN, EQUAL, 0, PR_SET_SECCOMP },
	{ __NR_seccomp, OPEN, EQUAL, 0, SECCOMP_SET_MODE_FILTER },
	{ __NR_seccomp, OPEN, EQUAL, 0, 2 /* SECCOMP_GET_ACTION_AVAIL */ },

/*
 * glibc's malloc looks into /proc and /sys, when it gives memory back that
 * several threads used; it does without.
 */
#ifdef __NR_open
	{ __NR_open, READ, READS_ONLY, 1, 0 },
#endif
	{ __NR_openat, READ, READS_ONLY, 2, 0 },
};

static uint32_t half_of_argument(unsigned int i)
{
	const uint32_t half = __BYTE_ORDER == __BIG_ENDIAN ? 4 : 0;

	return (uint32_t)offsetof(struct seccomp_data, args) + i * 8 + half;
}

struct program {
	struct sock_filter *code;
	size_t count;
};

static void add(struct program *p, unsigned int op, unsigned int yes,
	unsigned int no, uint32_t k)
{
	p->code[p->count++] = (struct sock_filter){
		(uint16_t)op,
		(uint8_t)yes,
		(uint8_t)no,
		k,
	};
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void result(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, 0, 0, action);
}

/* The number is in the accumulator, before and after. */
static void add_rule(struct program *p, const struct rule *rule)
{
	const unsigned int equal = BPF_JMP | BPF_JEQ | BPF_K;
	const unsigned int any_bit = BPF_JMP | BPF_JSET | BPF_K;
	uint32_t action = SECCOMP_RET_ALLOW;
	unsigned int others = 4;

	if (rule->condition == ALWAYS)
		others = 1;
	else if (rule->condition == AS_DESTINATION)
		others = 5;
	add(p, equal, 0, others, rule->number);
	if (rule->condition != ALWAYS)
		load(p, half_of_argument(rule->argument));
	switch (rule->condition) {
	case ALWAYS:
		break;
	case EQUAL:
		add(p, equal, 0, 1, rule->value);
		break;
	case OWN:
		add(p, equal, 0, 1, (uint32_t)getpid());
		break;
	case WITH:
		add(p, any_bit, 0, 1, rule->value);
		break;
	case WITHOUT:
		add(p, any_bit, 1, 0, rule->value);
		break;
	case AS_DESTINATION:
		add(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, DESTINATION_BITS);
		add(p, equal, 0, 1, DESTINATION);
		break;
	case READS_ONLY:
		add(p, any_bit, 1, 0, WRITE_BITS);
		action = SECCOMP_RET_ERRNO | EACCES;
		break;
	}
	result(p, action);
	if (rule->condition != ALWAYS)
		load(p, offsetof(struct seccomp_data, nr));
}

size_t confine_filter(
	enum confine_to to, uint32_t deny, struct sock_filter *code)
{
	const uint32_t missing = SECCOMP_RET_ERRNO | ENOSYS;
	struct program p = { code, 0 };

	_Static_assert(
		7 * sizeof(rules) / sizeof(rules[0]) + 16 <= CONFINE_FILTER_MAX,
		"room for all rules");
	/* cppcheck-suppress knownConditionTrueFalse ; on other processors */
	if (arch_here == 0)
		return 0;
	/* Numbers mean something else where a call comes by another way. */
	load(&p, offsetof(struct seccomp_data, arch));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, arch_here);
	result(&p, deny);
	load(&p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].to >= to)
			add_rule(&p, &rules[i]);
	}
	add(&p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
	result(&p, deny);
	add(&p, BPF_JMP | BPF_JGT | BPF_K, 1, 0, NEWEST);
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, CLONE3);
	result(&p, missing);
	result(&p, deny);
	return p.count;
}

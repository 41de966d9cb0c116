/* SPDX-License-Identifier: MIT */
/* What ends a confined process. */
#include "base/confine.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include "check_confine.h"
#include "check_wrap.h"

/* Older kernels. */
static enum { AS_IT_IS, NO_KILL_PROCESS, NO_SECCOMP_CALL, KERNELS } kernel;

long WRAP(syscall)(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_seccomp &&
		(kernel == NO_SECCOMP_CALL ||
			(kernel == NO_KILL_PROCESS &&
				a[0] == SECCOMP_GET_ACTION_AVAIL))) {
		errno = kernel == NO_SECCOMP_CALL ? ENOSYS : EINVAL;
		return -1;
	}
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Past libc, which may take another way or know better. */
#define RAW(name, call)                   \
	static int name(void)             \
	{                                 \
		return (int)syscall call; \
	}

#define PAGES (64u << 10)

RAW(call_openat, (SYS_openat, AT_FDCWD, "/dev/null",
			 O_WRONLY | O_CREAT | O_NOFOLLOW, 0600))
RAW(call_openat_both, (SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0))
RAW(call_socket, (SYS_socket, AF_INET, SOCK_STREAM, 0))
RAW(call_connect, (SYS_connect, 3, NULL, 0))
RAW(call_execve, (SYS_execve, "/bin/true", NULL, NULL))
RAW(call_execveat, (SYS_execveat, 3, "", NULL, NULL, 0x1000))
RAW(call_ptrace, (SYS_ptrace, PTRACE_TRACEME, 0, 0, 0))
RAW(call_process_vm, (SYS_process_vm_writev, 1, NULL, 0L, NULL, 0L, 0L))
RAW(call_kill, (SYS_kill, getpid(), 0))
RAW(call_tgkill, (SYS_tgkill, 1, 1, 0))
RAW(call_tkill, (SYS_tkill, 1, 0))
RAW(call_prctl, (SYS_prctl, PR_SET_DUMPABLE, 1L, 0L, 0L, 0L))
RAW(call_seccomp, (SYS_seccomp, 1, 0, NULL))
RAW(call_unlinkat, (SYS_unlinkat, AT_FDCWD, there.path, AT_REMOVEDIR))
RAW(call_linkat, (SYS_linkat, AT_FDCWD, there.path, AT_FDCWD, "x", 0))
RAW(call_symlinkat, (SYS_symlinkat, "x", AT_FDCWD, there.other))
RAW(call_mkdirat, (SYS_mkdirat, AT_FDCWD, "x", 0700))
RAW(call_chdir, (SYS_chdir, "/"))
RAW(call_chroot, (SYS_chroot, "/"))
RAW(call_mount, (SYS_mount, NULL, "/", NULL, 0L, NULL))
RAW(call_unshare, (SYS_unshare, CLONE_NEWUSER))
RAW(call_setuid, (SYS_setuid, 0))
RAW(call_bpf, (SYS_bpf, 0, NULL, 0))
RAW(call_perf, (SYS_perf_event_open, NULL, 0, -1, -1, 0L))
RAW(call_userfaultfd, (SYS_userfaultfd, 0))
RAW(call_io_uring, (425, 1, NULL))
RAW(call_pidfd_getfd, (438, 3, 0, 0))
RAW(call_memfd, (SYS_memfd_create, "x", 0))
RAW(call_shmget, (SYS_shmget, 0, 4096L, 0600))
RAW(call_sendfile, (SYS_sendfile, 1, 3, NULL, 1L))
RAW(call_dup, (SYS_dup, 3))
RAW(call_tiocsti, (SYS_ioctl, 0, TIOCSTI, "x"))
#ifndef __s390x__
RAW(call_mmap_exec, (SYS_mmap, NULL, (long)PAGES, PROT_READ | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L))
#endif
RAW(call_mprotect_exec,
	(SYS_mprotect, (uintptr_t)&there & ~(uintptr_t)(PAGES - 1), 4096L,
		PROT_READ | PROT_EXEC))
#ifdef __s390x__
RAW(call_fork, (SYS_clone, NULL, SIGCHLD, NULL, NULL, 0L))
#else
RAW(call_fork, (SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L))
#endif
RAW(call_ftruncate, (SYS_ftruncate, there.fd, 5L))
RAW(call_fsync, (SYS_fsync, there.fd))
#ifdef SYS_unlink
RAW(call_unlink, (SYS_unlink, there.path))
#else
RAW(call_unlink, (SYS_unlinkat, AT_FDCWD, there.path, 0))
#endif
#ifdef __x86_64__
RAW(call_open, (SYS_open, "/dev/null", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600))
RAW(call_forked, (SYS_fork))
RAW(call_vfork, (SYS_vfork))
RAW(call_x32, (0x40000000 | 39))

/* getpid(), by the numbers of 32 bits. */
static int call_int80(void)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	return result < 0;
}
#endif

static const struct forbidden {
	const char *name;
	int (*call)(void);
	enum confine_to to; /* the widest list that forbids it */
} forbidden[] = {
	{ "openat", call_openat, CONFINE_TO_WRITE },
	{ "openat to read and write", call_openat_both, CONFINE_TO_OPEN },
	{ "socket", call_socket, CONFINE_TO_OPEN },
	{ "connect", call_connect, CONFINE_TO_OPEN },
	{ "execve", call_execve, CONFINE_TO_OPEN },
	{ "execveat", call_execveat, CONFINE_TO_OPEN },
	{ "ptrace", call_ptrace, CONFINE_TO_OPEN },
	{ "process_vm_writev", call_process_vm, CONFINE_TO_OPEN },
	{ "kill", call_kill, CONFINE_TO_OPEN },
	{ "tgkill of another", call_tgkill, CONFINE_TO_OPEN },
	{ "tkill of another", call_tkill, CONFINE_TO_OPEN },
	{ "prctl", call_prctl, CONFINE_TO_OPEN },
	{ "seccomp", call_seccomp, CONFINE_TO_WRITE },
	{ "unlinkat of a directory", call_unlinkat, CONFINE_TO_OPEN },
	{ "linkat", call_linkat, CONFINE_TO_OPEN },
	{ "symlinkat", call_symlinkat, CONFINE_TO_OPEN },
	{ "mkdirat", call_mkdirat, CONFINE_TO_OPEN },
	{ "chdir", call_chdir, CONFINE_TO_OPEN },
	{ "chroot", call_chroot, CONFINE_TO_OPEN },
	{ "mount", call_mount, CONFINE_TO_OPEN },
	{ "unshare", call_unshare, CONFINE_TO_OPEN },
	{ "setuid", call_setuid, CONFINE_TO_OPEN },
	{ "bpf", call_bpf, CONFINE_TO_OPEN },
	{ "perf_event_open", call_perf, CONFINE_TO_OPEN },
	{ "userfaultfd", call_userfaultfd, CONFINE_TO_OPEN },
	{ "io_uring_setup", call_io_uring, CONFINE_TO_OPEN },
	{ "pidfd_getfd", call_pidfd_getfd, CONFINE_TO_OPEN },
	{ "memfd_create", call_memfd, CONFINE_TO_OPEN },
	{ "shmget", call_shmget, CONFINE_TO_OPEN },
	{ "sendfile", call_sendfile, CONFINE_TO_OPEN },
	{ "dup", call_dup, CONFINE_TO_OPEN },
	{ "ioctl of another kind", call_tiocsti, CONFINE_TO_OPEN },
#ifndef __s390x__
	{ "mmap for code", call_mmap_exec, CONFINE_TO_OPEN },
#endif
	{ "mprotect for code", call_mprotect_exec, CONFINE_TO_OPEN },
	{ "clone of a process", call_fork, CONFINE_TO_OPEN },
	{ "ftruncate", call_ftruncate, CONFINE_TO_READ },
	{ "fsync", call_fsync, CONFINE_TO_READ },
	{ "unlink", call_unlink, CONFINE_TO_READ },
#ifdef __x86_64__
	{ "open", call_open, CONFINE_TO_WRITE },
	{ "fork", call_forked, CONFINE_TO_OPEN },
	{ "vfork", call_vfork, CONFINE_TO_OPEN },
	{ "a call of x32", call_x32, CONFINE_TO_OPEN },
	{ "a call of 32 bits", call_int80, CONFINE_TO_OPEN },
#endif
};

START_TEST(confine_forbidden_call_ends_process)
{
	const struct forbidden *f = &forbidden[_i];

	make_files();
	for (int to = (int)f->to; to <= CONFINE_TO_READ; to++) {
		const enum confine_to level = (enum confine_to)to;

		for (int steps = 0; steps < 2; steps++) {
			const int status =
				in_child(steps ? confine_in_steps : confine_as,
					&level, f->call);

			ck_assert_msg(WIFSIGNALED(status) &&
					      WTERMSIG(status) == SIGSYS,
				"%s, list %d: status %#x", f->name, to,
				(unsigned int)status);
		}
	}
	ck_assert_int_eq(access(there.path, F_OK), 0);
}
END_TEST

static void *forbidden_in_thread(void *arg)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	call_socket();
	return arg;
}

static int call_in_thread(void)
{
	pthread_t id;

	if (pthread_create(&id, NULL, forbidden_in_thread, NULL) == 0)
		pthread_join(id, NULL);
	return 0;
}

/* By one of its threads, which blocks the signal, and on older kernels. */
START_TEST(confine_forbidden_call_ends_all_threads)
{
	const enum confine_to to = CONFINE_TO_READ;
	int status;

	kernel = (unsigned int)_i;
	signal(SIGSYS, SIG_IGN);
	status = in_child(confine_as, &to, call_in_thread);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
		"status %#x", (unsigned int)status);
}
END_TEST

/* Where the system calls are known, the kernel alone decides. */
START_TEST(confine_probe_finds_filters)
{
	ck_assert_int_eq(
		has_seccomp(), prctl(PR_GET_SECCOMP, 0UL, 0UL, 0UL, 0UL) >= 0);
}
END_TEST

static Suite *confine_suite(void)
{
	Suite *suite = suite_create("confine");
	TCase *tc = tcase_create("confine");

	if (can_be_confined()) {
		tcase_add_loop_test(tc, confine_forbidden_call_ends_process, 0,
			TEST_COUNT(forbidden));
		tcase_add_loop_test(tc, confine_forbidden_call_ends_all_threads,
			0, KERNELS);
	}
	tcase_add_test(tc, confine_probe_finds_filters);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(confine_suite)

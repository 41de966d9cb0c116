/* SPDX-License-Identifier: MIT */
#include "base/confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine_parts.h"

/* Headers of old kernels lack these. */
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#endif
#ifndef SECCOMP_GET_ACTION_AVAIL
#define SECCOMP_GET_ACTION_AVAIL 2
#endif
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1u << 2)
#endif
/*
 * What ends the whole process. Before Linux 4.14 there is but the end of one
 * thread, for which the others would wait for ever; there the signal is sent
 * as if by a fault, which ends all, blocked and ignored or not.
 */
static uint32_t deadly_action(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return action;
	return SECCOMP_RET_TRAP;
}

/* Install the filter. 0 or -errno. New privileges must be ruled out before. */
static int install_filter(enum confine_to to)
{
	struct sock_filter code[CONFINE_FILTER_MAX];
	const struct sock_fprog program = {
		(unsigned short)confine_filter(to, deadly_action(), code),
		code,
	};

	if (program.len == 0)
		return -ENOSYS;
	/*
	 * Before Linux 5.16 a filter brings mitigations of speculation with
	 * it, which slow a codec down. They keep what runs in a process from
	 * reading the rest of it, and here nothing runs that may not.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return 0;
	/* Linux 3.17 to 4.16 do not know the flag, older ones not the call. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0UL, 0UL) == 0)
		return 0;
	return -errno;
}

/*
 * With many threads, older versions of glibc's malloc open a file of /sys to
 * find out how many heaps are worth having. Told beforehand, it need not.
 */
static void keep_malloc_from_files(void)
{
#ifdef __GLIBC__
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the threads come later */
	(void)mallopt(M_ARENA_MAX, 8);
#endif
}

int confine(enum confine_to to, const char *path, struct avml_error *err)
{
	struct avml_error second;
	int ret = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0)
		ret = avml_error_set_errno(
			err, errno, "new privileges cannot be ruled out");
	if (CONFINE_SANITIZED)
		return ret;
	if (prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0 && ret == 0)
		ret = avml_error_set_errno(err, errno,
			"other processes cannot be kept from reading this one");
	(void)confine_landlock(path);
	keep_malloc_from_files();
	/* What is missing first may be why the rest is. */
	if (ret < 0)
		(void)confine_further(to, &second);
	else
		ret = confine_further(to, err);
	return ret;
}

int confine_further(enum confine_to to, struct avml_error *err)
{
	const int ret = CONFINE_SANITIZED ? 0 : install_filter(to);

	if (ret < 0)
		return avml_error_set_errno(
			err, -ret, "system calls cannot be forbidden");
	return 0;
}

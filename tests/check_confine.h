/* SPDX-License-Identifier: MIT */
/*
 * What the tests of confinement share: each call is made by a process of its
 * own, which a forbidden one ends.
 */
#ifndef CHECK_CONFINE_H
#define CHECK_CONFINE_H

#include <sys/wait.h>

#include "base/confine_parts.h"
#include "check_main.h"

/* Files and descriptors that are there before the process is confined. */
static struct {
	char dir[TEST_PATH_MAX], path[TEST_PATH_MAX], other[TEST_PATH_MAX];
	int fd;
} there;

#define STATUS_NOT_CONFINED 90
#define STATUS_FAILED 91

/* In a confined child: the status that it ended with. */
static inline int in_child(
	int (*confine_it)(const void *), const void *arg, int (*call)(void))
{
	const pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (confine_it(arg) != 0)
			_exit(STATUS_NOT_CONFINED);
		_exit(call() == 0 ? 0 : STATUS_FAILED);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static inline int confine_as(const void *to)
{
	struct avml_error err = AVML_ERROR_INIT;

	return confine(*(const enum confine_to *)to, there.path, &err);
}

static inline int confine_in_steps(const void *to)
{
	struct avml_error err = AVML_ERROR_INIT;
	int ret = confine(CONFINE_TO_OPEN, there.path, &err);

	return ret < 0 ? ret
		       : confine_further(*(const enum confine_to *)to, &err);
}

static inline void make_files(void)
{
	snprintf(there.path, sizeof(there.path), "%s",
		test_file("file", "0123456789", 10));
	snprintf(there.dir, sizeof(there.dir), "%s", there.path);
	*strrchr(there.dir, '/') = '\0';
	snprintf(there.other, sizeof(there.other), "%s",
		test_file("other", "x", 1));
	there.fd = open(there.path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(there.fd, 0);
}

/* Whether the kernel, or what emulates one, has filters. */
static inline bool has_seccomp(void)
{
	struct sock_filter code[CONFINE_FILTER_MAX];

	return confine_filter(CONFINE_TO_READ, 0, code) > 0 &&
	       prctl(PR_GET_SECCOMP, 0UL, 0UL, 0UL, 0UL) >= 0;
}

static inline bool can_be_confined(void)
{
	if (CONFINE_SANITIZED)
		puts("left out: nothing is forbidden with a sanitizer");
	else if (!has_seccomp())
		puts("left out: no seccomp filters here");
	return !CONFINE_SANITIZED && has_seccomp();
}

#endif

/* SPDX-License-Identifier: MIT */
/* What a confined process can still do. */
#include "base/confine.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>

#include "check_confine.h"

#define CLONE3 435
#define LANDLOCK_CREATE_RULESET 444
#define PAGES (64u << 10)

static void *nothing(void *arg)
{
	return arg;
}

static int call_clone3(void)
{
	return syscall(CLONE3, NULL, 0L) == -1 && errno == ENOSYS ? 0 : -1;
}

static int call_of_tomorrow(void)
{
	return syscall(1000, 0) == -1 && errno == ENOSYS ? 0 : -1;
}

static int call_reads(void)
{
	char buf[4];
	struct iovec iov = { buf, 0 };
	struct pollfd pollfd = { there.fd, POLLIN, 0 };
	struct stat st;

	return pread(there.fd, buf, 4, 2) == 4 && memcmp(buf, "2345", 4) == 0 &&
			       read(there.fd, buf, 1) == 1 &&
			       lseek(there.fd, 0, SEEK_SET) == 0 &&
			       fstat(there.fd, &st) == 0 &&
			       poll(&pollfd, 1, 0) == 1 &&
			       writev(STDERR_FILENO, &iov, 1) == 0
		       ? 0
		       : -1;
}

static int call_threads(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t ids[12];

		for (int k = 0; k < 12; k++) {
			if (pthread_create(&ids[k], NULL, nothing, NULL) != 0)
				return -1;
		}
		for (int k = 0; k < 12; k++)
			pthread_join(ids[k], NULL);
	}
	return 0;
}

static int call_malloc(void)
{
	for (size_t len = 1; len < 1u << 28; len *= 2) {
		char *p = malloc(len), *more;

		if (!p)
			return -1;
		memset(p, 1, len < PAGES ? len : PAGES);
		more = realloc(p, len * 2);
		free(more ? more : p);
		if (!more)
			return -1;
	}
	return 0;
}

/*
 * Memory that several threads share gives pages back: glibc looks into /proc
 * then, as for the tables of libsnappy.
 */
static void *use_memory(void *unused)
{
	for (int i = 0; i < 200; i++) {
		char *p = malloc(175000 + (size_t)i * 100);

		if (p)
			memset(p, 1, 4096);
		free(p);
	}
	return unused;
}

static int call_malloc_in_threads(void)
{
	pthread_t ids[16];

	for (size_t i = 0; i < TEST_COUNT(ids); i++) {
		if (pthread_create(&ids[i], NULL, use_memory, NULL) != 0)
			return -1;
	}
	for (size_t i = 0; i < TEST_COUNT(ids); i++)
		pthread_join(ids[i], NULL);
	return 0;
}

/* What a libc may want to know from /proc and /sys. */
static int call_reads_elsewhere(void)
{
	errno = 0;
	return open("/proc/self/status", O_RDONLY | O_CLOEXEC) < 0 &&
			       errno == EACCES
		       ? 0
		       : -1;
}

static int call_prints(void)
{
	/* The first output asks what stdout is. */
	return dprintf(STDERR_FILENO, "%s", "") == 0 && printf("%s", "") == 0 &&
			       fflush(stdout) == 0
		       ? 0
		       : -1;
}

/* How far it is: what stderr is does not matter, that it may be asked does. */
static int call_progress(void)
{
	struct pollfd pollfd = { STDERR_FILENO, POLLOUT, 0 };
	struct timespec now;
	struct winsize size;

	(void)tcgetpgrp(STDERR_FILENO);
	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	return poll(&pollfd, 1, 0) >= 0 &&
			       syscall(SYS_clock_gettime, CLOCK_MONOTONIC,
				       &now) == 0 &&
			       write(STDERR_FILENO, "", 0) == 0
		       ? 0
		       : -1;
}

static int call_alarm(void)
{
	alarm(100);
	alarm(0);
	return 0;
}

static int call_writes(void)
{
	char text[] = "abc";
	struct iovec iov = { text, 3 };
	struct stat st;

	/* What a file system cannot do is no matter; what ends us is. */
	(void)posix_fadvise(there.fd, 0, 0, POSIX_FADV_DONTNEED);
	(void)sync_file_range(there.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	(void)fsync(there.fd);
	return pwritev(there.fd, &iov, 1, 1) == 3 &&
			       ftruncate(there.fd, 4) == 0 &&
			       lstat(there.path, &st) == 0 && st.st_size == 4 &&
			       unlink(there.path) == 0
		       ? 0
		       : -1;
}

static const struct allowed {
	const char *name;
	int (*call)(void);
	enum confine_to to; /* the narrowest list that allows it */
} allowed[] = {
	{ "clone3 is not there", call_clone3, CONFINE_TO_READ },
	{ "a call of tomorrow is not there", call_of_tomorrow,
		CONFINE_TO_READ },
	{ "reading", call_reads, CONFINE_TO_READ },
	{ "threads", call_threads, CONFINE_TO_READ },
	{ "malloc", call_malloc, CONFINE_TO_READ },
	{ "malloc in threads", call_malloc_in_threads, CONFINE_TO_READ },
	{ "to be refused what is to be read", call_reads_elsewhere,
		CONFINE_TO_READ },
	{ "printing", call_prints, CONFINE_TO_READ },
	{ "progress", call_progress, CONFINE_TO_READ },
	{ "alarm", call_alarm, CONFINE_TO_READ },
	{ "writing and removing", call_writes, CONFINE_TO_WRITE },
};

START_TEST(confine_allowed_call_works)
{
	const struct allowed *a = &allowed[_i];

	for (int to = 0; to <= (int)a->to; to++) {
		const enum confine_to level = (enum confine_to)to;
		int status;

		make_files();
		status = in_child(confine_as, &level, a->call);
		ck_assert_msg(status == 0, "%s, list %d: status %#x", a->name,
			to, (unsigned int)status);
	}
}
END_TEST

static int call_abort(void)
{
	abort();
}

START_TEST(confine_abort_is_abort)
{
	const enum confine_to to = CONFINE_TO_READ;
	const int status = in_child(confine_as, &to, call_abort);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

/* Landlock alone. */
static int landlock_as(const void *path)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0
		       ? -errno
		       : confine_landlock(path);
}

static bool refused(int ret)
{
	return ret < 0 && errno == EACCES;
}

static int call_elsewhere(void)
{
	char name[TEST_PATH_MAX + 8];

	snprintf(name, sizeof(name), "%s.new", there.other);
	return refused(unlink(there.other)) &&
			       refused(open(there.other, O_RDONLY)) &&
			       refused(open(there.other, O_WRONLY)) &&
			       refused(open(name, O_WRONLY | O_CREAT, 0600)) &&
			       rename(there.path, name) < 0
		       ? 0
		       : -1;
}

static int call_here(void)
{
	char name[TEST_PATH_MAX + 8];
	int fd;

	snprintf(name, sizeof(name), "%s.new", there.path);
	if (!refused(open(there.path, O_RDONLY)) || !refused(mkdir(name, 0700)))
		return -1;
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return fd >= 0 && ftruncate(fd, 0) == 0 &&
			       rename(name, there.path) == 0 &&
			       unlink(there.path) == 0
		       ? 0
		       : -1;
}

static int call_nowhere(void)
{
	return refused(unlink(there.path)) && call_elsewhere() == 0 ? 0 : -1;
}

static const struct {
	int (*call)(void);
	bool with; /* a directory of its own */
} places[] = {
	{ call_elsewhere, true },
	{ call_here, true },
	{ call_nowhere, false },
};

START_TEST(confine_landlock_bounds_paths)
{
	const char *path;

	make_files();
	path = places[_i].with ? there.path : NULL;
	ck_assert_int_eq(in_child(landlock_as, path, places[_i].call), 0);
	ck_assert_int_eq(access(there.other, F_OK), 0);
}
END_TEST

static int call_nothing(void)
{
	return 0;
}

static bool has_landlock(void)
{
	return syscall(LANDLOCK_CREATE_RULESET, NULL, (size_t)0, 1) > 0;
}

START_TEST(confine_landlock_is_what_kernel_has)
{
	const int status = in_child(landlock_as, NULL, call_nothing);

	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(
		WEXITSTATUS(status), has_landlock() ? 0 : STATUS_NOT_CONFINED);
}
END_TEST

static Suite *confine_allowed_suite(void)
{
	Suite *suite = suite_create("confine_allowed");
	TCase *tc = tcase_create("confine_allowed");

	if (can_be_confined()) {
		tcase_add_loop_test(
			tc, confine_allowed_call_works, 0, TEST_COUNT(allowed));
		tcase_add_test(tc, confine_abort_is_abort);
	}
	if (has_landlock())
		tcase_add_loop_test(tc, confine_landlock_bounds_paths, 0,
			TEST_COUNT(places));
	else
		puts("left out: no Landlock here");
	tcase_add_test(tc, confine_landlock_is_what_kernel_has);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(confine_allowed_suite)

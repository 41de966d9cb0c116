/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share. A test program is a suite and
 *
 *	CHECK_MAIN(its_suite)
 *
 * It runs at the top of the tree (tests/data/ is looked for there). Every
 * test is a process of its own, so static storage is fresh in each. A
 * failed assertion ends that process where it stands, so files go below one
 * directory that the parent removes.
 *
 * Strings that these functions return live until the test ends.
 */
#ifndef CHECK_MAIN_H
#define CHECK_MAIN_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * For loops of many thousands: Check's own assertions report to the parent
 * each time they hold.
 */
#define TEST_ASSERT(expr)                                  \
	do {                                               \
		if (!(expr))                               \
			ck_abort_msg("not so: %s", #expr); \
	} while (0)

#define TEST_PATH_MAX 512

static char test_root[TEST_PATH_MAX / 4];

static inline int test_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* A new empty directory, gone when the program ends. */
static inline const char *test_dir(void)
{
	static char path[TEST_PATH_MAX / 2];

	snprintf(path, sizeof(path), "%s/XXXXXX", test_root);
	ck_assert_ptr_nonnull(mkdtemp(path));
	return path;
}

/* A new file of these bytes, in a directory of its own. */
static inline const char *test_file(
	const char *name, const void *bytes, size_t len)
{
	static char path[TEST_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", test_dir(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
	return path;
}

/* The path of a file below tests/data. */
static inline const char *test_data(const char *name)
{
	static char path[TEST_PATH_MAX];

	snprintf(path, sizeof(path), "tests/data/%s", name);
	return path;
}

/* The whole of a file and a NUL after it. The caller frees it. */
static inline char *test_load(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *bytes;

	ck_assert_msg(f != NULL, "cannot open %s: %s", path, strerror(errno));
	ck_assert_int_eq(fstat(fileno(f), &st), 0);
	bytes = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(bytes);
	*len = fread(bytes, 1, (size_t)st.st_size, f);
	ck_assert_uint_eq(*len, (size_t)st.st_size);
	bytes[*len] = '\0';
	fclose(f);
	return bytes;
}

/* Random numbers that are the same in every run (xorshift64*). */
static inline uint64_t test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

/*
 * Give up what it takes to open this machine's memory, so that no test can,
 * whatever it and the code that it tests do wrong. Also for what a test may
 * execute. Whether it is gone.
 */
static inline bool test_drop_capabilities(void)
{
	static const unsigned int unwanted[] = { CAP_SYS_RAWIO, CAP_SYS_ADMIN };
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) != 0)
		return false;
	for (size_t i = 0; i < TEST_COUNT(unwanted); i++) {
		const uint32_t bit = CAP_TO_MASK(unwanted[i]);
		struct __user_cap_data_struct *word =
			&data[CAP_TO_INDEX(unwanted[i])];

		/* First, since it takes a capability itself. */
		if (prctl(PR_CAPBSET_READ, unwanted[i], 0, 0, 0) == 1 &&
			prctl(PR_CAPBSET_DROP, unwanted[i], 0, 0, 0) != 0 &&
			getuid() == 0)
			return false;
		word->effective &= ~bit;
		word->permitted &= ~bit;
		word->inheritable &= ~bit;
	}
	return syscall(SYS_capset, &header, data) == 0;
}

static inline int test_main(Suite *(*make_suite)(void))
{
	const char *tmp = getenv("TMPDIR");
	SRunner *runner;
	int failed;

	if (!test_drop_capabilities()) {
		perror("cannot give up CAP_SYS_RAWIO and CAP_SYS_ADMIN");
		return 1;
	}
	snprintf(test_root, sizeof(test_root), "%s/avml-check-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(test_root)) {
		perror(test_root);
		return 1;
	}
	/* Sanitizers on a busy machine need more than Check's 4 s. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(test_root, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return failed > 0;
}

#define CHECK_MAIN(make_suite)                \
	int main(void)                        \
	{                                     \
		return test_main(make_suite); \
	}

#endif

/* SPDX-License-Identifier: MIT */
/* Paths and made-up files for tests that need many of them. */
#ifndef CHECK_PATHS_H
#define CHECK_PATHS_H

#include "check_main.h"

#include <stdarg.h>

#define TEST_TEXTS_MAX 256

static inline const char *test_text(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/* Text that lives until the test ends: reachable, so that it is no leak. */
static inline const char *test_text(const char *fmt, ...)
{
	static char *texts[TEST_TEXTS_MAX];
	static size_t count;
	va_list ap;

	ck_assert_uint_lt(count, TEST_TEXTS_MAX);
	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&texts[count], fmt, ap), 0);
	va_end(ap);
	return texts[count++];
}

/* The path of `name` in a new directory. */
static inline const char *test_path(const char *name)
{
	return test_text("%s/%s", test_dir(), name);
}

/* A file of these bytes at `path`, where nothing is yet. */
static inline void test_make_file(
	const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_msg(fd >= 0, "cannot create %s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Functions of libc that a test has in its own hands. It has
 *
 *	int WRAP(fsync)(int fd)
 *	{
 *		return sync_error ? -1 : REAL(fsync)(fd);
 *	}
 *
 * and the linker leads every call of fsync() there (--wrap, which the
 * Makefile asks for by the name), but those of shared libraries. No dynamic
 * linker is needed to find the real one, so that it is the same in a static
 * program; with a sanitizer the real one is the sanitizer's.
 */
#ifndef CHECK_WRAP_H
#define CHECK_WRAP_H

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define WRAP(name) __wrap_##name
#define REAL(name) __real_##name

/*
 * For what has to do with offsets or counts of 64 bits: glibc's headers give
 * such a function another name in the object file (_FILE_OFFSET_BITS). In
 * musl they have 64 bits always, and there is one name.
 */
#ifdef __GLIBC__
#define WRAP64(name) WRAP(name##64)
#define REAL64(name) REAL(name##64)
#else
#define WRAP64(name) WRAP(name)
#define REAL64(name) REAL(name)
#endif

/* The one that is called for `name` is what the header says of it. */
#define WRAPPED(name) __typeof__(name) WRAP(name), REAL(name)
#define WRAPPED64(name) __typeof__(name) WRAP64(name), REAL64(name)

WRAPPED(access);
WRAPPED(clock_gettime);
WRAPPED(close);
WRAPPED(fsync);
WRAPPED(geteuid);
WRAPPED(getenv);
WRAPPED(getrandom);
WRAPPED(isatty);
WRAPPED(malloc);
WRAPPED(mlock);
WRAPPED(munmap);
WRAPPED(prctl);
WRAPPED(pthread_create);
WRAPPED(reallocarray);
WRAPPED(sync_file_range);
WRAPPED(syscall);
WRAPPED(uname);
WRAPPED(writev);
WRAPPED64(fstatfs);
WRAPPED64(fstatvfs);
WRAPPED64(ftruncate);
WRAPPED64(mmap);
WRAPPED64(open);
WRAPPED64(posix_fadvise);
WRAPPED64(pread);
WRAPPED64(pwritev);
WRAPPED64(setrlimit);
WRAPPED64(statfs);
WRAPPED64(statvfs);

#endif

/* SPDX-License-Identifier: MIT */
/* A file that is nowhere but in memory, for code that wants a descriptor. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* One that holds these bytes; the same one for each input. */
static inline int memory_file(const void *bytes, size_t len)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	FUZZ_ASSERT(fd >= 0);
	FUZZ_ASSERT(ftruncate(fd, 0) == 0);
	FUZZ_ASSERT(pwrite(fd, bytes, len, 0) == (ssize_t)len);
	return fd;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * /proc/meminfo: how much memory there is, and how much of it must not be
 * touched. Lines are "Name:   NUMBER kB" (Linux's fs/proc/meminfo.c).
 */
#ifndef AVML_MEMINFO_H
#define AVML_MEMINFO_H

#include <stdint.h>

#include <avml/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In bytes; 0 for what the file does not name. */
struct avml_meminfo {
	uint64_t total;	     /* MemTotal */
	uint64_t free;	     /* MemFree: may well be zeros */
	uint64_t free_huge;  /* HugePages_Free, and so may these */
	uint64_t poisoned;   /* HardwareCorrupted */
	uint64_t unaccepted; /* Unaccepted: of a confidential guest */
};

/* 0, or -errno of reading the file, and all is 0. */
int avml_meminfo_read(
	const char *path, struct avml_meminfo *meminfo, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

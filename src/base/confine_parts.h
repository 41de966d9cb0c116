/* SPDX-License-Identifier: MIT */
/* The parts of confine(), for it and its tests. */
#ifndef BASE_CONFINE_PARTS_H
#define BASE_CONFINE_PARTS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/confine.h"

/*
 * The leak check of a sanitizer starts a process that traces this one, and
 * its reports open files, at the end of the run: none of that may be taken.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define CONFINE_SANITIZED true
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED false
#endif

/* Far below the kernel's limit (BPF_MAXINSNS, 4096). */
#define CONFINE_FILTER_MAX 600

/*
 * The program of a seccomp filter, into `code` of CONFINE_FILTER_MAX. What is
 * forbidden has the result `deny`. The number of instructions; 0 for a
 * processor whose system calls are not known here.
 */
size_t confine_filter(
	enum confine_to to, uint32_t deny, struct sock_filter *code);

/* Landlock, with the directory of `path` or none. 0 or -errno. */
int confine_landlock(const char *path);

#endif

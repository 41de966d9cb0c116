/* SPDX-License-Identifier: MIT */
/*
 * A process that parses hostile files gives up what it does not need, so that
 * who takes it over by a bug can do little with it: no new files, programs,
 * processes, connections or machine code, by seccomp; no directory but one, by
 * Landlock (Linux 5.13) where the kernel has it. It cannot gain privileges,
 * and others of its user can neither trace it nor read its memory.
 *
 * A forbidden system call ends the whole process by SIGSYS.
 *
 * Threads: it holds for the calling thread and those that it starts later.
 * There is no way back, so this is for a process that has one thing to do.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <avml/error.h>

/* What is still needed, from a wide list to a narrow one. */
enum confine_to {
	/* To open one destination, beside all of the next. */
	CONFINE_TO_OPEN,
	/* To write and cut back what is open, and to remove it by its name. */
	CONFINE_TO_WRITE,
	/* To read what is open and to print. */
	CONFINE_TO_READ,
};

/*
 * Confine to what `to` needs. `path` is a file: in its directory and below can
 * files be made, written and removed from now on; NULL: in none.
 *
 * What the kernel cannot do is left out, and all the rest is done. -errno with
 * a message for what is missing, which should be told and is no reason to
 * stop; 0 when all is there, or Landlock alone is not. With a sanitizer in the
 * program, new privileges are ruled out and nothing else is done.
 */
int confine(enum confine_to to, const char *path, struct avml_error *err);

/* After it: fewer system calls, in the same manner. */
int confine_further(enum confine_to to, struct avml_error *err);

#endif

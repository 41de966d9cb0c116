/* SPDX-License-Identifier: MIT */
/*
 * Many runs of one command line, of a program that is loaded once. To load
 * forty libraries and a sanitizer costs as much as all that a run does, and the
 * harness makes tens of thousands (server.py).
 */
#ifndef FAULT_SERVE_H
#define FAULT_SERVE_H

#include <stddef.h>

/*
 * Before main, while there is one thread: for each message on the socket, a
 * child, in which this returns. The message is the directory to be in, a NUL
 * and the faults, which go into `faults`, with the descriptors of stdin, stdout
 * and stderr; answers are the child's pid, and when it has ended its status as
 * wait(2) has it, each an int. The parent goes when the socket is closed.
 */
void serve(int socket, char *faults, size_t size);

#endif

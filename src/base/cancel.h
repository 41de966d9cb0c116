/* SPDX-License-Identifier: MIT */
/*
 * The one global of the library: how often the user asked it to stop.
 *
 * A signal handler calls cancel_request(); long loops and write loops look
 * at cancel_level(). Both are async-signal-safe and may be called from any
 * thread. Level 1 asks for a stop at the next good place, level 2 for one
 * at once.
 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

#include <avml/error.h>

void cancel_request(int signal_number);

/* 0: not asked, 1: asked once, 2: asked again. */
int cancel_level(void);

/* The first signal that asked, 0 when none did. */
int cancel_signal(void);

/* The error of work that stopped for it: -EINTR, with the signal's name. */
int cancel_error(struct avml_error *err);

#endif

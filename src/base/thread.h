/* SPDX-License-Identifier: MIT */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/*
 * Start a thread with a small stack, to which no signal is delivered: those
 * are for the thread that waits in a write, which they interrupt. 0, or an
 * errno; the caller joins it.
 */
int thread_start(pthread_t *id, void *(*run)(void *), void *arg);

#endif

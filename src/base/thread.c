/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>

/* Below this a thread of ours would not find room for its stack frames. */
#define STACK_SIZE (256u << 10)

int thread_start(pthread_t *id, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int ret = pthread_attr_init(&attr);

	if (ret != 0)
		return ret;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(id, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return ret;
}

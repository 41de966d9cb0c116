/* SPDX-License-Identifier: MIT */
#include "base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

/* Without a lock, so a signal handler may write what any thread reads. */
static atomic_int requests;
static atomic_int first_signal;

void cancel_request(int signal_number)
{
	if (requests == 0)
		first_signal = signal_number;
	if (requests < 2)
		requests++;
}

int cancel_level(void)
{
	return requests;
}

int cancel_signal(void)
{
	return first_signal;
}

int cancel_error(struct avml_error *err)
{
	const char *name = "a signal";

	if (first_signal == SIGINT)
		name = "SIGINT";
	else if (first_signal == SIGTERM)
		name = "SIGTERM";
	else if (first_signal == SIGHUP)
		name = "SIGHUP";
	return avml_error_set(err, EINTR, "stopped by %s", name);
}

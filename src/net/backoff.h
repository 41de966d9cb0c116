/* SPDX-License-Identifier: MIT */
/*
 * When something that failed is tried again: after a second, then two, up to a
 * minute, each less up to a half by chance, so that many hosts that fail at
 * the same time do not come back at the same time.
 *
 * Time is milliseconds of CLOCK_MONOTONIC. Threads: each has its own.
 */
#ifndef NET_BACKOFF_H
#define NET_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	unsigned int left;    /* how often it may be tried again */
	unsigned int tried;   /* again */
	uint64_t retry_ms;    /* after the first failure none begins later: */
	uint64_t deadline_ms; /* that is then; 0: nothing has failed yet */
	uint64_t chance;      /* state of a generator */
};

void backoff_init(
	struct backoff *backoff, unsigned int retries, unsigned int retry_s);

/*
 * After a failure: whether there is another attempt, and in how many
 * milliseconds: no fewer than `at_least_ms`, which the other side may have
 * asked for.
 */
bool backoff_next(struct backoff *backoff, uint64_t now_ms,
	uint64_t at_least_ms, uint64_t *wait_ms);

#endif

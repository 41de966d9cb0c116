/* SPDX-License-Identifier: MIT */
/*
 * So many bytes a second and no more: a bucket that fills at that rate, and
 * holds a tenth of a second's bytes.
 *
 * Time is milliseconds of CLOCK_MONOTONIC. Threads: it belongs to one.
 */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stddef.h>
#include <stdint.h>

struct rate {
	uint64_t per_second; /* bytes; 0: any number */
	uint64_t left;	     /* bytes in the bucket */
	uint64_t filled_ms;  /* when it was filled last */
};

void rate_init(struct rate *rate, uint64_t per_second, uint64_t now_ms);

/* How many of `wanted` may go now; they are taken. 0: none yet. */
size_t rate_take(struct rate *rate, size_t wanted, uint64_t now_ms);

/* What was taken and is not sent after all. */
void rate_give_back(struct rate *rate, size_t len);

/* In how many milliseconds it is worth asking again, 0: now. */
unsigned int rate_wait_ms(const struct rate *rate, uint64_t now_ms);

#endif

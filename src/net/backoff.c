/* SPDX-License-Identifier: MIT */
#include "net/backoff.h"

#include <time.h>
#include <unistd.h>

#define FIRST_MS 1000
#define MOST_MS 60000

/* Chance without a purpose to hide anything: splitmix64. */
static uint64_t draw(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

void backoff_init(
	struct backoff *backoff, unsigned int retries, unsigned int retry_s)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*backoff = (struct backoff){
		.left = retries,
		.retry_ms = (uint64_t)retry_s * 1000,
		.chance = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^
			  (uint64_t)getpid() << 16,
	};
}

/* What has been under way for hours has its time from when it failed. */
static void set_deadline(struct backoff *backoff, uint64_t now_ms)
{
	if (backoff->deadline_ms == 0 &&
		__builtin_add_overflow(
			now_ms, backoff->retry_ms, &backoff->deadline_ms))
		backoff->deadline_ms = UINT64_MAX;
}

bool backoff_next(struct backoff *backoff, uint64_t now_ms,
	uint64_t at_least_ms, uint64_t *wait_ms)
{
	uint64_t wait = FIRST_MS;

	set_deadline(backoff, now_ms);
	for (unsigned int i = 0; i < backoff->tried && wait < MOST_MS; i++)
		wait *= 2;
	if (wait > MOST_MS)
		wait = MOST_MS;
	wait -= draw(&backoff->chance) % (wait / 2 + 1);
	if (wait < at_least_ms)
		wait = at_least_ms;
	if (backoff->left == 0 || now_ms > backoff->deadline_ms ||
		wait > backoff->deadline_ms - now_ms)
		return false;
	backoff->left--;
	backoff->tried++;
	*wait_ms = wait;
	return true;
}

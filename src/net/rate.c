/* SPDX-License-Identifier: MIT */
#include "net/rate.h"

/* The bucket holds what flows in so much of a second. */
#define SHARE 10
/* Bytes: less is not worth waking up for. */
#define WORTH (16u << 10)

static uint64_t capacity(const struct rate *rate)
{
	const uint64_t share = rate->per_second / SHARE;

	return share > 0 ? share : 1;
}

static uint64_t worth(const struct rate *rate)
{
	const uint64_t most = capacity(rate);

	return most < WORTH ? most : WORTH;
}

void rate_init(struct rate *rate, uint64_t per_second, uint64_t now_ms)
{
	rate->per_second = per_second;
	rate->filled_ms = now_ms;
	rate->left = per_second > 0 ? capacity(rate) : 0;
}

/* What has flown in since; in less than a byte's time, nothing. */
static uint64_t flown(const struct rate *rate, uint64_t now_ms)
{
	const uint64_t ms =
		now_ms > rate->filled_ms ? now_ms - rate->filled_ms : 0;
	uint64_t bytes;

	if (__builtin_mul_overflow(rate->per_second, ms, &bytes))
		return UINT64_MAX;
	return bytes / 1000;
}

static uint64_t content(const struct rate *rate, uint64_t now_ms)
{
	uint64_t all;

	if (__builtin_add_overflow(rate->left, flown(rate, now_ms), &all) ||
		all > capacity(rate))
		return capacity(rate);
	return all;
}

size_t rate_take(struct rate *rate, size_t wanted, uint64_t now_ms)
{
	uint64_t have;
	size_t taken;

	if (rate->per_second == 0)
		return wanted;
	have = content(rate, now_ms);
	if (have < worth(rate) && have < wanted)
		return 0;
	/* Parts of a byte are kept by leaving the time as it is. */
	if (flown(rate, now_ms) > 0)
		rate->filled_ms = now_ms;
	taken = have < wanted ? (size_t)have : wanted;
	rate->left = have - taken;
	return taken;
}

void rate_give_back(struct rate *rate, size_t len)
{
	if (rate->per_second > 0)
		rate->left += len;
}

unsigned int rate_wait_ms(const struct rate *rate, uint64_t now_ms)
{
	const uint64_t have = content(rate, now_ms);
	uint64_t ms;

	if (rate->per_second == 0 || have >= worth(rate))
		return 0;
	ms = (worth(rate) - have) * 1000 / rate->per_second + 1;
	return ms < UINT32_MAX ? (unsigned int)ms : UINT32_MAX;
}

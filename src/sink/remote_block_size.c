/* SPDX-License-Identifier: MIT */
/* How large blocks are, and how many there are at a time. */
#include <errno.h>
#include <inttypes.h>

#include "sink/remote_blocks.h"

/* Of a stream's blocks, which are in memory, unless it was said. */
#define STREAM_MOST 4
#define STREAM_LEAST 2
#define STREAM_MEMORY (64 * MIB)
/*
 * Seconds: what waits behind others for that long is better not begun. Stores
 * end a request that is silent for some 20 s.
 */
#define RATE_S 5

static uint64_t too_much(uint64_t most, uint64_t limit, struct avml_error *err)
{
	avml_error_set(err, EFBIG,
		"%" PRIu64 " bytes are more than the %" PRIu64
		" that fit there",
		most, limit);
	return 0;
}

/* Largest of a block. */
static uint64_t size_limit(const struct block_dialect *dialect, bool stream)
{
	return stream && dialect->block_max > AVML_REMOTE_MEMORY_MAX
		       ? AVML_REMOTE_MEMORY_MAX
		       : dialect->block_max;
}

uint64_t blocks_room(const struct block_dialect *dialect, uint64_t size)
{
	uint64_t room;

	if (__builtin_mul_overflow(dialect->blocks_max, size, &room))
		room = UINT64_MAX;
	if (dialect->object_max > 0 && room > dialect->object_max)
		room = dialect->object_max;
	return room;
}

uint64_t blocks_size_for(const struct block_dialect *dialect, uint64_t most,
	uint64_t block_mib, bool stream, struct avml_error *err)
{
	const uint64_t largest = size_limit(dialect, stream);
	const uint64_t needed = most / dialect->blocks_max +
				(most % dialect->blocks_max > 0 ? 1 : 0);
	uint64_t size = dialect->block_min;

	if (size > largest || block_mib > largest / MIB) {
		avml_error_set(err, EINVAL,
			"blocks of %" PRIu64 " MiB are more than %" PRIu64
			" MiB, %s",
			size > largest ? size / MIB : block_mib, largest / MIB,
			largest < dialect->block_max
				? "which a stream's may have in memory"
				: "which the service takes");
		return 0;
	}
	if (block_mib * MIB > size)
		size = block_mib * MIB;
	if (needed > size)
		size = needed / MIB * MIB + (needed % MIB > 0 ? MIB : 0);
	if (size > largest)
		size = largest;
	/* A stream may turn out to be shorter than it could have been. */
	if (!stream && most > blocks_room(dialect, size))
		return too_much(most, blocks_room(dialect, size), err);
	return size;
}

/* One, and those that a rate gets rid of meanwhile. */
static unsigned int at_rate(uint64_t rate, uint64_t size, unsigned int count)
{
	uint64_t bytes;

	if (rate == 0 || size == 0 ||
		__builtin_mul_overflow(rate, RATE_S, &bytes) ||
		bytes / size >= count)
		return count;
	return 1 + (unsigned int)(bytes / size);
}

unsigned int blocks_at_once(
	const struct avml_remote *remote, uint64_t size, bool stream)
{
	unsigned int count = remote->concurrency;

	if (count == 0 && !stream)
		count = AVML_REMOTE_CONCURRENCY_MAX;
	if (count == 0)
		count = size > STREAM_MEMORY / STREAM_MOST ? STREAM_LEAST
							   : STREAM_MOST;
	if (count > AVML_REMOTE_CONCURRENCY_MAX)
		count = AVML_REMOTE_CONCURRENCY_MAX;
	count = at_rate(remote->rate, size, count);
	if (!stream || size == 0)
		return count;
	if (count > AVML_REMOTE_MEMORY_MAX / size)
		count = (unsigned int)(AVML_REMOTE_MEMORY_MAX / size);
	return count > 0 ? count : 1;
}

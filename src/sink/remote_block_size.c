/* SPDX-License-Identifier: MIT */
/* How large blocks are, and how many there are at a time. */
#include <errno.h>
#include <inttypes.h>

#include "sink/remote_blocks.h"

#define MIB ((uint64_t)1 << 20)
/* Of a stream's blocks, which are in memory, unless it was said. */
#define STREAM_MOST 4
#define STREAM_LEAST 2
#define STREAM_MEMORY (64 * MIB)

uint64_t blocks_size_for(const struct block_dialect *dialect, uint64_t most,
	uint64_t block_mib, bool stream, struct avml_error *err)
{
	uint64_t needed = most / dialect->blocks_max +
			  (most % dialect->blocks_max > 0 ? 1 : 0);
	uint64_t size = dialect->block_min;

	if (dialect->object_max > 0 && most > dialect->object_max) {
		avml_error_set(err, EFBIG,
			"%" PRIu64 " bytes are more than the %" PRIu64
			" that the service takes",
			most, dialect->object_max);
		return 0;
	}
	if (block_mib > dialect->block_max / MIB) {
		avml_error_set(err, EINVAL,
			"blocks of %" PRIu64 " MiB are more than the %" PRIu64
			" MiB that the service takes",
			block_mib, dialect->block_max / MIB);
		return 0;
	}
	if (block_mib * MIB > size)
		size = block_mib * MIB;
	if (needed > dialect->block_max) {
		avml_error_set(err, EFBIG,
			"%" PRIu64 " bytes are more than %" PRIu64
			" blocks of %" PRIu64 " MiB hold, which is what the "
			"service takes",
			most, dialect->blocks_max, dialect->block_max / MIB);
		return 0;
	}
	if (needed > size)
		size = (needed + MIB - 1) / MIB * MIB;
	if (stream && size > AVML_REMOTE_MEMORY_MAX) {
		avml_error_set(err, EFBIG,
			"blocks of %" PRIu64 " MiB would be needed, and of a "
			"stream they are held in memory: %u MiB at the most "
			"(acquire to a file and send that)",
			size / MIB, AVML_REMOTE_MEMORY_MAX >> 20);
		return 0;
	}
	return size;
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
	if (!stream || size == 0)
		return count;
	if (count > AVML_REMOTE_MEMORY_MAX / size)
		count = (unsigned int)(AVML_REMOTE_MEMORY_MAX / size);
	return count > 0 ? count : 1;
}

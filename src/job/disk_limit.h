/* SPDX-License-Identifier: MIT */
/*
 * Limits to what an image may take of a disk, checked before the first
 * byte is written.
 */
#ifndef JOB_DISK_LIMIT_H
#define JOB_DISK_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>

struct disk_limit {
	uint64_t max_mib;      /* of the image; 0: no limit */
	double max_percentage; /* of the file system in use; 0: no limit */
};

/* What an image of these ranges takes, in bytes, by AVML's reckoning. */
uint64_t disk_estimate(const struct avml_range_list *ranges);

/*
 * What an image of so many bytes of this host's memory takes at the very
 * least, in bytes: all but what may well be zeros, by the /proc/meminfo at
 * that path, as small as compression makes it. 0: that cannot be told.
 */
uint64_t disk_least(uint64_t memory, const char *meminfo_path);

/*
 * 0; -EDQUOT when a limit would be exceeded; or the error of looking. A
 * file that is at `destination` already does not count as used.
 */
int disk_limit_check(const char *destination, uint64_t estimate,
	const struct disk_limit *limit, struct avml_error *err);

/*
 * The limits as a number of bytes that may be written, for an image whose
 * size is not known beforehand: at least 1. 0; -EDQUOT when the disk is
 * that full already; or the error of looking.
 */
int disk_limit_bytes(const char *destination, const struct disk_limit *limit,
	uint64_t *max, struct avml_error *err);

/*
 * Bytes free at `destination` for a new or emptied file. False when that
 * cannot be told, as for a stream.
 */
bool disk_free(const char *destination, uint64_t *bytes);

/* Whether what is written there is kept in memory: tmpfs and ramfs. */
bool disk_is_memory(const char *destination);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The page cache of a host is evidence, and what fills it pushes other things
 * out: so what is written to a file gets to its disk on the way, and leaves
 * the cache, and so does what is read from an image.
 *
 * Threads: one at a time for each structure.
 */
#ifndef BASE_CACHED_H
#define BASE_CACHED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * That much of a file goes to the disk at once, in bytes; up to three times as
 * much can be in the cache: what is being written into it, what is on its way
 * to the disk, and the pages between. Where sync_file_range(2) does nothing,
 * it is as much as the disk is behind.
 */
#define CACHED_WINDOW (8u << 20)

/* What is in the cache of a file that is written or read from front to end. */
struct cached {
	uint64_t base;	/* where in the file that began */
	uint64_t gone;	/* offset up to which all has left the cache */
	uint64_t begun; /* and up to which it is on its way to the disk */
	bool plain;	/* the kernel or the file system cannot do it so */
};

static inline struct cached cached_from(uint64_t offset)
{
	return (struct cached){
		.base = offset,
		.gone = offset,
		.begun = offset,
	};
}

/*
 * The file has been written up to `offset`. 0, or the -errno with which the
 * disk refused what was given to it before: such an error is told once, so
 * that it must not be lost here.
 */
int cached_written(struct cached *c, int fd, uint64_t offset);

/* The file has been read up to `offset`. */
void cached_read(struct cached *c, int fd, uint64_t offset);

/* Nothing more comes, and what was written is on the disk: all is dropped. */
void cached_end(struct cached *c, int fd);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The SHA-256 of what a sink is given, in a thread beside it: hashing takes
 * about as long as writing, and neither waits for the other. Where there is no
 * thread to be had, it is done on the spot.
 *
 * A part that turns out to be cut off again does not count: the state at the
 * last mark is kept.
 *
 * Threads: the functions belong to the sink's thread.
 */
#ifndef SINK_HASHER_H
#define SINK_HASHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

struct hasher;

/* NULL, and the error, when the library cannot or memory is out. */
struct hasher *hasher_new(bool threaded, struct avml_error *err);
void hasher_free(struct hasher *hasher);

/*
 * The next `len` bytes; the next `len` zeros, of which very many are given up
 * at that level of the wish to stop: 0 or -EINTR.
 */
void hasher_add(struct hasher *hasher, const void *bytes, size_t len);
int hasher_zeros(struct hasher *hasher, uint64_t len, int stop_level,
	struct avml_error *err);

/* Up to here all is whole. */
void hasher_mark(struct hasher *hasher);

/*
 * The digest of all, or of all up to the last mark. False when the library
 * failed on the way. Nothing can be added any more.
 */
bool hasher_end(struct hasher *hasher, bool at_mark, char hex[DIGEST_HEX_SIZE]);

#endif

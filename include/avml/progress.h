/* SPDX-License-Identifier: MIT */
/*
 * How far a job is, for whoever wants to see it: an event of avml_snapshot(),
 * avml_convert(), avml_verify() and avml_upload().
 *
 * It is told in the caller's thread: before the first piece, after each of at
 * most 256 KiB of memory (a loss may be longer), and once more at the end, also
 * of a run that failed on the way. While nothing comes from a pipe, nothing is
 * told. Of an upload it is told while more is sent, and when all is. A listener
 * that waits holds the job up.
 */
#ifndef AVML_PROGRESS_H
#define AVML_PROGRESS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_progress {
	/*
	 * Bytes that are dealt with: of memory that is acquired; of the image
	 * that is converted, verified or sent. They never get fewer.
	 */
	uint64_t done_bytes;
	/*
	 * How many there are of them. 0: not known, as of an image in a pipe,
	 * or of one that is longer than it was when it was opened.
	 */
	uint64_t all_bytes;
	uint64_t written_bytes; /* of the new image, holes included */
	/*
	 * Bytes of memory that could not be read, that are lost while
	 * salvaging, or that a verification found to be damaged.
	 */
	uint64_t bad_bytes;
};

#ifdef __cplusplus
}
#endif

#endif

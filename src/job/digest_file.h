/* SPDX-License-Identifier: MIT */
/*
 * The file that holds an image's SHA-256, in the format that sha256sum -c
 * reads: IMAGE.sha256 beside a regular file, unless another name is given.
 *
 * An old one is emptied when the image is begun, so that it is not taken for
 * the new one's.
 */
#ifndef JOB_DIGEST_FILE_H
#define JOB_DIGEST_FILE_H

#include "job/output.h"

/*
 * Before anything is opened: whether the name can be the digest's. Of one that
 * is taken (no_clobber), read or the image's own, nothing good can come.
 */
int digest_file_check(
	const struct output_options *options, struct avml_error *err);

/*
 * Open it, as soon as the image is; `regular` is what that is. What goes wrong
 * is told, for the image is worth as much without it.
 */
void digest_file_open(struct digest_file *file,
	const struct output_options *options, bool regular);

/* Write it; NULL: there is no digest, and no file then. */
void digest_file_close(struct digest_file *file, const char *hex);
void digest_file_release(struct digest_file *file);

#endif

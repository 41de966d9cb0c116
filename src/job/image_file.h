/* SPDX-License-Identifier: MIT */
/* An image that is read: a file, or whatever stdin is. */
#ifndef JOB_IMAGE_FILE_H
#define JOB_IMAGE_FILE_H

#include <sys/stat.h>

#include "base/cached.h"
#include "format/image_reader.h"

struct image_file {
	const char *path;	  /* the caller's */
	struct image_input input; /* to read it by */
	int fd;
	bool seekable;	 /* a regular file: offsets can be gone to */
	uint64_t base;	 /* where the image begins in it */
	uint64_t offset; /* of the next byte in the image */
	struct cached cached;
	struct stat st;
};

/* Open `path`; "-" is stdin. 0 or a negative errno. */
int image_file_open(
	struct image_file *file, const char *path, struct avml_error *err);
void image_file_close(struct image_file *file);

/* Bytes of the image when it was opened; 0: that cannot be told. */
uint64_t image_file_size(const struct image_file *file);

#endif

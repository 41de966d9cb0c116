/* SPDX-License-Identifier: MIT */
/* A file sent, and what is told of it: for `upload`, and behind `acquire`. */
#ifndef CMD_UPLOAD_H
#define CMD_UPLOAD_H

#include <avml/upload.h>

#include "cmd/remote.h"

struct upload_file {
	const char *file;
	uint64_t len; /* bytes that it has to have; 0: any */
	const struct remote_args *to;
	bool remove;	      /* when it is confirmed */
	const char *progress; /* when */
	bool quiet;
};

/* See avml_upload(). */
int upload_file(const struct upload_file *upload,
	struct avml_upload_result *result, struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * --bundle and --root of an acquisition: the directory is made before memory
 * is read, and filled when the image is done, well or not.
 */
#ifndef CMD_BUNDLE_H
#define CMD_BUNDLE_H

#include <stdbool.h>

#include <avml/bundle.h>

#include "cmd/report.h"

struct bundle {
	const char *directory; /* --bundle; NULL: none is wanted */
	const char *root;      /* --root; NULL: / */
	bool force, quiet;
	char *proc, *dev; /* made of root */
	struct avml_bundle *open;
	bool stopped; /* by a signal, while it was collected: err says so */
	struct avml_error err;
	struct report *report; /* told of it too */
};

/*
 * Where `*proc` and `*dev` are NULL and a root is given, they become its own.
 * 0 or -ENOMEM: without the directory, the run goes on without a bundle.
 */
int bundle_begin(struct bundle *b, const char **proc, const char **dev,
	struct avml_error *err);

/* Tell that there will be none, as soon as there is a report. */
void bundle_warn(struct bundle *b);

/*
 * `image` is what became of it: 0 or -errno. After a signal there is no bundle.
 * What is told comes before the error of an image that failed, which is last.
 */
void bundle_collect(struct bundle *b, int image);

/*
 * The exit status: the image's, unless a signal ended the collecting, which
 * `err` then says.
 */
int bundle_end(struct bundle *b, int status, struct avml_error *err);

#endif

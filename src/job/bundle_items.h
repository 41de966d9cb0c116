/* SPDX-License-Identifier: MIT */
/* What belongs into a bundle, and where each is found. */
#ifndef JOB_BUNDLE_ITEMS_H
#define JOB_BUNDLE_ITEMS_H

#include <avml/bundle.h>

#include "job/bundle_copy.h"

#define BUNDLE_PLACES_MAX 3

enum bundle_dir { BUNDLE_ROOT, BUNDLE_PROC, BUNDLE_SYS, BUNDLE_DIRS };

struct bundle_item {
	const char *name;
	enum bundle_dir dir;
	/*
	 * Paths in it, in the order in which they are tried; a "*" stands for
	 * the kernel's release.
	 */
	const char *places[BUNDLE_PLACES_MAX];
	const char *note;	/* it is this note of the file */
	unsigned int max_mib;	/* far above what is to be expected */
	const char *no_address; /* the remark when every address is 0 */
	const char *stand_in;	/* so begins what has the name, and is not it */
};

extern const struct bundle_item bundle_items[AVML_BUNDLE_FILES];

/* Where to look; the release may be NULL. */
struct bundle_host {
	const char *dirs[BUNDLE_DIRS];
	const char *release;
};

/*
 * Open what an item is made of. The descriptor is in `source`, and its path in
 * `*path`, which is there on failure too, but for want of memory, and is the
 * caller's to free. -ENOENT when it is in none of its places.
 */
int bundle_item_open(const struct bundle_item *item,
	const struct bundle_host *host, char **path,
	struct bundle_source *source, struct avml_error *err);

/* Why the copy may be of no use, or NULL. */
const char *bundle_item_remark(
	const struct bundle_item *item, const struct bundle_copied *copied);

/* Whether a release can be part of a path, and of that alone. */
bool bundle_release_is_good(const char *release);

#endif

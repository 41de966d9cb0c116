/* SPDX-License-Identifier: MIT */
/*
 * The list of URLs that contrib/avml-part-urls makes on a machine that has the
 * key, for one upload to an object store by a host that has none. The script's
 * --help describes the file.
 */
#ifndef CMD_PART_LIST_H
#define CMD_PART_LIST_H

#include <avml/remote.h>

struct part_list {
	struct avml_remote_parts parts;
	char *to;   /* "s3://BUCKET/KEY", to be shown */
	char *text; /* the file; the parts' URLs are in it */
	size_t text_len;
	struct cJSON *json; /* all other strings are its */
};

/*
 * Read it from a file; "-" is stdin. 0 or -errno, and nothing to release.
 */
int part_list_read(
	const char *path, struct part_list *list, struct avml_error *err);

/* All of it is wiped. */
void part_list_release(struct part_list *list);

#endif

/* SPDX-License-Identifier: MIT */
/* Where an object of S3 is, in terms of HTTP. */
#ifndef NET_S3_PLACE_H
#define NET_S3_PLACE_H

#include <avml/remote.h>

struct s3_place {
	char *base;	  /* "https://host:port": the begin of any URL */
	const char *host; /* in it, as the header Host has it */
	char *path;	  /* "/key", "/bucket/key": not encoded */
};

/*
 * Of the destination "s3://BUCKET/KEY": 0; -EINVAL when that, the endpoint or
 * the credentials make no sense; -ENOMEM. Nothing is asked of the network.
 */
int s3_place_init(struct s3_place *place, const struct avml_remote *remote,
	struct avml_error *err);
void s3_place_release(struct s3_place *place);

/* Where none is named, the one that AWS's own tools take. */
const char *s3_region(const struct avml_remote_s3 *s3);

#endif

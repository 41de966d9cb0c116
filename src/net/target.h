/* SPDX-License-Identifier: MIT */
/*
 * Path and query of a request as an object store signs them: encoded once,
 * RFC 3986's unreserved characters alone as they are, parameters in order
 * (Amazon S3 API Reference, "Authenticating Requests: Using the Authorization
 * Header"). What is signed is what is sent, so that nothing in between may
 * encode it again, or resolve dots in it.
 */
#ifndef NET_TARGET_H
#define NET_TARGET_H

#include <stddef.h>

/* A parameter, or a header. */
struct pair {
	const char *name, *value;
};

#define TARGET_PARAMETERS_MAX 16

/*
 * "/path?name=value&name=value" of what is not encoded. `path` begins with a
 * slash; slashes in it stay. Parameters are sorted by name, then by value, as
 * encoded; without any there is no "?". The caller frees it; NULL when memory
 * is out, or with too many parameters.
 */
char *target_new(const char *path, const struct pair *query, size_t count);

#endif

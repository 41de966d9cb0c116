/* SPDX-License-Identifier: MIT */
/*
 * Signature Version 4 of AWS, in the manner of S3 ("Signature Calculations for
 * the Authorization Header: Transferring Payload in a Single Chunk" and
 * "Authenticating Requests: Using Query Parameters" in the Amazon S3 API
 * Reference), by OpenSSL's HMAC-SHA-256. Other services would have paths
 * encoded twice.
 *
 * What is derived from the secret is wiped when a function returns; the
 * credentials are the caller's.
 *
 * Threads: nothing is shared.
 */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include <time.h>

#include <avml/error.h>

#include "net/target.h"

/* In the place of a payload's SHA-256: it is not signed. */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define SIGV4_HEADERS_MAX 16
#define SIGV4_DATE_SIZE 17

struct sigv4_keys {
	const char *id, *secret;
	const char *token; /* of a session; NULL: none */
	const char *region, *service;
};

struct sigv4_request {
	const char *method;
	const char *host;   /* as in the header, with a port if it is there */
	const char *target; /* by target_new() */
	/*
	 * Headers to be signed beside host, x-amz-date, x-amz-security-token
	 * and, of the service "s3", x-amz-content-sha256: names in lower case,
	 * each once.
	 */
	const struct pair *headers;
	size_t header_count;
	const char *payload; /* SHA-256 in lower-case digits, or unsigned */
};

/* What goes with the request, beside the headers that were given. */
struct sigv4_signature {
	char date[SIGV4_DATE_SIZE]; /* x-amz-date */
	char *authorization;	    /* the caller frees it */
};

/*
 * Sign for the time `now`: services refuse what is some 15 minutes off, so each
 * attempt has a signature of its own. 0, or a negative errno and the error.
 */
int sigv4_sign(const struct sigv4_keys *keys,
	const struct sigv4_request *request, time_t now,
	struct sigv4_signature *signature, struct avml_error *err);

/* A request that whoever has its URL can make, for some time. */
struct sigv4_presign {
	const char *method;
	const char *host;
	const char *path; /* not encoded */
	const struct pair *query;
	size_t query_count; /* at most 10 */
	unsigned int expires_s;
};

/*
 * Path and query with a signature in it, of no payload and of no header but
 * host. The caller frees it. 0, or a negative errno and the error.
 */
int sigv4_presign(const struct sigv4_keys *keys,
	const struct sigv4_presign *what, time_t now, char **target,
	struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Checksums that go with a request, for the service to hold the bytes against:
 * MD5 (Content-MD5, RFC 1864) and SHA-256 (x-amz-checksum-sha256,
 * x-amz-content-sha256), by OpenSSL.
 *
 * A host whose OpenSSL has no MD5 (FIPS) can send all the same: the caller does
 * without it, and says so.
 *
 * Threads: a checksum belongs to one thread at a time.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>

#include <avml/error.h>

enum checksum_kind {
	CHECKSUM_MD5,
	CHECKSUM_SHA256,
};

/* Of any kind: the text, and the NUL behind it. */
#define CHECKSUM_BASE64_SIZE 45
#define CHECKSUM_HEX_SIZE 65

struct checksum;

/*
 * Of nothing yet. NULL, and the error: -ENOTSUP where this host's OpenSSL does
 * not have the kind, else -ENOMEM.
 */
struct checksum *checksum_new(enum checksum_kind kind, struct avml_error *err);
void checksum_free(struct checksum *sum);

/* Of nothing again, whatever came before. False when the library fails. */
bool checksum_reset(struct checksum *sum);

/* The next `len` bytes. False when the library fails. */
bool checksum_add(struct checksum *sum, const void *bytes, size_t len);

/*
 * Of all bytes added; then only checksum_reset() and checksum_free() make
 * sense. False when the library fails, and the text is "". MD5 has 24
 * characters of base64, SHA-256 44.
 */
bool checksum_end_base64(
	struct checksum *sum, char base64[CHECKSUM_BASE64_SIZE]);
bool checksum_end_hex(struct checksum *sum, char hex[CHECKSUM_HEX_SIZE]);

#endif

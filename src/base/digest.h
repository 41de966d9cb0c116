/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 (FIPS 180-4) of bytes that come one after the other, by a library:
 * digest_evp.c by OpenSSL, digest_mbedtls.c by Mbed TLS, which stands alone.
 *
 * Threads: a digest belongs to one thread at a time.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>

#include <avml/error.h>

/* In lower-case hexadecimal digits, and the NUL behind them. */
#define DIGEST_HEX_SIZE 65

struct digest;

/*
 * What the library does once, before the first digest: a process that confines
 * itself later could not do it then.
 */
void digest_init(void);

/* Of nothing yet. NULL, and the error, when the library cannot. */
struct digest *digest_new(struct avml_error *err);
void digest_free(struct digest *digest);

/* The next `len` bytes. 0, or -EIO when the library fails. */
int digest_add(struct digest *digest, const void *bytes, size_t len);

/* Make `to` the digest of the same bytes as `from`. 0 or -EIO. */
int digest_copy(struct digest *to, const struct digest *from);

/* Of all bytes added; more may follow a copy alone. 0 or -EIO. */
int digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE]);

#endif

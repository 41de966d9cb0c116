/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>

#include <mbedtls/sha256.h>

#include "base/hex.h"

#define SHA256_LEN 32
/* Of the length of one call, the library counts the lower 32 bits alone. */
#define PART_MAX ((size_t)1 << 30)

struct digest {
	mbedtls_sha256_context ctx;
};

void digest_init(void)
{
}

struct digest *digest_new(struct avml_error *err)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (d) {
		mbedtls_sha256_init(&d->ctx);
		if (mbedtls_sha256_starts_ret(&d->ctx, 0) == 0)
			return d;
	}
	digest_free(d);
	avml_error_set_errno(err, ENOMEM, "SHA-256");
	return NULL;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	mbedtls_sha256_free(&digest->ctx);
	free(digest);
}

int digest_add(struct digest *digest, const void *bytes, size_t len)
{
	const unsigned char *next = bytes;

	while (len > 0) {
		const size_t part = len < PART_MAX ? len : PART_MAX;

		if (mbedtls_sha256_update_ret(&digest->ctx, next, part) != 0)
			return -EIO;
		next += part;
		len -= part;
	}
	return 0;
}

int digest_copy(struct digest *to, const struct digest *from)
{
	mbedtls_sha256_clone(&to->ctx, &from->ctx);
	return 0;
}

int digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
	unsigned char bytes[SHA256_LEN];

	if (mbedtls_sha256_finish_ret(&digest->ctx, bytes) != 0)
		return -EIO;
	hex_text(bytes, sizeof(bytes), hex);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/hex.h"

struct digest {
	EVP_MD_CTX *ctx;
};

void digest_init(void)
{
	struct avml_error ignored;

	digest_free(digest_new(&ignored));
}

struct digest *digest_new(struct avml_error *err)
{
	struct digest *d = calloc(1, sizeof(*d));

	/* What this host has configured for OpenSSL is not to be trusted. */
	if (d && OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		d->ctx = EVP_MD_CTX_new();
	if (d && d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL))
		return d;
	digest_free(d);
	avml_error_set_errno(err, ENOMEM, "SHA-256");
	return NULL;
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->ctx);
	free(digest);
}

int digest_add(struct digest *digest, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(digest->ctx, bytes, len) ? 0 : -EIO;
}

int digest_copy(struct digest *to, const struct digest *from)
{
	return EVP_MD_CTX_copy_ex(to->ctx, from->ctx) ? 0 : -EIO;
}

int digest_end(struct digest *digest, char hex[DIGEST_HEX_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!EVP_DigestFinal_ex(digest->ctx, bytes, &len) ||
		2 * len + 1 != DIGEST_HEX_SIZE)
		return -EIO;
	hex_text(bytes, len, hex);
	return 0;
}

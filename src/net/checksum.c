/* SPDX-License-Identifier: MIT */
#include "net/checksum.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/hex.h"

struct checksum {
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct checksum *checksum_new(enum checksum_kind kind, struct avml_error *err)
{
	const bool is_md5 = kind == CHECKSUM_MD5;
	const char *name = is_md5 ? "MD5" : "SHA-256";
	struct checksum *sum = calloc(1, sizeof(*sum));

	/* What this host has configured for OpenSSL is not to be trusted. */
	if (sum && OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)) {
		sum->md = is_md5 ? EVP_md5() : EVP_sha256();
		sum->ctx = EVP_MD_CTX_new();
	}
	if (!sum || !sum->ctx) {
		checksum_free(sum);
		avml_error_set_errno(err, ENOMEM, "%s", name);
		return NULL;
	}
	if (checksum_reset(sum))
		return sum;
	checksum_free(sum);
	avml_error_set(err, ENOTSUP, "OpenSSL here has no %s%s", name,
		is_md5 ? " (FIPS?)" : "");
	return NULL;
}

void checksum_free(struct checksum *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->ctx);
	free(sum);
}

bool checksum_reset(struct checksum *sum)
{
	return EVP_DigestInit_ex(sum->ctx, sum->md, NULL) == 1;
}

bool checksum_add(struct checksum *sum, const void *bytes, size_t len)
{
	return EVP_DigestUpdate(sum->ctx, bytes, len) == 1;
}

/* 0 bytes when the library fails, or has more of them than a text can hold. */
static unsigned int end(
	struct checksum *sum, unsigned char bytes[EVP_MAX_MD_SIZE])
{
	unsigned int len = 0;

	if (EVP_DigestFinal_ex(sum->ctx, bytes, &len) != 1 ||
		2 * len + 1 > CHECKSUM_HEX_SIZE)
		return 0;
	return len;
}

bool checksum_end_base64(
	struct checksum *sum, char base64[CHECKSUM_BASE64_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	const unsigned int len = end(sum, bytes);

	base64[0] = '\0';
	/* Four characters for three bytes, with its own NUL. */
	return len > 0 &&
	       EVP_EncodeBlock((unsigned char *)base64, bytes, (int)len) > 0;
}

bool checksum_end_hex(struct checksum *sum, char hex[CHECKSUM_HEX_SIZE])
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	const unsigned int len = end(sum, bytes);

	hex_text(bytes, len, hex);
	return len > 0;
}

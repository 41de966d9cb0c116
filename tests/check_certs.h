/* SPDX-License-Identifier: MIT */
/* Certificates that are made for a test, right ones and wrong ones. */
#ifndef CHECK_CERTS_H
#define CHECK_CERTS_H

#include "check_main.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY 86400L

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

struct wish {
	const char *name;
	const char *alternatives; /* "IP:127.0.0.1"; NULL: none */
	bool authority;
	long from_s, until_s; /* from now on */
};

static inline void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(ext);
	ck_assert_int_eq(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/* By `issuer`; NULL: by itself. */
static inline struct identity identity_new(
	struct wish wish, const struct identity *issuer)
{
	static long serial = 1;
	struct identity id = { EVP_EC_gen("P-256"), X509_new() };
	X509_NAME *name;

	ck_assert(id.key && id.cert);
	X509_set_version(id.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), wish.from_s);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), wish.until_s);
	X509_set_pubkey(id.cert, id.key);
	name = X509_get_subject_name(id.cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)wish.name, -1, -1, 0);
	X509_set_issuer_name(
		id.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
	add_extension(id.cert, NID_basic_constraints,
		wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (wish.alternatives)
		add_extension(id.cert, NID_subject_alt_name, wish.alternatives);
	ck_assert_int_gt(
		X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()),
		0);
	return id;
}

static inline void identity_release(struct identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
}

/* As PEM, in a file of their own; a key may have a password. */
static inline char *identity_file_with(
	const struct identity *id, bool key, const char *password)
{
	const EVP_CIPHER *cipher = password ? EVP_aes_128_cbc() : NULL;
	char *path = strdup(test_file(key ? "key.pem" : "cert.pem", "", 0));
	FILE *f;

	ck_assert_ptr_nonnull(path);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(key ? PEM_write_PrivateKey(f, id->key, cipher, NULL, 0,
				       NULL, (void *)(uintptr_t)password)
			     : PEM_write_X509(f, id->cert),
		1);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

/* The path is the caller's. */
static inline char *identity_file(const struct identity *id, bool key)
{
	return identity_file_with(id, key, NULL);
}

/* "sha256//" and the base64 of the key's digest (RFC 7469, 2.4). */
static inline void identity_pin(const struct identity *id, char pin[64])
{
	unsigned char *der = NULL, sum[EVP_MAX_MD_SIZE];
	const int len = i2d_PUBKEY(id->key, &der);
	unsigned int sum_len;

	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(
		EVP_Digest(der, (size_t)len, sum, &sum_len, EVP_sha256(), NULL),
		1);
	OPENSSL_free(der);
	memcpy(pin, "sha256//", 8);
	EVP_EncodeBlock((unsigned char *)pin + 8, sum, (int)sum_len);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Requests of a block blob, as check_server.h's server has seen them. */
#ifndef CHECK_BLOB_H
#define CHECK_BLOB_H

#include "check_remote.h"

#include <openssl/evp.h>

#define BLOCK (5 * MIB)
#define ID_LEN 44
#define IDS_MAX 4
#define LIST_BEGIN "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>"
#define LIST_PATH "PUT /a/b?sig=" SECRET "%2B&comp=blocklist HTTP/1.1\r\n"
#define BLOCK_PATH "PUT /a/b?sig=" SECRET "%2B&comp=block&blockid="

/* As one of FIPS has it; and one that has no memory for it. */
static bool no_md5, no_memory;

enum digest_call {
	DIGEST_INIT,
	DIGEST_UPDATE,
	DIGEST_FINAL,
	DIGEST_CALLS,
};

/* Which call of it for an MD5 fails, from 1; 0: none. */
static unsigned int fails_at[DIGEST_CALLS], calls[DIGEST_CALLS];

/* The image's own digest is another matter. */
static inline bool is_md5(int size)
{
	return size == 16;
}

static inline bool fails_now(enum digest_call call, int size)
{
	return is_md5(size) && ++calls[call] == fails_at[call];
}

int WRAP(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine);
int REAL(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine);
int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
int REAL(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
int WRAP(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len);
int REAL(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len);
EVP_MD_CTX *WRAP(EVP_MD_CTX_new)(void);
EVP_MD_CTX *REAL(EVP_MD_CTX_new)(void);

int WRAP(EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *md, ENGINE *engine)
{
	const int size = EVP_MD_size(md);

	if ((no_md5 && is_md5(size)) || fails_now(DIGEST_INIT, size))
		return 0;
	return REAL(EVP_DigestInit_ex)(ctx, md, engine);
}

int WRAP(EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len)
{
	if (fails_now(DIGEST_UPDATE, EVP_MD_CTX_size(ctx)))
		return 0;
	return REAL(EVP_DigestUpdate)(ctx, bytes, len);
}

int WRAP(EVP_DigestFinal_ex)(
	EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len)
{
	if (fails_now(DIGEST_FINAL, EVP_MD_CTX_size(ctx)))
		return 0;
	return REAL(EVP_DigestFinal_ex)(ctx, md, len);
}

EVP_MD_CTX *WRAP(EVP_MD_CTX_new)(void)
{
	return no_memory ? NULL : REAL(EVP_MD_CTX_new)();
}

/* --- what the server saw -------------------------------------------------- */

/* Of a block's request, decoded: base64 has "+", "/" and "=" in it. */
static inline void block_id(const struct seen *seen, char id[ID_LEN + 1])
{
	const char *from = seen->head + strlen(BLOCK_PATH);
	unsigned int byte;
	size_t len = 0;

	expect_begin(seen, BLOCK_PATH);
	for (; *from != ' '; from++) {
		ck_assert_uint_lt(len, ID_LEN);
		id[len++] = *from;
		if (*from == '%') {
			ck_assert_int_eq(sscanf(from + 1, "%2x", &byte), 1);
			id[len - 1] = (char)byte;
			from += 2;
		}
		ck_assert_int_ne(*from, '+');
	}
	id[len] = '\0';
	ck_assert_uint_eq(len, ID_LEN);
}

/* The header is of these bytes. */
static inline void expect_md5(const struct seen *seen)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char line[80], base64[32];
	unsigned int len;

	ck_assert_int_eq(
		EVP_Digest(seen->body, seen->len, sum, &len, EVP_md5(), NULL),
		1);
	EVP_EncodeBlock((unsigned char *)base64, sum, (int)len);
	snprintf(line, sizeof(line), "\r\nContent-MD5: %s\r\n", base64);
	ck_assert_ptr_nonnull(seen_header(seen, line));
}

static inline void expect_head(const struct seen *seen)
{
	char line[64];

	ck_assert_ptr_nonnull(
		seen_header(seen, "\r\nx-ms-version: 2019-12-12\r\n"));
	snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", seen->len);
	ck_assert_ptr_nonnull(seen_header(seen, line));
	ck_assert(!seen->is_chunked);
	ck_assert_ptr_null(seen_header(seen, "\r\nExpect:"));
	if (no_md5 || remote.no_checksum)
		ck_assert_ptr_null(seen_header(seen, "\r\nContent-MD5:"));
	else
		expect_md5(seen);
}

static inline void expect_block(
	const struct seen *seen, size_t number, char id[ID_LEN + 1])
{
	const size_t at = number * BLOCK;

	expect_head(seen);
	expect_bytes(seen, image + at,
		image_len - at < BLOCK ? image_len - at : BLOCK);
	block_id(seen, id);
}

/* The ids of all blocks, in order and each only once. */
static inline void expect_list(
	const struct seen *seen, char ids[][ID_LEN + 1], size_t count)
{
	char list[1024] = LIST_BEGIN;

	expect_begin(seen, LIST_PATH);
	expect_head(seen);
	ck_assert_ptr_nonnull(seen_header(seen,
		"\r\nx-ms-blob-content-type: application/octet-stream\r\n"));
	for (size_t i = 0; i < count; i++) {
		for (size_t other = 0; other < i; other++)
			ck_assert_str_ne(ids[i], ids[other]);
		strcat(strcat(strcat(list, "<Latest>"), ids[i]), "</Latest>");
	}
	strcat(list, "</BlockList>");
	expect_bytes(seen, (const uint8_t *)list, strlen(list));
}

/* `count` blocks and their list, and nothing else. */
static inline void expect_blob(size_t count)
{
	char ids[IDS_MAX][ID_LEN + 1];

	ck_assert_uint_eq(server->seen_count, count + 1);
	for (size_t i = 0; i < count; i++)
		expect_block(&server->seen[i], i, ids[i]);
	expect_list(&server->seen[count], ids, count);
}

static inline void expect_no_list(void)
{
	for (size_t i = 0; i < server->seen_count; i++)
		ck_assert_ptr_null(strstr(server->seen[i].head, "blocklist"));
}

#endif

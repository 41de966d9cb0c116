/* SPDX-License-Identifier: MIT */
/*
 * An object of S3 by a multipart upload (Amazon S3 API Reference:
 * CreateMultipartUpload, UploadPart, CompleteMultipartUpload,
 * AbortMultipartUpload). The SHA-256 of each part is signed with it, so that
 * the store holds the bytes against it; of the checksums that S3 has beside
 * that, not every store knows.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "net/xml.h"
#include "sink/remote_s3.h"
#include "sink/remote_sink.h"

#define UPLOAD_ID_MAX 2048 /* bytes, and more than any has */

/* --- signatures ----------------------------------------------------------- */

static int add_header(
	struct curl_slist **list, const char *name, const char *value)
{
	CLEANUP_FREE char *line = NULL;

	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	return remote_add_header(list, line);
}

/* Anew for each attempt: a signature is good for minutes. */
static int sign(const struct s3 *s3, const char *method, const char *url,
	const char *payload, struct curl_slist **list, struct avml_error *err)
{
	const struct sigv4_request request = {
		.method = method,
		.host = s3->place.host,
		.target = url + strlen(s3->place.base),
		.payload = payload,
	};
	struct sigv4_signature signature = { .authorization = NULL };
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_REALTIME, &now);
	ret = sigv4_sign(&s3->keys, &request, now.tv_sec, &signature, err);
	if (ret < 0)
		return avml_error_wrap(err, "the request cannot be signed");
	ret = add_header(list, "x-amz-date", signature.date);
	if (ret == 0)
		ret = add_header(list, "x-amz-content-sha256", payload);
	if (ret == 0 && s3->keys.token)
		ret = add_header(list, "x-amz-security-token", s3->keys.token);
	if (ret == 0)
		ret = add_header(
			list, "Authorization", signature.authorization);
	free(signature.authorization);
	return ret;
}

int s3_headers(void *ctx, struct curl_slist **list, struct avml_error *err)
{
	const struct s3_request *r = ctx;
	const struct s3 *s3 = r->blocks->data;

	if (s3->parts)
		return 0;
	return sign(s3, r->method, r->url, r->payload, list, err);
}

/* "unsigned" where there is none, which S3 takes over https. */
static void payload_of(const char *base64, char payload[CHECKSUM_HEX_SIZE])
{
	unsigned char bytes[CHECKSUM_BASE64_SIZE];

	/* 44 characters are 33 bytes, of which the last is padding. */
	if (strlen(base64) == CHECKSUM_BASE64_SIZE - 1 &&
		EVP_DecodeBlock(bytes, (const unsigned char *)base64,
			CHECKSUM_BASE64_SIZE - 1) == 33)
		hex_text(bytes, 32, payload);
	else
		snprintf(payload, CHECKSUM_HEX_SIZE, "%s", SIGV4_UNSIGNED);
}

static int block_headers(
	void *ctx, struct curl_slist **list, struct avml_error *err)
{
	const struct block *block = ctx;
	const struct s3 *s3 = block->blocks->data;
	char payload[CHECKSUM_HEX_SIZE];

	/* That is no header that a URL would have to sign. */
	if (s3->parts)
		return block->checksum[0] ? add_header(list, "Content-MD5",
						    block->checksum)
					  : 0;
	payload_of(block->checksum, payload);
	return sign(s3, "PUT", block->url, payload, list, err);
}

/* Of a list that somebody made. */
static const char *given_url(const struct avml_remote_parts *parts,
	enum s3_what what, uint64_t number)
{
	switch (what) {
	case S3_BEGIN:
		break;
	case S3_PART:
		return parts->urls[number];
	case S3_COMPLETE:
		return parts->complete;
	case S3_ABORT:
		return parts->abort;
	case S3_OBJECT:
		return parts->head;
	}
	return NULL;
}

char *s3_url(const struct s3 *s3, enum s3_what what, uint64_t number)
{
	CLEANUP_FREE char *target = NULL;
	const char *given = NULL;
	char digits[24], *url = NULL;
	struct pair query[2];
	size_t count = 0;

	if (s3->parts) {
		given = given_url(s3->parts, what, number);
		return given ? strdup(given) : NULL;
	}
	/* Theirs begin with 1. */
	snprintf(digits, sizeof(digits), "%" PRIu64, number + 1);
	if (what == S3_PART)
		query[count++] = (struct pair){ "partNumber", digits };
	if (what == S3_BEGIN)
		query[count++] = (struct pair){ "uploads", "" };
	else if (what != S3_OBJECT)
		query[count++] = (struct pair){ "uploadId", s3->upload_id };
	target = target_new(s3->place.path, query, count);
	if (!target || asprintf(&url, "%s%s", s3->place.base, target) < 0)
		return NULL;
	return url;
}

/* --- requests ------------------------------------------------------------- */

static int s3_begin(struct blocks *b, struct avml_error *err)
{
	struct s3 *s3 = b->data;
	CLEANUP_FREE char *url = s3_url(s3, S3_BEGIN, 0);
	struct s3_request request = { b, "POST", url, S3_PAYLOAD_EMPTY };
	struct http_job job = {
		.method = "POST",
		.url = url,
		.what = "the begin of the upload",
		.headers = s3_headers,
		.headers_ctx = &request,
		.bound = true,
	};
	char id[UPLOAD_ID_MAX];
	int ret;

	if (!url)
		return avml_error_set_errno(err, ENOMEM, "%s", job.what);
	http_submit(b->http, &job);
	ret = http_wait_for(b->http, &job, b->base.stop_level, err);
	if (ret == 0 && (!xml_find(job.answer.text, job.answer.len, "UploadId",
				 id, sizeof(id)) ||
				!id[0]))
		ret = avml_error_set(err, EPROTO,
			"%s: the server answered, but began no upload",
			b->base.name);
	http_job_release(b->http, &job);
	if (ret < 0)
		return ret;
	s3->upload_id = strdup(id);
	return s3->upload_id
		       ? 0
		       : avml_error_set_errno(err, ENOMEM, "%s", job.what);
}

static int s3_block(struct block *block, struct avml_error *err)
{
	const struct s3 *s3 = block->blocks->data;

	block->url = s3_url(s3, S3_PART, block->number);
	if (!block->url)
		return avml_error_set_errno(err, ENOMEM, "%s", block->what);
	block->job.method = "PUT";
	block->job.headers = block_headers;
	block->job.headers_ctx = block;
	block->job.bound = !s3->parts;
	return 0;
}

/* What goes into the document as it is. */
static bool is_etag(const char *etag)
{
	if (!*etag)
		return false;
	for (; *etag; etag++) {
		if (*etag <= ' ' || *etag >= 0x7f || strchr("<>&", *etag))
			return false;
	}
	return true;
}

static int s3_taken(struct block *block, struct avml_error *err)
{
	struct s3 *s3 = block->blocks->data;
	const char *etag = block->job.answer.etag;

	if (!is_etag(etag))
		return avml_error_set(err, EPROTO,
			"%s: %s: the server answered without an ETag",
			block->blocks->base.name, block->what);
	s3->etags[block->number] = strdup(etag);
	return s3->etags[block->number]
		       ? 0
		       : avml_error_set_errno(err, ENOMEM, "%s", block->what);
}

static void s3_free_data(struct s3 *s3)
{
	s3_place_release(&s3->place);
	for (size_t i = 0; i < S3_PARTS_MAX; i++)
		free(s3->etags[i]);
	free(s3->upload_id);
	free(s3);
}

static void s3_free(void *data)
{
	s3_free_data(data);
}

static const struct block_dialect s3_dialect = {
	.checksum = CHECKSUM_SHA256,
	.block_min = 5 * MIB,
	.block_max = 5120 * MIB,
	.blocks_max = S3_PARTS_MAX,
	/* 5 TiB, which AWS has raised, but others have not. */
	.object_max = 5 * MIB * MIB,
	.begin = s3_begin,
	.block = s3_block,
	.taken = s3_taken,
	.commit = s3_commit,
	.abandon = s3_abandon,
	.confirm = s3_confirm,
	.free = s3_free,
};

int s3_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err)
{
	const struct avml_remote_s3 *given = remote->s3;
	struct s3 *s3 = calloc(1, sizeof(*s3));
	int ret;

	if (!s3)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	ret = s3_place_init(&s3->place, remote, err);
	if (ret < 0) {
		s3_free_data(s3);
		return ret;
	}
	s3->keys = (struct sigv4_keys){
		.id = given->key_id,
		.secret = given->secret,
		.token = given->token && *given->token ? given->token : NULL,
		.region = s3_region(given),
		.service = "s3",
	};
	return blocks_new(remote, &s3_dialect, s3, most, of_file, sink, err);
}

int s3_parts_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err)
{
	const struct avml_remote_parts *parts = remote->parts;
	struct s3 *s3 = calloc(1, sizeof(*s3));

	if (!s3)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	s3->parts = parts;
	s3->upload_id = strdup(parts->upload_id);
	if (!s3->upload_id) {
		s3_free_data(s3);
		return avml_error_set_errno(err, ENOMEM, "an upload");
	}
	s3->dialect = s3_dialect;
	s3->dialect.checksum = CHECKSUM_MD5;
	s3->dialect.block_min = s3->dialect.block_max = parts->part_size;
	s3->dialect.blocks_max = parts->count;
	s3->dialect.begin = NULL;
	if (most == 0)
		most = parts->count * parts->part_size;
	return blocks_new(remote, &s3->dialect, s3, most, of_file, sink, err);
}

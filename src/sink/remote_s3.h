/* SPDX-License-Identifier: MIT */
/* A multipart upload to S3: what its begin and its end have in common. */
#ifndef SINK_REMOTE_S3_H
#define SINK_REMOTE_S3_H

#include "net/s3_place.h"
#include "net/sigv4.h"
#include "sink/remote_blocks.h"

#define S3_PARTS_MAX 10000

struct s3 {
	/* NULL: there is a key, and all is signed by it. */
	const struct avml_remote_parts *parts;
	struct block_dialect dialect;
	struct s3_place place;
	struct sigv4_keys keys;
	char *upload_id; /* NULL: none is begun */
	char *etags[S3_PARTS_MAX];
};

/* What a request is signed with, beside its job. */
struct s3_request {
	struct blocks *blocks;
	const char *method, *url;
	char payload[CHECKSUM_HEX_SIZE]; /* SHA-256 */
};

#define S3_PAYLOAD_EMPTY                   \
	"e3b0c44298fc1c149afbf4c8996fb924" \
	"27ae41e4649b934ca495991b7852b855"

enum s3_what {
	S3_BEGIN,
	S3_PART,
	S3_COMPLETE,
	S3_ABORT,
	S3_OBJECT,
};

/* The caller frees it. NULL when memory is out, or there is none. */
char *s3_url(const struct s3 *s3, enum s3_what what, uint64_t number);

/* Of a job: `ctx` is a struct s3_request. */
int s3_headers(void *ctx, struct curl_slist **list, struct avml_error *err);

/* Of the dialect: see remote_blocks.h. */
int s3_commit(struct blocks *b, struct avml_error *err);
int s3_abandon(struct blocks *b, struct avml_error *err);
int s3_confirm(struct blocks *b, struct avml_error *err);

#endif

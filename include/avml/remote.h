/* SPDX-License-Identifier: MIT */
/*
 * Off the host: where an image goes over the network.
 *
 *   PUT   one HTTP request: WebDAV, a presigned URL, any collector
 *   BLOB  a block blob of Azure by a SAS URL: Put Block and Put Block List
 *         of its REST API, version 2019-12-12 (blocks of up to 4000 MiB)
 *   TCP   the bytes as they are; the receiver has to close as well
 *   TLS   the same inside of TLS
 *   S3    an object of S3 and its kind, with a key: a multipart upload with
 *         parts of up to 5 GiB (Amazon S3 API Reference), each signed with the
 *         SHA-256 of its bytes
 *   PARTS the same without a key, by URLs that somebody made who has one
 *         (contrib/avml-part-urls)
 *
 * A certificate is always verified. A request or a connection that fails for
 * a reason that may pass is made again: see `retries`. What was not confirmed
 * to its last byte is never success, and of a blob nothing is committed then.
 *
 * Secrets: a URL may hold some (query, user and password). No message and no
 * name has them; the caller keeps the strings, which must outlive the sink.
 *
 * Threads: a sink has one of its own for requests, to which no signal goes.
 * What is told is told in the caller's thread.
 */
#ifndef AVML_REMOTE_H
#define AVML_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum avml_remote_kind {
	AVML_REMOTE_PUT,
	AVML_REMOTE_BLOB,
	AVML_REMOTE_TCP,
	AVML_REMOTE_TLS,
	AVML_REMOTE_S3,
	AVML_REMOTE_PARTS,
};

/* Strings that may be NULL or "", where that says so. */
struct avml_remote_s3 {
	const char *endpoint; /* http or https, host, maybe a port; none: AWS */
	const char *region;   /* none: us-east-1 */
	const char *key_id, *secret;
	const char *token; /* of a session; none */
	bool path_style;   /* HOST/BUCKET; of addresses it is always */
};

/* Of one upload; the URLs are secrets. */
struct avml_remote_parts {
	const char *const *urls; /* of the parts, in order: PUT */
	size_t count;
	uint64_t part_size;	      /* bytes, whole MiB */
	const char *complete, *abort; /* POST, DELETE */
	const char *head;	      /* of the object; NULL: none */
	const char *upload_id;	      /* to be shown */
};

struct avml_remote {
	enum avml_remote_kind kind;
	/*
	 * URL; of TCP and TLS HOST:PORT, or [ADDRESS]:PORT; of S3
	 * s3://BUCKET/KEY, of which nothing is encoded, and of PARTS what is
	 * to be shown.
	 */
	const char *to;
	const struct avml_remote_s3 *s3;       /* of S3 alone */
	const struct avml_remote_parts *parts; /* of PARTS alone */
	/*
	 * PEM files. Whom to trust: NULL is the file that the environment's
	 * SSL_CERT_FILE names, or else the system's.
	 */
	const char *cacert;
	const char *cert, *key; /* to show when asked; NULL: none */
	const char *pin; /* "sha256//BASE64" of the peer's key, or several */
	unsigned int connect_s; /* seconds that a connection may take */
	unsigned int stall_s;	/* in which no byte may move, see below */
	unsigned int retries;	/* of a request, after the first time */
	unsigned int retry_s;	/* seconds after the first that failed */
	uint64_t rate;		/* bytes a second at the most; 0: any */
	/* Of blocks (BLOB, S3): MiB at the least, and how many at a time. */
	uint64_t block_mib; /* 0: the smallest */
	/* 0: of a file 10; of a stream 4, or what 64 MiB hold, but 2. */
	unsigned int concurrency;
	bool no_checksum; /* of each, where services do not take one */
	/*
	 * A line of text that is no error: that an attempt failed and another
	 * is made, that the image might not fit, that blocks go without the
	 * checksum that was wanted, or that nobody shows to have read the end.
	 * NULL: nobody listens.
	 */
	void *ctx;
	void (*notice)(void *ctx, const char *text);
};

/*
 * What is usual. An answer to a whole request may take five times as long as
 * bytes may not move.
 */
#define AVML_REMOTE_DEFAULTS                                                  \
	{                                                                     \
		.connect_s = 30, .stall_s = 60, .retries = 10, .retry_s = 900 \
	}

/* At most in flight, and in memory. */
#define AVML_REMOTE_CONCURRENCY_MAX 10
#define AVML_REMOTE_MEMORY_MAX (500u << 20)

/* What came of it; of a sink that is still there. */
struct avml_remote_counts {
	uint64_t sent_bytes; /* of the image, that the other side has */
	uint64_t blocks;     /* of them; 0: it has no blocks */
	uint64_t block_size; /* bytes */
	uint64_t retries;
};

/* Whether this build has network code at all. */
bool avml_remote_is_built(void);

/*
 * Whether `to` and the rest make sense, before anything is done: 0 or -errno,
 * with an error that names what is wrong.
 */
int avml_remote_check(const struct avml_remote *remote, struct avml_error *err);

/*
 * `to` as it may be shown: without query, user, password and fragment. Cut
 * short where `size` is too small; "" when it is no such thing.
 */
void avml_remote_name(
	const struct avml_remote *remote, char *name, size_t size);

#ifdef __cplusplus
}
#endif

#endif

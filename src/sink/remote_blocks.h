/* SPDX-License-Identifier: MIT */
/*
 * An object that is sent in blocks of one size, several at a time, and put
 * together by the service at the end: the engine, and what a service's dialect
 * has to say. To add one: a file with a struct block_dialect, and a kind in
 * avml/remote.h that remote_sink.c has it opened for.
 *
 * A stream's blocks are held in memory until the service has them; those of a
 * file are read from it, as often as need be.
 */
#ifndef SINK_REMOTE_BLOCKS_H
#define SINK_REMOTE_BLOCKS_H

#include "net/http.h"
#include "sink/sink_ops.h"

struct blocks;

struct block {
	struct blocks *blocks;
	uint64_t number; /* from 0 */
	uint64_t offset; /* in the object, bytes */
	uint64_t len;	 /* bytes */
	uint8_t *bytes;	 /* NULL: they are the file's */
	char md5[25];	 /* base64; "": could not be taken */
	char what[32];	 /* for messages */
	char *url;
	struct http_job job;
};

/* Of a service. Functions return 0 or -errno. */
struct block_dialect {
	const char *service;	       /* for messages */
	uint64_t block_min, block_max; /* bytes */
	uint64_t blocks_max;
	uint64_t object_max; /* bytes; 0: what the blocks hold */
	/* Before the first block; NULL: nothing is to be done. */
	int (*begin)(struct blocks *b, struct avml_error *err);
	/* Make `url` and the job's method and headers. */
	int (*block)(struct block *block, struct avml_error *err);
	/* The service has it; what it answered is still there. May be NULL. */
	int (*taken)(struct block *block, struct avml_error *err);
	/* Have it put together, and wait until that is confirmed. */
	int (*commit)(struct blocks *b, struct avml_error *err);
	/* After a failure: have it forgotten. May be NULL. */
	int (*abandon)(struct blocks *b, struct avml_error *err);
	void (*free)(struct blocks *b);
};

struct blocks {
	struct avml_sink base;
	const struct avml_remote *remote;
	const struct block_dialect *dialect;
	void *dialect_data;
	struct http *http;
	uint64_t block_size; /* bytes */
	uint64_t count;	     /* begun */
	uint64_t taken_bytes;
	unsigned int slot_count;
	struct block slots[AVML_REMOTE_CONCURRENCY_MAX];
	struct block *filling; /* NULL: none */
	int fd;		       /* of a file that is sent; -1: a stream */
};

/*
 * `most` is how long the object may get, `exact` whether that is its length.
 */
int blocks_new(const struct avml_remote *remote,
	const struct block_dialect *dialect, void *dialect_data, uint64_t most,
	bool exact, struct avml_sink **sink, struct avml_error *err);

/*
 * One request, and wait for its end: for a dialect's begin, commit and
 * abandon. `stop_level` as of a sink.
 */
int blocks_request(struct blocks *b, struct http_job *job, int stop_level,
	struct avml_error *err);

#endif

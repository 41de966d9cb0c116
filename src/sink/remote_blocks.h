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

#include "net/checksum.h"
#include "net/http.h"
#include "sink/remote_file.h"
#include "sink/sink_ops.h"

/* Of a library that took the first one. */
#define CHECKSUM_FAILED "OpenSSL fails to take it"
#define MIB ((uint64_t)1 << 20)

struct blocks;

struct block {
	struct blocks *blocks;
	uint64_t number; /* from 0 */
	uint64_t offset; /* in the object, bytes */
	uint64_t len;	 /* bytes */
	uint8_t *bytes;	 /* a mapping of a block's size; NULL: the file's */
	/* Of its bytes; "": could not be taken. */
	char checksum[CHECKSUM_BASE64_SIZE];
	char what[32]; /* for messages */
	char *url;     /* the dialect's; freed with the block */
	struct http_job job;
};

/* Of a service. Functions return 0 or -errno. */
struct block_dialect {
	enum checksum_kind checksum;   /* of a block */
	uint64_t block_min, block_max; /* bytes, whole MiB */
	uint64_t blocks_max;
	uint64_t object_max; /* bytes; 0: what the blocks hold */
	/* Before the first block; NULL: nothing is to be done. */
	int (*begin)(struct blocks *b, struct avml_error *err);
	/* Make `url`, and the job's method and headers. */
	int (*block)(struct block *block, struct avml_error *err);
	/* The service has it; what it answered is still there. May be NULL. */
	int (*taken)(struct block *block, struct avml_error *err);
	/*
	 * Have it put together, and wait until that is confirmed. A failure
	 * sets b->unsure, if so it is.
	 */
	int (*commit)(struct blocks *b, struct avml_error *err);
	/*
	 * After a failure: have it forgotten. It may take b->unsure back. May
	 * be NULL.
	 */
	int (*abandon)(struct blocks *b, struct avml_error *err);
	/* As of a sink; NULL: `to` is asked for. */
	int (*confirm)(struct blocks *b, struct avml_error *err);
	void (*free)(void *data);
};

struct blocks {
	struct avml_sink base;
	const struct avml_remote *remote;
	const struct block_dialect *dialect;
	void *data; /* the dialect's */
	struct http *http;
	struct checksum *checksum; /* NULL: blocks go without */
	bool begun;
	bool cut_off; /* a block was under way when all was given up */
	bool unsure;  /* it may have been put together: see struct http_job */
	bool stream;
	uint64_t block_size; /* bytes */
	uint64_t count;	     /* of blocks, begun */
	uint64_t taken_bytes;
	unsigned int slot_count;
	struct block slots[AVML_REMOTE_CONCURRENCY_MAX];
	struct block *filling; /* NULL: none */
	struct remote_file file;
};

/*
 * `most` is how long the object may get; of a file, its length. `data` goes
 * over to it, also on failure: dialect->free() is called.
 */
int blocks_new(const struct avml_remote *remote,
	const struct block_dialect *dialect, void *data, uint64_t most,
	bool of_file, struct avml_sink **sink, struct avml_error *err);

/* The service begins with the object, unless it has: 0 or -errno. */
int blocks_begin(struct blocks *b, struct avml_error *err);

/*
 * The next one, empty: one that was free, or is when another is taken; of a
 * file it is told meanwhile how far that is. NULL, and the error.
 */
struct block *blocks_next(struct blocks *b, const struct avml_sink_file *file,
	struct avml_error *err);

/* It is filled, or its place in the file is known: off with it. 0 or -errno. */
int blocks_submit(struct block *block, struct avml_error *err);

/* Until the service has all that was submitted. `file` may be NULL. */
int blocks_wait_for_all(struct blocks *b, const struct avml_sink_file *file,
	struct avml_error *err);

/*
 * The next bytes of the block that is filled, or of what is sent at the end,
 * go into its checksum.
 */
void blocks_checksum_add(struct blocks *b, const void *bytes, size_t len);

/*
 * The library refuses to take checksums: what follows goes without, which
 * b->checksum says too, and it is told. In the caller's thread, like the
 * above.
 */
void blocks_lose_checksum(struct blocks *b, const char *why);

/*
 * How large blocks are for `most` bytes: at least `block_mib`, and so that the
 * service has room for their number. Where a stream might get to be longer than
 * that, as large as can be. 0 and the error: there is no such size.
 */
uint64_t blocks_size_for(const struct block_dialect *dialect, uint64_t most,
	uint64_t block_mib, bool stream, struct avml_error *err);

/* How many bytes all of them hold. */
uint64_t blocks_room(const struct block_dialect *dialect, uint64_t size);

/* How many of that size are under way at a time: at least one. */
unsigned int blocks_at_once(
	const struct avml_remote *remote, uint64_t size, bool stream);

#endif

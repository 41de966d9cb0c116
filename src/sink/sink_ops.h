/* SPDX-License-Identifier: MIT */
/*
 * What a sink is made of. To add one: write its file, with a struct
 * sink_ops, and have avml_sink_open() choose it.
 */
#ifndef SINK_SINK_OPS_H
#define SINK_SINK_OPS_H

#include <avml/sink.h>

struct sink_ops {
	bool can_cut;
	/* As the public functions; the caller counts the position. */
	int (*write)(struct avml_sink *sink, const void *buf, size_t len,
		struct avml_error *err);
	int (*zeros)(
		struct avml_sink *sink, uint64_t len, struct avml_error *err);
	int (*finish)(struct avml_sink *sink, struct avml_error *err);
	int (*abort)(struct avml_sink *sink, struct avml_sink_left *left,
		struct avml_error *err);
	void (*free)(struct avml_sink *sink);
	/* Of remote ones, where they have it; NULL: not. */
	int (*send_file)(struct avml_sink *sink,
		const struct avml_sink_file *file, struct avml_error *err);
	int (*confirm)(struct avml_sink *sink, struct avml_error *err);
	void (*counts)(const struct avml_sink *sink,
		struct avml_remote_counts *counts);
};

/* A level of the wish to stop that it never gets to. */
#define SINK_STOP_NEVER 3

struct avml_sink {
	const struct sink_ops *ops;
	char *name;	   /* for messages */
	uint64_t position; /* bytes given */
	uint64_t mark;	   /* position up to which all is whole */
	uint64_t hole_bytes;
	unsigned int patience_ms; /* with a stream that takes nothing; 0: any */
	int stop_level;		  /* of the wish to stop, which ends a write */
	bool makes_holes;	  /* zeros need not be written */
	uint64_t max_bytes;	  /* that may be written; 0: any number */
	uint64_t taken;		  /* bytes that were, or will be, written */
	uint64_t min_free;	  /* bytes that stay free on a file's disk */
	uint64_t headroom;     /* bytes to write before looking at the disk */
	struct hasher *hasher; /* NULL: nobody wants a digest */
	bool torn;	       /* more may have gone out than was counted */
	char digest[AVML_SINK_DIGEST_SIZE]; /* at the end; "": none */
};

/* What open() found out about a destination. */
struct sink_target {
	const char *path; /* as the user gave it */
	int fd;		  /* to be taken over */
	bool created;	  /* by us: may be removed again */
	uint64_t base;	  /* file offset where the image begins */
};

/*
 * Each takes over the descriptor, also on failure (-ENOMEM).
 * sink_file_new() is for regular files that end at `base`.
 */
int sink_file_new(struct sink_target *target, bool sparse,
	struct avml_sink **sink, struct avml_error *err);
int sink_stream_new(struct sink_target *target, struct avml_sink **sink,
	struct avml_error *err);

/* Off the host: remote_sink.c, or no_remote.c. */
int sink_remote_new(const struct avml_sink_options *options,
	struct avml_sink **sink, struct avml_error *err);

/* Vectors that stand for up to `len` zeros; `*covered` says how many. */
struct iovec;
int sink_zero_vectors(
	struct iovec *iov, int max, uint64_t len, uint64_t *covered);

/*
 * Before the vectors are written to `fd`: whether min_free stays. 0 or
 * -errno.
 */
int sink_keep_free(struct avml_sink *sink, int fd, const struct iovec *iov,
	int count, struct avml_error *err);

/* fsync(), where the kind of file has it. 0 or -errno. */
int sink_sync(int fd);

#endif

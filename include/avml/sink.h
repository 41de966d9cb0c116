/* SPDX-License-Identifier: MIT */
/*
 * Where an image goes. Bytes once given to a sink are final: they are
 * neither read back nor changed.
 *
 * A regular file gets holes for runs of zeros of 64 KiB and more. When a
 * run fails it is cut back to what was marked as whole, or removed if this
 * run created it and nothing was whole. A stream (pipe, descriptor,
 * device) gets every byte, and cannot be cut.
 *
 * Errors name the destination. Threads: a sink belongs to one thread.
 */
#ifndef AVML_SINK_H
#define AVML_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <avml/error.h>
#include <avml/remote.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_sink;

/* A file that must not be written over: it is read, or written as well. */
struct avml_sink_input {
	const char *path;
	dev_t dev;
	ino_t ino;
	bool written;
};

/*
 * What is at a path, or behind a descriptor's name as below: false when there
 * is nothing. `written` stays the caller's.
 */
bool avml_sink_input_look(const char *path, struct avml_sink_input *input);

struct avml_sink_options {
	const char *what;   /* is written, for messages; NULL: "image" */
	bool no_sparse;	    /* write zeros, make no holes */
	bool no_clobber;    /* an existing file is an error */
	uint64_t max_bytes; /* that may be written, holes not counted; 0: any */
	uint64_t min_free_mib; /* that stay free on a file's disk; 0: any */
	bool digest;	       /* take the SHA-256 of what is given, */
	bool digest_inline;    /* in the caller's thread */
	/*
	 * A file is written even when the run was asked to stop: it tells how
	 * that went.
	 */
	bool to_the_end;
	/* A stream that takes nothing for so long has failed; 0: it waits. */
	unsigned int patience_ms;
	const struct avml_sink_input *inputs;
	size_t input_count;
	/*
	 * Off the host: the destination is only how messages call it. It must
	 * outlive the sink.
	 */
	const struct avml_remote *remote;
	uint64_t most; /* bytes that it may get to be; 0: not known */
	bool of_file;  /* avml_sink_send_file() follows, and nothing else */
};

/* What a failed run leaves behind. */
struct avml_sink_left {
	bool cut; /* what is there is whole; false: a stream */
	/* Off the host: the other side was told, or sees, to keep nothing. */
	bool dropped;
	/*
	 * Off the host: all of it was sent, no answer came, and whether it is
	 * there nobody knows.
	 */
	bool unknown;
	bool removed; /* nothing is there any more */
	bool unsure;  /* the disk did not confirm what is there */
	uint64_t len; /* bytes there */
};

/*
 * Open a destination: a path, or a descriptor under the names "-",
 * "/dev/stdout", "/dev/fd/N" and "/proc/self/fd/N". A file is created with
 * mode 0600, and an existing one emptied and given that mode; one that is
 * another user's or has other names makes way for a new one. A symbolic
 * link is not followed; a directory, a disk (but one that came open), a
 * terminal (for an image), devices that keep nothing safe, the file that
 * messages go to and one of `inputs` are refused. On failure nothing has been
 * created or changed.
 */
int avml_sink_open(const char *destination,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err);

/* Which descriptor `destination` names as above, or -1: it is a path. */
int avml_sink_descriptor(const char *destination);

/* The next `len` bytes; the next `len` zeros. */
int avml_sink_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err);
int avml_sink_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err);

/* A regular file, sent as it is. */
struct avml_sink_file {
	const char *path; /* for messages */
	int fd;		  /* open for reading; the caller closes it */
	uint64_t len;	  /* bytes */
	void *ctx;
	/* Bytes that the other side has taken; they may get fewer again. */
	void (*progress)(void *ctx, uint64_t sent);
};

/*
 * All of it, to a sink that was opened for that. Memory is not used for it,
 * and a part that fails is read anew. A file that changes meanwhile is an
 * error.
 */
int avml_sink_send_file(struct avml_sink *sink,
	const struct avml_sink_file *file, struct avml_error *err);

/*
 * After finish(): whether what is there has the length that was sent. 0 too
 * where the other side does not tell; that nothing is there is an error.
 */
int avml_sink_confirm(struct avml_sink *sink, struct avml_error *err);

/* False: it has none. */
bool avml_sink_remote_counts(
	const struct avml_sink *sink, struct avml_remote_counts *counts);

/* All that was given so far is whole: a cut does not go behind it. */
void avml_sink_mark(struct avml_sink *sink);

/*
 * The end of a run that went well: everything is on its way to the disk
 * and closed, or an error says that it is not, and abort() is due.
 */
int avml_sink_finish(struct avml_sink *sink, struct avml_error *err);

/*
 * The end of one that did not: cut back, and close. An error here says
 * that even this failed; `left` is filled all the same.
 */
int avml_sink_abort(struct avml_sink *sink, struct avml_sink_left *left,
	struct avml_error *err);

/* Either of the two above comes first. */
void avml_sink_free(struct avml_sink *sink);

/* Whether abort() leaves whole records: streams end where they end. */
bool avml_sink_can_cut(const struct avml_sink *sink);

/* Whether zeros() makes holes; else it writes zeros. */
bool avml_sink_makes_holes(const struct avml_sink *sink);

/*
 * After finish() or abort(): the SHA-256 of what the destination then holds
 * of this run, or may hold (`unknown`), in lower-case hexadecimal digits. NULL
 * when it was not wanted, when nothing is there any more (`removed`,
 * `dropped`), and when what is there cannot be told: of a stream that failed
 * within a write, or of a file that could not be cut.
 */
#define AVML_SINK_DIGEST_SIZE 65
const char *avml_sink_digest(const struct avml_sink *sink);

/* Whether one is being taken. */
bool avml_sink_hashes(const struct avml_sink *sink);

/* Bytes given so far, and how many of them became holes. */
uint64_t avml_sink_position(const struct avml_sink *sink);
uint64_t avml_sink_hole_bytes(const struct avml_sink *sink);

#ifdef __cplusplus
}
#endif

#endif

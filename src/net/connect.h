/* SPDX-License-Identifier: MIT */
/*
 * A connection for bytes as they are, plain or inside of TLS, by libcurl: its
 * names, addresses of both families, certificates and pins.
 *
 * Waiting ends at `stop_level` of the wish to stop (-EINTR). Errors name what
 * happened, not to whom. Threads: a connection belongs to one. SIGPIPE has to
 * be ignored: OpenSSL writes to the socket as to a file.
 */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <avml/remote.h>

struct connection;

/*
 * Connect, again and again as `remote` says where that may help, which is told
 * to it. 0 or -errno.
 */
int connection_open(const struct avml_remote *remote, int stop_level,
	struct connection **connection, struct avml_error *err);

/* All of it, no faster than `remote` says. 0 or -errno. */
int connection_write(struct connection *c, const void *buf, size_t len,
	int stop_level, struct avml_error *err);

/*
 * Nothing follows, and the other side has all: it closes too, for TLS by saying
 * so. Where it closes before it has all, without a word, or does not close a
 * connection without TLS, its system has acknowledged every byte in the end,
 * and `*unsure` is set. 0 or -errno. Nothing can be written after it.
 */
int connection_end(struct connection *c, int stop_level, bool *unsure,
	struct avml_error *err);

/* How often it was tried again. */
unsigned int connection_retries(const struct connection *c);

/* In whatever state it is. NULL is fine. */
void connection_free(struct connection *c);

#endif

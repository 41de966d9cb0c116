/* SPDX-License-Identifier: MIT */
/* A receiver inside of TLS, in a thread of the test, and what is sent to it. */
#ifndef CHECK_TLS_H
#define CHECK_TLS_H

#include "net/connect.h"

#include "check_certs.h"
#include "check_server.h"

#include <signal.h>
#include <time.h>

#include <openssl/ssl.h>

#include "net/trust.h"

#define MIB (1u << 20)
/* More than lies between two sockets. */
#define LONG_LEN (8 * MIB)
#define HERE "IP:127.0.0.1,DNS:localhost"

static uint8_t *bytes; /* what is sent: LONG_LEN */
static struct avml_remote remote = AVML_REMOTE_DEFAULTS;
static struct avml_error err = AVML_ERROR_INIT;
static struct connection *connection;
static char to[64], text[AVML_ERROR_TEXT], notices[1024];

static struct identity authority, other, own, client;

static inline void on_notice(void *ctx, const char *notice)
{
	(void)ctx;
	strncat(notices, notice, sizeof(notices) - strlen(notices) - 1);
}

/* --- the receiver --------------------------------------------------------- */

struct receiver {
	void (*treat)(struct receiver *r, SSL *ssl);
	SSL_CTX *ctx;
	int listener, over;
	unsigned int port;
	pthread_t thread;
	uint8_t *got;
	size_t len;
	bool shook_hands, saw_client;
};

static inline void take(struct receiver *r, SSL *ssl, size_t most)
{
	int got = 1;

	while (r->len < most && got > 0) {
		got = SSL_read(ssl, r->got + r->len, 65536);
		if (got > 0)
			r->len += (size_t)got;
	}
}

static inline void serve(struct receiver *r, int fd)
{
	SSL *ssl = SSL_new(r->ctx);
	X509 *peer;

	if (!ssl)
		return;
	if (SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
		r->shook_hands = true;
		peer = SSL_get1_peer_certificate(ssl);
		r->saw_client = peer;
		X509_free(peer);
		r->treat(r, ssl);
	}
	SSL_free(ssl);
}

static inline void *receiver_thread(void *arg)
{
	struct receiver *r = arg;
	int fd;

	while (server_wait(r->listener, r->over)) {
		fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		serve(r, fd);
		close(fd);
	}
	return NULL;
}

/* All of it, and says that it has the end. */
static inline void takes_all(struct receiver *r, SSL *ssl)
{
	take(r, ssl, LONG_LEN + 1);
	SSL_shutdown(ssl);
}

/* Its system tells alone. */
static inline void closes_without_a_word(struct receiver *r, SSL *ssl)
{
	take(r, ssl, LONG_LEN + 1);
	SSL_set_quiet_shutdown(ssl, 1);
}

/* It says that nothing follows, which is for both ways, and reads. */
static inline void says_so_early(struct receiver *r, SSL *ssl)
{
	SSL_shutdown(ssl);
	take(r, ssl, LONG_LEN + 1);
}

static inline void talks(struct receiver *r, SSL *ssl)
{
	static const char word[] = "ready\n";

	SSL_write(ssl, word, sizeof(word));
	take(r, ssl, LONG_LEN + 1);
	SSL_write(ssl, word, sizeof(word));
	SSL_shutdown(ssl);
}

static inline void never_closes(struct receiver *r, SSL *ssl)
{
	take(r, ssl, LONG_LEN + 1);
	(void)server_wait(r->over, r->over);
}

static inline void goes_away(struct receiver *r, SSL *ssl)
{
	take(r, ssl, 1000);
	SSL_set_quiet_shutdown(ssl, 1);
}

/* It says that it has the end, of what it has not read. */
static inline void says_so_unread(struct receiver *r, SSL *ssl)
{
	const struct timespec moment = { .tv_nsec = 500000000 };

	(void)server_wait(SSL_get_fd(ssl), r->over);
	nanosleep(&moment, NULL);
	SSL_shutdown(ssl);
	(void)server_wait(r->over, r->over);
}

/* It has all, and is reset before it can say so. */
static inline void resets_at_the_end(struct receiver *r, SSL *ssl)
{
	const struct linger at_once = { .l_onoff = 1 };

	take(r, ssl, LONG_LEN + 1);
	SSL_set_quiet_shutdown(ssl, 1);
	setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &at_once,
		sizeof(at_once));
}

/* --- both ----------------------------------------------------------------- */

static inline void make_identities(void)
{
	const struct wish ca = { "Test CA", NULL, true, -DAY, DAY };
	const struct wish theirs = { "Other CA", NULL, true, -DAY, DAY };
	const struct wish here = { "host", HERE, false, -DAY, DAY };
	const struct wish us = { "sender", NULL, false, -DAY, DAY };

	ck_assert_int_eq(trust_init(&err), 0);
	authority = identity_new(ca, NULL);
	other = identity_new(theirs, NULL);
	own = identity_new(here, &authority);
	client = identity_new(us, &authority);
}

/* A receiver that shows this; it is not running yet. */
static inline struct receiver receiver_new(
	void (*treat)(struct receiver *, SSL *), const struct identity *id)
{
	struct receiver r = { .treat = treat };

	/* As main() does. */
	signal(SIGPIPE, SIG_IGN);
	r.ctx = SSL_CTX_new(TLS_server_method());
	ck_assert_ptr_nonnull(r.ctx);
	ck_assert_int_eq(SSL_CTX_use_certificate(r.ctx, id->cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(r.ctx, id->key), 1);
	r.listener = server_listen(&r.port);
	r.over = eventfd(0, EFD_CLOEXEC);
	r.got = malloc(LONG_LEN + 65536);
	bytes = malloc(LONG_LEN);
	ck_assert(r.got && bytes && r.over >= 0);
	for (size_t i = 0; i < LONG_LEN; i++)
		bytes[i] = (uint8_t)(i % 251);
	snprintf(to, sizeof(to), "127.0.0.1:%u", r.port);
	remote.kind = AVML_REMOTE_TLS;
	remote.to = to;
	remote.notice = on_notice;
	remote.retries = 0;
	remote.cacert = identity_file(&authority, false);
	return r;
}

/* It wants to be shown a certificate of this one's. */
static inline void want_client(
	struct receiver *r, const struct identity *issuer)
{
	X509_STORE *store = SSL_CTX_get_cert_store(r->ctx);

	ck_assert_int_eq(X509_STORE_add_cert(store, issuer->cert), 1);
	SSL_CTX_set_verify(r->ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

/* The thread has `r` from here on. */
static inline int connect_to(struct receiver *r)
{
	ck_assert_int_eq(
		pthread_create(&r->thread, NULL, receiver_thread, r), 0);
	return connection_open(&remote, 1, &connection, &err);
}

/* Write, end, free: 0 or the first failure. */
static inline int send_all(size_t len, bool *unsure)
{
	int ret = connection_write(connection, bytes, len, 1, &err);

	if (ret == 0)
		ret = connection_end(connection, 1, unsure, &err);
	connection_free(connection);
	return ret;
}

static inline void receiver_stop(struct receiver *r)
{
	avml_error_join(&err, text, sizeof(text));
	ck_assert_int_eq(eventfd_write(r->over, 1), 0);
	ck_assert_int_eq(pthread_join(r->thread, NULL), 0);
	close(r->over);
	close(r->listener);
	SSL_CTX_free(r->ctx);
}

static inline void release(struct receiver *r)
{
	free(r->got);
	free(bytes);
	free((char *)(uintptr_t)remote.cacert);
	free((char *)(uintptr_t)remote.cert);
	free((char *)(uintptr_t)remote.key);
	identity_release(&authority);
	identity_release(&other);
	identity_release(&own);
	identity_release(&client);
}

static inline void expect_arrival(
	struct receiver *r, size_t len, bool wanted_unsure)
{
	bool unsure = !wanted_unsure;

	ck_assert_msg(connect_to(r) == 0, "%s", err.text);
	ck_assert_msg(send_all(len, &unsure) == 0, "%s", err.text);
	ck_assert_int_eq(unsure, wanted_unsure);
	receiver_stop(r);
	ck_assert_uint_eq(r->len, len);
	ck_assert(len == 0 || memcmp(r->got, bytes, len) == 0);
	ck_assert_str_eq(notices, "");
}

#endif

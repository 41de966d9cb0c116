/* SPDX-License-Identifier: MIT */
/* A connection that is there: what goes out, and how it ends. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/connect_parts.h"
#include "net/http_parts.h"

/* So long after all is acknowledged, who has not closed will not. */
#define CLOSE_MS 5000
/* Between two looks at whether bytes move. */
#define MOVE_LOOK_MS 500
/* Of what a receiver says, which is of no interest, but may have no end. */
#define READS_MAX 64
/* Between two looks at what nobody wakes us for. */
#define SHORT_MS 10

/* No more than the rate allows; waits until it does. Bytes, or -EINTR. */
static ssize_t allowed(struct connection *c, size_t len, int stop_level,
	struct avml_error *err)
{
	for (;;) {
		const uint64_t now = http_now_ms();
		const size_t part = rate_take(&c->rate, len, now);
		int ret;

		if (part > 0)
			return (ssize_t)part;
		ret = connection_wait(
			c, 0, rate_wait_ms(&c->rate, now) + 1, stop_level, err);
		if (ret < 0)
			return ret;
	}
}

/* What is there to be read: a refusal, perhaps. */
static int take_answer(struct connection *c, struct avml_error *err)
{
	char bytes[512];
	size_t got = 0;
	const CURLcode code =
		curl_easy_recv(c->easy, bytes, sizeof(bytes), &got);

	if (code == CURLE_OK || code == CURLE_AGAIN)
		return 0;
	return avml_error_set(err, ECONNRESET, "the receiver has gone away: %s",
		connection_reason(c, code));
}

/* Until there is room, in all of this. */
static int wait_for_room(
	struct connection *c, int stop_level, struct avml_error *err)
{
	const unsigned int stall_s = c->remote->stall_s;
	const uint64_t ms = (uint64_t)stall_s * 1000;
	int ret = connection_wait(c, POLLOUT, ms, stop_level, err);

	if (ret != 0)
		return ret < 0 ? ret : 0;
	return avml_error_set(
		err, ETIMEDOUT, "the receiver took no byte for %u s", stall_s);
}

int connection_write(struct connection *c, const void *buf, size_t len,
	int stop_level, struct avml_error *err)
{
	const char *from = buf;

	while (len > 0) {
		const ssize_t part = allowed(c, len, stop_level, err);
		size_t sent = 0;
		CURLcode code;
		int ret = 0;

		if (part < 0)
			return (int)part;
		c->error[0] = '\0';
		code = curl_easy_send(c->easy, from, (size_t)part, &sent);
		rate_give_back(&c->rate, (size_t)part - sent);
		from += sent;
		len -= sent;
		if (code == CURLE_AGAIN || (code == CURLE_OK && sent == 0))
			ret = wait_for_room(c, stop_level, err);
		else if (code != CURLE_OK && take_answer(c, err) == 0)
			avml_error_set(err, EPIPE,
				"the receiver has gone away: %s",
				connection_reason(c, code));
		if (code != CURLE_OK && code != CURLE_AGAIN)
			ret = -err->code;
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* --- the end -------------------------------------------------------------- */

/* Of what was written, bytes that the other system has not acknowledged. */
static int unacknowledged(const struct connection *c)
{
	int left = 0;

	return ioctl(connection_socket(c), SIOCOUTQ, &left) == 0 ? left : -1;
}

/* With an end that does not come: as long as bytes move, it may. */
struct patience {
	uint64_t until_ms;
	int left; /* unacknowledged, at the last look */
};

static uint64_t patience_ms(const struct connection *c, struct patience *p)
{
	const uint64_t now = http_now_ms();
	const int left = unacknowledged(c);

	if (p->until_ms == 0 || left != p->left) {
		p->until_ms = now + (uint64_t)c->remote->stall_s * 1000;
		p->left = left;
	}
	return now < p->until_ms ? p->until_ms - now : 0;
}

SSL *connection_ssl(const struct connection *c)
{
	struct curl_tlssessioninfo *info = NULL;

	if (curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &info) !=
			CURLE_OK ||
		!info || info->backend != CURLSSLBACKEND_OPENSSL)
		return NULL;
	return info->internals;
}

/*
 * -EAGAIN: what SSL_shutdown() or SSL_read() wants was waited for. 0: the other
 * side sends nothing any more, and has not said so.
 */
static int tls_wait(struct connection *c, SSL *ssl, int result,
	struct patience *patience, int stop_level, struct avml_error *err)
{
	const int saved = errno;
	/* 0: it sends and sends. */
	const int why =
		result == 0 ? SSL_ERROR_WANT_READ : SSL_get_error(ssl, result);
	const uint64_t ms = patience_ms(c, patience);
	const unsigned long code = ERR_peek_last_error();
	const char *text;
	int ret;

	/* It closed without a word, now or long ago: TCP has to tell. */
	if (why == SSL_ERROR_SYSCALL && code == 0 && saved == 0)
		return 0;
	if (why == SSL_ERROR_SSL &&
		ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return 0;
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
		text = code ? ERR_reason_error_string(code) : NULL;
		if (!text)
			return avml_error_set_errno(err,
				saved ? saved : ECONNRESET,
				"the receiver did not confirm the end");
		return avml_error_set(err, ECONNRESET,
			"the receiver did not confirm the end: %s", text);
	}
	ret = connection_wait(c, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT,
		ms < MOVE_LOOK_MS ? ms : MOVE_LOOK_MS, stop_level, err);
	if (ms == 0)
		return avml_error_set(err, ETIMEDOUT,
			"the receiver did not confirm the end within %u s",
			c->remote->stall_s);
	return ret < 0 ? ret : -EAGAIN;
}

/* Who has the end when he says so has acknowledged it by then. */
static int confirmed(const struct connection *c, struct avml_error *err)
{
	if (unacknowledged(c) == 0)
		return 0;
	return avml_error_set(err, ECONNRESET,
		"the receiver ended TLS before it had the image's end");
}

/*
 * Say that nothing follows, which is how the other side knows the image's end,
 * and wait until it says the same. `*early`: it has closed without a word,
 * which confirms nothing.
 */
static int close_tls(struct connection *c, int stop_level, bool *early,
	struct avml_error *err)
{
	struct patience patience = { .until_ms = 0 };
	bool said = false;
	char bytes[512];
	size_t got;
	SSL *ssl;
	int ret;

	/* This attaches the connection to the handle, which is asked next. */
	(void)curl_easy_recv(c->easy, bytes, sizeof(bytes), &got);
	ssl = connection_ssl(c);
	if (!ssl)
		return avml_error_set(err, EIO,
			"the TLS connection cannot be ended: libcurl does not "
			"use OpenSSL for it");
	/*
	 * libcurl's way to the socket is for its own calls alone, and crashes
	 * in others where the socket fails.
	 */
	if (SSL_set_fd(ssl, connection_socket(c)) != 1)
		return avml_error_set_errno(err, ENOMEM, "the end of TLS");
	/* Who ends it drops what still comes, though his system takes it. */
	if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN)
		return avml_error_set(err, ECONNRESET,
			"the receiver ended TLS before the image's end");
	do {
		int reads = 0;

		ERR_clear_error();
		errno = 0;
		/*
		 * This side's is out: what it still sends comes before its, and
		 * is read; a second SSL_shutdown() would take it for an error.
		 */
		ret = said ? 0 : SSL_shutdown(ssl);
		said = ret == 0;
		while (ret == 0 && reads < READS_MAX) {
			ret = SSL_read(ssl, bytes, sizeof(bytes)) > 0 ? 0 : -1;
			reads++;
		}
		if (ret == 1 ||
			(said && SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN))
			return confirmed(c, err);
		ret = tls_wait(c, ssl, ret, &patience, stop_level, err);
	} while (ret == -EAGAIN);
	if (ret == 0)
		*early = true;
	return ret;
}

/* 0: nothing more comes; -EAGAIN: so far; -errno: it has gone away. */
static int look_at_end(int fd)
{
	char bytes[512];
	ssize_t got = 1;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
		error != 0)
		return -error;
	for (int i = 0; i < READS_MAX && got > 0; i++)
		got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got > 0 || (got < 0 && errno == EINTR))
		return -EAGAIN;
	return got == 0 ? 0 : -errno;
}

/* By TCP: that it closes after all has come, or that its system has it all. */
static int close_plain(struct connection *c, int stop_level, bool *unsure,
	struct avml_error *err)
{
	const int fd = connection_socket(c);
	/* One that closes before it has all says nothing by it. */
	bool early = fd >= 0 && look_at_end(fd) == 0;
	struct patience patience = { .until_ms = 0 };
	uint64_t acknowledged = 0;

	if (fd < 0 || shutdown(fd, SHUT_WR) < 0)
		return avml_error_set_errno(err, fd < 0 ? EBADF : errno,
			"the receiver has gone away");
	for (;;) {
		const int end = look_at_end(fd);
		const uint64_t now = http_now_ms();
		int ret;

		if (end < 0 && end != -EAGAIN)
			return avml_error_set_errno(
				err, -end, "the receiver has gone away");
		if (end == 0 && unacknowledged(c) != 0)
			early = true;
		if (end == 0 && !early) {
			*unsure = false;
			return 0;
		}
		if (unacknowledged(c) == 0 && acknowledged == 0)
			acknowledged = now;
		*unsure = acknowledged > 0;
		if (*unsure && (early || now - acknowledged >= CLOSE_MS))
			return 0;
		if (!*unsure && patience_ms(c, &patience) == 0)
			return avml_error_set(err, ETIMEDOUT,
				"the receiver took no byte for %u s",
				c->remote->stall_s);
		ret = connection_wait(c, early ? 0 : POLLIN,
			early ? SHORT_MS : CONNECT_LOOK_MS, stop_level, err);
		if (ret < 0)
			return ret;
	}
}

int connection_end(struct connection *c, int stop_level, bool *unsure,
	struct avml_error *err)
{
	bool early = !c->tls;
	int ret = 0;

	*unsure = false;
	if (c->tls)
		ret = close_tls(c, stop_level, &early, err);
	if (ret == 0 && early)
		ret = close_plain(c, stop_level, unsure, err);
	return ret;
}

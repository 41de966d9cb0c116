/* SPDX-License-Identifier: MIT */
#include "net/connect_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "base/cancel.h"
#include "net/backoff.h"
#include "net/http_parts.h"
#include "net/trust.h"
#include "net/url.h"

/* A refusal of what this side showed comes within a round trip. */
#define REFUSAL_MS 1000

const char *connection_reason(const struct connection *c, CURLcode code)
{
	return c->error[0] ? c->error : curl_easy_strerror(code);
}

/* --- waiting -------------------------------------------------------------- */

int connection_socket(const struct connection *c)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
		return -1;
	return fd;
}

/* For events, or for `ms`. 1: they are there, 0: not; -EINTR: to stop. */
int connection_wait(const struct connection *c, short events, uint64_t ms,
	int stop_level, struct avml_error *err)
{
	const uint64_t until = http_now_ms() + ms;
	struct pollfd fd = { .fd = events ? connection_socket(c) : -1,
		.events = events };

	for (;;) {
		const uint64_t now = http_now_ms();
		const uint64_t left = now < until ? until - now : 0;

		if (cancel_level() >= stop_level)
			return cancel_error(err);
		if (poll(&fd, 1,
			    (int)(left < CONNECT_LOOK_MS ? left
							 : CONNECT_LOOK_MS)) >
			0)
			return 1;
		if (left == 0)
			return 0;
	}
}

/* --- to connect ----------------------------------------------------------- */

#define SET(option, value)                                               \
	do {                                                             \
		if (code == CURLE_OK)                                    \
			code = curl_easy_setopt(c->easy, option, value); \
	} while (0)

static CURLcode prepare(struct connection *c)
{
	CURLcode code = trust_set(c->easy, c->remote, trust_bundle(c->remote));

	SET(CURLOPT_URL, c->url);
	SET(CURLOPT_CONNECT_ONLY, 1L);
	SET(CURLOPT_ERRORBUFFER, c->error);
	/* No HTTP is spoken, and nothing is in between. */
	SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
	SET(CURLOPT_PROXY, "");
	return code;
}

static CURLcode outcome(const struct connection *c)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(c->multi, &left))) {
		if (message->msg == CURLMSG_DONE)
			return message->data.result;
	}
	return CURLE_COULDNT_CONNECT;
}

/* One attempt; `*code` is what libcurl says of it. 0, or -EINTR. */
static int attempt(struct connection *c, int stop_level, CURLcode *code,
	struct avml_error *err)
{
	int running = 1;

	c->error[0] = '\0';
	(void)curl_multi_remove_handle(c->multi, c->easy);
	curl_easy_reset(c->easy);
	*code = prepare(c);
	if (*code == CURLE_OK &&
		curl_multi_add_handle(c->multi, c->easy) != CURLM_OK)
		*code = CURLE_OUT_OF_MEMORY;
	while (*code == CURLE_OK && running > 0) {
		if (cancel_level() >= stop_level)
			return cancel_error(err);
		(void)curl_multi_perform(c->multi, &running);
		if (running > 0)
			(void)curl_multi_poll(
				c->multi, NULL, 0, CONNECT_LOOK_MS, NULL);
	}
	if (*code == CURLE_OK)
		*code = outcome(c);
	/* What failed on the way is no reason for what fails from here on. */
	if (*code == CURLE_OK)
		c->error[0] = '\0';
	return 0;
}

/* What the other side says before it has got anything: it may refuse. */
static int look_for_refusal(
	struct connection *c, int stop_level, struct avml_error *err)
{
	char byte;
	size_t got = 0;
	CURLcode code;
	SSL *ssl;
	int ret = connection_wait(c, POLLIN, REFUSAL_MS, stop_level, err);

	if (ret <= 0)
		return ret;
	code = curl_easy_recv(c->easy, &byte, 1, &got);
	if (code == CURLE_AGAIN || (code == CURLE_OK && got > 0))
		return 0;
	if (code != CURLE_OK)
		return avml_error_set(err, ECONNREFUSED,
			"the receiver ended the connection at once: %s",
			connection_reason(c, code));
	/* One that closes its own direction without a word may well read. */
	ssl = connection_ssl(c);
	if (!ssl || !(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN))
		return 0;
	return avml_error_set(err, ECONNREFUSED,
		"the receiver ended TLS at once, and would drop what it gets "
		"(openssl s_server does where its input ends)");
}

static int connect_once(struct connection *c, int stop_level, bool *may_pass,
	struct avml_error *err)
{
	CURLcode code;
	int ret = attempt(c, stop_level, &code, err);

	*may_pass = false;
	if (ret < 0)
		return ret;
	if (code == CURLE_OK)
		return c->tls ? look_for_refusal(c, stop_level, err) : 0;
	*may_pass = http_may_pass(code);
	return avml_error_set(
		err, ECONNABORTED, "%s", connection_reason(c, code));
}

static void tell(const struct connection *c, const struct backoff *backoff,
	uint64_t wait_ms, const struct avml_error *err)
{
	char why[300], text[400];

	if (!c->remote->notice)
		return;
	avml_error_join(err, why, sizeof(why));
	snprintf(text, sizeof(text), "%s: %s; attempt %u of %u in %.1f s",
		c->remote->to, why, backoff->tried + 1, c->remote->retries + 1,
		(double)wait_ms / 1000);
	c->remote->notice(c->remote->ctx, text);
}

static int connect_all(
	struct connection *c, int stop_level, struct avml_error *err)
{
	struct backoff backoff;
	uint64_t wait_ms;
	bool may_pass;
	int ret;

	backoff_init(&backoff, c->remote->retries, c->remote->retry_s);
	for (;;) {
		ret = connect_once(c, stop_level, &may_pass, err);
		if (ret == 0 || !may_pass ||
			!backoff_next(&backoff, http_now_ms(), 0, &wait_ms))
			break;
		c->retries++;
		tell(c, &backoff, wait_ms, err);
		ret = connection_wait(c, 0, wait_ms, stop_level, err);
		if (ret < 0)
			return ret;
	}
	if (ret < 0 && c->retries > 0)
		avml_error_wrap(
			err, "given up after %u attempts", c->retries + 1);
	return ret;
}

static int make_url(struct connection *c, struct avml_error *err)
{
	char host[CONNECT_HOST_SIZE];
	unsigned int port;
	int ret = url_split_host(c->remote->to, host, sizeof(host), &port, err);

	if (ret == 0)
		snprintf(c->url, sizeof(c->url),
			strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
			c->tls ? "https" : "http", host, port);
	return ret;
}

int connection_open(const struct avml_remote *remote, int stop_level,
	struct connection **connection, struct avml_error *err)
{
	struct connection *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return avml_error_set_errno(err, ENOMEM, "a connection");
	c->remote = remote;
	c->tls = remote->kind == AVML_REMOTE_TLS;
	rate_init(&c->rate, remote->rate, http_now_ms());
	ret = trust_init(err);
	if (ret == 0)
		ret = make_url(c, err);
	if (ret == 0) {
		c->multi = curl_multi_init();
		c->easy = curl_easy_init();
		if (!c->multi || !c->easy)
			ret = avml_error_set_errno(err, ENOMEM, "a connection");
	}
	if (ret == 0)
		ret = connect_all(c, stop_level, err);
	if (ret < 0) {
		connection_free(c);
		return ret;
	}
	*connection = c;
	return 0;
}

unsigned int connection_retries(const struct connection *c)
{
	return c->retries;
}

void connection_free(struct connection *c)
{
	if (!c)
		return;
	if (c->multi && c->easy)
		(void)curl_multi_remove_handle(c->multi, c->easy);
	curl_easy_cleanup(c->easy);
	(void)curl_multi_cleanup(c->multi);
	free(c);
}

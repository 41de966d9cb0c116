/* SPDX-License-Identifier: MIT */
/* What connect.c and connect_io.c share. */
#ifndef NET_CONNECT_PARTS_H
#define NET_CONNECT_PARTS_H

#include <curl/curl.h>

#include "net/connect.h"
#include "net/rate.h"

#define CONNECT_HOST_SIZE 256
/* Milliseconds between two looks at a signal. */
#define CONNECT_LOOK_MS 200

struct connection {
	const struct avml_remote *remote;
	CURLM *multi;
	CURL *easy;
	bool tls;
	unsigned int retries;
	struct rate rate;
	char url[CONNECT_HOST_SIZE + 32];
	char error[CURL_ERROR_SIZE];
};

/* What libcurl says of a failure. */
const char *connection_reason(const struct connection *c, CURLcode code);

/* OpenSSL's part of it, once something was read; NULL: it has none. */
struct ssl_st *connection_ssl(const struct connection *c);

int connection_socket(const struct connection *c);

/*
 * For events of the socket, or without any for `ms`. 1: they are there, 0:
 * not; -EINTR: to stop.
 */
int connection_wait(const struct connection *c, short events, uint64_t ms,
	int stop_level, struct avml_error *err);

#endif

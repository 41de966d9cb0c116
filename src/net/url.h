/* SPDX-License-Identifier: MIT */
/*
 * URLs with secrets in them: how they are checked, shown, and kept out of what
 * others say. Parsed by libcurl (RFC 3986).
 */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <avml/error.h>

/*
 * Absolute, http or https, and with a host: 0, or -EINVAL and an error that
 * says what it is not, without secrets.
 */
int url_check(const char *url, struct avml_error *err);

/* Whether it is https. */
bool url_is_secure(const char *url);

/* Scheme, host, port and path; "" if it is no URL. */
void url_name(const char *url, char *name, size_t size);

/*
 * `url` with another parameter at its query's end: "name=value", encoded as it
 * has to be. The caller frees it; NULL when memory is out.
 */
char *url_with(const char *url, const char *parameter);

/*
 * Take the secrets of `url` out of a text: its query, each value of it, user
 * and password, also as they are sent; in all forms that net/scrub.h knows.
 * What cannot be shown goes too. The text gets no longer.
 */
void url_scrub(const char *url, char *text);

/*
 * HOST:PORT, [ADDRESS]:PORT: 0 or -EINVAL. `host` is without the brackets, and
 * has room for `size` bytes.
 */
int url_split_host(const char *to, char *host, size_t size, unsigned int *port,
	struct avml_error *err);

#endif

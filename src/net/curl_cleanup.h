/* SPDX-License-Identifier: MIT */
/* What libcurl hands out, released as base/cleanup.h has it. NULL is fine. */
#ifndef NET_CURL_CLEANUP_H
#define NET_CURL_CLEANUP_H

#include <curl/curl.h>

#include "base/cleanup.h"

static inline void cleanup_curl_text(char **text)
{
	curl_free(*text);
}

static inline void cleanup_curl_url(CURLU **parts)
{
	curl_url_cleanup(*parts);
}

#define CLEANUP_CURL_TEXT CLEANUP(cleanup_curl_text)
#define CLEANUP_CURL_URL CLEANUP(cleanup_curl_url)

#endif

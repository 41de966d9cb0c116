/* SPDX-License-Identifier: MIT */
#include "net/s3_place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"
#include "net/curl_cleanup.h"
#include "net/url.h"

#define SCHEME "s3://"
#define BUCKET_MAX 63 /* bytes */
#define KEY_MAX 1024

/* An empty text stands for none, as in the environment. */
static bool is_set(const char *text)
{
	return text && *text;
}

/* What goes into a header: nothing ends a line there, or begins another. */
static bool is_word(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text >= 0x7f || *text == ',')
			return false;
	}
	return true;
}

static int check_keys(const struct avml_remote_s3 *s3, struct avml_error *err)
{
	if (!is_set(s3->key_id) || !is_set(s3->secret))
		return avml_error_set(err, EINVAL,
			"there is no key: AWS_ACCESS_KEY_ID and "
			"AWS_SECRET_ACCESS_KEY have it");
	if (!is_word(s3->key_id) || strchr(s3->key_id, '/') ||
		(s3->token && !is_word(s3->token)))
		return avml_error_set(err, EINVAL,
			"the key's id or its session token is none");
	if (s3->region && (!is_word(s3->region) || strchr(s3->region, '/')))
		return avml_error_set(err, EINVAL, "that is no region");
	return 0;
}

/* Of S3's rules those that keep it one word of a host's name. */
static bool is_bucket(const char *name, size_t len)
{
	return len >= 3 && len <= BUCKET_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len &&
	       !strchr("-.", name[0]) && !strchr("-.", name[len - 1]);
}

/* BUCKET.HOST is no name there, or one that no certificate has. */
static bool needs_path(const char *host, const char *bucket, bool secure)
{
	return host[0] == '[' || host[strspn(host, "0123456789.")] == '\0' ||
	       strcmp(host, "localhost") == 0 ||
	       (secure && strchr(bucket, '.'));
}

/* 0, and what the endpoint is made of; the port is NULL if it is the usual. */
static int split_endpoint(
	const char *endpoint, char **host, char **port, struct avml_error *err)
{
	CLEANUP_CURL_URL CURLU *parts = curl_url();
	CLEANUP_CURL_TEXT char *path = NULL;
	CLEANUP_CURL_TEXT char *other = NULL;
	int ret = url_check(endpoint, err);

	if (ret < 0) {
		avml_error_wrap(err, "the endpoint");
		return ret;
	}
	if (!parts ||
		curl_url_set(parts, CURLUPART_URL, endpoint, 0) != CURLUE_OK ||
		curl_url_get(parts, CURLUPART_HOST, host, 0) != CURLUE_OK ||
		curl_url_get(parts, CURLUPART_PATH, &path, 0) != CURLUE_OK) {
		avml_error_set_errno(err, ENOMEM, "the endpoint");
		return -ENOMEM;
	}
	(void)curl_url_get(parts, CURLUPART_PORT, port, CURLU_NO_DEFAULT_PORT);
	if (strcmp(path, "/") != 0 ||
		curl_url_get(parts, CURLUPART_QUERY, &other, 0) == CURLUE_OK ||
		curl_url_get(parts, CURLUPART_USER, &other, 0) == CURLUE_OK)
		return avml_error_set(err, EINVAL,
			"the endpoint is more than a scheme, a host and a "
			"port");
	return 0;
}

static int make(struct s3_place *place, const struct avml_remote *remote,
	const char *endpoint, struct avml_error *err)
{
	const bool secure = url_is_secure(endpoint);
	const char *key = strchr(remote->to + strlen(SCHEME), '/');
	CLEANUP_FREE char *bucket = strndup(remote->to + strlen(SCHEME),
		(size_t)(key - remote->to) - strlen(SCHEME));
	CLEANUP_CURL_TEXT char *host = NULL;
	CLEANUP_CURL_TEXT char *port = NULL;
	bool by_path;
	int ret = split_endpoint(endpoint, &host, &port, err);

	if (ret < 0)
		return ret;
	if (!bucket)
		return avml_error_set_errno(err, ENOMEM, "an upload");
	by_path = remote->s3->path_style || needs_path(host, bucket, secure);
	if (asprintf(&place->base, "http%s://%s%s%s%s%s", secure ? "s" : "",
		    by_path ? "" : bucket, by_path ? "" : ".", host,
		    port ? ":" : "", port ? port : "") < 0) {
		place->base = NULL;
		return avml_error_set_errno(err, ENOMEM, "an upload");
	}
	place->host = strstr(place->base, "://") + 3;
	if (asprintf(&place->path, "%s%s%s", by_path ? "/" : "",
		    by_path ? bucket : "", key) < 0) {
		place->path = NULL;
		return avml_error_set_errno(err, ENOMEM, "an upload");
	}
	return 0;
}

static int check_to(const char *to, struct avml_error *err)
{
	const char *bucket = to + strlen(SCHEME), *key;

	if (strncmp(to, SCHEME, strlen(SCHEME)) != 0)
		return avml_error_set(
			err, EINVAL, "an object is s3://BUCKET/KEY");
	key = strchr(bucket, '/');
	if (!key || !key[1] || strlen(key + 1) > KEY_MAX)
		return avml_error_set(err, EINVAL,
			"an object is s3://BUCKET/KEY, and a key has 1 to %d "
			"bytes",
			KEY_MAX);
	if (!is_bucket(bucket, (size_t)(key - bucket)))
		return avml_error_set(err, EINVAL,
			"what is in front of the key is no bucket");
	return 0;
}

int s3_place_init(struct s3_place *place, const struct avml_remote *remote,
	struct avml_error *err)
{
	const struct avml_remote_s3 *s3 = remote->s3;
	CLEANUP_FREE char *usual = NULL;
	int ret = check_to(remote->to, err);

	*place = (struct s3_place){ .base = NULL };
	if (ret == 0)
		ret = check_keys(s3, err);
	if (ret < 0)
		return ret;
	if (!is_set(s3->endpoint) &&
		asprintf(&usual, "https://s3.%s.amazonaws.com", s3_region(s3)) <
			0) {
		usual = NULL;
		return avml_error_set_errno(err, ENOMEM, "an upload");
	}
	ret = make(place, remote, usual ? usual : s3->endpoint, err);
	if (ret < 0)
		s3_place_release(place);
	return ret;
}

void s3_place_release(struct s3_place *place)
{
	free(place->base);
	free(place->path);
	*place = (struct s3_place){ .base = NULL };
}

const char *s3_region(const struct avml_remote_s3 *s3)
{
	return is_set(s3->region) ? s3->region : "us-east-1";
}

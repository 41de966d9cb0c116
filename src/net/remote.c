/* SPDX-License-Identifier: MIT */
#include <avml/remote.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "net/s3_place.h"
#include "net/trust.h"
#include "net/url.h"

#define HOST_SIZE 256

bool avml_remote_is_built(void)
{
	return true;
}

static bool is_url(const struct avml_remote *remote)
{
	return remote->kind == AVML_REMOTE_PUT ||
	       remote->kind == AVML_REMOTE_BLOB;
}

static int check_s3(
	const struct avml_remote *remote, bool *secure, struct avml_error *err)
{
	struct s3_place place;
	int ret = s3_place_init(&place, remote, err);

	if (ret < 0)
		return ret;
	*secure = url_is_secure(place.base);
	s3_place_release(&place);
	return 0;
}

/* One of several: what is sent to any of them is to be kept from others. */
static int check_url(const char *url, bool *secure, struct avml_error *err)
{
	*secure |= url_is_secure(url);
	return url_check(url, err);
}

/* Of S3: parts of 5 MiB to 5 GiB, and 10,000 at the most. */
static int check_parts(const struct avml_remote_parts *parts, bool *secure,
	struct avml_error *err)
{
	int ret = 0;

	if (parts->count == 0 || parts->count > 10000)
		ret = avml_error_set(err, EINVAL, "there are 1 to 10000 parts");
	else if (parts->part_size < 5 << 20 ||
		 parts->part_size > (uint64_t)5 << 30 ||
		 parts->part_size % (1 << 20) != 0)
		ret = avml_error_set(err, EINVAL,
			"a part has 5 MiB to 5 GiB, and whole ones");
	for (size_t i = 0; ret == 0 && i < parts->count; i++)
		ret = check_url(parts->urls[i], secure, err);
	if (ret == 0)
		ret = check_url(parts->complete, secure, err);
	if (ret == 0)
		ret = check_url(parts->abort, secure, err);
	if (ret == 0 && parts->head)
		ret = check_url(parts->head, secure, err);
	return ret < 0 ? avml_error_wrap(err, "the list of parts") : 0;
}

/* What of it a terminal shows. */
static void name_s3(const char *to, char *name, size_t size)
{
	size_t len = 0;

	if (size == 0)
		return;
	for (; *to && len + 1 < size; to++)
		name[len++] = *to > 0 && (*to < ' ' || *to == 0x7f) ? '?' : *to;
	name[len] = '\0';
}

int avml_remote_check(const struct avml_remote *remote, struct avml_error *err)
{
	char host[HOST_SIZE];
	bool secure = remote->kind == AVML_REMOTE_TLS ||
		      (is_url(remote) && url_is_secure(remote->to));
	unsigned int port;
	int ret;

	if (remote->kind == AVML_REMOTE_S3)
		ret = check_s3(remote, &secure, err);
	else if (remote->kind == AVML_REMOTE_PARTS)
		ret = check_parts(remote->parts, &secure, err);
	else if (is_url(remote))
		ret = url_check(remote->to, err);
	else
		ret = url_split_host(
			remote->to, host, sizeof(host), &port, err);
	if (ret == 0 && !remote->cert != !remote->key)
		ret = avml_error_set(err, EINVAL,
			"a client certificate and its key go together");
	/* Nobody would look at it otherwise, now; after a redirect, perhaps. */
	if (ret == 0)
		ret = trust_check_pin(remote, err);
	if (ret == 0 && secure)
		ret = trust_check(remote, err);
	return ret;
}

void avml_remote_name(const struct avml_remote *remote, char *name, size_t size)
{
	char host[HOST_SIZE];
	unsigned int port;
	struct avml_error ignored;

	if (remote->kind == AVML_REMOTE_S3 || remote->kind == AVML_REMOTE_PARTS)
		name_s3(remote->to, name, size);
	else if (is_url(remote))
		url_name(remote->to, name, size);
	else if (url_split_host(
			 remote->to, host, sizeof(host), &port, &ignored) == 0)
		snprintf(name, size, "%s:%u", host, port);
	else if (size > 0)
		name[0] = '\0';
}

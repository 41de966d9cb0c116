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
	else if (is_url(remote))
		ret = url_check(remote->to, err);
	else
		ret = url_split_host(
			remote->to, host, sizeof(host), &port, err);
	if (ret == 0 && !remote->cert != !remote->key)
		ret = avml_error_set(err, EINVAL,
			"a client certificate and its key go together");
	if (ret == 0 && secure)
		ret = trust_check(remote, err);
	return ret;
}

void avml_remote_name(const struct avml_remote *remote, char *name, size_t size)
{
	char host[HOST_SIZE];
	unsigned int port;
	struct avml_error ignored;

	if (remote->kind == AVML_REMOTE_S3)
		name_s3(remote->to, name, size);
	else if (is_url(remote))
		url_name(remote->to, name, size);
	else if (url_split_host(
			 remote->to, host, sizeof(host), &port, &ignored) == 0)
		snprintf(name, size, "%s:%u", host, port);
	else if (size > 0)
		name[0] = '\0';
}

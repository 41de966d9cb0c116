/* SPDX-License-Identifier: MIT */
#include <avml/remote.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

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

int avml_remote_check(const struct avml_remote *remote, struct avml_error *err)
{
	char host[HOST_SIZE];
	unsigned int port;
	int ret;

	if (is_url(remote))
		ret = url_check(remote->to, err);
	else
		ret = url_split_host(
			remote->to, host, sizeof(host), &port, err);
	if (ret == 0 && !remote->cert != !remote->key)
		ret = avml_error_set(err, EINVAL,
			"a client certificate and its key go together");
	if (ret == 0 && (remote->kind == AVML_REMOTE_TLS ||
				(is_url(remote) && url_is_secure(remote->to))))
		ret = trust_check(remote, err);
	return ret;
}

void avml_remote_name(const struct avml_remote *remote, char *name, size_t size)
{
	char host[HOST_SIZE];
	unsigned int port;
	struct avml_error ignored;

	if (is_url(remote))
		url_name(remote->to, name, size);
	else if (url_split_host(
			 remote->to, host, sizeof(host), &port, &ignored) == 0)
		snprintf(name, size, "%s:%u", host, port);
	else if (size > 0)
		name[0] = '\0';
}

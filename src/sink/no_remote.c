/* SPDX-License-Identifier: MIT */
/* In the place of all that is remote, in a build without network code. */
#include <errno.h>

#include <avml/remote.h>

#include "sink/sink_ops.h"

bool avml_remote_is_built(void)
{
	return false;
}

int avml_remote_check(const struct avml_remote *remote, struct avml_error *err)
{
	(void)remote;
	return avml_error_set(err, ENOTSUP,
		"this build (static-minimal) has no network code: the static "
		"one has");
}

void avml_remote_name(const struct avml_remote *remote, char *name, size_t size)
{
	(void)remote;
	if (size > 0)
		name[0] = '\0';
}

int sink_remote_new(const struct avml_sink_options *options,
	struct avml_sink **sink, struct avml_error *err)
{
	(void)sink;
	return avml_remote_check(options->remote, err);
}

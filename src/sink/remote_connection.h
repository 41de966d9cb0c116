/* SPDX-License-Identifier: MIT */
/* A connection as a sink: TCP, and TLS. */
#ifndef SINK_REMOTE_CONNECTION_H
#define SINK_REMOTE_CONNECTION_H

#include "sink/sink_ops.h"

/* Connects, and waits for that. 0 or -errno. */
int connection_new(const struct avml_remote *remote, struct avml_sink **sink,
	struct avml_error *err);

#endif

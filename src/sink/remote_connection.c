/* SPDX-License-Identifier: MIT */
#include "sink/remote_connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/connect.h"
#include "sink/remote_sink.h"

/* What arrives is kept over there: it ends with a whole record if it can. */
#define STOP_LEVEL 2

struct connection_sink {
	struct avml_sink base;
	const struct avml_remote *remote;
	struct connection *connection; /* NULL: given up */
	unsigned int retries;	       /* that it took to be there */
};

static int sink_error(const struct connection_sink *s, struct avml_error *err)
{
	return err->code == EINTR ? -EINTR
				  : avml_error_wrap(err, "%s", s->base.name);
}

static int connection_sink_write(struct avml_sink *sink, const void *buf,
	size_t len, struct avml_error *err)
{
	struct connection_sink *s = (struct connection_sink *)sink;
	const int ret = connection_write(
		s->connection, buf, len, sink->stop_level, err);

	return ret < 0 ? sink_error(s, err) : 0;
}

static int connection_sink_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	static const char zeros[16384];
	int ret = 0;

	while (len > 0 && ret == 0) {
		const size_t part =
			len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		ret = connection_sink_write(sink, zeros, part, err);
		len -= part;
	}
	return ret;
}

static int connection_sink_finish(
	struct avml_sink *sink, struct avml_error *err)
{
	struct connection_sink *s = (struct connection_sink *)sink;
	char text[400];
	bool unsure;

	if (connection_end(s->connection, sink->stop_level, &unsure, err) < 0)
		return sink_error(s, err);
	if (unsure && s->remote->notice) {
		snprintf(text, sizeof(text),
			"%s: every byte was acknowledged by the receiver's "
			"system; that the receiver itself has read them it "
			"did not show by closing at the end",
			sink->name);
		s->remote->notice(s->remote->ctx, text);
	}
	return 0;
}

static int connection_sink_abort(struct avml_sink *sink,
	struct avml_sink_left *left, struct avml_error *err)
{
	struct connection_sink *s = (struct connection_sink *)sink;

	(void)err;
	left->len = sink->position;
	connection_free(s->connection);
	s->connection = NULL;
	return 0;
}

static void connection_sink_counts(
	const struct avml_sink *sink, struct avml_remote_counts *counts)
{
	const struct connection_sink *s = (const struct connection_sink *)sink;

	counts->sent_bytes = sink->position;
	counts->retries = s->retries;
}

static void connection_sink_free(struct avml_sink *sink)
{
	struct connection_sink *s = (struct connection_sink *)sink;

	connection_free(s->connection);
	free(s);
}

static const struct sink_ops connection_ops = {
	.can_cut = false,
	.write = connection_sink_write,
	.zeros = connection_sink_zeros,
	.finish = connection_sink_finish,
	.abort = connection_sink_abort,
	.free = connection_sink_free,
	.counts = connection_sink_counts,
};

int connection_new(const struct avml_remote *remote, struct avml_sink **sink,
	struct avml_error *err)
{
	struct connection_sink *s = calloc(1, sizeof(*s));
	int ret;

	if (!s || remote_base(&s->base, &connection_ops, remote) < 0) {
		free(s);
		return avml_error_set_errno(err, ENOMEM, "a connection");
	}
	s->base.stop_level = STOP_LEVEL;
	s->remote = remote;
	/* So far nothing is lost by stopping. */
	ret = connection_open(remote, REMOTE_STOP_LEVEL, &s->connection, err);
	if (ret < 0) {
		ret = sink_error(s, err);
		free(s->base.name);
		free(s);
		return ret;
	}
	s->retries = connection_retries(s->connection);
	*sink = &s->base;
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* What the sinks off the host have in common. */
#ifndef SINK_REMOTE_SINK_H
#define SINK_REMOTE_SINK_H

#include <avml/remote.h>

#include "net/http.h"
#include "sink/sink_ops.h"

/*
 * At the first signal: of what is unfinished nothing is kept over there, so
 * that there is nothing to wait for.
 */
#define REMOTE_STOP_LEVEL 1

/* The beginning of any of them: 0 or -ENOMEM. */
int remote_base(struct avml_sink *base, const struct sink_ops *ops,
	const struct avml_remote *remote);

/* Add "NAME: VALUE" to the headers of a job. 0 or -ENOMEM. */
int remote_add_header(struct curl_slist **list, const char *line);

/* The PUT of a stream, or of a file that avml_sink_send_file() names. */
int put_new(const struct avml_remote *remote, bool of_file,
	struct avml_sink **sink, struct avml_error *err);

/* A block blob; `most` is how long it may get. */
int azure_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err);

/* An object of S3; as above. */
int s3_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err);

/* The same by URLs; `most` may be 0: as long as there are parts. */
int s3_parts_new(const struct avml_remote *remote, uint64_t most, bool of_file,
	struct avml_sink **sink, struct avml_error *err);

/*
 * What a server that confirmed `len` bytes says of them then: 0: there are so
 * many, or it does not tell; -EIO: there are not. Who may write may often not
 * read, so a refusal to tell takes nothing back; that there is nothing does.
 */
int remote_judge_length(
	const struct http_answer *answer, uint64_t len, struct avml_error *err);

/*
 * Ask for the object by a HEAD, as `job` says, which is over then. 0, and what
 * was answered, without its text; status 0: nobody tells. -EINTR: stopped.
 */
int remote_look(struct http *http, struct http_job *job,
	struct http_answer *seen, struct avml_error *err);

/* Ask for the object's length, and judge it. 0 or -errno. */
int remote_confirm(struct http *http, const char *url, uint64_t len,
	struct avml_error *err);

/* How far a file is while one waits; called without a lock. */
static inline void remote_tell(const struct avml_sink_file *file, uint64_t sent)
{
	if (file->progress)
		file->progress(file->ctx, sent);
}

#endif

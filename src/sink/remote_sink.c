/* SPDX-License-Identifier: MIT */
/* Which sink off the host is wanted, and what several of them do. */
#include "sink/remote_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <curl/curl.h>

#include "sink/remote_connection.h"

/* Of a URL, for messages. */
#define NAME_SIZE 512
/* Bytes that an image may have, where nobody knows. */
#define MOST_UNKNOWN ((uint64_t)1 << 40)

int sink_remote_new(const struct avml_sink_options *options,
	struct avml_sink **sink, struct avml_error *err)
{
	const struct avml_remote *remote = options->remote;
	int ret = avml_remote_check(remote, err);

	if (ret < 0)
		return ret;
	switch (remote->kind) {
	case AVML_REMOTE_PUT:
		return put_new(remote, options->of_file, sink, err);
	case AVML_REMOTE_BLOB:
		return azure_new(remote,
			options->most > 0 ? options->most : MOST_UNKNOWN,
			options->of_file, sink, err);
	case AVML_REMOTE_S3:
		return s3_new(remote,
			options->most > 0 ? options->most : MOST_UNKNOWN,
			options->of_file, sink, err);
	case AVML_REMOTE_PARTS:
		return s3_parts_new(
			remote, options->most, options->of_file, sink, err);
	case AVML_REMOTE_TCP:
	case AVML_REMOTE_TLS:
		return connection_new(remote, sink, err);
	}
	return avml_error_set(err, EINVAL, "no such kind of destination");
}

int remote_base(struct avml_sink *base, const struct sink_ops *ops,
	const struct avml_remote *remote)
{
	char name[NAME_SIZE];

	avml_remote_name(remote, name, sizeof(name));
	base->ops = ops;
	base->stop_level = REMOTE_STOP_LEVEL;
	base->name = strdup(name);
	return base->name ? 0 : -ENOMEM;
}

int remote_add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

int remote_judge_length(
	const struct http_answer *answer, uint64_t len, struct avml_error *err)
{
	if (answer->status == 404 || answer->status == 410)
		return avml_error_set(err, EIO,
			"the server confirmed it, and now has nothing there: "
			"it answered %ld",
			answer->status);
	if (answer->status / 100 != 2 || answer->object_len == UINT64_MAX ||
		answer->object_len == len)
		return 0;
	return avml_error_set(err, EIO,
		"the server has %" PRIu64 " bytes of it, of %" PRIu64
		" that were sent",
		answer->object_len, len);
}

int remote_look(struct http *http, struct http_job *job,
	struct http_answer *seen, struct avml_error *err)
{
	struct avml_error why;
	int ret;

	*seen = (struct http_answer){ .object_len = UINT64_MAX };
	job->method = "HEAD";
	job->what = "its length";
	job->any_answer = job->brief = true;
	http_submit(http, job);
	ret = http_wait_for(http, job, REMOTE_STOP_LEVEL, &why);
	if (ret == 0)
		*seen = job->answer;
	http_job_release(http, job);
	seen->text = NULL;
	seen->len = 0;
	/* That it cannot be asked does not take back what it confirmed. */
	if (ret != -EINTR)
		return 0;
	*err = why;
	return ret;
}

int remote_confirm(struct http *http, const char *url, uint64_t len,
	struct avml_error *err)
{
	struct http_job job = { .url = url };
	struct http_answer seen;
	const int ret = remote_look(http, &job, &seen, err);

	return ret < 0 ? ret : remote_judge_length(&seen, len, err);
}

/* SPDX-License-Identifier: MIT */
#include <avml/upload.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include <avml/sink.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "job/progress.h"

struct upload {
	const struct avml_upload_options *options;
	struct avml_upload_result *result;
	struct progress progress;
	struct stat st;
	bool sent;    /* and the other side has said so, */
	bool unknown; /* or has said nothing in the end */
};

static int open_file(
	const char *path, struct stat *st, int *fd, struct avml_error *err)
{
	/* A FIFO would keep us waiting here. */
	*fd = io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (*fd < 0)
		return avml_error_set_errno(err, -*fd, "cannot open %s", path);
	if (fstat(*fd, st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	if (!S_ISREG(st->st_mode))
		return avml_error_set(err, EINVAL,
			"%s is no regular file, and nothing else is sent",
			path);
	if (st->st_size == 0)
		return avml_error_set(err, ENODATA,
			"%s is empty: there is no image to send", path);
	return 0;
}

/* By its name it was found again. */
static int check_len(const struct upload *u, struct avml_error *err)
{
	const uint64_t wanted = u->options->len;

	if (wanted == 0 || (uint64_t)u->st.st_size == wanted)
		return 0;
	return avml_error_set(err, ESTALE,
		"%s is not the image that was written: that had %" PRIu64
		" bytes, and it has %" PRIu64,
		u->options->file, wanted, (uint64_t)u->st.st_size);
}

static void on_sent(void *ctx, uint64_t sent)
{
	struct upload *u = ctx;

	progress_at(&u->progress, sent);
}

static int send_all(struct upload *u, struct avml_sink *sink, int fd,
	struct avml_error *err)
{
	const struct avml_sink_file file = {
		.path = u->options->file,
		.fd = fd,
		.len = (uint64_t)u->st.st_size,
		.ctx = u,
		.progress = on_sent,
	};
	struct avml_sink_left left = { .unknown = false };
	struct avml_error second;
	int ret = avml_sink_send_file(sink, &file, err);

	if (ret == 0)
		ret = avml_sink_finish(sink, err);
	u->sent = ret == 0;
	if (ret == 0 && u->options->remove)
		ret = avml_sink_confirm(sink, err);
	avml_sink_remote_counts(sink, &u->result->counts);
	if (!u->sent && avml_sink_abort(sink, &left, &second) < 0)
		avml_error_wrap(err, "%s", avml_error_message(&second, 0));
	u->unknown = left.unknown;
	u->result->confirmed = ret == 0;
	return ret;
}

static int fail(const struct upload *u, struct avml_error *err)
{
	const char *file = u->options->file;

	if (u->sent)
		return avml_error_wrap(err,
			"%s was sent, but what is there now is not known to be "
			"that",
			file);
	if (u->unknown)
		return avml_error_wrap(err,
			"whether %s was uploaded is not known: all of it was "
			"sent, and nothing confirmed it",
			file);
	return avml_error_wrap(err, "%s was not uploaded", file);
}

/* Whatever has that name now: only if it is what was sent. */
static int remove_file(struct upload *u, struct avml_error *err)
{
	const char *path = u->options->file;
	struct stat st;

	if (lstat(path, &st) < 0)
		return avml_error_set_errno(
			err, errno, "%s was sent, but cannot be removed", path);
	if (st.st_dev != u->st.st_dev || st.st_ino != u->st.st_ino)
		return avml_error_set(err, ESTALE,
			"%s was sent, but is not removed: it is another file "
			"now",
			path);
	/* What was written since its last look is not over there. */
	if (st.st_size != u->st.st_size ||
		st.st_mtim.tv_sec != u->st.st_mtim.tv_sec ||
		st.st_mtim.tv_nsec != u->st.st_mtim.tv_nsec)
		return avml_error_set(err, ESTALE,
			"%s was sent, but is not removed: it was written to "
			"meanwhile",
			path);
	if (unlink(path) < 0)
		return avml_error_set_errno(
			err, errno, "%s was sent, but cannot be removed", path);
	u->result->removed = true;
	return 0;
}

int avml_upload(const struct avml_upload_options *options,
	struct avml_upload_result *result, struct avml_error *err)
{
	struct upload u = {
		.options = options,
		.result = result,
		.progress = { options->ctx, options->progress, { 0 } },
	};
	struct avml_sink_options sink_options = {
		.remote = options->remote,
		.of_file = true,
	};
	CLEANUP_CLOSE int fd = -1;
	struct avml_sink *sink;
	int ret;

	*result = (struct avml_upload_result){ .confirmed = false };
	ret = avml_remote_check(options->remote, err);
	if (ret == 0)
		ret = open_file(options->file, &u.st, &fd, err);
	if (ret == 0)
		ret = check_len(&u, err);
	if (ret < 0)
		return ret;
	result->file_bytes = sink_options.most = (uint64_t)u.st.st_size;
	ret = avml_sink_open(options->file, &sink_options, &sink, err);
	if (ret == 0) {
		u.progress.now.all_bytes = result->file_bytes;
		progress_at(&u.progress, 0);
		ret = send_all(&u, sink, fd, err);
		avml_sink_free(sink);
	}
	if (ret < 0)
		return fail(&u, err);
	progress_at(&u.progress, result->file_bytes);
	return options->remove ? remove_file(&u, err) : 0;
}

/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <avml/upload.h>

#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/progress.h"
#include "cmd/remote.h"
#include "cmd/secret.h"
#include "cmd/upload.h"

struct upload {
	const char *operands[3];
	struct remote_args to;
	const char *progress; /* when */
	bool quiet;
};

#define AT(member) offsetof(struct upload, member)
#define AT_REMOTE(member) offsetof(struct upload, to.member)

static const struct option upload_options[] = {
	REMOTE_SECRET("url", AT_REMOTE(url), "URL",
		"send FILE there by HTTP PUT, with no word put"),
	REMOTE_SECRET("sas-url", AT_REMOTE(sas_url), "URL",
		"send FILE to that blob, with no word blob"),
	OPTION_TEXT_AT("url-file", AT_REMOTE(url_file), "FILE",
		"read URL there, \"-\" is stdin"),
	OPTIONS_REMOTE(AT_REMOTE),
	OPTION_PROGRESS(AT(progress)),
	OPTION_FLAG_AT("quiet", AT(quiet), "only errors"),
	{ .name = NULL },
};

static void on_progress(void *ctx, const struct avml_progress *now)
{
	progress_line_tell(ctx, now);
}

int upload_file(const struct upload_file *u, struct avml_upload_result *r,
	struct avml_error *err)
{
	struct progress_line line;
	const struct avml_upload_options options = {
		.file = u->file,
		.len = u->len,
		.remote = &u->to->remote,
		.remove = u->remove,
		.ctx = &line,
		.progress = on_progress,
	};
	struct stopwatch watch;
	int ret;

	stopwatch_start(&watch);
	progress_line_begin(&line, u->progress, u->quiet, "damaged");
	ret = avml_upload(&options, r, err);
	progress_line_end(&line);
	if (r->confirmed && !u->quiet)
		print_line("avml: %s: %" PRIu64 " bytes sent to %s%s; %" PRIu64
			   " requests made again; %.2f s, %.1f MiB/s",
			u->file, r->file_bytes, u->to->name,
			r->removed ? ", and removed here" : "",
			r->counts.retries, stopwatch_seconds(&watch),
			stopwatch_mib_per_second(&watch, r->file_bytes));
	return ret;
}

static int upload(struct upload *u)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_upload_result result;
	const struct upload_file what = {
		.file = u->operands[1],
		.to = &u->to,
		.progress = u->progress,
		.quiet = u->quiet,
	};

	u->to.quiet = u->quiet;
	return upload_file(&what, &result, &err) < 0 ? cmd_failed(&err)
						     : STATUS_COMPLETE;
}

/* FILE was forgotten. It is option_release() that wipes this one. */
static int check_file(const char *file, struct avml_error *err)
{
	char shown[SECRET_SHOWN];

	if (!secret_is_url(file))
		return 0;
	return avml_error_set(err, EINVAL,
		"\"%s\" is a URL, not a file (FILE stands before URL)",
		secret_shown(file, shown));
}

/* AVML 0.1 had no words: `avml-upload --sas_url URL FILE`. */
static int take_by_option(struct upload *u, struct avml_error *err)
{
	const bool blob = u->to.sas_url != NULL;

	if (blob && u->to.url)
		return avml_error_set(err, EINVAL,
			"--url and --sas-url are different places");
	if (u->operands[1])
		return avml_error_set(err, EINVAL,
			"with --%s, FILE alone is named",
			blob ? "sas-url" : "url");
	if (check_file(u->operands[0], err) < 0)
		return -err->code;
	u->operands[1] = u->operands[0];
	u->operands[0] = NULL;
	return remote_args_take(&u->to, blob ? "blob" : "put",
		blob ? u->to.sas_url : u->to.url, err);
}

static int take_remote(struct upload *u, struct avml_error *err)
{
	int ret;

	if (u->to.url || u->to.sas_url)
		return take_by_option(u, err);
	if (!u->operands[1])
		return avml_error_set(err, EINVAL, "FILE is missing");
	if (check_file(u->operands[1], err) < 0)
		return -err->code;
	ret = remote_args_take(&u->to, u->operands[0], u->operands[2], err);
	if (ret == 0 && (u->to.remote.kind == AVML_REMOTE_TCP ||
				u->to.remote.kind == AVML_REMOTE_TLS))
		ret = avml_error_set(err, EINVAL,
			"a file is sent by put, blob or s3 (and by any program "
			"that copies to a socket)");
	return ret;
}

static int parse_and_upload(struct upload *u, int argc, char **argv)
{
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_upload, argc, argv, u, u->operands, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_upload, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_upload, ret);
	ret = take_remote(u, &err);
	if (ret == -EINVAL)
		return cmd_wrong_usage(&cmd_upload, &err);
	return ret < 0 ? cmd_failed(&err) : upload(u);
}

static int run(int argc, char **argv)
{
	struct upload u = { .to = REMOTE_ARGS_DEFAULTS };
	const int status = parse_and_upload(&u, argc, argv);

	remote_args_release(&u.to);
	option_release(&cmd_upload, &u, u.operands);
	return status;
}

static const char *const upload_operands[] = {
	"put|blob|s3",
	"[FILE]",
	"[URL]",
	NULL,
};

const struct command cmd_upload = {
	.name = "upload",
	.synopsis = "put|blob|s3 FILE [URL]",
	.summary = "send a file by HTTP PUT, to an Azure blob, or to S3",
	.options = upload_options,
	.operands = upload_operands,
	.url_operand = true,
	.run = run,
};

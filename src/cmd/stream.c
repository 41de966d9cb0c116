/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "cmd/acquire.h"

struct stream {
	const char *operands[2];
	struct acquire acquire;
};

#define AT(member) offsetof(struct stream, acquire.member)
#define AT_REMOTE(member) offsetof(struct stream, acquire.to.member)

static const struct option stream_options[] = {
	OPTIONS_ACQUIRE_SOURCE(AT),
	OPTION_FLAG_AT("digest", AT(digest), "take its SHA-256, and print it"),
	OPTION_TEXT_AT("digest-file", AT(digest_file), "PATH",
		"write it there as well"),
	OPTION_TEXT_AT("report", AT(report_file), "PATH",
		"tell there what is done, as JSON lines"),
	OPTION_FLAG_AT("no-clobber", AT(no_clobber),
		"refuse when one of these PATHs exists"),
	OPTION_FLAG_AT("force", AT(force), "go on: DIR in use, unsafe bpf"),
	OPTION_TEXT_AT("url-file", AT_REMOTE(url_file), "PATH",
		"read TO there, \"-\" is stdin"),
	OPTIONS_REMOTE(AT_REMOTE),
	OPTIONS_ACQUIRE_TOLD(AT),
	{ .name = NULL },
};

static int parse_and_stream(struct stream *s, int argc, char **argv)
{
	static const struct stream defaults = { .acquire = ACQUIRE_DEFAULTS };
	struct acquire *a = &s->acquire;
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_stream, argc, argv, s, s->operands, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_stream, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_stream, ret);
	ret = remote_args_take(&a->to, s->operands[0], s->operands[1], &err);
	if (ret == -EINVAL)
		return cmd_wrong_usage(&cmd_stream, &err);
	if (ret == 0)
		ret = avml_remote_check(&a->to.remote, &err);
	if (ret < 0)
		return cmd_failed(&err);
	a->command = &cmd_stream;
	a->target = s;
	a->defaults = &defaults;
	a->streams = true;
	a->file = a->to.name;
	return acquire_run(a);
}

static int run(int argc, char **argv)
{
	struct stream s = { .acquire = ACQUIRE_DEFAULTS };
	const int status = parse_and_stream(&s, argc, argv);

	remote_args_release(&s.acquire.to);
	option_release(&cmd_stream, &s, s.operands);
	return status;
}

static const char *const stream_operands[] = {
	"put|blob|s3|tcp|tls",
	"[TO]",
	NULL,
};

const struct command cmd_stream = {
	.name = "stream",
	.synopsis = "put|blob|s3|tcp|tls [TO]",
	.summary = "send this machine's physical memory off it, by no file",
	.options = stream_options,
	.operands = stream_operands,
	.url_operand = true,
	.run = run,
};

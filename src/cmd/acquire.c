/* SPDX-License-Identifier: MIT */
#include "cmd/acquire.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/print.h"
#include "cmd/secret.h"

#define AT(member) offsetof(struct acquire, member)

#define AT_REMOTE(member) offsetof(struct acquire, to.member)

static const struct option acquire_options[] = {
	OPTIONS_ACQUIRE_SOURCE(AT),
	OPTION_FLAG_AT("no-sparse", AT(no_sparse), "make no holes in FILE"),
	OPTION_FLAG_AT("no-clobber", AT(no_clobber), "refuse when FILE exists"),
	OPTION_DIGEST(AT(digest), "FILE"),
	OPTION_TEXT_AT("digest-file", AT(digest_file), "PATH",
		"write it there (FILE.sha256)"),
	OPTION_TEXT_AT("report", AT(report_file), "PATH",
		"tell there what is done, as JSON lines"),
	OPTION_MAX_DISK_USAGE(
		AT(max_disk_usage), "refuse if the image may get larger"),
	OPTION_MAX_DISK_USAGE_PERCENTAGE(AT(max_disk_usage_percentage),
		"refuse if the disk may get fuller"),
	OPTION_MIN_FREE(AT(min_free)),
	OPTION_FLAG_AT("force", AT(force),
		"go on: tmpfs, full disk, DIR used, unsafe bpf"),
	/* AVML's README says --put, which its binaries never knew. */
	REMOTE_SECRET_ALSO("url", "put", AT_REMOTE(url), "URL",
		"send FILE there then, by HTTP PUT"),
	OPTION_TEXT_AT("url-file", AT_REMOTE(url_file), "PATH",
		"read that URL there, \"-\" is stdin"),
	REMOTE_SECRET("sas-url", AT_REMOTE(sas_url), "URL",
		"send FILE to that Azure blob then"),
	OPTION_TEXT_AT("sas-url-file", AT_REMOTE(sas_url_file), "PATH",
		"read that URL there, \"-\" is stdin"),
	OPTION_TEXT_AT(
		"s3", AT_REMOTE(s3), "s3://BUCKET/KEY", "send FILE there then"),
	OPTION_FLAG_AT("delete", AT(remove), "remove FILE when it has arrived"),
	OPTIONS_REMOTE(AT_REMOTE),
	OPTIONS_ACQUIRE_TOLD(AT),
	{ .name = NULL },
};

/* What is sent later has to be a file that can be read again. */
static int check_file(const char *file, struct avml_error *err)
{
	struct stat st;

	if (strcmp(file, "-") == 0 ||
		(stat(file, &st) == 0 && !S_ISREG(st.st_mode)))
		return avml_error_set(err, EINVAL,
			"%s cannot be sent afterwards: it is no regular file "
			"(avml stream sends without one)",
			file);
	return 0;
}

/*
 * Azure's VM extension runs `avml --compress --sas-url URL --delete`, as AVML's
 * README has it, and names no file. What would be here no more when it has
 * arrived need not be here at all.
 */
static int stream_instead(struct acquire *a, struct avml_error *err)
{
	if (!a->uploads || !a->remove || a->to.remote.kind != AVML_REMOTE_BLOB)
		return avml_error_set(err, EINVAL, "FILE is missing");
	a->uploads = a->remove = false;
	a->streams = true;
	a->file = a->to.name;
	if (!a->quiet)
		print_line("note: no FILE is named: the image goes to the blob "
			   "while it is made, and nothing of it stays here");
	return 0;
}

static int take_remote(struct acquire *a, struct avml_error *err)
{
	char shown[SECRET_SHOWN];
	int ret;

	if (a->file && secret_is_url(a->file))
		return avml_error_set(err, EINVAL,
			"%s is a URL, not a file (--url, --sas-url and "
			"--s3 send to one)",
			secret_shown(a->file, shown));
	ret = remote_args_for_acquire(&a->to, &a->uploads, err);
	if (ret < 0)
		return ret;
	if (!a->file)
		return stream_instead(a, err);
	if (a->uploads)
		return check_file(a->file, err);
	if (a->remove)
		return avml_error_set(err, EINVAL,
			"--delete goes with --url, --sas-url or --s3");
	return remote_args_unused(&a->to, err);
}

static int parse_and_acquire(
	struct acquire *a, const char **file, int argc, char **argv)
{
	static const struct acquire defaults = ACQUIRE_DEFAULTS;
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_acquire, argc, argv, a, file, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_acquire, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_acquire, ret);
	a->file = *file;
	ret = take_remote(a, &err);
	if (ret == -EINVAL)
		return cmd_wrong_usage(&cmd_acquire, &err);
	if (ret == 0 && (a->uploads || a->streams))
		ret = avml_remote_check(&a->to.remote, &err);
	if (ret < 0)
		return cmd_failed(&err);
	a->command = &cmd_acquire;
	a->target = a;
	a->defaults = &defaults;
	return acquire_run(a);
}

static int run(int argc, char **argv)
{
	struct acquire a = ACQUIRE_DEFAULTS;
	const char *file = NULL;
	const int status = parse_and_acquire(&a, &file, argc, argv);

	remote_args_release(&a.to);
	option_release(&cmd_acquire, &a, &file);
	return status;
}

static const char *const acquire_operands[] = { "[FILE]", NULL };

const struct command cmd_acquire = {
	.name = "acquire",
	.synopsis = "FILE",
	.summary = "write this machine's physical memory to FILE",
	.options = acquire_options,
	.operands = acquire_operands,
	.url_operand = true,
	.run = run,
};

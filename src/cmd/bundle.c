/* SPDX-License-Identifier: MIT */
#include "cmd/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "cmd/cmd.h"
#include "cmd/print.h"

static void on_file(void *ctx, const struct avml_bundle_file *file)
{
	const struct bundle *b = ctx;
	char why[AVML_ERROR_TEXT];

	report_file(b->report, file);
	if (b->quiet)
		return;
	if (!file->err) {
		print_line("note: bundle: %s: %" PRIu64
			   " bytes of %s, SHA-256 %s",
			file->name, file->bytes, file->path, file->sha256);
		if (file->remark)
			print_line("warning: bundle: %s: %s", file->name,
				file->remark);
		return;
	}
	/* That one is told at the end. */
	if (file->err->code == EINTR && cancel_level() > 0)
		return;
	avml_error_join(file->err, why, sizeof(why));
	/* Hardly a host has all of them. */
	print_line("%s: bundle: %s: %s",
		file->err->code == ENOENT ? "note" : "warning", file->name,
		why);
}

/* `root` without slashes at its end; NULL where that is / itself. */
static int make_path(const char *root, const char *name, char **path)
{
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	if (len == 0)
		return 0;
	if (asprintf(path, "%.*s/%s", (int)len, root, name) >= 0)
		return 0;
	*path = NULL;
	return -ENOMEM;
}

static int open_bundle(
	struct bundle *b, const char *proc, struct avml_error *err)
{
	const struct avml_bundle_options options = {
		.directory = b->directory,
		.root_dir = b->root,
		.proc_dir = proc,
		.force = b->force,
	};

	return avml_bundle_open(&options, &b->open, err);
}

int bundle_begin(struct bundle *b, const char **proc, const char **dev,
	struct avml_error *err)
{
	if (b->root && (make_path(b->root, "proc", &b->proc) < 0 ||
			       make_path(b->root, "dev", &b->dev) < 0)) {
		free(b->proc);
		return avml_error_set_errno(err, ENOMEM, "%s", b->root);
	}
	if (!*proc)
		*proc = b->proc;
	if (!*dev)
		*dev = b->dev;
	/* Memory is worth more: without a place for it, there is none. */
	if (b->directory && open_bundle(b, *proc, &b->err) < 0)
		b->open = NULL;
	return 0;
}

void bundle_warn(struct bundle *b)
{
	char why[AVML_ERROR_TEXT], text[AVML_ERROR_TEXT + 64];

	if (!b->directory || b->open)
		return;
	avml_error_join(&b->err, why, sizeof(why));
	snprintf(text, sizeof(text), "there will be no bundle: %s", why);
	report_warning(b->report, text);
	if (!b->quiet)
		print_line("warning: %s", text);
}

void bundle_collect(struct bundle *b, int image)
{
	const struct avml_bundle_events events = { .ctx = b, .file = on_file };
	struct avml_bundle_result result;
	char why[AVML_ERROR_TEXT];
	int ret;

	if (!b->open || (image == -EINTR && cancel_level() > 0))
		return;
	ret = avml_bundle_collect(b->open, &events, &result, &b->err);
	b->stopped = ret == -EINTR;
	if (b->quiet || b->stopped)
		return;
	if (ret == 0)
		print_line("note: bundle: %u files, %" PRIu64
			   " bytes in %s; %u could not be had",
			result.files, result.bytes, b->directory,
			result.missing);
	else if (avml_error_join(&b->err, why, sizeof(why)) > 0)
		print_line("warning: bundle: %s", why);
}

int bundle_end(struct bundle *b, int status, struct avml_error *err)
{
	avml_bundle_free(b->open);
	free(b->proc);
	free(b->dev);
	if (!b->stopped || status == STATUS_FAILED)
		return status;
	*err = b->err;
	avml_error_wrap(err, "the image is done, but not the bundle in %s",
		b->directory);
	return cmd_status(err);
}

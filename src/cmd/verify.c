/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <avml/verify.h>

#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/progress.h"

struct verify {
	const char *operands[1];
	uint64_t threads;
	const char *progress; /* when */
	struct progress_line line;
	bool quiet;
};

#define AT(member) offsetof(struct verify, member)

static const struct option verify_options[] = {
	OPTION_THREADS(AT(threads)),
	OPTION_PROGRESS(AT(progress)),
	OPTION_FLAG_AT("quiet", AT(quiet), "only errors"),
	{ .name = NULL },
};

static void on_warning(void *ctx, const char *text)
{
	const struct verify *v = ctx;

	if (!v->quiet)
		print_line("note: %s", text);
}

static void on_finding(void *ctx, const struct avml_verify_finding *f)
{
	const struct verify *v = ctx;

	if (v->quiet)
		return;
	progress_line_hide(&v->line);
	printf("%s: offset %" PRIu64, f->fault ? "fault" : "note", f->offset);
	if (f->end > f->offset)
		printf(" to %" PRIu64, f->end);
	if (f->range.start < f->range.end)
		printf(", address 0x%016" PRIx64 "-0x%016" PRIx64,
			f->range.start, f->range.end);
	else
		printf(", address 0x%016" PRIx64 " and above", f->range.start);
	printf(": %s\n", f->text);
}

static void print_summary(
	const struct verify *v, const struct avml_verify_result *r)
{
	char name[PRINT_PATH_MAX];

	print_path(print_source(v->operands[0]), name);
	printf("%s: %s, %" PRIu64 " records, %" PRIu64 " bytes of memory in "
	       "%" PRIu64 "; ",
		name, avml_image_format_name(r->format), r->records,
		r->memory_bytes, r->image_bytes);
	if (r->chunks > 0 || r->format == AVML_IMAGE_LIME_COMPRESSED)
		printf("%" PRIu64 " bytes in %" PRIu64
		       " chunks agree with their checksums; ",
			r->checked_bytes, r->chunks);
	else
		printf("only headers and lengths could be checked, memory has "
		       "no checksums in this format; ");
	printf("%" PRIu64 " faults, %" PRIu64 " notes\n", r->faults, r->notes);
}

static void on_progress(void *ctx, const struct avml_progress *now)
{
	struct verify *v = ctx;

	progress_line_tell(&v->line, now);
}

static int verify(struct verify *v)
{
	const struct avml_verify_options options = {
		.image = v->operands[0],
		.threads = (unsigned int)v->threads,
		.confine = true,
	};
	const struct avml_verify_events events = {
		.ctx = v,
		.finding = on_finding,
		.warning = on_warning,
		.progress = on_progress,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_verify_result result;
	int ret;

	progress_line_begin(&v->line, v->progress, v->quiet, "damaged");
	ret = avml_verify(&options, &events, &result, &err);
	progress_line_end(&v->line);
	if (ret == 0 && !v->quiet)
		print_summary(v, &result);
	if (ret == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		ret = avml_error_set(&err, EIO, "cannot write to stdout");
	if (ret == 0 && result.faults > 0)
		ret = avml_error_set(&err, EINVAL, "%s has %" PRIu64 " faults",
			print_source(v->operands[0]), result.faults);
	return ret < 0 ? cmd_failed(&err) : STATUS_COMPLETE;
}

static int run(int argc, char **argv)
{
	struct verify v = { .quiet = false };
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_verify, argc, argv, &v, v.operands, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_verify, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_verify, ret);
	return verify(&v);
}

static const char *const verify_operands[] = { "IMAGE", NULL };

const struct command cmd_verify = {
	.name = "verify",
	.synopsis = "IMAGE",
	.summary = "tell whether an image is whole, and all that is wrong",
	.options = verify_options,
	.operands = verify_operands,
	.run = run,
};

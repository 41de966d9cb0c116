/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>

#include <avml/survey.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "cmd/json.h"
#include "cmd/print.h"
#include "cmd/report_values.h"

struct sources {
	const char *iomem;
	const char *proc;
	const char *dev;
	bool json;
	cJSON *list; /* of the sources */
	bool out_of_memory;
};

#define AT(member) offsetof(struct sources, member)

static const struct option sources_options[] = {
	OPTION_FLAG_AT("json", AT(json), "print JSON"),
	OPTION_TEXT_AT("iomem", AT(iomem), "FILE",
		"which ranges are RAM (iomem of proc)"),
	OPTION_TEXT_AT(
		"proc", AT(proc), "DIR", "where proc is mounted (/proc)"),
	OPTION_TEXT_AT("dev", AT(dev), "DIR", "where dev is mounted (/dev)"),
	{ .name = NULL },
};

static void add_verdict(struct sources *s, const struct avml_source_verdict *v)
{
	if (!json_verdict(s->list, v))
		s->out_of_memory = true;
}

static bool add_iomem(cJSON *root, const struct avml_survey *survey)
{
	const struct avml_error *err =
		survey->iomem_error.depth > 0 ? &survey->iomem_error : NULL;
	cJSON *iomem = cJSON_AddObjectToObject(root, "iomem");

	return iomem && json_text(iomem, "path", survey->iomem_path) &&
	       json_number(iomem, "ranges", survey->ranges) &&
	       json_number(iomem, "bytes", survey->ram_bytes) &&
	       json_error(iomem, "error", err);
}

/* The text of all; NULL when memory is out. cJSON_free() frees it. */
static char *make_json(struct sources *s, const struct avml_survey *survey)
{
	cJSON *root = cJSON_CreateObject();
	char *text = NULL;

	if (!s->out_of_memory && root &&
		json_text(root, "avml", AVML_VERSION) &&
		json_text(root, "kernel", survey->host.kernel) &&
		json_some_text(root, "lockdown", survey->host.lockdown) &&
		json_bool(root, "root", survey->host.root) &&
		json_bool(root, "cap_sys_rawio", survey->host.cap_sys_rawio) &&
		json_bool(root, "cap_sys_admin", survey->host.cap_sys_admin) &&
		add_iomem(root, survey) &&
		json_bool(root, "kpageflags", survey->kpageflags) &&
		cJSON_AddItemToObject(root, "sources", s->list)) {
		s->list = NULL;
		text = cJSON_Print(root);
	}
	cJSON_Delete(root);
	return text;
}

/* --- text ----------------------------------------------------------------- */

static void print_verdict(const struct avml_source_verdict *v)
{
	CLEANUP_FREE char *path = print_shown(v->path);
	CLEANUP_FREE char *why = v->err ? print_shown_error(v->err) : NULL;

	if (v->reason == AVML_SOURCE_USABLE)
		printf("%-12s  yes  %s\n", path ? path : v->name,
			v->primary ? "is read"
				   : "is asked for what the first cannot read");
	else
		printf("%-12s  no   %s: %s\n", path ? path : v->name,
			avml_source_reason_key(v->reason), why ? why : "");
	if (v->remedy)
		printf("%-12s       %s\n", "", v->remedy);
}

static void print_host(const struct avml_survey *survey)
{
	CLEANUP_FREE char *path = print_shown(survey->iomem_path);
	CLEANUP_FREE char *why = print_shown_error(&survey->iomem_error);

	if (survey->iomem_error.depth > 0)
		printf("%-12s  no   %s\n", path ? path : "iomem",
			why ? why : "");
	else
		printf("%-12s  yes  %zu ranges, %" PRIu64 " bytes of RAM\n",
			path ? path : "iomem", survey->ranges,
			survey->ram_bytes);
	printf("%-12s  %s\n", "kpageflags",
		survey->kpageflags ? "yes  bad pages are not touched"
				   : "no   bad pages are not known");
	printf("%-12s  %s\n", "lockdown",
		survey->host.lockdown[0] ? survey->host.lockdown
					 : "cannot be told");
	printf("%-12s  %s%s%s\n", "run by",
		survey->host.root ? "root" : "not root",
		survey->host.cap_sys_rawio ? ", CAP_SYS_RAWIO" : "",
		survey->host.cap_sys_admin ? ", CAP_SYS_ADMIN" : "");
	printf("%-12s  %s\n", "kernel", survey->host.kernel);
}

/* --- the command ---------------------------------------------------------- */

static void on_verdict(void *ctx, const struct avml_source_verdict *verdict)
{
	struct sources *s = ctx;

	if (verdict->asked_kernel)
		print_asked_kernel(verdict->path);
	if (s->json)
		add_verdict(s, verdict);
	else
		print_verdict(verdict);
}

static int print_survey(struct sources *s, const struct avml_survey *survey,
	struct avml_error *err)
{
	char *json;

	if (!s->json) {
		print_host(survey);
	} else {
		json = make_json(s, survey);
		if (!json)
			return avml_error_set_errno(err, ENOMEM, "the list");
		puts(json);
		cJSON_free(json);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return avml_error_set(err, EIO, "cannot write to stdout");
	return 0;
}

static int sources(struct sources *s)
{
	const struct avml_survey_options options = {
		.iomem = s->iomem,
		.proc_dir = s->proc,
		.dev_dir = s->dev,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_survey survey = { .usable = 0 };
	int ret = 0;

	s->list = s->json ? cJSON_CreateArray() : NULL;
	if (s->json && !s->list)
		ret = avml_error_set_errno(&err, ENOMEM, "the list");
	if (ret == 0)
		ret = avml_survey(&options, on_verdict, s, &survey, &err);
	if (ret == 0)
		ret = print_survey(s, &survey, &err);
	if (ret == 0 && survey.usable == 0)
		ret = avml_error_set(
			&err, ENODATA, "no source of memory works");
	cJSON_Delete(s->list);
	if (ret == 0)
		return STATUS_COMPLETE;
	return cmd_failed(&err);
}

static int run(int argc, char **argv)
{
	struct sources s = { .json = false };
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_sources, argc, argv, &s, NULL, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_sources, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_sources, ret);
	return sources(&s);
}

static const char *const sources_operands[] = { NULL };

const struct command cmd_sources = {
	.name = "sources",
	.synopsis = "",
	.summary = "tell which sources of memory work here, and why others not",
	.options = sources_options,
	.operands = sources_operands,
	.run = run,
};

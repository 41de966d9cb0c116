/* SPDX-License-Identifier: MIT */
#include "cmd/report.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avml/host.h>

#include "cmd/cmd.h"
#include "cmd/json.h"
#include "cmd/report_values.h"

/* Ranges of RAM in the first line; of the rest, how many. */
#define RAM_MAX 1024

/* --- lines ---------------------------------------------------------------- */

/* An object that says what kind of line it is; NULL when memory is out. */
static cJSON *begin_line(const char *type)
{
	cJSON *object = cJSON_CreateObject();

	if (object && !json_text(object, "type", type)) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

/* The text of a line. The caller frees it; NULL when memory is out. */
static char *line_text(const cJSON *object)
{
	char *json = cJSON_PrintUnformatted(object);
	char *text = NULL;

	if (json && asprintf(&text, "%s\n", json) < 0)
		text = NULL;
	cJSON_free(json);
	return text;
}

/* Until the first line is complete, others wait. */
static void hold_early(struct report *r, char *text)
{
	if (r->early_count == REPORT_EARLY_MAX) {
		r->early_more++;
		free(text);
		return;
	}
	r->early[r->early_count++] = text;
}

/* Takes the object over; `ok` is whether all is in it. */
static void end_line(struct report *r, cJSON *object, bool ok)
{
	char *text = object && ok ? line_text(object) : NULL;

	cJSON_Delete(object);
	if (!text) {
		journal_fail(&r->journal);
	} else if (!r->begun) {
		hold_early(r, text);
	} else {
		journal_line(&r->journal, text, strlen(text));
		free(text);
	}
}

/* --- the first line ------------------------------------------------------- */

static bool add_iomem(cJSON *line, struct report *r)
{
	cJSON *iomem = cJSON_AddObjectToObject(line, "iomem");
	bool ok = iomem &&
		  json_path(iomem, "path", r->iomem, r->proc_dir, "iomem") &&
		  json_number(iomem, "bytes", r->ram_bytes) &&
		  json_number(iomem, "ranges_left_out", r->ram_more) &&
		  cJSON_AddItemToObject(iomem, "ranges", r->ram);

	if (ok)
		r->ram = NULL;
	return ok;
}

static bool add_sources(cJSON *line, struct report *r)
{
	const bool ok = cJSON_AddItemToObject(line, "sources", r->sources);

	if (ok)
		r->sources = NULL;
	return ok;
}

/* As soon as the source is chosen; or not at all, at the end. */
static void begin(struct report *r)
{
	struct avml_host host;
	cJSON *line;
	bool ok;

	if (r->begun)
		return;
	r->begun = true;
	avml_host_look(r->proc_dir, &host);
	line = begin_line("header");
	ok = line && json_number(line, "schema", 1) &&
	     json_tool(line, "tool") &&
	     json_utc(line, "start", &r->started_utc) &&
	     json_host(line, "host", &host) &&
	     json_options(line, "options", r->command->options, r->target,
		     r->defaults) &&
	     add_sources(line, r) && add_iomem(line, r);
	end_line(r, line, ok);
	for (size_t i = 0; i < r->early_count; i++) {
		journal_line(&r->journal, r->early[i], strlen(r->early[i]));
		free(r->early[i]);
	}
	r->early_count = 0;
	if (r->early_more == 0)
		return;
	line = begin_line("left_out");
	end_line(r, line, line && json_number(line, "lines", r->early_more));
}

/* Paths that must not be the report's. */
struct others {
	char *paths[JOURNAL_OTHERS_MAX];
	size_t count;
};

static void add_other(struct others *o, const char *dir, const char *name)
{
	char *path = NULL;

	if (!dir)
		return;
	assert(o->count < JOURNAL_OTHERS_MAX);
	/* Without memory for it, it is not looked at. */
	if (asprintf(&path, "%s%s", dir, name) >= 0)
		o->paths[o->count++] = path;
}

static int open_journal(struct report *r, const struct report_options *options,
	struct avml_error *err)
{
	static const char *const of_proc[] = { "/iomem", "/meminfo",
		"/kpageflags", "/kcore" };
	static const char *const of_dev[] = { "/crash", "/mem" };
	struct others others = { .count = 0 };
	struct journal_options journal = { .no_clobber = options->no_clobber };
	int ret;

	add_other(&others, options->image, "");
	add_other(&others, options->source, "");
	add_other(&others, options->iomem, "");
	if (options->digest_file)
		add_other(&others, options->digest_file, "");
	else if (options->digest)
		add_other(&others, options->image, ".sha256");
	for (size_t i = 0; i < sizeof(of_proc) / sizeof(of_proc[0]); i++)
		add_other(&others, options->proc_dir, of_proc[i]);
	for (size_t i = 0; i < sizeof(of_dev) / sizeof(of_dev[0]); i++)
		add_other(&others, options->dev_dir, of_dev[i]);
	journal.others = (const char *const *)others.paths;
	journal.other_count = others.count;
	ret = journal_open(&r->journal, options->path, &journal, err);
	for (size_t i = 0; i < others.count; i++)
		free(others.paths[i]);
	return ret;
}

int report_begin(struct report *report, const struct report_options *options,
	struct avml_error *err)
{
	struct report *r = report;
	int ret;

	*r = (struct report){
		.command = options->command,
		.target = options->target,
		.defaults = options->defaults,
		.proc_dir = options->proc_dir,
		.iomem = options->iomem,
	};
	clock_gettime(CLOCK_MONOTONIC, &r->started);
	clock_gettime(CLOCK_REALTIME, &r->started_utc);
	if (!options->path)
		return 0;
	ret = open_journal(r, options, err);
	if (ret < 0)
		return ret;
	r->wanted = true;
	r->sources = cJSON_CreateArray();
	r->ram = cJSON_CreateArray();
	if (!r->sources || !r->ram)
		journal_fail(&r->journal);
	return 0;
}

/* --- what is told --------------------------------------------------------- */

void report_source(
	struct report *report, const struct avml_source_verdict *verdict)
{
	if (report->wanted && report->sources &&
		!json_verdict(report->sources, verdict))
		journal_fail(&report->journal);
}

void report_ram(struct report *report, struct avml_range range)
{
	cJSON *item;

	if (!report->wanted || !report->ram)
		return;
	report->ram_bytes += avml_range_len(range);
	if (cJSON_GetArraySize(report->ram) >= RAM_MAX) {
		report->ram_more++;
		return;
	}
	item = json_item(report->ram);
	if (!item || !json_range(item, range))
		journal_fail(&report->journal);
}

/* A line with a range, and in most a text. */
static void tell_range(struct report *r, const char *type,
	struct avml_range range, const char *key, const char *text)
{
	cJSON *line;

	if (!r->wanted)
		return;
	line = begin_line(type);
	end_line(r, line,
		line && json_range(line, range) &&
			(!key || json_text(line, key, text)));
}

void report_range(struct report *report, struct avml_range range)
{
	if (!report->wanted)
		return;
	begin(report);
	tell_range(report, "range", range, NULL, NULL);
}

void report_trimmed(struct report *report, struct avml_range range)
{
	tell_range(report, "trimmed", range, "text", "not a whole page");
}

void report_unreadable(
	struct report *report, struct avml_range range, unsigned int status)
{
	cJSON *line;

	if (!report->wanted)
		return;
	line = begin_line("unreadable");
	end_line(report, line,
		line && json_range(line, range) &&
			json_text(
				line, "reason", avml_page_status_key(status)) &&
			json_text(line, "text", avml_page_status_text(status)));
}

void report_filled(
	struct report *report, struct avml_range range, const char *path)
{
	tell_range(report, "filled", range, "path", path);
}

void report_record(
	struct report *report, const struct avml_image_record *record)
{
	cJSON *line;

	if (!report->wanted)
		return;
	line = begin_line("record");
	end_line(report, line,
		line && json_range(line, record->range) &&
			json_number(line, "offset", record->offset) &&
			json_number(line, "length", record->len) &&
			json_since(line, "read_begin", &report->started,
				record->read_begin) &&
			json_since(line, "read_end", &report->started,
				record->read_end));
}

void report_file(struct report *report, const struct avml_bundle_file *file)
{
	cJSON *line;

	if (!report->wanted)
		return;
	begin(report);
	line = begin_line("file");
	end_line(report, line,
		line && json_text(line, "name", file->name) &&
			json_text(line, "path", file->path) &&
			json_number(line, "bytes", file->bytes) &&
			json_text(line, "sha256", file->sha256) &&
			json_text(line, "remark", file->remark) &&
			json_error(line, "error", file->err));
}

void report_upload(struct report *report, const struct report_upload *upload)
{
	const struct avml_remote_counts *c = upload->counts;
	cJSON *line;

	if (!report->wanted)
		return;
	begin(report);
	line = begin_line("upload");
	end_line(report, line,
		line && json_text(line, "kind", upload->kind) &&
			json_text(line, "to", upload->to) &&
			json_bool(line, "confirmed", upload->confirmed) &&
			json_bool(line, "removed", upload->removed) &&
			json_number(line, "sent_bytes", c->sent_bytes) &&
			json_number(line, "blocks", c->blocks) &&
			json_number(line, "block_bytes", c->block_size) &&
			json_number(line, "retries", c->retries) &&
			json_error(line, "error", upload->err));
}

void report_warning(struct report *report, const char *text)
{
	cJSON *line;

	if (!report->wanted)
		return;
	line = begin_line("warning");
	end_line(report, line, line && json_text(line, "text", text));
}

/* --- the last line -------------------------------------------------------- */

static const char *outcome(int status)
{
	if (status == STATUS_COMPLETE)
		return "complete";
	if (status == STATUS_PARTIAL)
		return "partial";
	return status > STATUS_SIGNAL ? "stopped" : "failed";
}

static bool add_result(cJSON *line, const struct avml_snapshot_result *r)
{
	return json_some_text(line, "source", r->source) &&
	       json_footprint(line, "footprint", &r->footprint) &&
	       json_number(line, "ram_bytes", r->ram_bytes) &&
	       json_number(line, "ranges", r->ranges) &&
	       json_number(line, "read_bytes", r->read_bytes) &&
	       json_number(line, "unreadable_bytes", r->unreadable_bytes) &&
	       json_number(line, "uncovered_bytes", r->uncovered_bytes) &&
	       json_number(line, "late_bytes", r->late_bytes) &&
	       json_number(line, "filled_bytes", r->filled_bytes) &&
	       json_number(line, "trimmed_bytes", r->trimmed_bytes) &&
	       json_number(line, "records", r->records) &&
	       json_number(line, "elided_bytes", r->dropped_bytes) &&
	       json_number(line, "written_bytes", r->written_bytes) &&
	       json_number(line, "sparse_bytes", r->hole_bytes) &&
	       json_some_text(line, "sha256", r->digest);
}

int report_finish(struct report *report, const struct report_end *end,
	struct avml_error *err)
{
	struct timespec now, now_utc;
	cJSON *line;

	if (!report->wanted)
		return 0;
	begin(report);
	clock_gettime(CLOCK_MONOTONIC, &now);
	clock_gettime(CLOCK_REALTIME, &now_utc);
	line = begin_line("summary");
	end_line(report, line,
		line && json_utc(line, "end", &now_utc) &&
			json_since(line, "seconds", &report->started,
				json_nanoseconds(&now)) &&
			json_number(line, "status", (uint64_t)end->status) &&
			json_text(line, "outcome", outcome(end->status)) &&
			json_error(line, "error", end->err) &&
			json_text(line, "image", end->image) &&
			add_result(line, end->result));
	cJSON_Delete(report->sources);
	cJSON_Delete(report->ram);
	return journal_close(&report->journal, err);
}

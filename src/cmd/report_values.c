/* SPDX-License-Identifier: MIT */
#include "cmd/report_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/cmd.h"

#define NS_PER_S 1000000000

bool json_some_text(cJSON *object, const char *key, const char *text)
{
	return json_text(object, key, text[0] ? text : NULL);
}

bool json_path(cJSON *object, const char *key, const char *path,
	const char *proc_dir, const char *name)
{
	CLEANUP_FREE char *in_proc = NULL;

	if (path)
		return json_text(object, key, path);
	if (asprintf(&in_proc, "%s/%s", proc_dir ? proc_dir : "/proc", name) <
		0) {
		in_proc = NULL;
		return false;
	}
	return json_text(object, key, in_proc);
}

static bool json_address(cJSON *object, const char *key, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%016" PRIx64, address);
	return json_text(object, key, text);
}

bool json_range(cJSON *object, struct avml_range range)
{
	return json_address(object, "start", range.start) &&
	       json_address(object, "end", range.end);
}

bool json_utc(cJSON *object, const char *key, const struct timespec *time)
{
	char date[32], text[64];
	struct tm tm;

	if (!gmtime_r(&time->tv_sec, &tm) ||
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return json_text(object, key, NULL);
	snprintf(text, sizeof(text), "%s.%06uZ", date,
		(unsigned int)time->tv_nsec / 1000);
	return json_text(object, key, text);
}

uint64_t json_nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

bool json_since(cJSON *object, const char *key, const struct timespec *start,
	uint64_t then)
{
	const uint64_t from = json_nanoseconds(start);
	const uint64_t ns = then > from ? then - from : 0;
	char text[40];

	if (then == 0)
		return cJSON_AddNullToObject(object, key);
	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, ns / NS_PER_S,
		ns % NS_PER_S / 1000);
	return cJSON_AddRawToObject(object, key, text);
}

static bool add_option(cJSON *object, const struct option *option,
	const void *target, const void *defaults)
{
	const void *at = (const char *)target + option->offset;
	const void *usual = (const char *)defaults + option->offset;
	char text[40];

	if (option->secret)
		return true;
	switch (option->kind) {
	case OPTION_FLAG:
		return *(const bool *)at == *(const bool *)usual ||
		       json_bool(object, option->name, *(const bool *)at);
	case OPTION_TEXT:
	case OPTION_CHOICE:
		return !*(const char *const *)at ||
		       json_text(
			       object, option->name, *(const char *const *)at);
	case OPTION_NUMBER:
	case OPTION_SIZE:
		return *(const uint64_t *)at == *(const uint64_t *)usual ||
		       json_number(object, option->name, *(const uint64_t *)at);
	case OPTION_PERCENT:
		if (*(const double *)at <= *(const double *)usual &&
			*(const double *)at >= *(const double *)usual)
			return true;
		snprintf(text, sizeof(text), "%.17g", *(const double *)at);
		return cJSON_AddRawToObject(object, option->name, text);
	}
	return false;
}

bool json_options(cJSON *object, const char *key, const struct option *options,
	const void *target, const void *defaults)
{
	cJSON *all = cJSON_AddObjectToObject(object, key);

	for (; all && options->name; options++) {
		if (!add_option(all, options, target, defaults))
			return false;
	}
	return all;
}

bool json_verdict(cJSON *array, const struct avml_source_verdict *verdict)
{
	const struct avml_source_verdict *v = verdict;
	cJSON *item = json_item(array);

	return item && json_text(item, "name", v->name) &&
	       json_text(item, "path", v->path) &&
	       json_bool(item, "usable", v->reason == AVML_SOURCE_USABLE) &&
	       json_bool(item, "primary", v->primary) &&
	       json_text(item, "reason", avml_source_reason_key(v->reason)) &&
	       json_error(item, "message", v->err) &&
	       json_text(item, "remedy", v->remedy);
}

bool json_tool(cJSON *object, const char *key)
{
	cJSON *tool = cJSON_AddObjectToObject(object, key);

	return tool && json_text(tool, "name", "avml") &&
	       json_text(tool, "version", AVML_VERSION) &&
	       json_some_text(tool, "commit", cmd_commit()) &&
	       json_text(tool, "build", cmd_build()) &&
	       json_text(tool, "compiler", cmd_compiler());
}

bool json_host(cJSON *object, const char *key, const struct avml_host *host)
{
	cJSON *item = cJSON_AddObjectToObject(object, key);

	return item && json_some_text(item, "name", host->name) &&
	       json_some_text(item, "machine", host->machine) &&
	       json_some_text(item, "boot_id", host->boot_id) &&
	       json_some_text(item, "kernel_release", host->kernel) &&
	       json_some_text(item, "kernel_version", host->version) &&
	       json_some_text(item, "lockdown", host->lockdown) &&
	       json_bool(item, "root", host->root) &&
	       json_bool(item, "cap_sys_rawio", host->cap_sys_rawio) &&
	       json_bool(item, "cap_sys_admin", host->cap_sys_admin);
}

bool json_footprint(cJSON *object, const char *key,
	const struct avml_source_footprint *footprint)
{
	cJSON *item;

	if (footprint->loads == 0)
		return json_text(object, key, NULL);
	item = cJSON_AddObjectToObject(object, key);
	return item && json_text(item, "program", footprint->kind) &&
	       json_number(item, "programs", footprint->programs) &&
	       json_number(item, "loads", footprint->loads) &&
	       json_number(item, "program_bytes", footprint->program_bytes) &&
	       json_number(item, "map_bytes", footprint->map_bytes);
}

/* SPDX-License-Identifier: MIT */
/* Values of a report, as members of JSON objects: see json.h. */
#ifndef CMD_REPORT_VALUES_H
#define CMD_REPORT_VALUES_H

#include <time.h>

#include <avml/host.h>
#include <avml/range.h>
#include <avml/source.h>

#include "cmd/json.h"
#include "cmd/option.h"

/* A text, or null for "". */
bool json_some_text(cJSON *object, const char *key, const char *text);
/* `path`, or that of a file of proc. */
bool json_path(cJSON *object, const char *key, const char *path,
	const char *proc_dir, const char *name);
/* "start" and "end", which is exclusive, in hexadecimal digits. */
bool json_range(cJSON *object, struct avml_range range);
/* A point in time, in UTC, to the microsecond (RFC 3339). */
bool json_utc(cJSON *object, const char *key, const struct timespec *time);
/* Of CLOCK_MONOTONIC. */
uint64_t json_nanoseconds(const struct timespec *time);
/* Seconds from `start` to then, to the microsecond; null for 0. */
bool json_since(cJSON *object, const char *key, const struct timespec *start,
	uint64_t then);
/* An object of all options that are not as in `defaults`, by their names. */
bool json_options(cJSON *object, const char *key, const struct option *options,
	const void *target, const void *defaults);
/* An object at the end of an array: what became of a source. */
bool json_verdict(cJSON *array, const struct avml_source_verdict *verdict);
/* This program: name, version, commit and how it was built. */
bool json_tool(cJSON *object, const char *key);
/* The machine. */
bool json_host(cJSON *object, const char *key, const struct avml_host *host);
/* What reading left in the kernel, as long as it lasted; null for nothing. */
bool json_footprint(cJSON *object, const char *key,
	const struct avml_source_footprint *footprint);

#endif

/* SPDX-License-Identifier: MIT */
#include "cmd/part_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "cmd/secret.h"

#define MIB ((uint64_t)1 << 20)
/* 10,000 URLs, with a session's token in each of them. */
#define FILE_MAX (64u << 20)
#define VERSION 1
#define PARTS_MAX 10000
/* Seconds: by as much stores let clocks differ. */
#define CLOCK_ERROR 900
#define NO_JSON "it is no JSON object"

static const char *text_of(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsString(item) && item->valuestring[0] ? item->valuestring
							    : NULL;
}

static int bad(const char *path, const char *what, struct avml_error *err)
{
	return avml_error_set(err, EBADMSG,
		"%s is no list of avml-part-urls: %s", path, what);
}

/* Whole MiB, and no more than any store takes. */
static bool take_size(const cJSON *json, uint64_t *size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "part_size");
	const double value = cJSON_IsNumber(item) ? item->valuedouble : 0;

	if (!(value >= 5.0 * (double)MIB && value <= 5120.0 * (double)MIB))
		return false;
	*size = (uint64_t)value;
	return *size % MIB == 0 && (double)*size >= value;
}

/* --- the text, of which the URLs stay where they are ---------------------- */

/* A NUL stands at the end, and nowhere else. */
struct scan {
	char *at, *end;
};

/* Whether that comes next, and then behind it; blanks go. */
static bool scan_char(struct scan *scan, char wanted)
{
	scan->at += strspn(scan->at, " \t\r\n");
	if (*scan->at != wanted)
		return false;
	scan->at++;
	return true;
}

/* It may be a URL. */
static void wipe_string(const cJSON *value)
{
	if (value && cJSON_IsString(value))
		explicit_bzero(value->valuestring, strlen(value->valuestring));
}

static void delete_value(cJSON *value)
{
	wipe_string(value);
	cJSON_Delete(value);
}

/* Any value. NULL: none comes next, or memory is out. */
static cJSON *scan_value(struct scan *scan)
{
	const char *end;
	cJSON *value = cJSON_ParseWithLengthOpts(
		scan->at, (size_t)(scan->end - scan->at), &end, false);

	if (value)
		scan->at += end - scan->at;
	return value;
}

/*
 * What is behind "[". A URL is written down over its own text, which is never
 * shorter: the list may have tens of MiB, and is in memory once.
 */
static int scan_urls(const char *path, struct scan *scan,
	struct part_list *list, struct avml_error *err)
{
	const char **urls = calloc(PARTS_MAX, sizeof(*urls));
	char *to = scan->at;

	if (!urls)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	list->parts.urls = urls;
	if (scan_char(scan, ']'))
		return 0;
	do {
		cJSON *url = scan_value(scan);
		const char *text = cJSON_IsString(url) ? url->valuestring : "";
		const size_t len = strlen(text);
		const bool is_json = url;

		if (len > 0)
			memcpy(to, text, len + 1);
		delete_value(url);
		if (!is_json)
			return bad(path, NO_JSON, err);
		if (len == 0)
			return bad(path, "a part has no URL", err);
		if (list->parts.count == PARTS_MAX)
			return bad(path, "it has more than 10000 parts", err);
		urls[list->parts.count++] = to;
		to += len + 1;
	} while (scan_char(scan, ','));
	return scan_char(scan, ']') ? 0 : bad(path, NO_JSON, err);
}

/* One of the object's members. */
static int scan_member(const char *path, struct scan *scan,
	struct part_list *list, struct avml_error *err)
{
	cJSON *name = scan_value(scan), *value = NULL;
	int ret = 0;

	if (!cJSON_IsString(name) || !scan_char(scan, ':')) {
		ret = bad(path, NO_JSON, err);
	} else if (!list->parts.urls &&
		   strcmp(name->valuestring, "parts") == 0 &&
		   scan_char(scan, '[')) {
		ret = scan_urls(path, scan, list, err);
	} else {
		value = scan_value(scan);
		if (!value)
			ret = bad(path, NO_JSON, err);
		else if (!cJSON_AddItemToObject(
				 list->json, name->valuestring, value))
			ret = avml_error_set_errno(err, ENOMEM, "%s", path);
		else
			value = NULL; /* it is the object's */
	}
	delete_value(value);
	delete_value(name);
	return ret;
}

static int scan_all(
	const char *path, struct part_list *list, struct avml_error *err)
{
	struct scan scan = { list->text, list->text + list->text_len };
	int ret = 0;

	list->json = cJSON_CreateObject();
	if (!list->json)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	if (memchr(scan.at, '\0', list->text_len) || !scan_char(&scan, '{'))
		return bad(path, NO_JSON, err);
	if (!scan_char(&scan, '}')) {
		do
			ret = scan_member(path, &scan, list, err);
		while (ret == 0 && scan_char(&scan, ','));
		if (ret == 0 && !scan_char(&scan, '}'))
			ret = bad(path, NO_JSON, err);
	}
	if (ret == 0 && !scan_char(&scan, '\0'))
		ret = bad(path, NO_JSON, err);
	return ret;
}

/* --- what it says --------------------------------------------------------- */

#define TIME_SHOWN sizeof("9999-12-31T23:59:59Z")
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"

/* "" when the time is none that can be shown. */
static void show_time(time_t seconds, char shown[TIME_SHOWN])
{
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
		strftime(shown, TIME_SHOWN, TIME_FORMAT, &tm) == 0)
		shown[0] = '\0';
}

/* What is shown as it was written is what it says. */
static bool parse_time(const char *text, time_t *seconds)
{
	struct tm tm = { .tm_isdst = 0 };
	char shown[TIME_SHOWN];

	if (strlen(text) != TIME_SHOWN - 1 ||
		sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &tm.tm_year,
			&tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
			&tm.tm_sec) != 6)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*seconds = timegm(&tm);
	show_time(*seconds, shown);
	return strcmp(text, shown) == 0;
}

/* The list's end, if it says one, by a clock that may be a little wrong. */
static int check_expires(
	const char *path, const cJSON *json, struct avml_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "expires");
	char shown[TIME_SHOWN];
	struct timespec now;
	time_t expires;

	if (!item)
		return 0;
	if (!cJSON_IsString(item) || !parse_time(item->valuestring, &expires))
		return bad(path,
			"expires is no time such as 2026-01-31T12:00:00Z", err);
	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec - expires <= CLOCK_ERROR)
		return 0;
	show_time(now.tv_sec, shown);
	return avml_error_set(err, EKEYEXPIRED,
		"%s: its URLs expired at %s, and it is %s by this machine's "
		"clock",
		path, item->valuestring, shown);
}

static int take_all(
	const char *path, struct part_list *list, struct avml_error *err)
{
	const cJSON *version =
		cJSON_GetObjectItemCaseSensitive(list->json, "version");
	const char *bucket = text_of(list->json, "bucket");
	const char *key = text_of(list->json, "key");

	if (!cJSON_IsNumber(version) || version->valueint != VERSION)
		return bad(path, "its version is not 1", err);
	list->parts.complete = text_of(list->json, "complete");
	list->parts.abort = text_of(list->json, "abort");
	list->parts.head = text_of(list->json, "head");
	list->parts.upload_id = text_of(list->json, "upload_id");
	if (!list->parts.complete || !list->parts.abort ||
		!list->parts.upload_id || !bucket || !key)
		return bad(path,
			"bucket, key, upload_id, complete or abort is missing",
			err);
	if (!take_size(list->json, &list->parts.part_size))
		return bad(path,
			"part_size is no whole MiB from 5 MiB to 5 GiB", err);
	if (list->parts.count == 0)
		return bad(path, "it has no parts", err);
	if (asprintf(&list->to, "s3://%s/%s", bucket, key) < 0) {
		list->to = NULL;
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	}
	return check_expires(path, list->json, err);
}

/* All there is; of a pipe it comes in parts. */
static int read_all(int fd, const char *name, struct part_list *list,
	struct avml_error *err)
{
	/* What is not written to is in no memory, and nothing is moved. */
	list->text = malloc(FILE_MAX + 1);
	if (!list->text) {
		avml_error_set_errno(err, ENOMEM, "cannot read %s", name);
		return -ENOMEM;
	}
	while (list->text_len <= FILE_MAX) {
		const ssize_t got = read(fd, list->text + list->text_len,
			FILE_MAX + 1 - list->text_len);

		if (got < 0 && errno == EINTR && cancel_level() == 0)
			continue;
		if (got < 0)
			return avml_error_set_errno(
				err, errno, "cannot read %s", name);
		if (got == 0) {
			list->text[list->text_len] = '\0';
			return 0;
		}
		list->text_len += (size_t)got;
	}
	return avml_error_set(
		err, EFBIG, "%s is larger than %u bytes", name, FILE_MAX);
}

int part_list_read(
	const char *path, struct part_list *list, struct avml_error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const char *name = is_stdin ? "stdin" : path;
	CLEANUP_CLOSE int fd = -1;
	int ret;

	*list = (struct part_list){ .json = NULL };
	/* A socket, or another user's, could not be opened by a name. */
	fd = is_stdin ? dup(STDIN_FILENO)
		      : io_open(path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return avml_error_set_errno(
			err, is_stdin ? errno : -fd, "cannot open %s", name);
	secret_keep_in();
	ret = read_all(fd, name, list, err);
	if (ret == 0)
		ret = scan_all(name, list, err);
	if (ret == 0)
		ret = take_all(name, list, err);
	if (ret < 0)
		part_list_release(list);
	return ret;
}

void part_list_release(struct part_list *list)
{
	union {
		const char *const *read;
		void *own;
	} urls = { list->parts.urls };
	const cJSON *item;

	cJSON_ArrayForEach(item, list->json)
	{
		wipe_string(item);
	}
	if (list->text)
		explicit_bzero(list->text, list->text_len);
	free(urls.own);
	free(list->to);
	free(list->text);
	cJSON_Delete(list->json);
	*list = (struct part_list){ .json = NULL };
}

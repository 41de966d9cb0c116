/* SPDX-License-Identifier: MIT */
#include "cmd/part_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/io.h"
#include "cmd/secret.h"

#define MIB ((uint64_t)1 << 20)
/* 10,000 URLs, with a session's token in each of them. */
#define FILE_MAX (64u << 20)
#define VERSION 1
#define PARTS_MAX 10000

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

static int take_urls(
	const char *path, struct part_list *list, struct avml_error *err)
{
	const cJSON *urls =
		cJSON_GetObjectItemCaseSensitive(list->json, "parts");
	const int count = cJSON_IsArray(urls) ? cJSON_GetArraySize(urls) : 0;
	const char **to;
	const cJSON *url;

	if (count < 1 || count > PARTS_MAX)
		return bad(path, "it has no parts, or more than 10000", err);
	to = calloc((size_t)count, sizeof(*to));
	if (!to)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	list->parts.urls = to;
	list->parts.count = (size_t)count;
	cJSON_ArrayForEach(url, urls)
	{
		if (!cJSON_IsString(url) || !url->valuestring[0])
			return bad(path, "a part has no URL", err);
		*to++ = url->valuestring;
	}
	return 0;
}

static int take_all(
	const char *path, struct part_list *list, struct avml_error *err)
{
	const cJSON *version =
		cJSON_GetObjectItemCaseSensitive(list->json, "version");
	const char *bucket = text_of(list->json, "bucket");
	const char *key = text_of(list->json, "key");
	char *to;

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
	if (asprintf(&to, "s3://%s/%s", bucket, key) < 0)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	list->to = list->text = to;
	return take_urls(path, list, err);
}

int part_list_read(
	const char *path, struct part_list *list, struct avml_error *err)
{
	const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	char *text;
	size_t len;
	int ret = secret_check_file(path, err);

	if (ret == 0)
		ret = io_read_text(from, FILE_MAX, &text, &len, err);
	if (ret < 0)
		return ret;
	secret_keep_in();
	*list = (struct part_list){ .json = cJSON_ParseWithLength(text, len) };
	memset(text, 0, len);
	free(text);
	ret = list->json ? take_all(path, list, err)
			 : bad(path, "it is no JSON", err);
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

	free(urls.own);
	free(list->text);
	cJSON_Delete(list->json);
	*list = (struct part_list){ .json = NULL };
}

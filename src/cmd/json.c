/* SPDX-License-Identifier: MIT */
#include "cmd/json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cmd/print.h"

bool json_text(cJSON *object, const char *key, const char *text)
{
	CLEANUP_FREE char *escaped = text ? print_shown(text) : NULL;

	if (!text)
		return cJSON_AddNullToObject(object, key);
	return escaped && cJSON_AddStringToObject(object, key, escaped);
}

bool json_error(cJSON *object, const char *key, const struct avml_error *err)
{
	CLEANUP_FREE char *text = err ? print_shown_error(err) : NULL;

	if (!err)
		return cJSON_AddNullToObject(object, key);
	return text && cJSON_AddStringToObject(object, key, text);
}

bool json_number(cJSON *object, const char *key, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return cJSON_AddRawToObject(object, key, text);
}

bool json_bool(cJSON *object, const char *key, bool value)
{
	return cJSON_AddBoolToObject(object, key, value);
}

cJSON *json_item(cJSON *array)
{
	cJSON *item = cJSON_CreateObject();

	if (item && !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		return NULL;
	}
	return item;
}

/* SPDX-License-Identifier: MIT */
/*
 * Members of a JSON object, by cJSON. Each returns false when memory is
 * out, and only then. Texts come from outside: they are made printable, see
 * print_escape().
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include <avml/error.h>

/* A text, or null for none. */
bool json_text(cJSON *object, const char *key, const char *text);
/* An error and its causes in one text; null for none. */
bool json_error(cJSON *object, const char *key, const struct avml_error *err);
/* All 64 bits of it, which are more than cJSON's own numbers hold. */
bool json_number(cJSON *object, const char *key, uint64_t number);
bool json_bool(cJSON *object, const char *key, bool value);
/* An object at the end of an array; NULL when memory is out. */
cJSON *json_item(cJSON *array);

#endif

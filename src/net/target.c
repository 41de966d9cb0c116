/* SPDX-License-Identifier: MIT */
#include "net/target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Not of ctype.h: locales are not asked. */
static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

/* Returns where the text ends, with no NUL there. */
static char *encode(const char *text, bool is_path, char *to)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		const unsigned char byte = (unsigned char)*text;

		if (is_unreserved(*text) || (is_path && *text == '/')) {
			*to++ = *text;
			continue;
		}
		*to++ = '%';
		*to++ = digits[byte >> 4];
		*to++ = digits[byte & 15];
	}
	return to;
}

/* The order of what a byte is encoded as; "%" stands before all others. */
static int order_of(char c)
{
	return is_unreserved(c) ? c : '%';
}

static int compare_encoded(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (order_of(*a) != order_of(*b))
		return order_of(*a) - order_of(*b);
	/* That of the digits is that of the bytes; the end's is 0. */
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	const int order = compare_encoded(x->name, y->name);

	return order ? order : compare_encoded(x->value, y->value);
}

char *target_new(const char *path, const struct pair *query, size_t count)
{
	struct pair sorted[TARGET_PARAMETERS_MAX];
	size_t room = 3 * strlen(path) + 1;
	char *target, *end;

	if (count > TARGET_PARAMETERS_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = query[i];
		room += 3 * (strlen(query[i].name) + strlen(query[i].value)) +
			2;
	}
	target = malloc(room);
	if (!target)
		return NULL;
	qsort(sorted, count, sizeof(*sorted), compare_pairs);
	end = encode(path, true, target);
	for (size_t i = 0; i < count; i++) {
		*end++ = i == 0 ? '?' : '&';
		end = encode(sorted[i].name, false, end);
		*end++ = '=';
		end = encode(sorted[i].value, false, end);
	}
	*end = '\0';
	return target;
}

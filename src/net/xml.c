/* SPDX-License-Identifier: MIT */
#include "net/xml.h"

#include <string.h>

#include <expat.h>

/* Between a namespace and a name; a namespace has none of its own. */
#define SEPARATOR '\n'

struct search {
	XML_Parser parser;
	const char *element; /* NULL: the outermost one, and its name */
	char *value;
	size_t size; /* of `value`, bytes */
	size_t len;
	unsigned int depth;
	unsigned int at; /* the depth of the element that is read; 0: none */
	bool found;	 /* it was closed, or named */
};

/* The document, of which nothing is taken then. */
static void refuse(struct search *s)
{
	XML_StopParser(s->parser, XML_FALSE);
}

/* The text of an element, or a part of it. */
static void keep(struct search *s, const char *text, size_t len)
{
	if (len >= s->size - s->len) {
		refuse(s);
		return;
	}
	memcpy(s->value + s->len, text, len);
	s->len += len;
}

static const char *local_name(const char *name)
{
	const char *end = strrchr(name, SEPARATOR);

	return end ? end + 1 : name;
}

static void XMLCALL on_start(void *ctx, const char *name, const char **attrs)
{
	struct search *s = ctx;

	(void)attrs;
	if (++s->depth > XML_DEPTH_MAX) {
		refuse(s);
		return;
	}
	if (s->found || s->at > 0)
		return;
	name = local_name(name);
	if (!s->element) {
		keep(s, name, strlen(name));
		s->found = true;
	} else if (strcmp(name, s->element) == 0) {
		s->at = s->depth;
	}
}

static void XMLCALL on_end(void *ctx, const char *name)
{
	struct search *s = ctx;

	(void)name;
	if (s->at == s->depth) {
		s->at = 0;
		s->found = true;
	}
	s->depth--;
}

static void XMLCALL on_text(void *ctx, const char *text, int len)
{
	struct search *s = ctx;

	if (s->at > 0 && s->at == s->depth)
		keep(s, text, (size_t)len);
}

static void XMLCALL on_doctype(void *ctx, const char *name, const char *system,
	const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	refuse(ctx);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* XML has no characters below the space but these; it has those above. */
static bool is_control(const char *at)
{
	const unsigned char first = (unsigned char)at[0];
	const unsigned char next = (unsigned char)at[1];

	return first == 0x7f || (first == 0xc2 && next >= 0x80 && next < 0xa0);
}

/* What is to be shown or sent back is one line of text. */
static bool tidy(struct search *s)
{
	size_t begin = 0;

	while (s->len > 0 && is_space(s->value[s->len - 1]))
		s->len--;
	while (begin < s->len && is_space(s->value[begin]))
		begin++;
	s->len -= begin;
	memmove(s->value, s->value + begin, s->len);
	s->value[s->len] = '\0';
	for (size_t i = 0; i < s->len; i++) {
		if (is_space(s->value[i]))
			s->value[i] = ' ';
		if (is_control(s->value + i))
			return false;
	}
	return true;
}

static bool parse(struct search *s, const char *text, size_t len)
{
	bool whole;

	s->parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (!s->parser)
		return false;
	XML_SetUserData(s->parser, s);
	XML_SetElementHandler(s->parser, on_start, on_end);
	XML_SetCharacterDataHandler(s->parser, on_text);
	XML_SetStartDoctypeDeclHandler(s->parser, on_doctype);
	whole = XML_Parse(s->parser, text, (int)len, XML_TRUE) == XML_STATUS_OK;
	XML_ParserFree(s->parser);
	return whole && s->found && tidy(s);
}

static bool search(const char *text, size_t len, const char *element,
	char *value, size_t size)
{
	struct search s = {
		.element = element,
		.value = value,
		.size = size,
	};

	if (len > XML_LEN_MAX)
		len = 0;
	/* Sent by stores while they have no answer yet; XML wants none there.
	 */
	while (len > 0 && is_space(*text)) {
		text++;
		len--;
	}
	if (len > 0 && parse(&s, text, len))
		return true;
	value[0] = '\0';
	return false;
}

bool xml_find(const char *text, size_t len, const char *element, char *value,
	size_t size)
{
	return search(text, len, element, value, size);
}

bool xml_root(const char *text, size_t len, char *name, size_t size)
{
	return search(text, len, NULL, name, size);
}

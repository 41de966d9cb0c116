/* SPDX-License-Identifier: MIT */
/*
 * The few elements wanted of what an object store answers, by libexpat. The
 * text is a stranger's: whatever it is, it costs no more than its own length,
 * and a document type, which is where entities are declared, makes it none.
 *
 * Threads: nothing is shared.
 */
#ifndef NET_XML_H
#define NET_XML_H

#include <stdbool.h>
#include <stddef.h>

/* Longer texts and deeper elements are not looked at. */
#define XML_LEN_MAX (1u << 20) /* bytes */
#define XML_DEPTH_MAX 32

/*
 * The text of the first element of this name, at any depth, whatever its
 * namespace or prefix; in UTF-8, in one line, without white space around it,
 * and without what is inside of elements in it. False, and "", when there is
 * none, when its text has no room in `size` bytes (with the NUL, at least 1),
 * when it has control characters, or when the document is not well-formed, to
 * its end.
 */
bool xml_find(const char *text, size_t len, const char *element, char *value,
	size_t size);

/* The name of the outermost element, without prefix; else as above. */
bool xml_root(const char *text, size_t len, char *name, size_t size);

#endif

/* SPDX-License-Identifier: MIT */
#include <avml/iomem.h>

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

/* No processor has longer physical addresses (x86-64: 52, arm64: 56). */
#define PHYSICAL_END (UINT64_C(1) << 56)

static const char ram_name[] = "System RAM";
static const char file_cut[] = "the file ends within a line";

struct line {
	const char *text;
	size_t len;
	unsigned long number;
	bool ended; /* by a newline, not by the end of the file */
};

struct resource {
	size_t indent;	      /* spaces in front */
	uint64_t first, last; /* inclusive, as the file has it */
	bool is_ram;
	bool maybe_ram; /* the name is only the beginning of RAM's */
};

void avml_iomem_release(struct avml_iomem *iomem)
{
	avml_range_list_release(&iomem->ram);
	*iomem = (struct avml_iomem)AVML_IOMEM_INIT;
}

/* Take a hexadecimal number off the front; false: none, or over 64 bits. */
static bool take_hex(const char **at, const char *end, uint64_t *value)
{
	const char *p = *at;

	*value = 0;
	while (p < end && isxdigit((unsigned char)*p)) {
		const int c = tolower((unsigned char)*p++);
		const unsigned int digit =
			(unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);

		if (*value >> 60)
			return false;
		*value = *value << 4 | digit;
	}
	if (p == *at)
		return false;
	*at = p;
	return true;
}

static bool take_text(const char **at, const char *end, const char *text)
{
	const size_t len = strlen(text);

	if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool parse_line(const struct line *line, struct resource *res)
{
	const char *at = line->text;
	const char *const end = line->text + line->len;

	while (at < end && *at == ' ')
		at++;
	res->indent = (size_t)(at - line->text);
	if (!take_hex(&at, end, &res->first) || !take_text(&at, end, "-") ||
		!take_hex(&at, end, &res->last) || !take_text(&at, end, " : "))
		return false;
	res->is_ram = take_text(&at, end, ram_name);
	res->maybe_ram =
		!res->is_ram && strncmp(at, ram_name, (size_t)(end - at)) == 0;
	return true;
}

static int bad_line(const struct line *line, const char *path, const char *what,
	struct avml_error *err)
{
	const int shown = line->len > 120 ? 120 : (int)line->len;

	return avml_error_set(err, EINVAL, "%s:%lu: %s: \"%.*s\"", path,
		line->number, what, shown, line->text);
}

/* Walks the lines; what it carries from one to the next. */
struct walk {
	const char *path;
	struct avml_iomem *iomem;
	struct line line;
	struct line first_skipped;
	bool below_ram; /* inside the RAM line of ram_indent */
	size_t ram_indent;
	unsigned long ram_lines;
	bool all_zero; /* so far every address was 0 */
	unsigned long good_lines;
};

static int skip_line(struct walk *w, struct avml_error *err)
{
	const struct line *line = &w->line;

	if (memmem(line->text, line->len, ram_name, sizeof(ram_name) - 1))
		return bad_line(line, w->path, "not an address range", err);
	if (!line->ended)
		return bad_line(line, w->path, file_cut, err);
	if (w->iomem->skipped++ == 0) {
		w->iomem->first_skipped = line->number;
		w->first_skipped = *line;
	}
	return 0;
}

static int take_line(struct walk *w, struct avml_error *err)
{
	struct resource res;

	if (w->line.len == 0)
		return 0;
	if (!parse_line(&w->line, &res))
		return skip_line(w, err);
	if (res.maybe_ram && !w->line.ended)
		return bad_line(&w->line, w->path, file_cut, err);
	w->good_lines++;
	if (res.first != 0 || res.last != 0)
		w->all_zero = false;
	if (w->below_ram && res.indent > w->ram_indent)
		return 0;
	w->below_ram = res.is_ram;
	if (!res.is_ram)
		return 0;
	w->ram_indent = res.indent;
	w->ram_lines++;
	if (res.last < res.first)
		return bad_line(&w->line, w->path,
			"a range that ends before it begins", err);
	if (res.last >= PHYSICAL_END)
		return bad_line(&w->line, w->path,
			"a range above 2^56, where no machine has memory", err);
	if (avml_range_list_add(&w->iomem->ram, res.first, res.last + 1))
		return avml_error_set_errno(err, ENOMEM, "%s", w->path);
	return 0;
}

static int check_whole(const struct walk *w, struct avml_error *err)
{
	if (w->good_lines > 0 && w->all_zero)
		return avml_error_set(err, EPERM,
			"%s shows every address as 0: reading it needs root "
			"(CAP_SYS_ADMIN)",
			w->path);
	if (w->ram_lines > 0)
		return 0;
	if (w->iomem->skipped > 0)
		return bad_line(
			&w->first_skipped, w->path, "not an iomem line", err);
	if (w->good_lines == 0)
		return avml_error_set(err, ENODATA, "%s is empty", w->path);
	return avml_error_set(err, ENODATA, "%s has no System RAM", w->path);
}

int avml_iomem_parse(const char *text, size_t len, const char *path,
	struct avml_iomem *iomem, struct avml_error *err)
{
	struct walk w = { .path = path, .iomem = iomem, .all_zero = true };
	const char *const end = text + len;
	int ret = 0;

	*iomem = (struct avml_iomem)AVML_IOMEM_INIT;
	for (const char *at = text; at < end && ret == 0;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		const char *stop = nl ? nl : end;

		w.line.text = at;
		w.line.ended = nl != NULL;
		w.line.number = ++iomem->lines;
		at = nl ? nl + 1 : end;
		/* A file that went through another system's editor. */
		if (stop > w.line.text && stop[-1] == '\r')
			stop--;
		w.line.len = (size_t)(stop - w.line.text);
		ret = take_line(&w, err);
	}
	if (ret == 0)
		ret = check_whole(&w, err);
	if (ret < 0)
		avml_iomem_release(iomem);
	else
		avml_range_list_merge(&iomem->ram);
	return ret;
}

int avml_iomem_read(
	const char *path, struct avml_iomem *iomem, struct avml_error *err)
{
	CLEANUP_FREE char *text = NULL;
	size_t len;
	int ret;

	*iomem = (struct avml_iomem)AVML_IOMEM_INIT;
	ret = io_read_text(path, AVML_IOMEM_MAX, &text, &len, err);
	if (ret < 0)
		return ret;
	return avml_iomem_parse(text, len, path, iomem, err);
}

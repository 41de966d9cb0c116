/* SPDX-License-Identifier: MIT */
#include <avml/source.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/source_ops.h"

/* The known sources, in the order in which they are tried. */
static const struct source_ops *const known[] = {
	&source_kcore,
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))
#define PROBE_FLOOR (1u << 20)

static int open_at(const struct source_ops *ops, const char *path,
	const struct avml_source_config *config, struct avml_source **source,
	struct avml_error *err)
{
	size_t page_size = config->page_size;
	CLEANUP_FREE char *copy = strdup(path);
	int ret;

	if (!copy)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	if (page_size == 0)
		page_size = (size_t)sysconf(_SC_PAGESIZE);
	ret = ops->open(path, page_size, source, err);
	if (ret < 0)
		return ret;
	(*source)->ops = ops;
	(*source)->path = TAKE_PTR(copy);
	(*source)->page_size = page_size;
	return 0;
}

/* A known source, at its usual path or where proc is mounted instead. */
static int open_known(const struct source_ops *ops,
	const struct avml_source_config *config, struct avml_source **source,
	struct avml_error *err)
{
	static const char proc[] = "/proc/";
	const char *path = ops->usual_path;
	CLEANUP_FREE char *moved = NULL;

	if (config->proc_dir && strncmp(path, proc, sizeof(proc) - 1) == 0) {
		if (asprintf(&moved, "%s/%s", config->proc_dir,
			    path + sizeof(proc) - 1) < 0) {
			moved = NULL;
			return avml_error_set_errno(err, ENOMEM, "%s", path);
		}
		path = moved;
	}
	return open_at(ops, path, config, source, err);
}

static bool is_called(const struct source_ops *ops, const char *what)
{
	return strcmp(what, ops->name) == 0 ||
	       strcmp(what, ops->usual_path) == 0;
}

/* A kcore of a proc mounted elsewhere, or its path spelled differently. */
static bool is_kcore_path(const char *what)
{
	const char *slash = strrchr(what, '/');

	return slash && strcmp(slash + 1, source_kcore.name) == 0;
}

int avml_source_open(const char *what, const struct avml_source_config *config,
	struct avml_source **source, struct avml_error *err)
{
	int ret = -ENOENT;

	*source = NULL;
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (what && !is_called(known[i], what))
			continue;
		ret = open_known(known[i], config, source, err);
		if (ret == 0 || what)
			return ret;
	}
	if (what && is_kcore_path(what))
		return open_at(&source_kcore, what, config, source, err);
	if (what)
		return open_at(&source_file, what, config, source, err);
	return ret;
}

void avml_source_free(struct avml_source *source)
{
	if (!source)
		return;
	free(source->path);
	avml_range_list_release(&source->coverage);
	source->ops->free(source);
}

const char *avml_source_path(const struct avml_source *source)
{
	return source->path;
}

size_t avml_source_page_size(const struct avml_source *source)
{
	return source->page_size;
}

bool avml_source_is_live(const struct avml_source *source)
{
	return source->live;
}

const struct avml_range_list *avml_source_coverage(
	const struct avml_source *source)
{
	return source->covers_all ? NULL : &source->coverage;
}

int avml_source_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	return source->ops->reader_new(source, reader, err);
}

void avml_source_reader_free(struct avml_source_reader *reader)
{
	if (reader)
		reader->source->ops->reader_free(reader);
}

static uint8_t status_of(ssize_t n)
{
	if (n >= 0)
		return AVML_PAGE_END;
	return n > -AVML_PAGE_UNCOVERED ? (uint8_t)-n : AVML_PAGE_OTHER;
}

/*
 * A page of which `n` bytes (or an error) came. What can be read of it is
 * kept, the rest is zeros; the reason is that of the byte that is missing.
 */
static uint8_t read_page(
	struct avml_source_reader *reader, uint64_t addr, char *buf, ssize_t n)
{
	const size_t page = reader->source->page_size;
	size_t kept = 0;

	while (n > 0) {
		kept += (size_t)n;
		if (kept == page)
			return AVML_PAGE_READ;
		n = reader->source->ops->read(
			reader, addr + kept, buf + kept, page - kept);
	}
	memset(buf + kept, 0, page - kept);
	return status_of(n);
}

size_t avml_source_read(struct avml_source_reader *reader, uint64_t addr,
	void *buf, size_t len, uint8_t *status)
{
	const size_t page = reader->source->page_size;
	size_t failed = 0;

	while (len > 0) {
		ssize_t n = reader->source->ops->read(reader, addr, buf, len);
		size_t good = n > 0 ? (size_t)n - (size_t)n % page : 0;

		if (good > 0) {
			memset(status, AVML_PAGE_READ, good / page);
		} else if (n == 0 && reader->source->flat) {
			/* The file has ended, for this page and all others. */
			memset(buf, 0, len);
			memset(status, AVML_PAGE_END, len / page);
			return failed + len / page;
		} else if (len > page) {
			good = len / page / 2 * page;
			failed += avml_source_read(
				reader, addr, buf, good, status);
		} else {
			*status = read_page(reader, addr, buf, n);
			failed += *status != AVML_PAGE_READ;
			good = page;
		}
		addr += good;
		buf = (char *)buf + good;
		status += good / page;
		len -= good;
	}
	return failed;
}

const char *avml_page_status_text(unsigned int status)
{
	switch (status) {
	case AVML_PAGE_READ:
		return "read";
	case AVML_PAGE_UNCOVERED:
		return "in no program header of the source";
	case AVML_PAGE_END:
		return "the source ends before it";
	case AVML_PAGE_OTHER:
		return "unknown error";
	default:
		return strerror((int)status);
	}
}

/* Try the three pages of a range. 1: one of them reads, 0: none. */
static int probe_range(struct avml_source_reader *reader, uint64_t floor,
	struct avml_range range, void *buf, uint8_t *status)
{
	const size_t page = reader->source->page_size;
	uint64_t pages, at[3];

	if (range.start < floor)
		range.start = floor;
	if (range.start >= range.end)
		return 0;
	pages = avml_range_len(range) / page;
	at[0] = range.start;
	at[1] = range.start + pages / 2 * page;
	at[2] = range.end - page;
	for (size_t i = 0; i < 3; i++) {
		if (avml_source_read(reader, at[i], buf, page, status) == 0)
			return 1;
	}
	return 0;
}

int avml_source_probe(const struct avml_source *source,
	const struct avml_range_list *ranges, struct avml_error *err)
{
	CLEANUP_FREE void *buf = NULL;
	struct avml_source_reader *reader;
	uint64_t floor = PROBE_FLOOR;
	uint8_t status = AVML_PAGE_READ;
	int found = 0, ret;

	if (ranges->count == 0)
		return avml_error_set(err, ENODATA,
			"%s: there is no page of RAM to read", source->path);
	if (ranges->items[ranges->count - 1].end <= PROBE_FLOOR)
		floor = 0;
	buf = malloc(source->page_size);
	if (!buf)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	ret = avml_source_reader_new(source, &reader, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ranges->count && !found; i++)
		found = probe_range(
			reader, floor, ranges->items[i], buf, &status);
	avml_source_reader_free(reader);
	if (found)
		return 0;
	return avml_error_set(err, EIO,
		"%s opens, but none of the pages tried in it can be read: %s",
		source->path, avml_page_status_text(status));
}

/* SPDX-License-Identifier: MIT */
/* Reading that survives: the page filter, and what becomes of a failure. */
#include <string.h>

#include "source/source_ops.h"

/* Pages whose marks are asked for at once. */
#define MARKS 64

static uint8_t status_of(ssize_t n)
{
	if (n == 0)
		return AVML_PAGE_END;
	if (n > -AVML_PAGE_POISONED || n == -AVML_PAGE_UNCOVERED)
		return (uint8_t)-n;
	return AVML_PAGE_OTHER;
}

/*
 * A page of which `n` bytes (or an error) came. What can be read of it is
 * kept, the rest is zeros; the reason is that of the byte that is missing.
 */
static uint8_t read_page(
	struct avml_source_reader *reader, uint64_t addr, char *buf, ssize_t n)
{
	const struct source_ops *ops = reader->source->ops;
	const size_t page = reader->source->page_size;
	size_t kept = 0;

	while (n > 0) {
		kept += (size_t)n;
		if (kept == page)
			return AVML_PAGE_READ;
		/* To ask for the rest would break the device's rules. */
		n = ops->whole_pages ? 0
				     : ops->read(reader, addr + kept,
					       buf + kept, page - kept);
	}
	memset(buf + kept, 0, page - kept);
	return status_of(n);
}

/* Pages that may be touched. */
/* NOLINTNEXTLINE(misc-no-recursion): halves of a piece, down to a page */
static size_t read_allowed(struct avml_source_reader *reader, uint64_t addr,
	char *buf, size_t len, uint8_t *status)
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
			failed += read_allowed(reader, addr, buf, good, status);
		} else {
			*status = read_page(reader, addr, buf, n);
			failed += *status != AVML_PAGE_READ;
			good = page;
		}
		addr += good;
		buf += good;
		status += good / page;
		len -= good;
	}
	return failed;
}

/* The status of a page that is not to be touched; else AVML_PAGE_READ. */
static uint8_t refusal(const struct avml_source *source, uint8_t mark)
{
	switch (mark) {
	case AVML_PAGE_MARK_POISONED:
		return AVML_PAGE_POISONED;
	case AVML_PAGE_MARK_OFFLINE:
		return AVML_PAGE_OFFLINE;
	case AVML_PAGE_MARK_NO_PAGE:
		return AVML_PAGE_NO_PAGE;
	case AVML_PAGE_MARK_UNKNOWN:
		/* Behind all memory there is what devices are mapped to. */
		return source->cautious || source->ops->last_resort
			       ? AVML_PAGE_UNMARKED
			       : AVML_PAGE_READ;
	case AVML_PAGE_MARK_ERROR:
		return AVML_PAGE_UNMARKED;
	default:
		return AVML_PAGE_READ;
	}
}

/* Up to MARKS pages, of which runs may and runs may not be touched. */
static size_t read_marked(struct avml_source_reader *reader, uint64_t addr,
	char *buf, size_t count, uint8_t *status)
{
	const struct avml_source *source = reader->source;
	const size_t page = source->page_size;
	uint8_t marks[MARKS];
	size_t failed = 0, run;

	avml_page_flags_marks(&source->flags, addr / page, count, marks);
	for (size_t i = 0; i < count; i += run) {
		const uint8_t first = refusal(source, marks[i]);

		for (run = 1; i + run < count; run++) {
			if (refusal(source, marks[i + run]) != first)
				break;
		}
		if (first == AVML_PAGE_READ) {
			failed += read_allowed(reader, addr + i * page,
				buf + i * page, run * page, status + i);
			continue;
		}
		memset(buf + i * page, 0, run * page);
		memset(status + i, first, run);
		failed += run;
	}
	return failed;
}

size_t avml_source_read(struct avml_source_reader *reader, uint64_t addr,
	void *buf, size_t len, uint8_t *status)
{
	const size_t page = reader->source->page_size;
	size_t failed = 0;

	if (!avml_page_flags_known(&reader->source->flags))
		return read_allowed(reader, addr, buf, len, status);
	for (size_t done = 0; done < len; done += MARKS * page) {
		const size_t pages = (len - done) / page;

		failed += read_marked(reader, addr + done, (char *)buf + done,
			pages < MARKS ? pages : MARKS, status + done / page);
	}
	return failed;
}

static const struct {
	unsigned int status;
	const char *key, *text;
} page_statuses[] = {
	{ AVML_PAGE_READ, "read", "read" },
	{ AVML_PAGE_POISONED, "poisoned", "hardware poisoned (kpageflags)" },
	{ AVML_PAGE_OFFLINE, "offline", "offline (kpageflags)" },
	{ AVML_PAGE_NO_PAGE, "no-page", "no page (kpageflags)" },
	{ AVML_PAGE_UNMARKED, "unmarked",
		"kpageflags does not tell whether it may be touched" },
	{ AVML_PAGE_LATE, "late", "it was plugged in after the run had begun" },
	{ AVML_PAGE_UNCOVERED, "uncovered",
		"in no program header of the source" },
	{ AVML_PAGE_END, "end", "the source ends before it" },
	{ AVML_PAGE_OTHER, "errno", "unknown error" },
};

#define STATUS_COUNT (sizeof(page_statuses) / sizeof(page_statuses[0]))

const char *avml_page_status_key(unsigned int status)
{
	for (size_t i = 0; i < STATUS_COUNT; i++) {
		if (page_statuses[i].status == status)
			return page_statuses[i].key;
	}
	return "errno";
}

const char *avml_page_status_text(unsigned int status)
{
	for (size_t i = 0; i < STATUS_COUNT; i++) {
		if (page_statuses[i].status == status)
			return page_statuses[i].text;
	}
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): constants */
	return strerror((int)status);
}

/* SPDX-License-Identifier: MIT */
#include "source/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cancel.h"
#include "base/cleanup.h"

/* Whether one of three pages of a range reads. */
static bool probe_range(struct avml_source_reader *reader, uint64_t floor,
	struct avml_range range, void *buf, uint8_t *status)
{
	const size_t page = reader->source->page_size;
	uint64_t pages, at[3];

	if (range.start < floor)
		range.start = floor;
	if (range.start >= range.end)
		return false;
	pages = avml_range_len(range) / page;
	at[0] = range.start;
	at[1] = range.start + pages / 2 * page;
	at[2] = range.end - page;
	for (size_t i = 0; i < 3; i++) {
		uint8_t now;

		if (avml_source_read(reader, at[i], buf, page, &now) == 0)
			return true;
		/* An error says more of the source than a mark does. */
		if (*status == AVML_PAGE_READ || now < AVML_PAGE_POISONED)
			*status = now;
	}
	return false;
}

static int probe_ranges(const struct avml_source *source,
	const struct avml_range_list *ranges, struct probe *probe,
	struct avml_error *err)
{
	CLEANUP_FREE void *buf = malloc(source->page_size);
	const uint64_t top =
		ranges->count ? ranges->items[ranges->count - 1].end : 0;
	const uint64_t floor = top > SOURCE_LOW_MEMORY ? SOURCE_LOW_MEMORY : 0;
	struct avml_source_reader *reader;
	bool found = false;
	int ret;

	if (top == 0)
		return avml_error_set(err, ENODATA,
			source->covers_all
				? "%s: there is no page of RAM to read"
				: "%s has no place for any page of RAM",
			source->path);
	if (!buf)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	ret = avml_source_reader_new(source, &reader, err);
	if (ret < 0)
		return ret;
	/* What is forbidden here is forbidden everywhere. */
	for (size_t i = 0; i < ranges->count && !found &&
			   probe->status != EPERM && cancel_level() == 0;
		i++)
		found = probe_range(
			reader, floor, ranges->items[i], buf, &probe->status);
	avml_source_reader_free(reader);
	probe->above_low = found && floor > 0;
	if (found)
		return 0;
	if (cancel_level() > 0)
		return cancel_error(err);
	return avml_error_set(err, EIO,
		"%s opens, but none of the pages tried in it can be read: %s",
		source->path, avml_page_status_text(probe->status));
}

int probe_source(const struct avml_source *source,
	const struct avml_range_list *ranges, struct probe *probe,
	struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list covered = AVML_RANGE_LIST_INIT;

	*probe = (struct probe){ .status = AVML_PAGE_READ };
	if (source->covers_all)
		return probe_ranges(source, ranges, probe, err);
	if (avml_range_list_intersect(ranges, &source->coverage, &covered))
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	return probe_ranges(source, &covered, probe, err);
}

int avml_source_probe(const struct avml_source *source,
	const struct avml_range_list *ranges, struct avml_error *err)
{
	struct probe ignored;

	return probe_source(source, ranges, &ignored, err);
}

/* SPDX-License-Identifier: MIT */
#include <avml/source.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/source_ops.h"

int source_refuse(struct source_refusal *why, enum avml_source_reason reason,
	const char *remedy, int ret)
{
	why->reason = reason;
	why->remedy = remedy;
	return ret;
}

int source_risk(const struct source_place *place, struct source_refusal *why,
	struct avml_error *err)
{
	static const char go_on[] = "; --force reads it all the same, at the "
				    "risk of the machine";
	char text[AVML_ERROR_TEXT + sizeof(go_on)];
	size_t len;

	if (!place->forced)
		return source_refuse(why, AVML_SOURCE_UNSAFE,
			"--source with its name and --force read it all the "
			"same, at the risk of the machine",
			-EPERM);
	if (place->tell_forced) {
		len = avml_error_join(err, text, AVML_ERROR_TEXT);
		memcpy(text + len, go_on, sizeof(go_on));
		place->tell_forced(place->ctx, text);
	}
	avml_error_init(err);
	return 0;
}

void avml_source_free(struct avml_source *source)
{
	if (!source)
		return;
	free(source->path);
	avml_range_list_release(&source->coverage);
	avml_page_flags_release(&source->flags);
	if (source->ops->free)
		source->ops->free(source);
	else
		free(source);
}

const char *avml_source_path(const struct avml_source *source)
{
	return source->path;
}

const char *avml_source_path_of(const struct avml_source *source, size_t i)
{
	const struct avml_source *member = i == 0 ? source : NULL;

	if (source->ops->member)
		member = source->ops->member(source, i);
	return member ? member->path : NULL;
}

bool avml_source_footprint(const struct avml_source *source,
	struct avml_source_footprint *footprint)
{
	*footprint = (struct avml_source_footprint){ .programs = 0 };
	if (!source->ops->footprint)
		return false;
	source->ops->footprint(source, footprint);
	return true;
}

void *avml_source_buffers(
	struct avml_source *source, size_t len, size_t count, size_t readers)
{
	if (!source->ops->buffers)
		return NULL;
	return source->ops->buffers(source, len, count, readers);
}

size_t avml_source_page_size(const struct avml_source *source)
{
	return source->page_size;
}

bool avml_source_is_live(const struct avml_source *source)
{
	return source->live;
}

bool avml_source_is_host(const struct avml_source *source)
{
	return source->host;
}

bool avml_source_is_filtered(const struct avml_source *source)
{
	return avml_page_flags_known(&source->flags);
}

bool avml_source_is_cautious(const struct avml_source *source)
{
	return source->cautious;
}

const struct avml_range_list *avml_source_coverage(
	const struct avml_source *source)
{
	return source->covers_all ? NULL : &source->coverage;
}

int avml_source_recheck(const struct avml_source *source,
	struct avml_range_list *added, struct avml_range_list *gone,
	struct avml_error *err)
{
	added->count = 0;
	gone->count = 0;
	return source->ops->recheck
		       ? source->ops->recheck(source, added, gone, err)
		       : 0;
}

uint64_t avml_source_filled(const struct avml_source *source)
{
	return source->ops->filled ? source->ops->filled(source) : 0;
}

const struct avml_range_list *avml_source_filled_by(
	const struct avml_source *source, size_t i)
{
	return source->ops->filled_by ? source->ops->filled_by(source, i)
				      : NULL;
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

const char *avml_source_reason_key(enum avml_source_reason reason)
{
	static const char *const keys[] = {
		[AVML_SOURCE_USABLE] = "usable",
		[AVML_SOURCE_MISSING] = "missing",
		[AVML_SOURCE_MASKED] = "masked",
		[AVML_SOURCE_NOT_ROOT] = "not-root",
		[AVML_SOURCE_CAPABILITY] = "capability",
		[AVML_SOURCE_USER_NAMESPACE] = "user-namespace",
		[AVML_SOURCE_LOCKDOWN] = "lockdown",
		[AVML_SOURCE_DENIED] = "denied",
		[AVML_SOURCE_STRICT_DEVMEM] = "strict-devmem",
		[AVML_SOURCE_HEADERS] = "headers",
		[AVML_SOURCE_NO_RAM] = "no-ram",
		[AVML_SOURCE_UNREADABLE] = "unreadable",
		[AVML_SOURCE_UNSAFE] = "unsafe",
		[AVML_SOURCE_KERNEL] = "kernel",
		[AVML_SOURCE_UNPROVEN] = "unproven",
		[AVML_SOURCE_UNNEEDED] = "unneeded",
		[AVML_SOURCE_OTHER] = "other",
	};

	return keys[reason];
}

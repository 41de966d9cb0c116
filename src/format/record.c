/* SPDX-License-Identifier: MIT */
#include <avml/record.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"

static const char *const format_names[] = {
	[AVML_IMAGE_NONE] = "none",
	[AVML_IMAGE_RAW] = "raw",
	[AVML_IMAGE_LIME] = "lime",
	[AVML_IMAGE_LIME_COMPRESSED] = "lime_compressed",
};

const char *avml_image_format_name(enum avml_image_format format)
{
	return format_names[format];
}

enum avml_image_format avml_image_format_parse(const char *name)
{
	for (int i = AVML_IMAGE_RAW; i <= AVML_IMAGE_LIME_COMPRESSED; i++) {
		if (strcmp(name, format_names[i]) == 0)
			return (enum avml_image_format)i;
	}
	return AVML_IMAGE_NONE;
}

void avml_record_header_encode(const struct avml_record_header *header,
	uint8_t wire[AVML_RECORD_HEADER_SIZE])
{
	store_le32(wire, header->format == AVML_RECORD_LIME
				 ? AVML_RECORD_MAGIC_LIME
				 : AVML_RECORD_MAGIC_AVML);
	store_le32(wire + 4, (uint32_t)header->format);
	store_le64(wire + 8, header->range.start);
	store_le64(wire + 16, header->range.end - 1);
	store_le64(wire + 24, 0);
}

int avml_record_header_decode(const uint8_t wire[AVML_RECORD_HEADER_SIZE],
	struct avml_record_header *header, struct avml_error *err)
{
	struct cursor c = cursor_over(wire, AVML_RECORD_HEADER_SIZE);
	const uint32_t magic = cursor_u32(&c);
	const uint32_t version = cursor_u32(&c);
	const uint64_t first = cursor_u64(&c);
	const uint64_t last = cursor_u64(&c);
	const uint64_t reserved = cursor_u64(&c);

	if (magic != AVML_RECORD_MAGIC_LIME && magic != AVML_RECORD_MAGIC_AVML)
		return avml_error_set(err, EINVAL,
			"bad magic 0x%08" PRIx32 ": neither LiME nor AVML",
			magic);
	if (magic == AVML_RECORD_MAGIC_LIME && version != AVML_RECORD_LIME)
		return avml_error_set(err, EINVAL,
			"LiME header of version %" PRIu32 ", not 1", version);
	if (magic == AVML_RECORD_MAGIC_AVML && version != AVML_RECORD_AVML)
		return avml_error_set(err, EINVAL,
			"AVML header of version %" PRIu32 ", not 2", version);
	if (reserved != 0)
		return avml_error_set(err, EINVAL,
			"reserved field of the header is 0x%" PRIx64 ", not 0",
			reserved);
	if (last < first)
		return avml_error_set(err, EINVAL,
			"record ends (0x%" PRIx64
			") before it begins (0x%" PRIx64 ")",
			last, first);
	if (last == UINT64_MAX)
		return avml_error_set(err, EINVAL,
			"record reaches to the end of the 64-bit address space");
	header->format = (enum avml_record_format)version;
	header->range.start = first;
	header->range.end = last + 1;
	return 0;
}

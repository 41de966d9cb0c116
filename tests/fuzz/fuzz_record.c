/* SPDX-License-Identifier: MIT */
/* A record's header: what is read of it is all that there is in it. */
#include "fuzz.h"

#include <errno.h>

#include <avml/record.h>

/* Any range at all comes back as it was. */
static void check_round(struct fuzz_input in)
{
	struct avml_record_header header = { AVML_RECORD_LIME, { 0, 0 } }, back;
	uint8_t wire[AVML_RECORD_HEADER_SIZE];
	struct avml_error err;

	if (fuzz_number(&in, 1) & 1)
		header.format = AVML_RECORD_AVML;
	header.range.start = fuzz_number(&in, 8);
	header.range.end = fuzz_number(&in, 8);
	if (header.range.start >= header.range.end)
		return;
	avml_record_header_encode(&header, wire);
	FUZZ_ASSERT(avml_record_header_decode(wire, &back, &err) == 0);
	FUZZ_ASSERT(back.format == header.format);
	FUZZ_ASSERT(back.range.start == header.range.start);
	FUZZ_ASSERT(back.range.end == header.range.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct avml_record_header header;
	struct avml_error err = AVML_ERROR_INIT;
	uint8_t wire[AVML_RECORD_HEADER_SIZE];
	int ret;

	check_round(fuzz_begin(data, size));
	if (size != sizeof(wire))
		return 0;
	ret = avml_record_header_decode(data, &header, &err);
	if (ret < 0) {
		FUZZ_ASSERT(ret == -EINVAL && err.code == EINVAL);
		FUZZ_ASSERT(err.depth == 1);
		return 0;
	}
	FUZZ_ASSERT(header.range.start < header.range.end);
	avml_record_header_encode(&header, wire);
	FUZZ_ASSERT(memcmp(wire, data, sizeof(wire)) == 0);
	return 0;
}

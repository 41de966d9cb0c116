/* SPDX-License-Identifier: MIT */
/* /proc/iomem: what is found is a list of ranges, and stands in the text. */
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>

#include <avml/iomem.h>

static void check_merged(const struct avml_range_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		FUZZ_ASSERT(list->items[i].start < list->items[i].end);
		FUZZ_ASSERT(i == 0 ||
			    list->items[i - 1].end < list->items[i].start);
	}
}

/* The ranges written as iomem lines are read as the same ranges. */
static void check_round(const struct avml_range_list *list)
{
	const size_t room = 64 * list->count + 1;
	char *text = malloc(room);
	struct avml_iomem back = AVML_IOMEM_INIT;
	struct avml_error err;
	size_t len = 0;

	FUZZ_ASSERT(text);
	/* The byte at 0 alone looks like what is shown to who may not see. */
	if (list->items[list->count - 1].end == 1) {
		free(text);
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		len += (size_t)snprintf(text + len, room - len,
			"%08" PRIx64 "-%08" PRIx64 " : System RAM\n",
			list->items[i].start, list->items[i].end - 1);
	FUZZ_ASSERT(avml_iomem_parse(text, len, "again", &back, &err) == 0);
	FUZZ_ASSERT(back.skipped == 0 && back.lines == list->count);
	FUZZ_ASSERT(back.ram.count == list->count);
	for (size_t i = 0; i < list->count; i++) {
		FUZZ_ASSERT(back.ram.items[i].start == list->items[i].start);
		FUZZ_ASSERT(back.ram.items[i].end == list->items[i].end);
	}
	avml_iomem_release(&back);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fuzz_input in = fuzz_begin(data, size);
	char *text = fuzz_rest(&in);
	struct avml_iomem iomem = AVML_IOMEM_INIT;
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = avml_iomem_parse(text, size, "iomem", &iomem, &err);

	if (ret < 0) {
		FUZZ_ASSERT(ret == -EPERM || ret == -ENODATA || ret == -EINVAL);
		FUZZ_ASSERT(err.code == -ret && err.depth > 0);
		FUZZ_ASSERT(iomem.ram.count == 0);
	} else {
		FUZZ_ASSERT(iomem.ram.count > 0);
		FUZZ_ASSERT(iomem.skipped <= iomem.lines);
		FUZZ_ASSERT(iomem.first_skipped <= iomem.lines);
		check_merged(&iomem.ram);
		check_round(&iomem.ram);
	}
	avml_iomem_release(&iomem);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * /proc/kpageflags: each page's mark is what its word says. In front of the
 * words stand the first page that is asked for, and how many.
 */
#include "memory_file.h"

#include <errno.h>

#include <avml/page_flags.h>

#define PAGES_MAX 1024

static uint8_t expected(const struct fuzz_input *in, uint64_t pfn)
{
	uint64_t word;

	if (pfn >= UINT64_MAX / sizeof(word) / 2)
		return AVML_PAGE_MARK_ERROR; /* no offset in a file */
	if (pfn >= in->left / sizeof(word))
		return AVML_PAGE_MARK_UNKNOWN;
	memcpy(&word, in->at + pfn * sizeof(word), sizeof(word));
	/* The numbers of the kernel's own documentation. */
	if (word >> 19 & 1)
		return AVML_PAGE_MARK_POISONED;
	if (word >> 23 & 1)
		return AVML_PAGE_MARK_OFFLINE;
	if (word >> 20 & 1)
		return AVML_PAGE_MARK_NO_PAGE;
	return AVML_PAGE_MARK_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	const unsigned int shift = (unsigned int)fuzz_number(&in, 1) % 64;
	const uint64_t pfn = fuzz_number(&in, 2) << shift;
	const size_t count = (size_t)fuzz_number(&in, 2) % PAGES_MAX;
	struct avml_page_flags flags;
	struct avml_error err;
	uint8_t *marks = malloc(count ? count : 1);
	char path[64];
	int ret;

	FUZZ_ASSERT(marks);
	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		memory_file(in.at, in.left));
	ret = avml_page_flags_open(path, &flags, &err);
	FUZZ_ASSERT(avml_page_flags_known(&flags) == (ret == 0));
	FUZZ_ASSERT(ret == (in.left < 8 ? -ENODATA : 0));
	if (ret == 0) {
		avml_page_flags_marks(&flags, pfn, count, marks);
		for (size_t i = 0; i < count; i++)
			FUZZ_ASSERT(marks[i] == expected(&in, pfn + i));
	}
	avml_page_flags_release(&flags);
	free(marks);
	return 0;
}

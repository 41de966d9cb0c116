/* SPDX-License-Identifier: MIT */
/*
 * A LiME image written in the most simple way, with nothing of the code
 * that is tested: what an image must be, byte for byte.
 */
#ifndef CHECK_IMAGE_H
#define CHECK_IMAGE_H

#include "check_main.h"

#include <stdbool.h>

#include <avml/range.h>

#define TEST_RECORDS_MAX 4096
#define TEST_HEADER_LEN 32

struct test_image {
	uint8_t *bytes;
	size_t len, room;
	size_t count;	  /* of records */
	uint64_t dropped; /* bytes in zero blocks */
	struct {
		struct avml_range range;
		size_t offset; /* of the header */
	} records[TEST_RECORDS_MAX];
};

static inline void test_image_append(
	struct test_image *image, const void *bytes, size_t len)
{
	if (image->room - image->len < len) {
		image->room = 2 * image->room + len;
		image->bytes = realloc(image->bytes, image->room);
		ck_assert_ptr_nonnull(image->bytes);
	}
	memcpy(image->bytes + image->len, bytes, len);
	image->len += len;
}

static inline void test_image_number(
	struct test_image *image, uint64_t number, int size)
{
	for (int i = 0; i < size; i++) {
		const uint8_t byte = (uint8_t)(number >> 8 * i);

		test_image_append(image, &byte, 1);
	}
}

static inline bool test_all_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* One block of memory: a record, unless it is all zeros. */
static inline void test_image_block(struct test_image *image,
	struct avml_range block, const uint8_t *bytes, bool keep_zeros)
{
	const size_t len = (size_t)(block.end - block.start);

	if (!keep_zeros && test_all_zero(bytes, len)) {
		image->dropped += len;
		return;
	}
	ck_assert_uint_lt(image->count, TEST_RECORDS_MAX);
	image->records[image->count].range = block;
	image->records[image->count++].offset = image->len;
	test_image_append(image, "EMiL", 4);
	test_image_number(image, 1, 4);
	test_image_number(image, block.start, 8);
	test_image_number(image, block.end - 1, 8);
	test_image_number(image, 0, 8);
	test_image_append(image, bytes, len);
}

/* A range cut into blocks from its start; `bytes` are those at its start. */
static inline void test_image_range(struct test_image *image,
	struct avml_range range, const uint8_t *bytes, uint64_t block_len,
	bool keep_zeros)
{
	while (range.start < range.end) {
		struct avml_range block = range;

		if (block.end - block.start > block_len)
			block.end = block.start + block_len;
		test_image_block(image, block, bytes, keep_zeros);
		bytes += block.end - block.start;
		range.start = block.end;
	}
}

static inline void test_image_release(struct test_image *image)
{
	free(image->bytes);
	*image = (struct test_image){ .len = 0 };
}

/* The first `len` bytes of the image are what is at `path`, and no more. */
static inline void test_image_assert_file(
	const struct test_image *image, size_t len, const char *path)
{
	size_t got_len;
	char *got = test_load(path, &got_len);

	ck_assert_uint_eq(got_len, len);
	for (size_t i = 0; i < len && memcmp(got, image->bytes, len) != 0;
		i++) {
		if ((uint8_t)got[i] != image->bytes[i])
			ck_abort_msg("%s: byte %zu is 0x%02x, not 0x%02x", path,
				i, (uint8_t)got[i], image->bytes[i]);
	}
	free(got);
}

#endif

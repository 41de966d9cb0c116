/* SPDX-License-Identifier: MIT */
/*
 * Images in memory: what a conversion reads, a sink that takes what it
 * writes, and what memory an image holds.
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include "fuzz.h"

#include "format/image_reader.h"
#include "sink/sink_ops.h"

/*
 * What a sink takes before its disk is full: bytes, zeros (which are only
 * counted), and turns from the one to the other.
 */
#define FUZZ_DATA_MAX (1u << 20)
#define FUZZ_ZEROS_MAX (24u << 20)
#define FUZZ_EXTENTS_MAX 4096

struct fuzz_extent {
	uint64_t at, len;
	const uint8_t *bytes; /* NULL: zeros */
};

/* Extents follow one another without a gap. */
struct fuzz_image {
	struct fuzz_image *next; /* of those that are not in use */
	uint64_t len;
	size_t count;
	struct fuzz_extent extents[FUZZ_EXTENTS_MAX];
	size_t used; /* of data */
	uint8_t data[FUZZ_DATA_MAX];
};

/*
 * One of these bytes, which stay the caller's. Where FUZZ_ZEROS_MARK stands
 * in them, three bytes that follow it tell how many zeros the image has in
 * its place, all in all at most `zeros_max`: long runs without long inputs.
 */
#define FUZZ_ZEROS_MARK "\0zeros"
#define FUZZ_ZEROS_MARK_LEN 6
#define FUZZ_ZEROS_LEN (FUZZ_ZEROS_MARK_LEN + 3)

struct fuzz_image *fuzz_image_over(
	const uint8_t *bytes, size_t len, uint64_t zeros_max);

/* One without any. */
struct fuzz_image *fuzz_image_new(void);
void fuzz_image_free(struct fuzz_image *image);

/* Cut it off behind `len` bytes. */
void fuzz_image_cut(struct fuzz_image *image, uint64_t len);
bool fuzz_image_equal(const struct fuzz_image *a, const struct fuzz_image *b);

/* A reader's way through an image. */
struct fuzz_feed {
	struct image_input input;
	const struct fuzz_image *image;
	uint64_t at;
	size_t most; /* bytes that are given at once; 0: all */
};

void fuzz_feed_init(struct fuzz_feed *feed, const struct fuzz_image *image,
	size_t most, bool peek);

/* The sink: a file on a disk that gets full. */
struct fuzz_sink {
	struct avml_sink base;
	struct fuzz_image *image;
	uint64_t zeros_left; /* of those that it takes */
};

void fuzz_sink_init(struct fuzz_sink *sink, struct fuzz_image *image,
	bool makes_holes, uint64_t zeros_max);

/*
 * What memory an image holds: all bytes that are not zero, each with its
 * address, in the order of the image. Zeros may be left out of one image
 * and not of another.
 */
struct fuzz_memory {
	uint64_t hash;
	uint64_t nonzero; /* bytes */
	uint64_t limit;	  /* so many, and no more are looked at */
	uint64_t len;	  /* bytes, zeros too */
	uint64_t records;
	uint64_t offset;  /* in the image, behind what was read */
	uint64_t padding; /* bytes of chunks between those of data */
	uint64_t oddities[IMAGE_ODD_COUNT];
	/* Told of all but records without data; may be NULL. */
	void (*part)(
		void *ctx, uint64_t addr, const uint8_t *bytes, size_t len);
	void *ctx;
};

#define FUZZ_MEMORY_ALL             \
	{                           \
		.limit = UINT64_MAX \
	}
void fuzz_memory_add(struct fuzz_memory *memory, uint64_t addr,
	const uint8_t *bytes, size_t len);

/* Of an image, with headers or raw: 0, or how reading it failed. */
int fuzz_memory_read(struct fuzz_memory *memory, const struct fuzz_image *image,
	bool raw, struct avml_error *err);

#endif

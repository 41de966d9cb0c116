/* SPDX-License-Identifier: MIT */
/*
 * The image reader: cuts an image, of any writer, into parts at record and
 * chunk borders. It reads and looks at headers only; what is inside a
 * chunk is decoded and checked by whoever takes the part.
 *
 * Nothing is allocated by a length that the image claims, and nothing but
 * a look ahead needs more than one pass: a pipe will do.
 *
 * Threads: one at a time. Errors name the offset in the image.
 */
#ifndef FORMAT_IMAGE_READER_H
#define FORMAT_IMAGE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <avml/error.h>
#include <avml/range.h>
#include <avml/record.h>

/* Where the image's bytes come from. */
struct image_input {
	void *ctx;
	/*
	 * The next bytes, at most `len`: their count, 0 only at the end of
	 * the image; or a negative errno with `err` filled.
	 */
	ssize_t (*read)(
		void *ctx, void *buf, size_t len, struct avml_error *err);
	/*
	 * Bytes from elsewhere, without moving on: their count, fewer than
	 * `len` where the image ends, 0 behind that; or a negative errno.
	 * NULL: cannot be done.
	 */
	ssize_t (*peek)(void *ctx, void *buf, size_t len, uint64_t offset);
	/*
	 * Go past bytes without reading them, at most `len`: how many there
	 * were. NULL: cannot be done.
	 */
	uint64_t (*skip)(void *ctx, uint64_t len);
};

/* What a part's bytes are. */
enum image_part_kind {
	IMAGE_PLAIN,  /* memory as it is */
	IMAGE_CHUNKS, /* whole data chunks of the snappy framing format */
	IMAGE_ZEROS,  /* none: the record has no data, and means zeros */
	IMAGE_ODDITY, /* none, nor memory: something is odd here */
};

/* A part holds at most so much memory, and so many bytes of the image. */
#define IMAGE_PART_MEMORY (256u << 10)
#define IMAGE_PART_BYTES (320u << 10)

/* Oddities that are read all the same: how many, and where the first. */
enum image_oddity {
	IMAGE_ODD_EMPTY,   /* v2 record without data, read as zeros */
	IMAGE_ODD_TRAILER, /* trailer that is not the stream's length */
	IMAGE_ODD_UNCOMPRESSED_TRAILER, /* but the memory's length */
	IMAGE_ODD_ORDER, /* record that overlaps or precedes the one before */
	IMAGE_ODD_MIXED, /* record of another format than the first */
	IMAGE_ODD_PARTIAL_PAGE, /* record that does not end with a page */
	IMAGE_ODD_END,		/* v1 record whose end was wrong: salvaged */
	IMAGE_ODD_RANGE,	/* v2 record whose range was: likewise */
	IMAGE_ODD_COUNT
};

struct image_part {
	enum image_part_kind kind;
	enum avml_record_format format;
	struct avml_range range;  /* of memory; within `record` */
	struct avml_range record; /* that it belongs to */
	uint64_t record_offset;	  /* of its header in the image */
	uint64_t run_end;	  /* to here, records follow without a gap */
	uint64_t offset;	  /* of its first byte in the image */
	uint64_t len;		  /* bytes of the image */
	enum image_oddity oddity; /* of IMAGE_ODDITY */
};

struct image_oddity_count {
	uint64_t count;
	uint64_t offset; /* of the first, in the image */
};

/* What was lost while salvaging. */
struct image_loss {
	uint64_t offset, end;	 /* bytes of the image that were passed over */
	struct avml_range range; /* memory that is missing; empty: unknown */
	uint64_t unplaced;	 /* bytes of it that have no known address */
	char reason[160];
};

/* Take an error's innermost message for the reason of a loss. */
void image_loss_reason(struct image_loss *loss, const struct avml_error *err);

struct image_reader;

struct image_reader_options {
	/* Other than 0: no headers, but so many bytes of memory from 0 on. */
	uint64_t raw_size;
	/*
	 * Parts are single chunks, which were found to be sound, and what
	 * makes no sense is passed over up to the next record.
	 */
	bool salvage;
	/*
	 * What makes no sense is passed over likewise, but chunks are not
	 * decoded, and each oddity is handed out as a part of its own.
	 */
	bool check;
	/*
	 * Memory of v1 is gone past: a part is all there is of its record,
	 * and has nothing in `buf`.
	 */
	bool heads;
	/* Look ahead for run_end, where the input can be peeked at. */
	bool runs;
};

/* `input` stays the caller's. NULL when memory is out. */
struct image_reader *image_reader_new(const struct image_input *input,
	const struct image_reader_options *options);
void image_reader_free(struct image_reader *r);

/*
 * Look at the first header (while salvaging, for the first that makes
 * sense), so that what is no image at all is refused before anything else
 * is done. 0 or as image_reader_next(); `loss` is filled when there was
 * nothing to salvage.
 */
int image_reader_begin(struct image_reader *r, struct image_loss *loss,
	struct avml_error *err);

/*
 * The next part, its bytes in `buf` of IMAGE_PART_BYTES. 1; 0 at the end;
 * -EINVAL for an image that makes no sense, or an errno of reading it. An
 * error comes after the parts before it, and again for each call.
 *
 * While salvaging and checking, 2 stands for a loss, told in `loss`.
 */
int image_reader_next(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct image_loss *loss,
	struct avml_error *err);

const struct image_oddity_count *image_reader_oddity(
	const struct image_reader *r, enum image_oddity which);

/* The format of the first record; NONE before it, and without headers RAW. */
enum avml_image_format image_reader_format(const struct image_reader *r);

/* Records whose header was read so far. */
uint64_t image_reader_records(const struct image_reader *r);

/* Bytes of the image taken so far. */
uint64_t image_reader_offset(const struct image_reader *r);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The 32 bytes in front of every record of an image, on the wire
 * little-endian:
 *
 *	offset size
 *	0	4	magic: 0x4C694D45 (LiME) or 0x4C4D5641 (AVML)
 *	4	4	version: 1 (LiME) or 2 (AVML)
 *	8	8	physical address of the first byte
 *	16	8	physical address of the last byte (inclusive)
 *	24	8	reserved, 0
 *
 * The format of version 1 is LiME's (its doc/README, "lime" format), that
 * of version 2 AVML's. In memory, ends are exclusive: the codec converts.
 */
#ifndef AVML_RECORD_H
#define AVML_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVML_RECORD_HEADER_SIZE 32
#define AVML_RECORD_MAGIC_LIME 0x4C694D45u
#define AVML_RECORD_MAGIC_AVML 0x4C4D5641u

/* The longest block that is written as one record, in bytes. */
#define AVML_BLOCK_SIZE (16u << 20)

enum avml_record_format {
	AVML_RECORD_LIME = 1, /* the bytes follow as they are */
	AVML_RECORD_AVML = 2, /* a snappy framing stream and its length */
};

/* The formats of whole images, by the names that AVML gave them. */
enum avml_image_format {
	AVML_IMAGE_NONE = 0,
	AVML_IMAGE_RAW,		    /* memory; its address is the offset */
	AVML_IMAGE_LIME,	    /* records of version 1 */
	AVML_IMAGE_LIME_COMPRESSED, /* records of version 2 */
};

/* "raw", "lime", "lime_compressed"; "none" for AVML_IMAGE_NONE. */
const char *avml_image_format_name(enum avml_image_format format);

/* AVML_IMAGE_NONE for a name that is none of these. */
enum avml_image_format avml_image_format_parse(const char *name);

struct avml_record_header {
	enum avml_record_format format;
	struct avml_range range; /* never empty */
};

/* A record that was written. */
struct avml_image_record {
	struct avml_range range;
	uint64_t offset; /* of its header in the image */
	uint64_t len;	 /* bytes of the image, from the header on */
	/*
	 * When reading its first piece began, and that of its last one ended,
	 * in nanoseconds of CLOCK_MONOTONIC; 0: not known, as in a conversion.
	 * Threads may have read others of its pieces up to a piece's time
	 * before and after.
	 */
	uint64_t read_begin, read_end;
};

void avml_record_header_encode(const struct avml_record_header *header,
	uint8_t wire[AVML_RECORD_HEADER_SIZE]);

/* 0, or -EINVAL with a message that says which field is wrong. */
int avml_record_header_decode(const uint8_t wire[AVML_RECORD_HEADER_SIZE],
	struct avml_record_header *header, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

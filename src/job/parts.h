/* SPDX-License-Identifier: MIT */
/*
 * The parts of an image, through a pipeline: read one after the other,
 * worked on by several threads, handed out in order.
 */
#ifndef JOB_PARTS_H
#define JOB_PARTS_H

#include "format/framing.h"
#include "format/image_reader.h"

struct parts_slot {
	int found; /* by the reader: 1 a part, 2 a loss */
	struct image_part part;
	struct image_loss loss;
	uint8_t *image;	 /* IMAGE_PART_BYTES, as read */
	uint8_t *memory; /* IMAGE_PART_MEMORY, to decode into */
	uint8_t *buf;	 /* parts_options.buf_len */
	void *own;	 /* parts_options.own_len, zeroed at first */
};

struct parts_ops {
	/*
	 * In any thread, for parts alone. `decoder` is this thread's. It may
	 * make a loss of the part.
	 */
	int (*work)(void *ctx, struct framing_decoder *decoder,
		struct parts_slot *slot, struct avml_error *err);
	/* In the caller's thread and in order. */
	int (*consume)(
		void *ctx, struct parts_slot *slot, struct avml_error *err);
};

struct parts_options {
	unsigned int threads; /* 1 or more */
	size_t own_len, buf_len;
};

struct parts;

/* Get the buffers. `reader` stays the caller's, and outlives the parts. */
int parts_new(struct image_reader *reader, const struct parts_ops *ops,
	void *ctx, const struct parts_options *options, struct parts **parts,
	struct avml_error *err);
void parts_free(struct parts *parts);

/* All of the image. 0 or a negative errno, of the reader or the callbacks. */
int parts_run(struct parts *parts, struct avml_error *err);

/* How far the chunks of a part were decoded. */
struct parts_cursor {
	size_t at;   /* bytes of the slot's image */
	size_t done; /* bytes of its memory */
};

/*
 * Decode the next chunk to where it belongs in the slot's memory, and go
 * on behind it, whether it could be decoded or not: the reader has seen to
 * its lengths. `*zero` is whether it holds nothing but zeros. The error
 * says where the chunk is.
 */
int parts_decode(const struct parts_slot *slot, struct framing_decoder *decoder,
	struct parts_cursor *cursor, bool *zero, struct avml_error *err);

#endif

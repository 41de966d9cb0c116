/* SPDX-License-Identifier: MIT */
/*
 * Format onto sink: pieces go in, in order of address, and an image comes
 * out. Marks the sink at the end of each record, so that a failed run is
 * cut back to whole ones, and looks for a wish to stop.
 *
 * There is a file for each format, behind struct image_format. To add one:
 * write its file and put it into image_format_of().
 */
#ifndef JOB_IMAGE_WRITER_H
#define JOB_IMAGE_WRITER_H

#include <avml/record.h>
#include <avml/sink.h>

#include "format/assembler.h"

struct image_writer;

struct image_format {
	/* What the assembler does with records; ctx is the image_writer. */
	struct assembler_output output;
	bool keep_zeros; /* blocks of zeros cannot be left out */
	bool encoded;	 /* pieces have to come as chunks */
	int (*init)(struct image_writer *w, struct avml_error *err);
	/* After the last piece: what waited for more. */
	int (*finish)(struct image_writer *w, struct avml_error *err);
	void (*release)(struct image_writer *w);
};

extern const struct image_format image_format_raw;
extern const struct image_format image_format_lime;
extern const struct image_format image_format_avml;

const struct image_format *image_format_of(enum avml_image_format format);

struct image_writer_events {
	void *ctx;
	void (*record)(void *ctx, const struct avml_image_record *record);
};

struct image_writer_options {
	enum avml_image_format format;
	bool keep_zeros;
	bool force; /* gaps of any size (raw) */
};

struct image_writer {
	const struct image_format *format;
	struct assembler assembler;
	struct avml_sink *sink; /* the caller's, set before the first piece */
	struct image_writer_options options;
	struct image_writer_events events;
	void *state;		/* of the format */
	uint64_t gap_bytes;	/* written as zeros between records (raw) */
	uint64_t run_end;	/* of the piece at hand */
	bool record_open;	/* bytes of an unfinished record are out */
	uint64_t record_offset; /* of the record begun last */
	/* When was read: the block at hand so far, and the record's blocks. */
	uint64_t block_begin, piece_end;
	uint64_t record_begin, record_end;
	uint64_t records;	 /* whole ones */
	uint64_t unsafe_records; /* whose stream is longer than its range */
};

/* Before there is a sink: what cannot be had costs no old file. 0 or -errno. */
int image_writer_init(struct image_writer *w,
	const struct image_writer_options *options,
	const struct image_writer_events *events, struct avml_error *err);
void image_writer_release(struct image_writer *w);

/* As assembler_piece(); -EINTR when the run was asked to stop. */
int image_writer_piece(struct image_writer *w, const struct piece *piece,
	struct avml_error *err);

/* After the last piece, when all went well. */
int image_writer_finish(struct image_writer *w, struct avml_error *err);

/* For the formats: a record begins with the block at hand, */
void image_writer_begin(struct image_writer *w);

/* its blocks are over, as far as is known, */
void image_writer_block_end(struct image_writer *w);

/* the header of a record that begins here, */
int image_writer_header(struct image_writer *w, enum avml_record_format format,
	struct avml_range range, struct avml_error *err);

/* bytes as they are in memory, of which long runs of zeros become holes, */
int image_writer_plain(struct image_writer *w, const struct piece *piece,
	struct avml_error *err);

/* and the end of a record. */
void image_writer_end(struct image_writer *w, struct avml_range range);

#endif

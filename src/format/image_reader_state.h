/* SPDX-License-Identifier: MIT */
/* What the image reader knows, for its own files. */
#ifndef FORMAT_IMAGE_READER_STATE_H
#define FORMAT_IMAGE_READER_STATE_H

#include "format/framing.h"
#include "format/image_reader.h"
#include "format/window.h"

enum reader_state { READER_HEADER, READER_PLAIN, READER_CHUNKS, READER_END };

/* The smallest page there is: what records hold is whole ones of it. */
#define PAGE 4096u

/* Of a step: nothing to hand out yet, go on. */
#define READER_AGAIN 3
/* Of a step: a chunk was lost, and chunk_loss says which. */
#define READER_LOST 4

/* What ends a v2 record, in bytes: the length of its stream, little-endian. */
#define IMAGE_TRAILER_LEN 8

/* Oddities between two parts, at most: three of a header, one of an end. */
#define PENDING_MAX 4

struct image_reader {
	bool salvage;
	bool check;
	bool heads;
	bool runs;
	bool raw;
	enum reader_state state;
	uint64_t records; /* begun so far */
	enum avml_record_format first_format;
	struct avml_record_header header;      /* of the current record */
	struct avml_record_header next_header; /* being looked at */
	uint64_t last_end;		       /* of the record before */
	uint64_t before_end;	/* the same, while in a record; 0: none */
	uint64_t run_end;	/* see struct image_part */
	uint64_t at;		/* address of the next byte of memory */
	uint64_t record_offset; /* of the current header in the image */
	uint64_t stream_offset; /* of the current v2 stream in the image */
	bool stream_started;	/* its identifier was seen */
	uint64_t skipped;	/* bytes of its chunks without data */
	bool resynced;		/* the next header was searched for */
	uint64_t trusted_end;	/* of the records that something followed */
	uint64_t back_limit;	/* offset that resync has gone back from */
	uint64_t proven;	/* bytes looked at for records' true ends */
	uint64_t walked;	/* chunks looked at in search of trailers */
	uint64_t searched;	/* bytes looked at in search of chunks */
	uint64_t tries;		/* bodies of chunks decoded for that */
	bool has_last_chunk;	/* one was taken, and not decoded */
	uint64_t last_chunk;	/* its offset */
	uint64_t last_chunk_at; /* address of what it holds */
	size_t last_chunk_data; /* bytes that it claims to hold */
	bool may_go_back;	/* resync begins at back_to, not where we are */
	uint64_t back_to;	/* offset */
	struct image_loss chunk_loss;
	struct framing_decoder decoder; /* for salvage alone */
	uint8_t scratch[FRAMING_DATA_MAX];
	struct image_loss first_loss; /* in front of the first record */
	bool has_first_loss;
	int failed;
	struct avml_error failure;
	struct image_oddity_count oddities[IMAGE_ODD_COUNT];
	struct image_part pending[PENDING_MAX]; /* oddities to hand out */
	unsigned int pending_count, pending_next;
	/* What needs no clearing. */
	struct window window;
	uint8_t body[FRAMING_BODY_MAX]; /* of a chunk that is peeked at */
};

/* Damage does not end the reading. */
static inline bool image_reader_goes_on(const struct image_reader *r)
{
	return r->salvage || r->check;
}

/* Count an oddity at an offset of the image. */
void image_reader_note(
	struct image_reader *r, enum image_oddity which, uint64_t offset);

/* Put in front of an error which record it is in, and where. */
int image_reader_wrap(struct image_reader *r, struct avml_error *err);

/* A part that begins where the reader is, with nothing in it yet. */
void image_reader_part(const struct image_reader *r, struct image_part *part,
	enum image_part_kind kind);

/* A step inside a v2 record: as image_reader_next(), or READER_AGAIN. */
int image_reader_chunks(struct image_reader *r, uint8_t *buf,
	struct image_part *part, struct avml_error *err);

/* What is at a place of a v2 stream that is peeked at: either, or both. */
struct image_look {
	bool is_trailer; /* the right one, there */
	bool is_chunk;	 /* with a head that may be one: */
	struct framing_chunk chunk;
	size_t data_len; /* bytes that it claims to hold, if of data */
};

/*
 * Look at a place of the record's stream. False where the image cannot be
 * peeked at, or ends, and when hostile ones have had enough looked at.
 */
bool image_reader_look(
	struct image_reader *r, uint64_t offset, struct image_look *look);

/*
 * How much of the record's memory is in none of the chunks from `offset` up
 * to a right trailer: what the chunk before them held, and the ones that it
 * swallowed if its length is damaged. False when no such trailer is found.
 * Padding may look like one: one behind which the chunks go on to a right one
 * with all of the memory is none.
 */
bool image_reader_missing(
	struct image_reader *r, uint64_t offset, uint64_t *missing);

/* Whether one body more may be decoded only to see what it is. */
bool image_reader_may_try(struct image_reader *r);

/* Whether the chunk at hand decodes to the `data_len` bytes it claims. */
bool image_reader_is_sound(
	struct image_reader *r, size_t data_len, struct avml_error *err);

/* Go past bytes of the image. -EINVAL when it ends before. */
int image_reader_skip(
	struct image_reader *r, uint64_t len, struct avml_error *err);

/*
 * While salvaging and checking: see whether something follows where a v1 record
 * is to end. If nothing does, its end is damaged: find it, and correct it.
 */
void image_reader_prove_end(struct image_reader *r);

/*
 * While salvaging and checking: see whether the chunks of a v2 record, whose
 * stream has begun, hold as much as its range is long. If they do not, and all
 * are sound, the header is damaged: put it where it has to have been. Where it
 * cannot be told, checking goes on, but for salvage the record is lost, since
 * memory at wrong addresses is worse than none. As a step.
 */
int image_reader_prove_range(struct image_reader *r, struct avml_error *err);

/*
 * Whether the image ends, or a record begins, where a v1 record at `offset`
 * has its end. Where the image cannot be peeked at, nothing speaks against.
 */
bool image_reader_is_followed(const struct image_reader *r, uint64_t offset,
	const struct avml_record_header *header);

/* Whether a skippable chunk stands where data has to be; how much. */
bool image_reader_is_damaged_data(struct image_reader *r,
	const struct framing_chunk *chunk, uint64_t *missing);

/* How much a chunk held that claims to hold `data_len`; 0 when unknown. */
uint64_t image_reader_true_len(
	struct image_reader *r, size_t chunk_len, size_t data_len);

/*
 * Make good a damaged chunk, or go past it: READER_LOST, with chunk_loss.
 * What comes behind it has a known address only if `len` is known, how much
 * it held; else the error, and the rest of the record is lost with it.
 */
int image_reader_lose_chunk(struct image_reader *r, size_t chunk_len,
	uint64_t len, struct avml_error *err);

/*
 * After an error in a v2 record: go on in the record. 2 with what was lost,
 * of a repaired head no more than that; READER_AGAIN when the chunk before
 * is to blame, which whoever decodes it will tell; 0 when nothing helps.
 */
int image_reader_repair_stream(struct image_reader *r, struct image_loss *loss);

/*
 * After an error while salvaging or checking: go to the next chunk of the
 * record, or the next record, that makes sense. 2 with what was lost, or
 * READER_AGAIN; the error again if it is one of reading.
 */
int image_reader_resync(struct image_reader *r, struct image_loss *loss,
	struct avml_error *err);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What decodes of a damaged image: runs of good pieces, each of which
 * becomes a record. A run is held until its end is known, since a record's
 * header says it; at most a block of 16 MiB.
 */
#ifndef JOB_SALVAGE_H
#define JOB_SALVAGE_H

#include "format/image_reader.h"
#include "job/image_writer.h"

struct salvage_events {
	void *ctx;
	void (*loss)(void *ctx, uint64_t offset, uint64_t end,
		struct avml_range range, const char *reason);
};

struct salvage {
	struct image_writer *writer;
	struct salvage_events events;
	uint8_t *held;	       /* mapping of a block */
	struct avml_range run; /* held */
	uint64_t at;	       /* end of what was written */
	uint8_t *encoded;      /* of one piece */
	uint64_t losses;
	uint64_t lost_bytes; /* UINT64_MAX: or more */
};

/* `writer` stays the caller's, and outlives the salvage. */
int salvage_init(struct salvage *s, struct image_writer *writer,
	const struct salvage_events *events, struct avml_error *err);
void salvage_release(struct salvage *s);

/*
 * The next good piece, which the image has from `offset` on in `len` bytes;
 * the next loss; and the end. 0 or -errno.
 */
int salvage_piece(struct salvage *s, const struct piece *piece, uint64_t offset,
	size_t len, struct avml_error *err);
int salvage_loss(struct salvage *s, const struct image_loss *loss,
	struct avml_error *err);
int salvage_finish(struct salvage *s, struct avml_error *err);

#endif

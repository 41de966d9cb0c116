/* SPDX-License-Identifier: MIT */
/*
 * What is in an image: format, ranges, sizes, and what the readers of this
 * field would trip over in it.
 *
 * Facts about Volatility 2 and 3, LeechCore and MemProcFS are from their
 * readers of the formats: volatility/plugins/addrspaces/lime.py,
 * volatility3/framework/layers/lime.py and avml.py, and LeechCore's
 * device_file.c.
 *
 * Threads: one run at a time in a process, since a signal stops all.
 */
#ifndef AVML_INFO_H
#define AVML_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>
#include <avml/record.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_info_options {
	const char *image; /* a path; "-": stdin */
	/*
	 * The most cells that a map of memory may have, 64 at the least; 0: no
	 * map. Without one, memory is decoded only where headers contradict
	 * each other, and of version 1 not even read.
	 */
	size_t map_cells;
	unsigned int threads; /* for a map; 0: as many as there are CPUs */
	/*
	 * Confine this process for good before the image is looked at, so that
	 * all it can do afterwards is to print and to end: for a program, not
	 * for a library inside another. A kernel that cannot is told of in a
	 * warning.
	 */
	bool confine;
};

/* A part of physical memory; all parts of a map are of one size. */
struct avml_info_cell {
	uint64_t start;	       /* physical address, a multiple of the size */
	uint64_t memory_bytes; /* that the image has of it */
	uint64_t zero_bytes;   /* of them, in pages or chunks that are zero */
	uint64_t stored_bytes; /* that these take in the image */
	uint64_t bad_bytes;    /* of memory, that cannot be decoded */
};

/* Something that a reader cannot take. */
struct avml_info_trouble {
	const char *reader;
	const char *text;
	uint64_t records; /* that are so; 0: it is so of the whole image */
	uint64_t offset;  /* of the first one's header in the image */
};

#define AVML_INFO_TROUBLES_MAX 16

struct avml_info {
	enum avml_image_format format; /* of the first record */
	uint64_t image_bytes;
	bool on_disk;		  /* the image is a regular file */
	uint64_t allocated_bytes; /* of that file, holes left out */
	uint64_t records;
	uint64_t shortest_record, longest_record; /* bytes of memory */
	uint64_t memory_bytes;			  /* in all records */
	uint64_t stored_bytes;	/* of the image, without headers and trailers */
	uint64_t ranges;	/* of memory without a gap */
	struct avml_range span; /* from the lowest to the highest address */
	/*
	 * Gaps between ranges. Blocks of zeros that a writer left out leave
	 * gaps too, of whole blocks behind whole blocks: such gaps are
	 * counted as left out, all others, and those that damage left, as
	 * holes.
	 */
	uint64_t holes, hole_bytes;
	uint64_t left_out_blocks; /* of AVML_BLOCK_SIZE */
	bool decoded;		  /* with a map: */
	uint64_t zero_bytes;	  /* in pages or chunks that are zero */
	/* Places that make no sense; with a map, bad chunks as well. */
	uint64_t damages;
	uint64_t damage_offset; /* of the first, in the image */
	char damage[160];	/* what is wrong there */
	size_t trouble_count;
	struct avml_info_trouble troubles[AVML_INFO_TROUBLES_MAX];
};

/* Told in the caller's thread; any may be NULL. */
struct avml_info_events {
	void *ctx;
	void (*warning)(void *ctx, const char *text);
	/* A range without a gap, and how many records have some of it. */
	void (*range)(void *ctx, struct avml_range range, uint64_t records);
	/* At the end: the cells with memory in them, by address. */
	void (*map)(void *ctx, const struct avml_info_cell *cells, size_t count,
		uint64_t cell_bytes);
};

/*
 * Look at an image, damaged or not. 0 when its end was reached; -EINVAL
 * when there is no record in it, -EINTR after a signal, -ENOMEM, or an
 * errno of reading it.
 */
int avml_info(const struct avml_info_options *options,
	const struct avml_info_events *events, struct avml_info *info,
	struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

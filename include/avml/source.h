/* SPDX-License-Identifier: MIT */
/*
 * Where physical memory is read: one source (what was opened and what it
 * covers), and of it one reader a thread.
 *
 * A reader has a descriptor of its own, since the page that Linux bounces
 * /proc/kcore's data through hangs on the open file: two threads that
 * share one can get each other's bytes.
 *
 * Threads: a source does not change once it is open and may be shared; a
 * reader belongs to one thread at a time.
 */
#ifndef AVML_SOURCE_H
#define AVML_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/range.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_source;
struct avml_source_reader;

struct avml_source_config {
	const char *proc_dir; /* where proc is mounted; NULL: /proc */
	size_t page_size;     /* bytes, a power of two from 4 to 256 KiB; 0: the
				 system's */
};

/*
 * What became of a page: 0 when it was read; else the errno value of the
 * read that failed, or one of these.
 */
enum avml_page_status {
	AVML_PAGE_READ = 0,
	AVML_PAGE_UNCOVERED = 253, /* the source has no place for it */
	AVML_PAGE_END = 254,	   /* the source ends before it */
	AVML_PAGE_OTHER = 255,	   /* an errno value above 252 */
};

/* The reason in words; the text is constant. */
const char *avml_page_status_text(unsigned int status);

/*
 * Open a source: by its name ("kcore") or its usual path ("/proc/kcore"),
 * which is then looked for under proc_dir; another path whose last part is
 * kcore is one too; any other `what` is the path of
 * a file or device whose offsets are physical addresses. NULL: the first
 * of the known ones that opens; when none does, the error is the last
 * one's.
 *
 * The caller frees `*source`, after all of its readers.
 */
int avml_source_open(const char *what, const struct avml_source_config *config,
	struct avml_source **source, struct avml_error *err);
void avml_source_free(struct avml_source *source);

/* The path that is read. Lives as long as the source. */
const char *avml_source_path(const struct avml_source *source);

/* The size of a page in bytes, the unit that reading succeeds or fails by. */
size_t avml_source_page_size(const struct avml_source *source);

/* Whether it is the memory of the machine that we run on. */
bool avml_source_is_live(const struct avml_source *source);

/*
 * What the source has a place for, as a merged list of whole pages. NULL
 * when it does not know: then any address can be tried.
 */
const struct avml_range_list *avml_source_coverage(
	const struct avml_source *source);

int avml_source_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err);
void avml_source_reader_free(struct avml_source_reader *reader);

/*
 * Fill `buf` with `len` bytes from physical address `addr`, both multiples
 * of the page size. Always fills: a failed read is halved down to single
 * pages, and a page that cannot be read is zeros. `status` takes one enum
 * avml_page_status or errno value a page. Returns the number of pages that
 * could not be read.
 */
size_t avml_source_read(struct avml_source_reader *reader, uint64_t addr,
	void *buf, size_t len, uint8_t *status);

/*
 * Whether the source can be read at all: try a page at the start, the
 * middle and the end of each range that reaches above 1 MiB (of every
 * range, if none does), and be content with the first that reads. Memory
 * below 1 MiB proves nothing, since /dev/mem gives it to anybody.
 * `ranges` is merged and aligned to pages. 0 or a negative errno.
 */
int avml_source_probe(const struct avml_source *source,
	const struct avml_range_list *ranges, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

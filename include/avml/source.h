/* SPDX-License-Identifier: MIT */
/*
 * Where physical memory is read: one source (what was opened and what it
 * covers), and of it one reader a thread.
 *
 * A reader has a descriptor of its own, since the page that Linux bounces
 * /proc/kcore's data through hangs on the open file: two threads that
 * share one can get each other's bytes.
 *
 * In front of every source of a machine's memory stands a filter: pages
 * that /proc/kpageflags marks as not to be touched are not asked for. See
 * avml/page_flags.h.
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

/* Sizes of a page that can be worked with, in bytes. */
#define AVML_PAGE_SIZE_MIN (4u << 10)
#define AVML_PAGE_SIZE_MAX (256u << 10)

/* The texts and the list are the caller's, and outlive the source. */
struct avml_source_config {
	const char *proc_dir; /* where proc is mounted; NULL: /proc */
	const char *dev_dir;  /* where dev is mounted; NULL: /dev */
	size_t page_size;     /* bytes, a power of two from 4 to 256 KiB; 0: the
				 system's */
	/* What is RAM, merged and in whole pages; NULL: not known. */
	const struct avml_range_list *ram;
	const char *ram_error; /* why it is not known; may be NULL */
	/* It was told for just this source: a mere file needs that. */
	bool ram_given;
	/* Use what may end the machine: see AVML_SOURCE_UNSAFE. */
	bool force;
	/*
	 * Each reason against it that this passes over, a line of text, before
	 * the source is opened. NULL: nobody listens.
	 */
	void (*forced)(void *ctx, const char *text);
	void *ctx; /* of that */
};

/*
 * What became of a page: 0 when it was read; else the errno value of the
 * read that failed, or one of these.
 */
enum avml_page_status {
	AVML_PAGE_READ = 0,
	AVML_PAGE_POISONED = 247, /* marked so: not touched */
	AVML_PAGE_OFFLINE = 248,  /* marked so: not touched */
	AVML_PAGE_NO_PAGE = 249,  /* marked so: not touched */
	AVML_PAGE_UNMARKED = 250, /* no mark, and there is reason for caution */
	AVML_PAGE_LATE = 251,	  /* plugged in after the run had begun */
	AVML_PAGE_UNCOVERED = 252, /* the source has no place for it */
	AVML_PAGE_END = 253,	   /* the source ends before it */
	AVML_PAGE_OTHER = 255,	   /* an errno value above 246 */
};

/* The reason in words; the text is constant. */
const char *avml_page_status_text(unsigned int status);

/* "poisoned", "offline", ..., "errno"; the text is constant. */
const char *avml_page_status_key(unsigned int status);

/* Why a source does not work. */
enum avml_source_reason {
	AVML_SOURCE_USABLE,
	AVML_SOURCE_MISSING,	    /* there is no such file */
	AVML_SOURCE_MASKED,	    /* something else is in its place */
	AVML_SOURCE_NOT_ROOT,	    /* who runs this may not */
	AVML_SOURCE_CAPABILITY,	    /* root, but CAP_SYS_RAWIO was taken away */
	AVML_SOURCE_USER_NAMESPACE, /* root of a container only */
	AVML_SOURCE_LOCKDOWN,	    /* the kernel is locked down */
	AVML_SOURCE_DENIED,	    /* a security module, or unknown */
	AVML_SOURCE_STRICT_DEVMEM,  /* opens, but gives no RAM */
	AVML_SOURCE_HEADERS,	    /* opens, but its headers are no use */
	AVML_SOURCE_NO_RAM,	    /* which addresses to read is not known */
	AVML_SOURCE_UNREADABLE,	    /* opens, but cannot be read */
	AVML_SOURCE_UNSAFE,	    /* pages not to be touched cannot be told */
	AVML_SOURCE_KERNEL,   /* too old, or built without what it takes */
	AVML_SOURCE_UNPROVEN, /* which address is which is not sure */
	AVML_SOURCE_UNNEEDED, /* not tried, since another one works */
	AVML_SOURCE_OTHER,    /* the error says it */
};

/* "usable", "missing", "not-root", ...; the text is constant. */
const char *avml_source_reason_key(enum avml_source_reason reason);

/* What became of the attempt to use one source. */
struct avml_source_verdict {
	const char *name; /* "crash", "kcore", "mem", "bpf"; or "file" */
	const char *path; /* lives as long as the call; "bpf": it has none */
	enum avml_source_reason reason;
	bool primary;	     /* the one that will be read first */
	bool changes_kernel; /* usable: see struct avml_source_footprint */
	bool asked_kernel;   /* usable or not: the kernel was asked for that */
	const char *remedy;  /* what would help; constant; may be NULL */
	const struct avml_error *err; /* NULL when it is usable */
};

/*
 * Open a source: by its name ("crash", "kcore", "mem", "bpf") or its usual path
 * ("/proc/kcore"), which is then looked for under proc_dir or dev_dir;
 * another path whose last part is kcore is one too; any other `what` is the
 * path of a file or device whose offsets are physical addresses.
 *
 * The caller frees `*source`, after all of its readers.
 */
int avml_source_open(const char *what, const struct avml_source_config *config,
	struct avml_source **source, struct avml_error *err);
void avml_source_free(struct avml_source *source);

/*
 * Open and probe. A `what` means that one alone. NULL: the first of the
 * known ones that works is the primary; pages that it cannot read are asked
 * of the others that work, page by page. Of the kernel's BPF nothing is asked
 * unless no other works, since that puts a program into the kernel; nor does it
 * stand in for others. With config->ram NULL only sources
 * that know what they cover can be taken. `verdict` (may be NULL) is called
 * for each that was tried.
 *
 * Where proc_dir is no mounted proc, but a copy of another machine's, the
 * known ones are only those that lie in it, and in dev_dir if that is given.
 *
 * A negative errno when none works: the error names each with its reason.
 * -EINTR after a signal.
 */
int avml_source_choose(const char *what,
	const struct avml_source_config *config,
	void (*verdict)(void *ctx, const struct avml_source_verdict *verdict),
	void *ctx, struct avml_source **source, struct avml_error *err);

/*
 * The same verdicts, and nothing is kept. How many sources work. A signal ends
 * it early, between two of them.
 */
size_t avml_source_survey(const struct avml_source_config *config,
	void (*verdict)(void *ctx, const struct avml_source_verdict *verdict),
	void *ctx);

/* The path that is read (first). Lives as long as the source. */
const char *avml_source_path(const struct avml_source *source);

/* The i-th path that may be read; NULL behind the last. */
const char *avml_source_path_of(const struct avml_source *source, size_t i);

/* The most paths that a source can have. */
#define AVML_SOURCE_PATHS_MAX 8

/* What a source has put into the kernel that it reads, gone with it. */
struct avml_source_footprint {
	const char *kind; /* "syscall", "raw-tracepoint": of programs */
	/* Those that read, and are there as long as that goes on. */
	unsigned int programs;
	unsigned int loads;	/* with those that were to prove and to probe */
	uint64_t program_bytes; /* instructions of each; 0: not known */
	uint64_t map_bytes;	/* of all programs; it is what is read into */
};

/* False: it leaves the kernel as it is. */
bool avml_source_footprint(const struct avml_source *source,
	struct avml_source_footprint *footprint);

/*
 * Memory that the source fills without a copy: `count` pieces of `len` bytes
 * in a row, page aligned. It is the source's, and there until that is freed;
 * to be asked for once, before anything is read. That many `readers` then have
 * all that they need for reading, into these and other memory. NULL: any memory
 * is as good, or there is none to be had.
 */
void *avml_source_buffers(
	struct avml_source *source, size_t len, size_t count, size_t readers);

/* The size of a page in bytes, the unit that reading succeeds or fails by. */
size_t avml_source_page_size(const struct avml_source *source);

/* Whether it is a machine's memory, not a mere file. */
bool avml_source_is_live(const struct avml_source *source);

/* Whether it is the memory of the machine that we run on. */
bool avml_source_is_host(const struct avml_source *source);

/*
 * Whether the page filter is in front of it, and whether meminfo says that
 * there is memory which must not be touched.
 */
bool avml_source_is_filtered(const struct avml_source *source);
bool avml_source_is_cautious(const struct avml_source *source);

/*
 * What the source has a place for, as a merged list of whole pages. NULL
 * when it does not know: then any address can be tried.
 */
const struct avml_range_list *avml_source_coverage(
	const struct avml_source *source);

/*
 * What the source covers now, to be held against what it covered when it
 * was opened: what was `added` and what is `gone`, merged lists. Nothing
 * of either where it does not know. 0 or a negative errno, and both empty.
 */
int avml_source_recheck(const struct avml_source *source,
	struct avml_range_list *added, struct avml_range_list *gone,
	struct avml_error *err);

/*
 * Bytes read so far from another source than the primary, and (merged, as
 * long as no reader is at work) which of them came from the i-th path. Of
 * very many scattered pages only the first are listed.
 */
uint64_t avml_source_filled(const struct avml_source *source);
const struct avml_range_list *avml_source_filled_by(
	const struct avml_source *source, size_t i);

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
 * `ranges` is merged and aligned to pages; what the source does not cover
 * is left out. 0 or a negative errno.
 */
int avml_source_probe(const struct avml_source *source,
	const struct avml_range_list *ranges, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A made-up source that fails on purpose and keeps a log. It may be shared
 * by threads; what a test sets in it is set before.
 */
#ifndef CHECK_FAULTY_H
#define CHECK_FAULTY_H

#include "check_main.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "source/source_ops.h"

#define FAULTY_LOG 512
#define MIB ((uint64_t)1 << 20)

/* How a read ends that meets a bad page. */
enum manner {
	WHOLE,	/* it fails as a whole, and leaves garbage */
	SHORT,	/* it ends before that page */
	RAGGED, /* it ends within the page before, where it can */
};

struct faulty {
	struct avml_source base;
	enum manner manner;
	uint64_t start;	    /* address of the first of `pages` */
	const char *pages;  /* a letter each, see error_of(); others are good */
	uint64_t len;	    /* bytes from `start`, then the source ends */
	size_t most;	    /* bytes that one read gives at most; 0: any */
	uint8_t twist;	    /* what tells its bytes from another's */
	uint64_t zero_from; /* address from which on it is zeros; 0: none */
	int reader_error;   /* of reader_new */
	/* Of a recheck; what comes of it. */
	struct avml_range added, gone;
	int recheck_error;

	/* The log. */
	_Atomic size_t reads, readers, readers_freed, frees, rechecks;
	struct {
		uint64_t addr;
		size_t len;
	} asked[FAULTY_LOG];
};

static inline int error_of(char page)
{
	switch (page) {
	case 'i':
		return EIO;
	case 'f':
		return EFAULT;
	case 'p':
		return EPERM;
	case 'x':
		return ENXIO;
	case 'u':
		return AVML_PAGE_UNCOVERED;
	case 'y': /* the largest errno value that has a status of its own */
		return AVML_PAGE_POISONED - 1;
	case 'z': /* a mark is no error: this is not known */
		return AVML_PAGE_POISONED;
	case 'Z':
		return 4095;
	default:
		return 0;
	}
}

static inline uint8_t status_of(char page)
{
	const int error = error_of(page);

	return error < AVML_PAGE_POISONED || error == AVML_PAGE_UNCOVERED
		       ? (uint8_t)error
		       : AVML_PAGE_OTHER;
}

/* The byte at an address: never 0, and of a long period. */
static inline uint8_t byte_at(uint64_t addr)
{
	return (uint8_t)(1 + (addr ^ addr >> 9) % 120);
}

/* It counts what is asked of it, also where it is const. */
static inline struct faulty *faulty_of(const struct avml_source *source)
{
	const union {
		const struct avml_source *source;
		struct faulty *faulty;
	} both = { .source = source };

	return both.faulty;
}

static inline int faulty_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	struct faulty *f = faulty_of(source);

	atomic_fetch_add(&f->readers, 1);
	if (f->reader_error)
		return avml_error_set_errno(err, f->reader_error, "reader");
	*reader = malloc(sizeof(**reader));
	ck_assert_ptr_nonnull(*reader);
	(*reader)->source = source;
	return 0;
}

static inline void faulty_reader_free(struct avml_source_reader *reader)
{
	struct faulty *f = faulty_of(reader->source);

	atomic_fetch_add(&f->readers_freed, 1);
	free(reader);
}

static inline void faulty_free(struct avml_source *source)
{
	struct faulty *f = faulty_of(source);

	atomic_fetch_add(&f->frees, 1);
}

/* Bytes that can be read from `at` on before a bad page; the page's error. */
static inline uint64_t good_bytes(
	const struct faulty *f, uint64_t at, uint64_t len, int *error)
{
	const uint64_t page = f->base.page_size;

	for (uint64_t i = at / page; i * page < at + len; i++) {
		*error = error_of(f->pages[i]);
		if (*error)
			return i * page > at ? i * page - at : 0;
	}
	return len;
}

static inline ssize_t faulty_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	struct faulty *f = faulty_of(reader->source);
	const size_t number = atomic_fetch_add(&f->reads, 1);
	const uint64_t at = addr - f->start;
	uint64_t good;
	int error = 0;

	if (number < FAULTY_LOG) {
		f->asked[number].addr = addr;
		f->asked[number].len = len;
	}
	/* Whoever fails may have written anything before it did. */
	memset(buf, 0xee, len);
	if (at >= f->len)
		return 0;
	if (len > f->len - at)
		len = f->len - at;
	good = good_bytes(f, at, len, &error);
	if (good < len && (good == 0 || f->manner == WHOLE))
		return -error;
	if (good < len && f->manner == RAGGED)
		good -= f->base.page_size / 3;
	if (f->most > 0 && good > f->most)
		good = f->most;
	for (size_t i = 0; i < good; i++)
		((uint8_t *)buf)[i] =
			f->zero_from > 0 && addr + i >= f->zero_from
				? 0
				: byte_at(addr + i) ^ f->twist;
	return (ssize_t)good;
}

static inline int faulty_recheck(const struct avml_source *source,
	struct avml_range_list *added, struct avml_range_list *gone,
	struct avml_error *err)
{
	struct faulty *f = faulty_of(source);

	atomic_fetch_add(&f->rechecks, 1);
	if (f->recheck_error)
		return avml_error_set_errno(err, f->recheck_error, "recheck");
	ck_assert_int_eq(
		avml_range_list_add(added, f->added.start, f->added.end), 0);
	ck_assert_int_eq(
		avml_range_list_add(gone, f->gone.start, f->gone.end), 0);
	return 0;
}

static const struct source_ops faulty_ops = {
	.name = "faulty",
	.free = faulty_free,
	.reader_new = faulty_reader_new,
	.reader_free = faulty_reader_free,
	.read = faulty_read,
};

static char faulty_path[] = "faulty";

/* Its path is no heap's: for one that is freed, give it another. */
static inline struct faulty faulty(size_t page_size, const char *pages)
{
	return (struct faulty){
		.base = { .ops = &faulty_ops,
			.path = faulty_path,
			.page_size = page_size,
			.covers_all = true },
		.start = 16 * MIB,
		.pages = pages,
		.len = strlen(pages) * page_size,
	};
}

/* How often the page at `addr` was asked for. */
static inline size_t faulty_asked(const struct faulty *f, uint64_t addr)
{
	const size_t reads = f->reads;
	size_t count = 0;

	ck_assert_uint_le(reads, FAULTY_LOG);
	for (size_t i = 0; i < reads; i++)
		count += addr >= f->asked[i].addr &&
			 addr - f->asked[i].addr < f->asked[i].len;
	return count;
}

/* Bytes of a page: `good` ones as they must be, and then zeros. */
static inline void assert_page_bytes(const uint8_t *bytes, uint64_t addr,
	size_t page, size_t good, uint8_t twist)
{
	for (size_t k = 0; k < page; k++) {
		const uint8_t want = k < good ? byte_at(addr + k) ^ twist : 0;

		if (bytes[k] != want)
			ck_abort_msg("page at 0x%llx: byte %zu is 0x%02x, not "
				     "0x%02x",
				(unsigned long long)addr, k, bytes[k], want);
	}
}

#endif

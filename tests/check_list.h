/* SPDX-License-Identifier: MIT */
/* A list of made-up sources, and what reading it must give. */
#ifndef CHECK_LIST_H
#define CHECK_LIST_H

#include "check_faulty.h"
#include "source/fallback.h"

#define MEMBERS_MAX 4

/* No two members give the same byte for an address. */
static const uint8_t twists[MEMBERS_MAX] = { 0, 0x80, 0xff, 0xf0 };

/* One list, and what it is made of. */
struct list {
	struct faulty members[MEMBERS_MAX];
	bool fills_low[MEMBERS_MAX];
	size_t count;
	struct avml_source *source;
};

static inline void list_init(struct list *list, size_t page, uint64_t start,
	const char *const *patterns)
{
	memset(list, 0, sizeof(*list));
	while (list->count < MEMBERS_MAX && patterns[list->count]) {
		struct faulty *f = &list->members[list->count];

		*f = faulty(page, patterns[list->count]);
		f->base.path = NULL;
		ck_assert_int_gt(
			asprintf(&f->base.path, "member%zu", list->count), 0);
		f->start = start;
		f->twist = twists[list->count];
		list->fills_low[list->count++] = true;
	}
}

static inline void list_unite(struct list *list)
{
	struct avml_source *members[MEMBERS_MAX];
	struct avml_error err;

	for (size_t i = 0; i < list->count; i++)
		members[i] = &list->members[i].base;
	ck_assert_int_eq(fallback_new(members, list->fills_low, list->count,
				 &list->source, &err),
		0);
}

/* Each member is freed with the list, once, and so are all readers. */
static inline void list_free(struct list *list)
{
	avml_source_free(list->source);
	for (size_t i = 0; i < list->count; i++) {
		const struct faulty *f = &list->members[i];

		ck_assert_uint_eq(f->frees, 1);
		ck_assert_uint_eq(
			f->readers_freed, f->reader_error ? 0 : f->readers);
	}
}

static inline bool gives(const struct list *list, size_t i, size_t n)
{
	const struct faulty *f = &list->members[i];
	const size_t page = f->base.page_size;
	const uint64_t addr = f->start + n * page;

	if (i > 0 && (f->reader_error || (addr < MIB && !list->fills_low[i])))
		return false;
	return !error_of(f->pages[n]) && (n + 1) * page <= f->len;
}

/* Who gives page number `n`; MEMBERS_MAX: nobody. */
static inline size_t giver(const struct list *list, size_t n)
{
	for (size_t i = 0; i < list->count; i++) {
		if (gives(list, i, n))
			return i;
	}
	return MEMBERS_MAX;
}

/* Who may have been asked for a page, and who must have been. */
static inline void assert_asked(const struct list *list, size_t n)
{
	const size_t page = list->source->page_size;
	const uint64_t addr = list->members[0].start + n * page;
	const size_t by = giver(list, n);

	ck_assert_uint_gt(faulty_asked(&list->members[0], addr), 0);
	for (size_t i = 1; i < list->count; i++) {
		const struct faulty *f = &list->members[i];
		const size_t asked = faulty_asked(f, addr);
		const bool may = !f->reader_error &&
				 (addr >= MIB || list->fills_low[i]) && by >= i;

		ck_assert_msg(asked == may,
			"page %zu: member %zu was asked %zu times", n, i,
			asked);
	}
}

/* Read `count` pages from the first on, and check all of them. */
static inline void read_list(struct list *list, size_t count)
{
	const size_t page = list->source->page_size;
	const uint64_t start = list->members[0].start;
	const uint64_t filled = avml_source_filled(list->source);
	uint8_t *bytes = malloc(count * page), *status = malloc(count);
	struct avml_source_reader *reader;
	size_t expected = 0, failed, others = 0;
	struct avml_error err;

	ck_assert_int_eq(
		avml_source_reader_new(list->source, &reader, &err), 0);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(status);
	memset(bytes, 0xdd, count * page);
	memset(status, 0xdd, count);
	failed = avml_source_read(reader, start, bytes, count * page, status);
	avml_source_reader_free(reader);
	for (size_t n = 0; n < count; n++) {
		const size_t by = giver(list, n);
		const bool none = by == MEMBERS_MAX;
		const uint8_t want =
			none ? status_of(list->members[0].pages[n]) : 0;

		ck_assert_msg(status[n] == want, "page %zu: status %u, not %u",
			n, status[n], want);
		assert_page_bytes(bytes + n * page, start + n * page, page,
			none ? 0 : page, none ? 0 : twists[by]);
		assert_asked(list, n);
		expected += none;
		others += !none && by > 0;
	}
	ck_assert_uint_eq(failed, expected);
	ck_assert_uint_eq(
		avml_source_filled(list->source) - filled, others * page);
	/* The others are asked for single pages only. */
	for (size_t i = 1; i < list->count; i++) {
		for (size_t k = 0; k < list->members[i].reads; k++)
			ck_assert_uint_eq(list->members[i].asked[k].len, page);
	}
	free(bytes);
	free(status);
}

#endif

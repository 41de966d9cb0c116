/* SPDX-License-Identifier: MIT */
#include "source/fallback.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Ranges of a member that are kept in mind: 1 MiB of them. */
#define FILLED_MAX 65536

struct fallback {
	struct avml_source base;
	struct avml_source *members[FALLBACK_MAX];
	bool fills_low[FALLBACK_MAX];
	size_t count;
	/* By the readers of all threads. */
	pthread_mutex_t lock;
	uint64_t filled; /* bytes */
	struct avml_range_list filled_by[FALLBACK_MAX];
};

struct fallback_reader {
	struct avml_source_reader base;
	/* Of the primary; of the others when they are needed. */
	struct avml_source_reader *readers[FALLBACK_MAX];
	bool failed[FALLBACK_MAX]; /* to open */
};

/*
 * A source is const to those that read it. What they filled is counted none
 * the less, with the lock held.
 */
static struct fallback *counting(const struct avml_source *source)
{
	const union {
		const struct avml_source *source;
		struct fallback *counting;
	} both = { .source = source };

	return both.counting;
}

static void fallback_free(struct avml_source *source)
{
	struct fallback *f = (struct fallback *)source;

	for (size_t i = 0; i < f->count; i++) {
		avml_source_free(f->members[i]);
		avml_range_list_release(&f->filled_by[i]);
	}
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static void fallback_reader_free(struct avml_source_reader *reader)
{
	struct fallback_reader *r = (struct fallback_reader *)reader;

	for (size_t i = 0; i < FALLBACK_MAX; i++)
		avml_source_reader_free(r->readers[i]);
	free(r);
}

static int fallback_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	const struct fallback *f = (const struct fallback *)source;
	struct fallback_reader *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	r->base.source = source;
	r->base.fd = -1;
	ret = avml_source_reader_new(f->members[0], &r->readers[0], err);
	if (ret < 0) {
		free(r);
		return ret;
	}
	*reader = &r->base;
	return 0;
}

static bool is_zero(const char *buf, size_t len)
{
	return buf[0] == 0 && memcmp(buf, buf + 1, len - 1) == 0;
}

/* Keep in mind which page came from whom, as long as the list is short. */
static void note_filled(struct fallback *f, size_t i, uint64_t addr)
{
	struct avml_range_list *list = &f->filled_by[i];
	const size_t page = f->base.page_size;

	pthread_mutex_lock(&f->lock);
	f->filled += page;
	if (list->count > 0 && list->items[list->count - 1].end == addr)
		list->items[list->count - 1].end += page;
	else if (list->count < FILLED_MAX)
		/* Without memory for it, the sum still tells. */
		(void)avml_range_list_add(list, addr, addr + page);
	pthread_mutex_unlock(&f->lock);
}

/* A page of another member. Whether it could be had. */
static bool fill_page(struct fallback_reader *r, size_t i, uint64_t addr,
	void *buf, size_t page)
{
	struct fallback *f = counting(r->base.source);
	const struct avml_source *member = f->members[i];
	struct avml_error ignored;

	if (addr < SOURCE_LOW_MEMORY && !f->fills_low[i])
		return false;
	if (!r->readers[i] && !r->failed[i])
		r->failed[i] = avml_source_reader_new(
				       member, &r->readers[i], &ignored) < 0;
	if (r->failed[i] || member->ops->read(r->readers[i], addr, buf, page) !=
				    (ssize_t)page)
		return false;
	/* Zeros from where an error reads as zeros are no answer. */
	if (member->ops->false_zeros && is_zero(buf, page))
		return false;
	note_filled(f, i, addr);
	return true;
}

/*
 * The reader in front of us halves what fails, so that it comes to single
 * pages: only these are asked of the others.
 */
static ssize_t fallback_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	struct fallback_reader *r = (struct fallback_reader *)reader;
	const struct fallback *f = (const struct fallback *)reader->source;
	const struct source_ops *primary = f->members[0]->ops;
	const size_t page = reader->source->page_size;
	ssize_t n;

	/* The rest of a page that nobody has as a whole. */
	if (len < page && primary->whole_pages)
		return 0;
	n = primary->read(r->readers[0], addr, buf, len);
	if (len != page || n == (ssize_t)page)
		return n;
	for (size_t i = 1; i < f->count; i++) {
		if (fill_page(r, i, addr, buf, page))
			return (ssize_t)page;
	}
	/* A part of it that was there may have been written over since. */
	return n > 0 ? primary->read(r->readers[0], addr, buf, page) : n;
}

/* Of the first that knows what it covers. */
static int fallback_recheck(const struct avml_source *source,
	struct avml_range_list *added, struct avml_range_list *gone,
	struct avml_error *err)
{
	const struct fallback *f = (const struct fallback *)source;

	for (size_t i = 0; i < f->count; i++) {
		if (f->members[i]->ops->recheck)
			return f->members[i]->ops->recheck(
				f->members[i], added, gone, err);
	}
	return 0;
}

static uint64_t fallback_filled(const struct avml_source *source)
{
	struct fallback *f = counting(source);
	uint64_t filled;

	pthread_mutex_lock(&f->lock);
	filled = f->filled;
	pthread_mutex_unlock(&f->lock);
	return filled;
}

static const struct avml_range_list *fallback_filled_by(
	const struct avml_source *source, size_t i)
{
	struct fallback *f = counting(source);

	if (i >= f->count)
		return NULL;
	avml_range_list_merge(&f->filled_by[i]);
	return &f->filled_by[i];
}

static const struct avml_source *fallback_member(
	const struct avml_source *source, size_t i)
{
	const struct fallback *f = (const struct fallback *)source;

	return i < f->count ? f->members[i] : NULL;
}

static const struct source_ops fallback_ops = {
	.name = "fallback",
	.free = fallback_free,
	.reader_new = fallback_reader_new,
	.reader_free = fallback_reader_free,
	.read = fallback_read,
	.recheck = fallback_recheck,
	.filled = fallback_filled,
	.filled_by = fallback_filled_by,
	.member = fallback_member,
};

/* What any of the members covers. 0 or -ENOMEM. */
static int unite(struct fallback *f)
{
	struct avml_range_list *all = &f->base.coverage;

	for (size_t i = 0; i < f->count; i++) {
		const struct avml_source *member = f->members[i];

		f->base.live = f->base.live || member->live;
		f->base.host = f->base.host || member->host;
		f->base.covers_all = f->base.covers_all || member->covers_all;
		for (size_t k = 0; k < member->coverage.count; k++) {
			const struct avml_range r = member->coverage.items[k];

			if (avml_range_list_add(all, r.start, r.end))
				return -ENOMEM;
		}
	}
	avml_range_list_merge(all);
	return 0;
}

int fallback_new(struct avml_source *const *members, const bool *fills_low,
	size_t count, struct avml_source **source, struct avml_error *err)
{
	struct fallback *f = calloc(1, sizeof(*f));
	char *path = strdup(members[0]->path);

	if (!f || !path) {
		for (size_t i = 0; i < count; i++)
			avml_source_free(members[i]);
		free(f);
		free(path);
		return avml_error_set_errno(err, ENOMEM, "the list of sources");
	}
	pthread_mutex_init(&f->lock, NULL);
	f->base.ops = &fallback_ops;
	f->base.path = path;
	f->base.page_size = members[0]->page_size;
	f->base.cautious = members[0]->cautious;
	/* One filter in front of all: the members' own are not in the way. */
	f->base.flags = members[0]->flags;
	members[0]->flags = (struct avml_page_flags)AVML_PAGE_FLAGS_INIT;
	f->count = count;
	for (size_t i = 0; i < count; i++) {
		avml_page_flags_release(&members[i]->flags);
		f->members[i] = members[i];
		f->fills_low[i] = fills_low[i];
	}
	if (unite(f) < 0) {
		avml_source_free(&f->base);
		return avml_error_set_errno(err, ENOMEM, "the list of sources");
	}
	*source = &f->base;
	return 0;
}

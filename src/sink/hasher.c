/* SPDX-License-Identifier: MIT */
#include "sink/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cancel.h"
#include "base/thread.h"

/* What may wait to be hashed: the sink runs ahead by no more than that. */
#define PART_LEN (256u << 10)
#define PARTS 4
#define PARTS_LEN ((size_t)PARTS * PART_LEN)
/* Zeros that are hashed between two looks at the wish to stop. */
#define ZEROS_MAX (64u << 20)

struct part {
	uint8_t *bytes; /* PART_LEN */
	size_t len;
	uint64_t zeros; /* behind the bytes */
	bool mark;	/* behind these */
};

struct hasher {
	struct digest *all, *marked;
	bool failed;

	bool threaded;
	pthread_t thread;
	uint8_t *buffers; /* mapping of all parts' */
	/* Below the mutex; the part at `given` is the sink's to fill. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct part parts[PARTS];
	uint64_t given, hashed; /* parts, ever */
	uint64_t marks;		/* given, and not reached by the thread */
	bool over;		/* nothing more is given, */
	bool drop;		/* nor is what is behind the last mark wanted */
};

static void add(struct hasher *h, const void *bytes, size_t len)
{
	if (len > 0 && digest_add(h->all, bytes, len) < 0)
		h->failed = true;
}

static void mark(struct hasher *h)
{
	if (digest_copy(h->marked, h->all) < 0)
		h->failed = true;
}

static void add_zeros(struct hasher *h, uint64_t len)
{
	static const uint8_t zeros[4096];

	while (len > 0) {
		const size_t part =
			len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		add(h, zeros, part);
		len -= part;
	}
}

/* --- the thread ----------------------------------------------------------- */

/* Called with the mutex held, which is let go of meanwhile. */
static void hash_part(struct hasher *h, struct part *p)
{
	const bool wanted = !h->drop || h->marks > 0;

	pthread_mutex_unlock(&h->mutex);
	if (wanted) {
		add(h, p->bytes, p->len);
		add_zeros(h, p->zeros);
		if (p->mark)
			mark(h);
	}
	pthread_mutex_lock(&h->mutex);
	if (p->mark)
		h->marks--;
	p->len = 0;
	p->zeros = 0;
	p->mark = false;
	h->hashed++;
	pthread_cond_broadcast(&h->changed);
}

static void *thread_main(void *arg)
{
	struct hasher *h = arg;

	pthread_mutex_lock(&h->mutex);
	while (!h->over || h->hashed < h->given) {
		if (h->hashed < h->given)
			hash_part(h, &h->parts[h->hashed % PARTS]);
		else
			pthread_cond_wait(&h->changed, &h->mutex);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

/* The part at hand is full, or has to be seen: on to the next. */
static void give(struct hasher *h)
{
	pthread_mutex_lock(&h->mutex);
	if (h->parts[h->given % PARTS].mark)
		h->marks++;
	h->given++;
	pthread_cond_broadcast(&h->changed);
	while (h->given - h->hashed == PARTS)
		pthread_cond_wait(&h->changed, &h->mutex);
	pthread_mutex_unlock(&h->mutex);
}

static void start_thread(struct hasher *h)
{
	h->buffers = mmap(NULL, PARTS_LEN, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->buffers == MAP_FAILED) {
		h->buffers = NULL;
		return;
	}
	for (size_t i = 0; i < PARTS; i++)
		h->parts[i].bytes = h->buffers + i * PART_LEN;
	h->threaded = thread_start(&h->thread, thread_main, h) == 0;
}

static void end_thread(struct hasher *h, bool drop)
{
	if (!h->threaded)
		return;
	give(h);
	pthread_mutex_lock(&h->mutex);
	h->over = true;
	h->drop = drop;
	pthread_cond_broadcast(&h->changed);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	h->threaded = false;
}

/* --- the sink's side ------------------------------------------------------ */

struct hasher *hasher_new(bool threaded, struct avml_error *err)
{
	struct hasher *h = calloc(1, sizeof(*h));

	if (!h) {
		avml_error_set_errno(err, ENOMEM, "SHA-256");
		return NULL;
	}
	pthread_mutex_init(&h->mutex, NULL);
	pthread_cond_init(&h->changed, NULL);
	h->all = digest_new(err);
	if (h->all)
		h->marked = digest_new(err);
	if (!h->marked) {
		hasher_free(h);
		return NULL;
	}
	if (threaded)
		start_thread(h);
	return h;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	end_thread(hasher, true);
	if (hasher->buffers)
		munmap(hasher->buffers, PARTS_LEN);
	digest_free(hasher->all);
	digest_free(hasher->marked);
	pthread_cond_destroy(&hasher->changed);
	pthread_mutex_destroy(&hasher->mutex);
	free(hasher);
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	if (!hasher->threaded) {
		add(hasher, bytes, len);
		return;
	}
	while (len > 0) {
		struct part *p = &hasher->parts[hasher->given % PARTS];
		size_t part = PART_LEN - p->len;

		if (part == 0 || p->zeros > 0) {
			give(hasher);
			continue;
		}
		if (part > len)
			part = len;
		memcpy(p->bytes + p->len, at, part);
		p->len += part;
		at += part;
		len -= part;
	}
}

int hasher_zeros(struct hasher *hasher, uint64_t len, int stop_level,
	struct avml_error *err)
{
	while (len > 0) {
		const uint64_t part = len < ZEROS_MAX ? len : ZEROS_MAX;
		struct part *p = &hasher->parts[hasher->given % PARTS];

		if (len > ZEROS_MAX && cancel_level() >= stop_level)
			return cancel_error(err);
		if (!hasher->threaded) {
			add_zeros(hasher, part);
		} else {
			p->zeros += part;
			if (p->zeros >= ZEROS_MAX)
				give(hasher);
		}
		len -= part;
	}
	return 0;
}

void hasher_mark(struct hasher *hasher)
{
	if (!hasher->threaded) {
		mark(hasher);
		return;
	}
	hasher->parts[hasher->given % PARTS].mark = true;
	give(hasher);
}

bool hasher_end(struct hasher *hasher, bool at_mark, char hex[DIGEST_HEX_SIZE])
{
	end_thread(hasher, at_mark);
	return !hasher->failed &&
	       digest_end(at_mark ? hasher->marked : hasher->all, hex) == 0;
}

/* SPDX-License-Identifier: MIT */
#include <avml/pipeline.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/thread.h"

enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_READY };

struct slot {
	enum slot_state state;
	int ret; /* of produce or transform */
	struct avml_error err;
};

/*
 * Ranks number the items; rank r lives in slot r % slot_count. Everything
 * below `mutex` is guarded by it, and so is what a slot says when it is not
 * busy. Every change is broadcast: with at most a few threads nobody is woken
 * in vain for long.
 */
struct avml_pipeline {
	const struct avml_pipeline_ops *ops;
	void *ctx;
	unsigned int threads;
	unsigned int slot_count;
	struct slot *slots;

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t next_produced; /* rank */
	uint64_t next_consumed; /* rank */
	bool producing;		/* a thread is inside produce() */
	bool exhausted;		/* no more items, or none wanted */
	unsigned int workers;	/* ids given to threads so far */
};

struct avml_pipeline *avml_pipeline_new(const struct avml_pipeline_ops *ops,
	void *ctx, unsigned int threads, unsigned int slots)
{
	struct avml_pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->slots = calloc(slots, sizeof(*p->slots));
	if (!p->slots) {
		free(p);
		return NULL;
	}
	p->ops = ops;
	p->ctx = ctx;
	p->threads = threads;
	p->slot_count = slots;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_cond_init(&p->changed, NULL);
	return p;
}

void avml_pipeline_free(struct avml_pipeline *pipeline)
{
	if (!pipeline)
		return;
	pthread_cond_destroy(&pipeline->changed);
	pthread_mutex_destroy(&pipeline->mutex);
	free(pipeline->slots);
	free(pipeline);
}

static bool may_produce(const struct avml_pipeline *p)
{
	return !p->producing && !p->exhausted &&
	       p->next_produced - p->next_consumed < p->slot_count;
}

/*
 * Produce one item and transform it. Called with the mutex held, which is
 * let go of while the callbacks run.
 */
static void work_once(struct avml_pipeline *p, unsigned int worker)
{
	const unsigned int i = (unsigned int)(p->next_produced % p->slot_count);
	struct slot *slot = &p->slots[i];
	int ret;

	p->producing = true;
	slot->state = SLOT_BUSY;
	pthread_mutex_unlock(&p->mutex);
	ret = p->ops->produce(p->ctx, i, &slot->err);
	pthread_mutex_lock(&p->mutex);
	p->producing = false;
	if (ret <= 0)
		p->exhausted = true;
	if (ret == 0) {
		slot->state = SLOT_FREE;
	} else {
		p->next_produced++;
	}
	pthread_cond_broadcast(&p->changed);
	if (ret > 0) {
		pthread_mutex_unlock(&p->mutex);
		ret = p->ops->transform(p->ctx, worker, i, &slot->err);
		pthread_mutex_lock(&p->mutex);
	} else if (ret == 0) {
		return;
	}
	slot->ret = ret;
	slot->state = SLOT_READY;
	pthread_cond_broadcast(&p->changed);
}

static void *worker_main(void *arg)
{
	struct avml_pipeline *p = arg;
	unsigned int worker;

	pthread_mutex_lock(&p->mutex);
	worker = ++p->workers;
	while (!p->exhausted) {
		if (may_produce(p))
			work_once(p, worker);
		else
			pthread_cond_wait(&p->changed, &p->mutex);
	}
	pthread_mutex_unlock(&p->mutex);
	return NULL;
}

/* Consume the item that is next. Called with the mutex held, as above. */
static int consume_once(struct avml_pipeline *p, struct avml_error *err)
{
	const unsigned int i = (unsigned int)(p->next_consumed % p->slot_count);
	struct slot *slot = &p->slots[i];
	int ret = slot->ret;

	if (ret < 0) {
		*err = slot->err;
	} else {
		pthread_mutex_unlock(&p->mutex);
		ret = p->ops->consume(p->ctx, i, err);
		pthread_mutex_lock(&p->mutex);
	}
	slot->state = SLOT_FREE;
	p->next_consumed++;
	if (ret < 0)
		p->exhausted = true;
	pthread_cond_broadcast(&p->changed);
	return ret;
}

/*
 * The caller's share: to consume comes first, since it frees slots; when
 * nothing is ready it works like the others.
 */
static int run_caller(struct avml_pipeline *p, struct avml_error *err)
{
	int ret = 0;

	pthread_mutex_lock(&p->mutex);
	while (ret == 0) {
		const struct slot *head =
			&p->slots[p->next_consumed % p->slot_count];

		if (head->state == SLOT_READY)
			ret = consume_once(p, err);
		else if (may_produce(p))
			work_once(p, 0);
		else if (p->exhausted && !p->producing &&
			 p->next_consumed == p->next_produced)
			break;
		else
			pthread_cond_wait(&p->changed, &p->mutex);
	}
	/* Those that wait for a slot have to see that it is over. */
	p->exhausted = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->mutex);
	return ret;
}

/* Start what can be started of `want` threads; returns how many run. */
static unsigned int start_threads(
	struct avml_pipeline *p, pthread_t *ids, unsigned int want)
{
	unsigned int started = 0;

	while (started < want &&
		thread_start(&ids[started], worker_main, p) == 0)
		started++;
	return started;
}

int avml_pipeline_run(struct avml_pipeline *pipeline, struct avml_error *err)
{
	pthread_t ids[AVML_PIPELINE_THREADS_MAX];
	unsigned int started;
	int ret;

	started = start_threads(pipeline, ids, pipeline->threads - 1);
	ret = run_caller(pipeline, err);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	return ret;
}

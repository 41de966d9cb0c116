/* SPDX-License-Identifier: MIT */
/*
 * An ordered parallel map: items are produced one after the other,
 * transformed by several threads, and consumed in the order in which they
 * were produced. It knows nothing of memory or formats.
 *
 * The items live in a ring of slots that the caller allocated beforehand;
 * the callbacks are told which slot by its index. With one thread no
 * thread is started: the same callbacks run in turn.
 */
#ifndef AVML_PIPELINE_H
#define AVML_PIPELINE_H

#include <avml/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVML_PIPELINE_THREADS_MAX 64

struct avml_pipeline;

/*
 * The callbacks return 0, or a negative errno with `err` filled. None of
 * them may block on another.
 *
 * produce: one at a time, in any thread. 1: the slot holds the next item;
 *	0: there are no more.
 * transform: concurrently; `worker` is in [0, threads) and the same for
 *	all calls in one thread. Worker 0 is the caller of run().
 * consume: in the caller's thread, in order.
 */
struct avml_pipeline_ops {
	int (*produce)(void *ctx, unsigned int slot, struct avml_error *err);
	int (*transform)(void *ctx, unsigned int worker, unsigned int slot,
		struct avml_error *err);
	int (*consume)(void *ctx, unsigned int slot, struct avml_error *err);
};

/*
 * `threads` is 1 to AVML_PIPELINE_THREADS_MAX; `slots` at least 1, and two
 * for each thread keep all of them busy. `ops` and `ctx` stay the caller's,
 * and outlive the pipeline. NULL when memory is out.
 */
struct avml_pipeline *avml_pipeline_new(const struct avml_pipeline_ops *ops,
	void *ctx, unsigned int threads, unsigned int slots);
void avml_pipeline_free(struct avml_pipeline *pipeline);

/*
 * Run to the end, once. The error of an item is delivered after all items
 * before it have been consumed, and nothing behind it is. All threads have
 * ended on return, whatever happened. A thread that cannot be started is
 * done without.
 */
int avml_pipeline_run(struct avml_pipeline *pipeline, struct avml_error *err);

/*
 * How many threads to take where `wanted` were asked for: that many, but at
 * most AVML_PIPELINE_THREADS_MAX; for 0 as many as this process has CPUs to
 * run on (affinity mask and cgroup quota), at most 4.
 */
unsigned int avml_pipeline_threads(unsigned int wanted);

#ifdef __cplusplus
}
#endif

#endif

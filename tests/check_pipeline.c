/* SPDX-License-Identifier: MIT */
/*
 * The ordered parallel map. The items are made so that every rule of the
 * header is checked in the callbacks: a breach is noted there and judged
 * in the test's own thread, since an assertion ends only the thread that
 * it stands in.
 */
#include "check_main.h"
#include "check_wrap.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <avml/pipeline.h>

#define SLOTS_MAX 128

enum stage { NONE, PRODUCE, TRANSFORM, CONSUME };

static const char *const stage_names[] = { "none", "produce", "transform",
	"consume" };

/* The state of a slot; plain memory, so that TSan sees a missing order. */
enum state { EMPTY, PRODUCED, TRANSFORMED };

struct load {
	unsigned int threads, slots;
	uint64_t items;
	enum stage fail_stage;
	uint64_t fail_from, fail_to; /* ranks that fail, `to` exclusive */
	unsigned int max_sleep_us;
	bool meet; /* transform waits for all threads to be in it */

	pthread_t caller;
	_Atomic(const char *) breach;
	atomic_int producing, transforming, most_transforming;
	atomic_uint workers_seen;
	atomic_uintptr_t owner[AVML_PIPELINE_THREADS_MAX];
	atomic_uint_fast64_t consumed;
	uint64_t produced;
	int tasks; /* seen in the callbacks, at most */
	struct {
		enum state state;
		uint64_t rank, value;
	} slot[SLOTS_MAX];
};

/* Identifies a thread; the worker number that it was called with. */
static _Thread_local char thread_mark;
static _Thread_local int thread_worker = -1;

/*
 * Takes the place of the C library's, to count threads, and to have some
 * that cannot be started. A limit on processes would do that too, but not
 * for root.
 */
static atomic_int threads_allowed = INT_MAX;
static atomic_int threads_asked;
static atomic_int threads_alive;

struct start {
	void *(*main)(void *);
	void *arg;
};

static void *counted_main(void *arg)
{
	const struct start start = *(struct start *)arg;
	void *ret;

	free(arg);
	ret = start.main(start.arg);
	atomic_fetch_sub(&threads_alive, 1);
	return ret;
}

int WRAP(pthread_create)(pthread_t *id, const pthread_attr_t *attr,
	void *(*main)(void *), void *arg)
{
	struct start *start;

	if (atomic_fetch_add(&threads_asked, 1) >= threads_allowed)
		return EAGAIN;
	start = malloc(sizeof(*start));
	if (!start)
		return EAGAIN;
	*start = (struct start){ main, arg };
	atomic_fetch_add(&threads_alive, 1);
	return REAL(pthread_create)(id, attr, counted_main, start);
}

static void breach(struct load *l, const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&l->breach, &none, what);
}

static int count_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int count = 0;

	if (!dir)
		return -1;
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void nap(const struct load *l, uint64_t rank)
{
	uint64_t state = rank * 3 + 1;

	if (l->max_sleep_us == 0)
		return;
	for (int i = 0; i < 4; i++)
		test_random(&state);
	/* Most of them do not sleep at all. */
	if (state % 4 == 0)
		usleep((useconds_t)(test_random(&state) % l->max_sleep_us));
}

static bool fails(const struct load *l, enum stage stage, uint64_t rank)
{
	return stage == l->fail_stage && rank >= l->fail_from &&
	       rank < l->fail_to;
}

static int fail_item(enum stage stage, uint64_t rank, struct avml_error *err)
{
	return avml_error_set(err, EIO, "%s %llu", stage_names[stage],
		(unsigned long long)rank);
}

static int produce(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct load *l = ctx;
	const uint64_t rank = l->produced;
	int ret = 1;

	if (atomic_fetch_add(&l->producing, 1) != 0)
		breach(l, "produce is concurrent");
	if (slot >= l->slots)
		breach(l, "slot out of range");
	else if (l->slot[slot].state != EMPTY)
		breach(l, "a slot is used again before it was consumed");
	if (rank - atomic_load(&l->consumed) >= l->slots)
		breach(l, "more items on the way than slots");
	if (rank > l->items)
		breach(l, "produce is called after it said: no more");
	if (fails(l, PRODUCE, rank)) {
		ret = fail_item(PRODUCE, rank, err);
	} else if (rank == l->items) {
		ret = 0;
	} else {
		l->slot[slot].rank = rank;
		l->slot[slot].state = PRODUCED;
	}
	l->produced = rank + 1;
	nap(l, rank + 7);
	atomic_fetch_sub(&l->producing, 1);
	return ret;
}

static void check_worker(struct load *l, unsigned int worker)
{
	uintptr_t none = 0;

	if (worker >= l->threads) {
		breach(l, "worker id out of range");
		return;
	}
	if (thread_worker >= 0 && thread_worker != (int)worker)
		breach(l, "a thread's worker id changed");
	thread_worker = (int)worker;
	if (atomic_compare_exchange_strong(
		    &l->owner[worker], &none, (uintptr_t)&thread_mark))
		atomic_fetch_add(&l->workers_seen, 1);
	else if (none != (uintptr_t)&thread_mark)
		breach(l, "two threads have one worker id");
	if ((worker == 0) != (pthread_equal(pthread_self(), l->caller) != 0))
		breach(l, "worker 0 is not the caller, or not it alone");
}

/* Wait for the others, but not for ever: they may never come. */
static void meet(struct load *l)
{
	for (int ms = 0; ms < 10000; ms++) {
		if (atomic_load(&l->most_transforming) >= (int)l->threads)
			return;
		usleep(1000);
	}
	breach(l, "the threads never transform at the same time");
}

static int transform(void *ctx, unsigned int worker, unsigned int slot,
	struct avml_error *err)
{
	struct load *l = ctx;
	const int inside = atomic_fetch_add(&l->transforming, 1) + 1;
	int most = atomic_load(&l->most_transforming);
	uint64_t rank;

	while (most < inside && !atomic_compare_exchange_weak(
					&l->most_transforming, &most, inside))
		;
	check_worker(l, worker);
	if (slot >= l->slots || l->slot[slot].state != PRODUCED) {
		breach(l, "transform of a slot that holds nothing");
		return 0;
	}
	rank = l->slot[slot].rank;
	if (l->meet)
		meet(l);
	nap(l, rank);
	l->slot[slot].value = rank * rank;
	l->slot[slot].state = TRANSFORMED;
	atomic_fetch_sub(&l->transforming, 1);
	/* The first that fails takes its time: later ones fail before it. */
	if (fails(l, TRANSFORM, rank) && rank == l->fail_from)
		usleep(2000);
	return fails(l, TRANSFORM, rank) ? fail_item(TRANSFORM, rank, err) : 0;
}

static int consume(void *ctx, unsigned int slot, struct avml_error *err)
{
	struct load *l = ctx;
	const uint64_t rank = atomic_load(&l->consumed);

	if (!pthread_equal(pthread_self(), l->caller))
		breach(l, "consume in another thread than the caller's");
	if (slot >= l->slots || l->slot[slot].state != TRANSFORMED) {
		breach(l, "consume of a slot that is not transformed");
		return 0;
	}
	if (l->slot[slot].rank != rank || l->slot[slot].value != rank * rank)
		breach(l, "consumed out of order, or another item's value");
	if (rank % 1024 == 0) {
		const int tasks = count_tasks();

		l->tasks = tasks > l->tasks ? tasks : l->tasks;
	}
	nap(l, rank + 3);
	if (fails(l, CONSUME, rank))
		return fail_item(CONSUME, rank, err);
	l->slot[slot].state = EMPTY;
	atomic_store(&l->consumed, rank + 1);
	return 0;
}

static const struct avml_pipeline_ops ops = {
	.produce = produce,
	.transform = transform,
	.consume = consume,
};

static int run(struct load *l, struct avml_error *err)
{
	struct avml_pipeline *p =
		avml_pipeline_new(&ops, l, l->threads, l->slots);
	int ret;

	ck_assert_ptr_nonnull(p);
	l->caller = pthread_self();
	thread_worker = -1;
	ret = avml_pipeline_run(p, err);
	avml_pipeline_free(p);
	ck_assert_msg(l->breach == NULL, "%u threads, %u slots: %s", l->threads,
		l->slots, l->breach);
	return ret;
}

/* All items went through, each once and in order. */
static void run_well(struct load *l)
{
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = run(l, &err);

	ck_assert_msg(ret == 0, "%u threads, %u slots: %d %s", l->threads,
		l->slots, ret, avml_error_message(&err, 0));
	ck_assert_uint_eq(l->consumed, l->items);
	ck_assert_uint_eq(l->produced, l->items + 1);
}

static const unsigned int thread_counts[] = { 1, 2, 3, 7, 16 };

START_TEST(pipeline_any_threads_and_slots_keep_order)
{
	for (unsigned int slots = 1; slots <= 8; slots++) {
		struct load l = {
			.threads = thread_counts[_i],
			.slots = slots,
			.items = 150,
			.max_sleep_us = 60,
		};

		run_well(&l);
	}
}
END_TEST

START_TEST(pipeline_empty_input_succeeds)
{
	for (unsigned int slots = 1; slots <= 8; slots += 7) {
		struct load l = { .threads = thread_counts[_i],
			.slots = slots };

		run_well(&l);
		ck_assert_uint_eq(l.workers_seen, 0);
	}
}
END_TEST

START_TEST(pipeline_fewer_items_than_slots_succeeds)
{
	struct load l = {
		.threads = thread_counts[_i], .slots = 32, .items = 5
	};

	run_well(&l);
}
END_TEST

/* Each stage, at ranks from the first to behind a few rounds of the ring. */
static const struct {
	enum stage stage;
	uint64_t rank;
} failures[] = {
	{ PRODUCE, 0 },
	{ PRODUCE, 1 },
	{ PRODUCE, 17 },
	{ PRODUCE, 40 }, /* instead of saying that it is the end */
	{ TRANSFORM, 0 },
	{ TRANSFORM, 1 },
	{ TRANSFORM, 17 },
	{ TRANSFORM, 39 },
	{ CONSUME, 0 },
	{ CONSUME, 1 },
	{ CONSUME, 17 },
	{ CONSUME, 39 },
};

static void fail_once(unsigned int threads, unsigned int slots,
	enum stage stage, uint64_t rank, uint64_t to)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct load l = {
		.threads = threads,
		.slots = slots,
		.items = 40,
		.fail_stage = stage,
		.fail_from = rank,
		.fail_to = to,
		.max_sleep_us = 30,
	};
	char message[64];

	ck_assert_int_eq(run(&l, &err), -EIO);
	snprintf(message, sizeof(message), "%s %llu", stage_names[stage],
		(unsigned long long)rank);
	ck_assert_str_eq(avml_error_message(&err, 0), message);
	ck_assert_ptr_null(avml_error_message(&err, 1));
	/* All before it were consumed, and nothing behind it was. */
	ck_assert_uint_eq(l.consumed, rank);
}

START_TEST(pipeline_error_of_an_item_comes_in_its_turn)
{
	for (size_t t = 0; t < TEST_COUNT(thread_counts); t++) {
		for (unsigned int slots = 1; slots <= 8; slots += slots)
			fail_once(thread_counts[t], slots, failures[_i].stage,
				failures[_i].rank, failures[_i].rank + 1);
	}
}
END_TEST

START_TEST(pipeline_several_errors_lowest_rank_is_told)
{
	for (size_t t = 0; t < TEST_COUNT(thread_counts); t++) {
		for (unsigned int slots = 1; slots <= 8; slots++)
			fail_once(thread_counts[t], slots, TRANSFORM, 11, 40);
	}
}
END_TEST

START_TEST(pipeline_one_thread_starts_none)
{
	const int before = count_tasks();
	struct load l = { .threads = 1, .slots = 4, .items = 10 };

	threads_asked = 0;
	run_well(&l);
	ck_assert_int_eq(threads_asked, 0);
	ck_assert_int_eq(l.tasks, before);
}
END_TEST

START_TEST(pipeline_threads_work_at_the_same_time)
{
	struct load l = { .threads = thread_counts[_i],
		.slots = 2 * thread_counts[_i],
		.items = 100,
		.meet = true };

	threads_asked = 0;
	run_well(&l);
	ck_assert_int_eq(l.most_transforming, (int)l.threads);
	ck_assert_uint_eq(l.workers_seen, l.threads);
	/* The caller is one of them. */
	ck_assert_int_eq(threads_asked, (int)l.threads - 1);
}
END_TEST

START_TEST(pipeline_most_threads_keep_order)
{
	struct load l = { .threads = AVML_PIPELINE_THREADS_MAX,
		.slots = 2 * AVML_PIPELINE_THREADS_MAX,
		.items = 2000,
		.meet = true };

	run_well(&l);
	ck_assert_uint_eq(l.workers_seen, AVML_PIPELINE_THREADS_MAX);
}
END_TEST

START_TEST(pipeline_threads_that_cannot_start_are_done_without)
{
	for (int allowed = 0; allowed < 7; allowed++) {
		struct load l = { .threads = 7,
			.slots = 3,
			.items = 100,
			.max_sleep_us = 30 };

		threads_asked = 0;
		threads_allowed = allowed;
		run_well(&l);
		ck_assert_uint_le(l.workers_seen, (unsigned int)allowed + 1);
	}
}
END_TEST

/* Its end finds some of them asleep, in whatever stage it failed. */
START_TEST(pipeline_return_leaves_no_thread)
{
	for (enum stage stage = NONE; stage <= CONSUME; stage++) {
		struct load l = { .threads = 7,
			.slots = 8,
			.items = 40,
			.fail_stage = stage,
			.fail_from = 20,
			.fail_to = 21,
			.max_sleep_us = 1000 };
		struct avml_error err;

		threads_asked = 0;
		ck_assert_int_eq(run(&l, &err), stage == NONE ? 0 : -EIO);
		ck_assert_int_eq(threads_asked, 6);
		ck_assert_int_eq(threads_alive, 0);
	}
}
END_TEST

static int transform_under_mask(void *ctx, unsigned int worker,
	unsigned int slot, struct avml_error *err)
{
	const bool caller = worker == 0;
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&mask, SIGINT) == caller ||
		sigismember(&mask, SIGTERM) == caller)
		breach(ctx, "a signal is not for the caller alone");
	return transform(ctx, worker, slot, err);
}

START_TEST(pipeline_signals_reach_the_caller_alone)
{
	static const struct avml_pipeline_ops masked = {
		.produce = produce,
		.transform = transform_under_mask,
		.consume = consume,
	};
	struct load l = { .threads = 3,
		.slots = 6,
		.items = 60,
		.meet = true,
		.caller = pthread_self() };
	struct avml_pipeline *p =
		avml_pipeline_new(&masked, &l, l.threads, l.slots);
	struct avml_error err;
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	ck_assert_int_eq(avml_pipeline_run(p, &err), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	avml_pipeline_free(p);
	ck_assert_msg(l.breach == NULL, "%s", l.breach);
	for (int number = 1; number < SIGRTMIN; number++)
		ck_assert_int_eq(sigismember(&before, number),
			sigismember(&after, number));
}
END_TEST

START_TEST(pipeline_free_of_nothing_is_harmless)
{
	avml_pipeline_free(NULL);
	avml_pipeline_free(avml_pipeline_new(&ops, NULL, 3, 6));
}
END_TEST

START_TEST(pipeline_soak_keeps_order)
{
	struct load l = { .threads = thread_counts[_i],
		.slots = 2 * thread_counts[_i],
		.items = 20000 };

	run_well(&l);
}
END_TEST

static Suite *pipeline_suite(void)
{
	Suite *suite = suite_create("pipeline");
	TCase *tc = tcase_create("pipeline");
	const int counts = TEST_COUNT(thread_counts);

	tcase_add_loop_test(
		tc, pipeline_any_threads_and_slots_keep_order, 0, counts);
	tcase_add_loop_test(tc, pipeline_empty_input_succeeds, 0, counts);
	tcase_add_loop_test(
		tc, pipeline_fewer_items_than_slots_succeeds, 0, counts);
	tcase_add_loop_test(tc, pipeline_error_of_an_item_comes_in_its_turn, 0,
		TEST_COUNT(failures));
	tcase_add_test(tc, pipeline_several_errors_lowest_rank_is_told);
	tcase_add_test(tc, pipeline_one_thread_starts_none);
	tcase_add_loop_test(
		tc, pipeline_threads_work_at_the_same_time, 0, counts);
	tcase_add_test(tc, pipeline_most_threads_keep_order);
	tcase_add_test(tc, pipeline_threads_that_cannot_start_are_done_without);
	tcase_add_test(tc, pipeline_return_leaves_no_thread);
	tcase_add_test(tc, pipeline_signals_reach_the_caller_alone);
	tcase_add_test(tc, pipeline_free_of_nothing_is_harmless);
	tcase_add_loop_test(tc, pipeline_soak_keeps_order, 0, counts);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(pipeline_suite)

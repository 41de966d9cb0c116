/* SPDX-License-Identifier: MIT */
/*
 * What several requests at a time make of one rate: none of them is silent for
 * so long that a server takes it for dead.
 */
#include "net/http.h"

#include "check_http.h"

#define JOBS 3
#define BODY_LEN 120000

static struct server *servers[JOBS];
static struct http_job jobs[JOBS];
static char urls[JOBS][64];

/* Each to a server of its own, which can do one thing at a time. */
static void begin_all(void)
{
	static const struct reply replies[] = { { .text = REPLY_OK } };

	ck_assert_int_eq(http_new(&remote, JOBS, &http, &err), 0);
	for (size_t i = 0; i < JOBS; i++) {
		servers[i] = server_start(replies, 1);
		snprintf(urls[i], sizeof(urls[i]), "http://127.0.0.1:%u/x",
			servers[i]->port);
		jobs[i] = (struct http_job){ .method = "PUT",
			.url = urls[i],
			.body = { .len = BODY_LEN,
				.read = source_read,
				.ctx = &source } };
		http_submit(http, &jobs[i]);
	}
}

static void end_all(void)
{
	for (size_t i = 0; i < JOBS; i++) {
		ck_assert_int_eq(http_wait_for(http, &jobs[i], 1, &err), 0);
		http_job_release(http, &jobs[i]);
	}
	http_free(http);
	for (size_t i = 0; i < JOBS; i++) {
		server_stop(servers[i]);
		expect_body(&servers[i]->seen[0], BODY_LEN);
		server_free(servers[i]);
	}
}

/* When the first has all of its body, the others have most of theirs. */
START_TEST(http_jobs_share_the_rate)
{
	const struct timespec moment = { .tv_nsec = 5000000 };
	uint64_t sent[JOBS] = { 0 };

	source.len = BODY_LEN;
	/* Rates with more and with less in the bucket than is worth it. */
	remote.rate = _i == 0 ? 300000 : 100000;
	begin_all();
	while (sent[0] < BODY_LEN && sent[1] < BODY_LEN && sent[2] < BODY_LEN) {
		nanosleep(&moment, NULL);
		for (size_t i = 0; i < JOBS; i++)
			sent[i] = atomic_load(&jobs[i].sent);
	}
	for (size_t i = 0; i < JOBS; i++)
		ck_assert_uint_gt(sent[i], BODY_LEN / 2);
	end_all();
}
END_TEST

/* One that is given up while it waits for its turn takes no turn along. */
START_TEST(http_job_given_up_leaves_the_rate_to_others)
{
	const struct timespec moment = { .tv_nsec = 200000000 };

	source.len = BODY_LEN;
	remote.rate = 300000;
	begin_all();
	nanosleep(&moment, NULL);
	for (size_t i = 0; i < JOBS; i++) {
		if (i != (size_t)_i)
			http_job_release(http, &jobs[i]);
	}
	ck_assert_int_eq(http_wait_for(http, &jobs[_i], 1, &err), 0);
	http_job_release(http, &jobs[_i]);
	http_free(http);
	for (size_t i = 0; i < JOBS; i++) {
		server_stop(servers[i]);
		server_free(servers[i]);
	}
}
END_TEST

static Suite *http_share_suite(void)
{
	Suite *suite = suite_create("http_share");
	TCase *tcase = tcase_create("http_share");

	tcase_add_loop_test(tcase, http_jobs_share_the_rate, 0, 2);
	tcase_add_loop_test(
		tcase, http_job_given_up_leaves_the_rate_to_others, 0, JOBS);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(http_share_suite)

/* SPDX-License-Identifier: MIT */
/* The digest beside a sink, with threads and without. */
#include "sink/hasher.h"

#include <pthread.h>
#include <signal.h>

#include "base/cancel.h"
#include "check_main.h"
#include "check_wrap.h"

static bool no_thread;

int WRAP(pthread_create)(pthread_t *id, const pthread_attr_t *attr,
	void *(*run)(void *), void *arg)
{
	return no_thread ? EAGAIN : REAL(pthread_create)(id, attr, run, arg);
}

/* In a thread, on the spot, and where no thread can be had. */
enum { THREADED, INLINE, NO_THREAD, MODES };

static struct hasher *new_hasher(int mode)
{
	struct avml_error err;
	struct hasher *h;

	no_thread = mode == NO_THREAD;
	h = hasher_new(mode != INLINE, &err);
	ck_assert_ptr_nonnull(h);
	return h;
}

/* What was given, hashed in the simplest way. */
struct given {
	uint8_t *bytes;
	size_t len, marked;
};

static void give(struct given *g, const uint8_t *bytes, size_t len)
{
	g->bytes = realloc(g->bytes, g->len + len + 1);
	ck_assert_ptr_nonnull(g->bytes);
	if (bytes)
		memcpy(g->bytes + g->len, bytes, len);
	else
		memset(g->bytes + g->len, 0, len);
	g->len += len;
}

static void assert_digest(const uint8_t *bytes, size_t len, const char *hex)
{
	char expected[DIGEST_HEX_SIZE];
	struct avml_error err;
	struct digest *d = digest_new(&err);

	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(digest_add(d, bytes, len), 0);
	ck_assert_int_eq(digest_end(d, expected), 0);
	ck_assert_str_eq(hex, expected);
	digest_free(d);
}

/* Bytes, zeros and marks in any order and of any length. */
START_TEST(hasher_any_order_gives_the_digest)
{
	const int mode = _i % MODES;
	const bool at_mark = _i / MODES % 2;
	struct given given = { NULL, 0, 0 };
	struct hasher *h = new_hasher(mode);
	static uint8_t bytes[700000];
	char hex[DIGEST_HEX_SIZE];
	struct avml_error err;

	srand48(_i);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)lrand48();
	for (int i = 0; i < 60; i++) {
		const long what = lrand48() % 8;
		const size_t len = what % 2 ? (size_t)lrand48() % sizeof(bytes)
					    : (size_t)lrand48() % 40;

		if (what < 4) {
			hasher_add(h, bytes, len);
			give(&given, bytes, len);
		} else if (what < 6) {
			ck_assert_int_eq(hasher_zeros(h, len, 1, &err), 0);
			give(&given, NULL, len);
		} else {
			hasher_mark(h);
			given.marked = given.len;
		}
	}
	ck_assert(hasher_end(h, at_mark, hex));
	assert_digest(given.bytes, at_mark ? given.marked : given.len, hex);
	hasher_free(h);
	free(given.bytes);
}
END_TEST

START_TEST(hasher_of_nothing_has_a_digest)
{
	struct hasher *h = new_hasher(_i % MODES);
	char hex[DIGEST_HEX_SIZE];

	ck_assert(hasher_end(h, _i / MODES, hex));
	assert_digest((const uint8_t *)"", 0, hex);
	hasher_free(h);
}
END_TEST

/* Whoever wants to stop does not wait for terabytes of zeros. */
START_TEST(hasher_long_zeros_end_with_a_signal)
{
	struct hasher *h = new_hasher(_i);
	char hex[DIGEST_HEX_SIZE];
	struct avml_error err = AVML_ERROR_INIT;

	hasher_add(h, "abc", 3);
	hasher_mark(h);
	cancel_request(SIGTERM);
	ck_assert_int_eq(hasher_zeros(h, 1000, 1, &err), 0);
	ck_assert_int_eq(hasher_zeros(h, UINT64_C(1) << 50, 1, &err), -EINTR);
	ck_assert(hasher_end(h, true, hex));
	assert_digest((const uint8_t *)"abc", 3, hex);
	hasher_free(h);
}
END_TEST

/* Nothing is left behind when nobody asks for the digest. */
START_TEST(hasher_may_be_left_alone)
{
	struct hasher *h = new_hasher(_i);
	struct avml_error err;

	hasher_add(h, "abc", 3);
	ck_assert_int_eq(hasher_zeros(h, UINT64_C(1) << 27, 1, &err), 0);
	hasher_free(h);
	hasher_free(NULL);
}
END_TEST

static Suite *hasher_suite(void)
{
	Suite *suite = suite_create("hasher");
	TCase *tc = tcase_create("hasher");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, hasher_any_order_gives_the_digest, 0, 8 * MODES);
	tcase_add_loop_test(tc, hasher_of_nothing_has_a_digest, 0, 2 * MODES);
	tcase_add_loop_test(tc, hasher_long_zeros_end_with_a_signal, 0, MODES);
	tcase_add_loop_test(tc, hasher_may_be_left_alone, 0, MODES);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(hasher_suite)

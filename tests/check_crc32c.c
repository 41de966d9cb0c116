/* SPDX-License-Identifier: MIT */
#include "format/crc32c.h"

#include <pthread.h>

#include "check_main.h"
#include "guard.h"

/* As slow and plain as the definition: one bit at a time. */
static uint32_t bitwise(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	for (; len > 0; p++, len--) {
		crc ^= *p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

struct vector {
	const char *what;
	uint8_t first;
	int step;
	size_t len;
	uint32_t crc;
	uint32_t masked;
};

/* RFC 3720, section B.4, and whole pages and chunks of zeros. */
static const struct vector vectors[] = {
	{ "nothing", 0, 0, 0, 0x00000000, 0xa282ead8 },
	{ "123456789", '1', 1, 9, 0xe3069283, 0xc78ab0e5 },
	{ "32 zeros", 0, 0, 32, 0x8a9136aa, 0x0fd7fffa },
	{ "32 ones", 0xff, 0, 32, 0x62a8ab43, 0xf909b029 },
	{ "ascending", 0, 1, 32, 0x46dd794e, 0x951f7892 },
	{ "descending", 31, -1, 32, 0x113fdb5c, 0x593b0d57 },
	{ "a page of zeros", 0, 0, 4096, 0x98f94189, 0x25961cca },
	{ "a chunk of zeros", 0, 0, 65536, 0x72c0c4a4, 0x2bcbd059 },
};

START_TEST(crc32c_vectors_match)
{
	const struct vector *v = &vectors[_i];
	uint8_t *buf = malloc(v->len + 1);
	const struct crc32c_impl *impl;

	ck_assert_ptr_nonnull(buf);
	for (size_t i = 0; i < v->len; i++)
		buf[i] = (uint8_t)(v->first + (int)i * v->step);
	for (size_t n = 0; (impl = crc32c_impl(n)) != NULL; n++)
		ck_assert_msg(impl->run(0, buf, v->len) == v->crc,
			"%s: %s gives %08x", v->what, impl->name,
			impl->run(0, buf, v->len));
	ck_assert_uint_eq(crc32c(0, buf, v->len), v->crc);
	ck_assert_uint_eq(crc32c_mask(v->crc), v->masked);
	free(buf);
}
END_TEST

START_TEST(crc32c_no_buffer_no_bytes_keeps_crc)
{
	const struct crc32c_impl *impl;

	for (size_t n = 0; (impl = crc32c_impl(n)) != NULL; n++)
		ck_assert_uint_eq(impl->run(0x12345678, NULL, 0), 0x12345678);
}
END_TEST

START_TEST(crc32c_impl_list_ends_in_table)
{
	const struct crc32c_impl *last = NULL, *impl;
	size_t n = 0;

	for (; (impl = crc32c_impl(n)) != NULL; n++)
		last = impl;
	ck_assert_ptr_nonnull(last);
	ck_assert_str_eq(last->name, "table");
	ck_assert_ptr_null(crc32c_impl(n + 1));
	ck_assert_ptr_null(crc32c_impl(SIZE_MAX));
}
END_TEST

/*
 * Every length up to past several joints of the short streams, the bytes
 * ending at an inaccessible page, so at every alignment.
 */
START_TEST(crc32c_every_short_length_equal)
{
	enum { MOST = 13000 };
	struct guard g = guard_new(MOST);
	uint64_t seed = 1;
	const struct crc32c_impl *impl;

	random_fill(&seed, g.start, g.len);
	for (size_t len = 0; len <= MOST; len++) {
		const uint8_t *p = guard_last(&g, len);
		uint32_t want = crc32c_impl(0)->run(7, p, len);

		/* The slow one is asked where it can differ. */
		if (len < 300 || len % 1360 < 20 || len % 97 == 0)
			ck_assert_uint_eq(bitwise(7, p, len), want);
		for (size_t n = 0; (impl = crc32c_impl(n)) != NULL; n++)
			ck_assert_msg(impl->run(7, p, len) == want,
				"%s, length %zu", impl->name, len);
	}
	guard_free(&g);
}
END_TEST

START_TEST(crc32c_random_lengths_and_starts_equal)
{
	enum { MOST = 300000 };
	struct guard g = guard_new(MOST + 64);
	uint64_t seed = 2;
	const struct crc32c_impl *impl;

	random_fill(&seed, g.start, g.len);
	for (int round = 0; round < 150; round++) {
		size_t len = random_below(&seed, MOST);
		const uint8_t *p = g.start + random_below(&seed, 64);
		uint32_t crc = (uint32_t)test_random(&seed);
		uint32_t want = bitwise(crc, p, len);

		for (size_t n = 0; (impl = crc32c_impl(n)) != NULL; n++)
			ck_assert_msg(impl->run(crc, p, len) == want,
				"%s, length %zu", impl->name, len);
	}
	guard_free(&g);
}
END_TEST

START_TEST(crc32c_in_parts_equals_whole)
{
	static uint8_t buf[200000];
	uint64_t seed = 3;
	const struct crc32c_impl *impl;

	random_fill(&seed, buf, sizeof(buf));
	for (size_t n = 0; (impl = crc32c_impl(n)) != NULL; n++) {
		uint32_t whole = impl->run(0, buf, sizeof(buf));

		for (int round = 0; round < 200; round++) {
			size_t cut = random_below(&seed, sizeof(buf) + 1);
			uint32_t crc = impl->run(0, buf, cut);

			crc = impl->run(crc, buf + cut, sizeof(buf) - cut);
			ck_assert_uint_eq(crc, whole);
		}
	}
}
END_TEST

static void *thread_main(void *arg)
{
	*(uint32_t *)arg = crc32c(0, "123456789", 9);
	return NULL;
}

/* Each test is a process of its own, so this is the first call in it. */
START_TEST(crc32c_first_call_from_many_threads_right)
{
	pthread_t threads[8];
	uint32_t crcs[8] = { 0 };

	for (size_t i = 0; i < 8; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, thread_main,
					 &crcs[i]),
			0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(crcs[i], 0xe3069283);
	}
}
END_TEST

static Suite *crc32c_suite(void)
{
	Suite *suite = suite_create("crc32c");
	TCase *tcase = tcase_create("crc32c");

	tcase_add_loop_test(
		tcase, crc32c_vectors_match, 0, TEST_COUNT(vectors));
	tcase_add_test(tcase, crc32c_no_buffer_no_bytes_keeps_crc);
	tcase_add_test(tcase, crc32c_impl_list_ends_in_table);
	tcase_add_test(tcase, crc32c_every_short_length_equal);
	tcase_add_test(tcase, crc32c_random_lengths_and_starts_equal);
	tcase_add_test(tcase, crc32c_in_parts_equals_whole);
	tcase_add_test(tcase, crc32c_first_call_from_many_threads_right);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(crc32c_suite)

/* SPDX-License-Identifier: MIT */
/* Verification as a library's user sees it: what is found, and where. */
#include "check_image.h"

#include <signal.h>

#include <avml/convert.h>
#include <avml/verify.h>

#include "base/cancel.h"

#define FINDINGS_MAX 64

struct found {
	struct avml_verify_finding list[FINDINGS_MAX];
	char texts[FINDINGS_MAX][160];
	size_t count; /* may be more than the list holds */
	struct avml_verify_result result;
	struct avml_error err;
	bool stop; /* at the first finding */
};

static void on_finding(void *ctx, const struct avml_verify_finding *finding)
{
	struct found *found = ctx;

	if (found->count < FINDINGS_MAX) {
		found->list[found->count] = *finding;
		snprintf(found->texts[found->count], sizeof(found->texts[0]),
			"%s", finding->text);
	}
	found->count++;
	if (found->stop)
		cancel_request(SIGTERM);
}

static int verify(const char *path, unsigned int threads, struct found *found)
{
	const struct avml_verify_options options = {
		.image = path,
		.threads = threads,
	};
	const struct avml_verify_events events = {
		.ctx = found,
		.finding = on_finding,
	};

	found->count = 0;
	found->err = (struct avml_error)AVML_ERROR_INIT;
	return avml_verify(&options, &events, &found->result, &found->err);
}

static void convert(
	const char *from, const char *to, enum avml_image_format format)
{
	const struct avml_convert_options options = {
		.source = from,
		.destination = to,
		.format = format,
		.threads = 1,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_convert_result result;

	ck_assert_msg(avml_convert(&options,
			      &(struct avml_convert_events){ .ctx = NULL },
			      &result, &err) == 0,
		"%s", avml_error_message(&err, 0));
}

/*
 * Three records of memory that compresses well, but for a chunk that does
 * not; of several chunks, and small.
 */
static const struct avml_range sample_ranges[2][3] = {
	{ { 0x1000, 0x31000 }, { 0x100000, 0x122000 }, { 0x200000, 0x201000 } },
	{ { 0x1000, 0x12000 }, { 0x100000, 0x102000 }, { 0x200000, 0x201000 } },
};

struct sample {
	char v1[TEST_PATH_MAX], v2[TEST_PATH_MAX + 8];
	uint8_t *bytes; /* of v2 */
	size_t len;
	size_t records[3]; /* offsets of their headers */
};

static struct sample make_sample(size_t which)
{
	const struct avml_range *ranges = sample_ranges[which];
	static uint8_t memory[0x30000];
	struct test_image image = { .len = 0 };
	struct sample s;
	size_t record = 0;
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(1 + (i >> 10));
	for (size_t i = 0x21000; i < 0x21100; i++)
		memory[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
	for (size_t i = 0; i < 3; i++)
		test_image_block(&image, ranges[i],
			memory + (i == 2 ? 0x21000 : 0), true);
	snprintf(s.v1, sizeof(s.v1), "%s",
		test_file("v1", image.bytes, image.len));
	free(image.bytes);
	snprintf(s.v2, sizeof(s.v2), "%s.v2", s.v1);
	convert(s.v1, s.v2, AVML_IMAGE_LIME_COMPRESSED);
	s.bytes = (uint8_t *)test_load(s.v2, &s.len);
	for (size_t i = 0; i + 4 <= s.len; i++) {
		if (memcmp(s.bytes + i, "AVML", 4) == 0) {
			TEST_ASSERT(record < 3);
			s.records[record++] = i;
		}
	}
	TEST_ASSERT(record == 3);
	return s;
}

static void patch(const char *path, size_t at, const void *bytes, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);

	TEST_ASSERT(
		fd >= 0 && pwrite(fd, bytes, len, (off_t)at) == (ssize_t)len);
	close(fd);
}

/* Where a chunk of a record begins: 0 is the first of data. */
static size_t chunk_at(const struct sample *s, size_t record, size_t chunk)
{
	size_t at = s->records[record] + TEST_HEADER_LEN + 10;

	for (size_t i = 0; i < chunk; i++)
		at += 4u + s->bytes[at + 1] + 256u * s->bytes[at + 2] +
		      65536u * s->bytes[at + 3];
	return at;
}

START_TEST(verify_whole_images_have_no_faults)
{
	struct sample s = make_sample(0);
	struct found found = { .stop = false };
	const unsigned int threads = _i ? 4 : 1;

	ck_assert_int_eq(verify(s.v2, threads, &found), 0);
	ck_assert_uint_eq(found.count, 0);
	ck_assert_int_eq(found.result.format, AVML_IMAGE_LIME_COMPRESSED);
	ck_assert_uint_eq(found.result.image_bytes, s.len);
	ck_assert_uint_eq(found.result.records, 3);
	ck_assert_uint_eq(found.result.chunks, 3 + 3 + 1);
	ck_assert_uint_eq(
		found.result.memory_bytes, 0x30000 + 0x22000 + 0x1000);
	ck_assert_uint_eq(
		found.result.checked_bytes, found.result.memory_bytes);
	ck_assert_int_eq(verify(s.v1, threads, &found), 0);
	ck_assert_uint_eq(found.count, 0);
	ck_assert_int_eq(found.result.format, AVML_IMAGE_LIME);
	ck_assert_uint_eq(found.result.chunks + found.result.checked_bytes, 0);
	ck_assert_uint_eq(
		found.result.memory_bytes, 0x30000 + 0x22000 + 0x1000);
	free(s.bytes);
}
END_TEST

/* The same memory comes out: no check of the format can tell. */
static bool same_memory(const struct sample *s)
{
	char out[TEST_PATH_MAX + 8];
	uint8_t *want, *got;
	size_t want_len, got_len;
	bool same;

	snprintf(out, sizeof(out), "%s.out", s->v1);
	convert(s->v2, out, AVML_IMAGE_LIME);
	want = (uint8_t *)test_load(s->v1, &want_len);
	got = (uint8_t *)test_load(out, &got_len);
	same = want_len == got_len && memcmp(want, got, want_len) == 0;
	free(want);
	free(got);
	return same;
}

/* Whether the findings tell of a bit at `at`, and of its record's memory. */
static bool is_told(
	const struct sample *s, size_t at, const struct found *found)
{
	const size_t record = at < s->records[1]   ? 0
			      : at < s->records[2] ? 1
						   : 2;
	const uint64_t low = s->records[record];
	const uint64_t high = record < 2 ? s->records[record + 1] : s->len;
	const struct avml_range range = sample_ranges[1][record];

	for (size_t i = 0; i < found->count && i < FINDINGS_MAX; i++) {
		const struct avml_verify_finding *f = &found->list[i];

		/* A damaged header does not tell of which memory it is. */
		if (f->fault && f->offset <= high && f->end >= low &&
			(at < low + TEST_HEADER_LEN ||
				(f->range.start <= range.end &&
					f->range.end >= range.start)))
			return true;
	}
	return false;
}

/* Whether all bits are tried here: what is no data, and where it begins. */
static bool is_structure(const struct sample *s, size_t at)
{
	for (size_t i = 0; i < 3; i++) {
		if ((at >= s->records[i] && at < s->records[i] + 64) ||
			(at < s->records[i] && at + 10 >= s->records[i]))
			return true;
	}
	return at + 10 >= s->len;
}

/* Each bit of what holds an image together, and one of every few bytes. */
START_TEST(verify_any_flipped_bit_is_found)
{
	struct sample s = make_sample(1);
	struct found found = { .stop = false };
	size_t equal = 0;

	for (size_t at = 0; at < s.len; at++) {
		const bool all = is_structure(&s, at);

		if (!all && at % 7 != 0)
			continue;
		for (unsigned int bit = all ? 0 : at % 8; bit < 8; bit++) {
			const uint8_t byte = s.bytes[at] ^ (uint8_t)(1u << bit);

			patch(s.v2, at, &byte, 1);
			TEST_ASSERT(verify(s.v2, 1, &found) == 0);
			if (found.result.faults == 0) {
				TEST_ASSERT(same_memory(&s));
				equal++;
			} else if (!is_told(&s, at, &found)) {
				ck_abort_msg("offset %zu, bit %u: %s", at, bit,
					found.texts[0]);
			}
			if (!all)
				break;
		}
		patch(s.v2, at, s.bytes + at, 1);
	}
	/* Copies of a run may come from elsewhere in it: not many. */
	ck_assert_uint_lt(equal, s.len / 8);
	free(s.bytes);
}
END_TEST

/* All that is wrong is told, whatever is wrong before it, in order. */
START_TEST(verify_all_faults_are_told_with_their_places)
{
	struct sample s = make_sample(0);
	struct found found = { .stop = false };
	const size_t body = chunk_at(&s, 0, 0), head = chunk_at(&s, 0, 1);
	const size_t crc = chunk_at(&s, 1, 2), trailer = s.records[2] - 8;
	const unsigned int threads = _i ? 3 : 1;

	patch(s.v2, body + 4, "\x00\x00\x00\x00", 4);
	patch(s.v2, head + 1, "\xff", 1);
	patch(s.v2, crc + 4, "\x00\x00\x00\x00", 4);
	patch(s.v2, trailer, "\x07", 1);
	ck_assert_int_eq(verify(s.v2, threads, &found), 0);
	ck_assert_uint_eq(found.count, 4);
	ck_assert_uint_eq(found.result.faults, found.count);
	ck_assert_uint_eq(found.list[0].offset, body);
	ck_assert_uint_eq(found.list[0].end, head);
	ck_assert_uint_eq(found.list[0].range.start, 0x1000);
	ck_assert_uint_eq(found.list[0].range.end, 0x11000);
	ck_assert_ptr_nonnull(strstr(found.texts[0], "checksum"));
	/* Of its length alone: the chunk itself is sound. */
	ck_assert_uint_eq(found.list[1].offset, head);
	ck_assert_uint_eq(found.list[1].range.start, 0x11000);
	/* Both were handed out as they are, and cannot be decoded. */
	ck_assert_uint_eq(found.result.checked_bytes,
		found.result.memory_bytes - 0x20000 - 0x2000);
	for (size_t i = 0; i < found.count; i++)
		ck_assert_msg(found.list[i].range.end <= 0x21000 ||
				      found.list[i].range.start >= 0x31000,
			"%s", found.texts[i]);
	ck_assert_uint_eq(found.list[found.count - 2].offset, crc);
	ck_assert_uint_eq(found.list[found.count - 2].range.start, 0x120000);
	ck_assert_uint_eq(found.list[found.count - 2].range.end, 0x122000);
	ck_assert_uint_eq(found.list[found.count - 1].offset, trailer);
	ck_assert_uint_eq(found.list[found.count - 1].range.start, 0x100000);
	ck_assert_ptr_nonnull(strstr(found.texts[found.count - 1], "trailer"));
	free(s.bytes);
}
END_TEST

START_TEST(verify_what_known_writers_do_is_a_note)
{
	struct sample s = make_sample(0);
	struct found found = { .stop = false };
	const uint64_t len = 0x22000;
	uint8_t bytes[8];

	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(len >> 8 * i);
	patch(s.v2, s.records[2] - 8, bytes, 8);
	ck_assert_int_eq(verify(s.v2, 2, &found), 0);
	ck_assert_uint_eq(found.count, 1);
	ck_assert(!found.list[0].fault);
	ck_assert_uint_eq(found.result.faults, 0);
	ck_assert_uint_eq(found.result.notes, 1);
	ck_assert_uint_eq(found.list[0].offset, s.records[2] - 8);
	free(s.bytes);
}
END_TEST

/* Version 1: what its headers and its length tell. */
START_TEST(verify_damaged_headers_of_v1_are_found)
{
	struct test_image image = { .len = 0 };
	static uint8_t memory[3 * 4096];
	struct found found = { .stop = false };
	const char *path;

	memset(memory, 5, sizeof(memory));
	for (uint64_t i = 0; i < 3; i++)
		test_image_block(&image,
			(struct avml_range){ i << 20, (i << 20) + 4096 },
			memory, true);
	path = test_file("image", image.bytes, image.len);
	ck_assert_int_eq(verify(path, 1, &found), 0);
	ck_assert_uint_eq(found.count, 0);
	for (size_t bit = 0; bit < 8 * TEST_HEADER_LEN; bit++) {
		const size_t at = image.records[1].offset + bit / 8;
		const uint8_t byte = image.bytes[at] ^ (uint8_t)(1u << bit % 8);

		patch(path, at, &byte, 1);
		ck_assert_int_eq(verify(path, 1, &found), 0);
		if (found.result.faults == 0)
			ck_abort_msg("bit %zu of the header", bit);
		patch(path, at, image.bytes + at, 1);
	}
	ck_assert_int_eq(truncate(path, (off_t)image.len - 1), 0);
	ck_assert_int_eq(verify(path, 1, &found), 0);
	ck_assert_uint_eq(found.result.faults, 1);
	ck_assert_uint_eq(found.list[0].range.start, (2 << 20) + 4095);
	ck_assert_uint_eq(found.list[0].range.end, (2 << 20) + 4096);
	free(image.bytes);
}
END_TEST

START_TEST(verify_no_image_is_an_error)
{
	static const char text[] = "no image, but a text of more than 32 bytes";
	struct found found = { .stop = false };

	ck_assert_int_eq(verify(test_file("none", "", 0), 1, &found), -EINVAL);
	ck_assert_int_eq(
		verify(test_file("text", text, sizeof(text)), 1, &found),
		-EINVAL);
	ck_assert_int_eq(verify("/nowhere/image", 1, &found), -ENOENT);
	ck_assert_int_eq(verify("/", 1, &found), -EISDIR);
}
END_TEST

START_TEST(verify_signal_stops_it)
{
	struct sample s = make_sample(0);
	struct found found = { .stop = true };

	patch(s.v2, chunk_at(&s, 0, 0) + 4, "\x00\x00\x00\x00", 4);
	ck_assert_int_eq(verify(s.v2, 1, &found), -EINTR);
	ck_assert_uint_eq(found.count, 1);
	free(s.bytes);
}
END_TEST

static Suite *verify_suite(void)
{
	Suite *suite = suite_create("verify");
	TCase *tc = tcase_create("verify");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, verify_whole_images_have_no_faults, 0, 2);
	tcase_add_test(tc, verify_any_flipped_bit_is_found);
	tcase_add_loop_test(
		tc, verify_all_faults_are_told_with_their_places, 0, 2);
	tcase_add_test(tc, verify_what_known_writers_do_is_a_note);
	tcase_add_test(tc, verify_damaged_headers_of_v1_are_found);
	tcase_add_test(tc, verify_no_image_is_an_error);
	tcase_add_test(tc, verify_signal_stops_it);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(verify_suite)

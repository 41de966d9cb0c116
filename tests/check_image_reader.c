/* SPDX-License-Identifier: MIT */
/*
 * The image reader by itself: what comes out is what was put in, however
 * the input gives it, and every error comes after all that was whole.
 */
#include "check_main.h"

#include <sys/mman.h>

#include "base/cursor.h"
#include "format/crc32c.h"
#include "format/framing.h"
#include "format/image_reader.h"
#include "guard.h"

#define ROOM (4u << 20)
#define MEMORY_MAX (2u << 20)

/* An image, and the memory it is of, in the order of its records. */
struct sample {
	uint8_t *image, *memory;
	size_t len, memory_len;
	size_t borders[64]; /* where records end */
	size_t border_count;
};

static struct sample new_sample(void)
{
	const struct sample s = { .image = malloc(ROOM),
		.memory = malloc(MEMORY_MAX) };

	ck_assert_ptr_nonnull(s.image);
	ck_assert_ptr_nonnull(s.memory);
	return s;
}

static void free_sample(struct sample *s)
{
	free(s->image);
	free(s->memory);
}

static void append(struct sample *s, const void *bytes, size_t len)
{
	TEST_ASSERT(s->len + len <= ROOM);
	memcpy(s->image + s->len, bytes, len);
	s->len += len;
}

static void append_number(struct sample *s, uint64_t value)
{
	uint8_t wire[8];

	store_le64(wire, value);
	append(s, wire, sizeof(wire));
}

static void append_header(struct sample *s, enum avml_record_format format,
	uint64_t start, uint64_t len)
{
	const struct avml_record_header header = { format,
		{ start, start + len } };
	uint8_t wire[AVML_RECORD_HEADER_SIZE];

	avml_record_header_encode(&header, wire);
	append(s, wire, sizeof(wire));
}

static uint8_t *append_memory(struct sample *s, size_t len)
{
	uint8_t *bytes = s->memory + s->memory_len;
	uint64_t seed = s->memory_len + 77;

	TEST_ASSERT(s->memory_len + len <= MEMORY_MAX);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(test_random(&seed) >>
				     (i / 8192 % 2 ? 56 : 63));
	s->memory_len += len;
	return bytes;
}

static void end_record(struct sample *s)
{
	s->borders[s->border_count++] = s->len;
}

static void add_v1(struct sample *s, uint64_t start, size_t len)
{
	append_header(s, AVML_RECORD_LIME, start, len);
	append(s, append_memory(s, len), len);
	end_record(s);
}

/* In chunks of `chunk` bytes, with padding of `pad` bytes between. */
static void add_v2(
	struct sample *s, uint64_t start, size_t len, size_t chunk, size_t pad)
{
	const uint8_t *bytes = append_memory(s, len);
	const size_t room = framing_bound(chunk);
	uint8_t *out = malloc(room);
	struct avml_error err;
	size_t begin;

	append_header(s, AVML_RECORD_AVML, start, len);
	begin = s->len;
	append(s, framing_ident, FRAMING_IDENT_LEN);
	for (size_t at = 0, out_len; at < len; at += chunk) {
		const size_t part = len - at < chunk ? len - at : chunk;

		ck_assert_int_eq(framing_encode(bytes + at, part, out, room,
					 &out_len, &err),
			0);
		append(s, out, out_len);
		if (pad > 0 && at + chunk < len) {
			const uint8_t head[] = { 0xfe, (uint8_t)pad,
				(uint8_t)(pad >> 8), (uint8_t)(pad >> 16) };

			append(s, head, sizeof(head));
			memset(s->image + s->len, 0, pad);
			s->len += pad;
			append(s, framing_ident, FRAMING_IDENT_LEN);
		}
	}
	append_number(s, s->len - begin);
	end_record(s);
	free(out);
}

/* An input that gives what it likes. */
struct feed {
	const struct sample *sample;
	size_t at;
	size_t most;	/* bytes at once */
	size_t fail_at; /* offset that cannot be read */
	size_t calls;
	bool random;
	uint64_t seed;
};

static ssize_t feed_read(
	void *ctx, void *buf, size_t len, struct avml_error *err)
{
	struct feed *f = ctx;
	size_t n = f->sample->len - f->at;
	size_t most = f->most;

	f->calls++;
	if (f->random)
		most = 1 + test_random(&f->seed) % most;
	if (n > len)
		n = len;
	if (n > most)
		n = most;
	if (n > 0 && f->at + n > f->fail_at)
		n = f->fail_at - f->at;
	if (n == 0 && f->at == f->fail_at)
		return avml_error_set(err, EIO, "cannot read at %zu", f->at);
	memcpy(buf, f->sample->image + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

static ssize_t feed_peek(void *ctx, void *buf, size_t len, uint64_t offset)
{
	const struct feed *f = ctx;
	const size_t size = f->sample->len;
	size_t n = offset > size ? 0 : size - (size_t)offset;

	if (n > len)
		n = len;
	memcpy(buf, f->sample->image + (size_t)offset, n);
	return (ssize_t)n;
}

static struct image_reader *new_reader(
	const struct image_input *input, uint64_t raw_size, bool salvage)
{
	const struct image_reader_options options = {
		.raw_size = raw_size,
		.salvage = salvage,
		.runs = input->peek != NULL,
	};
	struct image_reader *reader = image_reader_new(input, &options);

	ck_assert_ptr_nonnull(reader);
	return reader;
}

/* What a reader gave. */
struct result {
	int ret;
	struct avml_error err;
	size_t memory_len;
	size_t parts;
	uint64_t zeros;
	uint64_t first_run_end;
};

/* A part's memory is that of the sample, `at` bytes in. */
static void check_part(const struct sample *s, const struct image_part *part,
	const uint8_t *bytes, size_t at)
{
	static uint8_t memory[FRAMING_DATA_MAX];
	static struct framing_decoder decoder;
	const size_t len = (size_t)avml_range_len(part->range);
	size_t pos = 0, done = 0;

	TEST_ASSERT(len > 0);
	TEST_ASSERT(part->range.start >= part->record.start);
	TEST_ASSERT(part->range.end <= part->record.end);
	TEST_ASSERT(part->run_end >= part->record.end);
	if (part->kind == IMAGE_ZEROS) {
		TEST_ASSERT(part->len == 0);
		return;
	}
	TEST_ASSERT(len <= IMAGE_PART_MEMORY);
	TEST_ASSERT(part->len <= IMAGE_PART_BYTES);
	TEST_ASSERT(at + len <= s->memory_len);
	TEST_ASSERT(memcmp(s->image + part->offset, bytes, part->len) == 0 ||
		    part->kind == IMAGE_CHUNKS);
	if (part->kind == IMAGE_PLAIN) {
		TEST_ASSERT(part->len == len);
		TEST_ASSERT(memcmp(s->memory + at, bytes, len) == 0);
		return;
	}
	while (pos < part->len) {
		struct framing_chunk chunk;
		struct avml_error err;
		size_t got;
		bool zero;

		TEST_ASSERT(framing_parse_head(bytes + pos, &chunk, &err) == 0);
		TEST_ASSERT(framing_decode(&decoder, &chunk,
				    bytes + pos + FRAMING_HEAD_LEN, memory,
				    sizeof(memory), &got, &zero, &err) == 0);
		TEST_ASSERT(memcmp(s->memory + at + done, memory, got) == 0);
		done += got;
		pos += FRAMING_HEAD_LEN + chunk.body_len;
	}
	TEST_ASSERT(done == len);
	TEST_ASSERT(pos == part->len);
}

static struct result read_all(struct feed *f, bool peek, bool salvage)
{
	const struct image_input input = {
		.ctx = f,
		.read = feed_read,
		.peek = peek ? feed_peek : NULL,
	};
	struct guard guard = guard_new(IMAGE_PART_BYTES);
	uint8_t *buf = guard_last(&guard, IMAGE_PART_BYTES);
	struct image_reader *reader = new_reader(&input, 0, salvage);
	struct result r = { .err = AVML_ERROR_INIT };
	struct image_loss loss;
	struct image_part part;

	while ((r.ret = image_reader_next(reader, buf, &part, &loss, &r.err)) ==
		1) {
		const size_t len = (size_t)avml_range_len(part.range);

		check_part(f->sample, &part, buf, r.memory_len);
		if (r.parts++ == 0)
			r.first_run_end = part.run_end;
		if (part.kind == IMAGE_ZEROS)
			r.zeros += len;
		else
			r.memory_len += len;
	}
	if (r.ret < 0 && !salvage) {
		/* The same again, and nobody is asked any more. */
		const size_t calls = f->calls;
		struct avml_error again = AVML_ERROR_INIT;

		TEST_ASSERT(image_reader_next(reader, buf, &part, &loss,
				    &again) == r.ret);
		TEST_ASSERT(again.code == r.err.code);
		TEST_ASSERT(strcmp(avml_error_message(&again, 0),
				    avml_error_message(&r.err, 0)) == 0);
		TEST_ASSERT(f->calls == calls);
	}
	if (r.ret == 0)
		TEST_ASSERT(image_reader_next(
				    reader, buf, &part, &loss, &r.err) == 0);
	image_reader_free(reader);
	guard_free(&guard);
	return r;
}

static struct sample small_sample(void)
{
	struct sample s = new_sample();

	add_v2(&s, 0x1000, 3000, 1000, 0);
	add_v1(&s, 0x10000, 500);
	add_v2(&s, 0x20000, 5, 5, 0);
	add_v2(&s, 0x30000, 2000, 700, 9);
	add_v1(&s, 0x40000, 1);
	return s;
}

static struct sample large_sample(void)
{
	struct sample s = new_sample();

	add_v1(&s, 0, 700001);
	add_v2(&s, 0x100000, 600000, 65536, 0);
	add_v2(&s, 0x200000, 300000, 999, 0);
	add_v2(&s, 0x300000, 200000, 65536, 90000);
	add_v1(&s, 0x400000, 262144);
	return s;
}

START_TEST(image_reader_any_input_gives_the_same)
{
	static const size_t most[] = { 1, 2, 3, 31, 32, 33, 4096, 65536,
		SIZE_MAX };

	for (int large = 0; large < 2; large++) {
		struct sample s = large ? large_sample() : small_sample();

		for (size_t i = large ? 3 : 0; i < TEST_COUNT(most); i++) {
			for (int random = 0; random < 2; random++) {
				struct feed f = { .sample = &s,
					.most = most[i],
					.fail_at = SIZE_MAX,
					.random = random != 0,
					.seed = 5 };
				struct result r;

				r = read_all(&f, i % 2 == 0, random && i % 3);
				ck_assert_int_eq(r.ret, 0);
				ck_assert_uint_eq(r.memory_len, s.memory_len);
			}
		}
		free_sample(&s);
	}
}
END_TEST

/* Wherever reading fails: what was whole, and then that error. */
START_TEST(image_reader_read_error_comes_after_what_is_whole)
{
	struct sample s = small_sample();

	for (size_t at = 0; at <= s.len; at++) {
		for (size_t most = 1; most < 4000; most = most * 7 + 3) {
			struct feed f = {
				.sample = &s, .most = most, .fail_at = at
			};
			const struct result r = read_all(&f, false, false);

			ck_assert_int_eq(r.ret, -EIO);
			ck_assert_int_eq(r.err.code, EIO);
			ck_assert_uint_le(r.memory_len, s.memory_len);
		}
	}
	free_sample(&s);
}
END_TEST

/* The image of `len` bytes ends well, between two of its records. */
static bool ends_well(const struct sample *s, size_t len)
{
	for (size_t i = 0; i < s->border_count; i++) {
		if (s->borders[i] == len)
			return true;
	}
	return false;
}

START_TEST(image_reader_truncation_is_an_error_with_its_offset)
{
	struct sample s = small_sample();
	const size_t whole = s.len;

	for (size_t len = 0; len < whole; len++) {
		struct feed f = {
			.sample = &s, .most = SIZE_MAX, .fail_at = SIZE_MAX
		};
		bool empty = false;
		struct result r;

		/* A v2 header and nothing behind it is a record of zeros. */
		for (size_t i = 0; i < s.border_count; i++) {
			const size_t begin = i ? s.borders[i - 1] : 0;

			empty |= len == begin + AVML_RECORD_HEADER_SIZE &&
				 memcmp(s.image + begin, "AVML", 4) == 0;
		}
		s.len = len;
		r = read_all(&f, false, false);
		s.len = whole;
		if (ends_well(&s, len) || empty) {
			ck_assert_int_eq(r.ret, 0);
			ck_assert_int_eq(r.zeros > 0, empty);
			continue;
		}
		ck_assert_msg(r.ret == -EINVAL, "%zu bytes: %d", len, r.ret);
		ck_assert_int_eq(r.err.code, EINVAL);
		if (len > 0)
			ck_assert_ptr_nonnull(strstr(
				avml_error_message(&r.err, 0), "offset"));
	}
	free_sample(&s);
}
END_TEST

/* Salvage of the same: it always comes to an end, with losses. */
START_TEST(image_reader_salvage_of_truncated_ends)
{
	struct sample s = small_sample();
	const size_t whole = s.len;

	for (size_t len = 0; len < whole; len += 3) {
		struct feed f = {
			.sample = &s, .most = 1 + len % 77, .fail_at = SIZE_MAX
		};
		const struct image_input input = { .ctx = &f,
			.read = feed_read };
		struct image_reader *reader;
		uint8_t *buf = malloc(IMAGE_PART_BYTES);
		struct avml_error err;
		struct image_part part;
		struct image_loss loss;
		size_t losses = 0, got = 0, steps = 0;
		int ret;

		s.len = len;
		reader = new_reader(&input, 0, true);
		while ((ret = image_reader_next(
				reader, buf, &part, &loss, &err)) > 0) {
			ck_assert_uint_lt(steps++, 100);
			if (ret == 1)
				got += (size_t)avml_range_len(part.range);
			if (ret != 2)
				continue;
			losses++;
			ck_assert_uint_le(loss.offset, loss.end);
			ck_assert_uint_le(loss.end, len);
			ck_assert_uint_le(loss.range.start, loss.range.end);
			ck_assert_str_ne(loss.reason, "");
		}
		ck_assert_int_eq(ret, 0);
		ck_assert_uint_le(got, s.memory_len);
		ck_assert_msg(losses == 0 ? got > 0 : losses == 1,
			"%zu bytes: %zu losses", len, losses);
		image_reader_free(reader);
		free(buf);
	}
	free_sample(&s);
}
END_TEST

/* The next chunk of a stream: padding of zeros, and data. */
static void append_padding(struct sample *s, uint8_t type, uint8_t len)
{
	const uint8_t chunk[FRAMING_HEAD_LEN + UINT8_MAX] = { type, len };

	append(s, chunk, (size_t)FRAMING_HEAD_LEN + len);
}

static void append_stored(struct sample *s, size_t len)
{
	uint8_t chunk[FRAMING_HEAD_LEN + FRAMING_CRC_LEN + 2048];

	chunk[0] = FRAMING_TYPE_STORED;
	store_le32(chunk + 1, (uint32_t)(FRAMING_CRC_LEN + len));
	memcpy(chunk + FRAMING_HEAD_LEN + FRAMING_CRC_LEN,
		append_memory(s, len), len);
	store_le32(chunk + FRAMING_HEAD_LEN,
		crc32c_mask(crc32c(0, s->memory + s->memory_len - len, len)));
	append(s, chunk, FRAMING_HEAD_LEN + FRAMING_CRC_LEN + len);
}

/*
 * Padding of type 0xfe and 4 bytes at offset 0x4fe of the stream, read as a
 * trailer, is the right one. No data is missing for all that.
 */
START_TEST(image_reader_salvage_padding_like_a_trailer_is_none)
{
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = 1000, .fail_at = SIZE_MAX };
	const struct image_input input = {
		.ctx = &f, .read = feed_read, .peek = feed_peek
	};
	struct image_reader *reader;
	uint8_t *buf = malloc(IMAGE_PART_BYTES);
	struct avml_error err;
	struct image_part part;
	struct image_loss loss;
	size_t got = 0, begin;
	int ret;

	append_header(&s, AVML_RECORD_AVML, 0x1000, 1256 + 100);
	begin = s.len;
	append(&s, framing_ident, FRAMING_IDENT_LEN);
	append_padding(&s, 0x80, 0);
	append_stored(&s, 1256);
	ck_assert_uint_eq(s.len - begin, 0x4fe);
	append_padding(&s, 0xfe, 4);
	append_stored(&s, 100);
	append_number(&s, s.len - begin);
	reader = new_reader(&input, 0, true);
	while ((ret = image_reader_next(reader, buf, &part, &loss, &err)) > 0) {
		ck_assert_int_eq(ret, 1);
		got += (size_t)avml_range_len(part.range);
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(got, s.memory_len);
	image_reader_free(reader);
	free(buf);
	free_sample(&s);
}
END_TEST

/*
 * Of a chunk of data whose type became one that may be skipped no more than
 * that is lost: in a pipe (0) as in a file (1).
 */
START_TEST(image_reader_salvage_mistyped_chunk_is_made_good)
{
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = 1000, .fail_at = SIZE_MAX };
	const struct image_input input = {
		.ctx = &f, .read = feed_read, .peek = _i ? feed_peek : NULL
	};
	struct image_reader *reader;
	uint8_t *buf = malloc(IMAGE_PART_BYTES);
	struct avml_error err;
	struct image_part part;
	struct image_loss loss;
	uint64_t at = 0x1000;
	size_t begin, damaged, losses = 0;
	int ret;

	append_header(&s, AVML_RECORD_AVML, at, 900);
	begin = s.len;
	append(&s, framing_ident, FRAMING_IDENT_LEN);
	append_stored(&s, 200);
	damaged = s.len;
	append_stored(&s, 300);
	append_stored(&s, 400);
	append_number(&s, s.len - begin);
	s.image[damaged] |= 0x80;
	reader = new_reader(&input, 0, true);
	while ((ret = image_reader_next(reader, buf, &part, &loss, &err)) > 0) {
		const struct avml_range range =
			ret == 1 ? part.range : loss.range;

		ck_assert_uint_eq(range.start, at);
		if (ret == 1) {
			check_part(&s, &part, buf, (size_t)at - 0x1000);
		} else {
			ck_assert_uint_eq(loss.offset, damaged);
			ck_assert_uint_eq(range.end, at);
			losses++;
		}
		at = range.end;
	}
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(losses, 1);
	ck_assert_uint_eq(at, 0x1000 + 900);
	image_reader_free(reader);
	free(buf);
	free_sample(&s);
}
END_TEST

/* Records that touch: where they can be looked ahead at, and where not. */
START_TEST(image_reader_run_end_needs_to_look_ahead)
{
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = SIZE_MAX, .fail_at = SIZE_MAX };
	struct result r;

	add_v1(&s, 0x1000, 0x1000);
	add_v1(&s, 0x2000, 0x3000);
	add_v1(&s, 0x5000, 0x10);
	add_v1(&s, 0x6000, 0x1000);
	r = read_all(&f, true, false);
	ck_assert_int_eq(r.ret, 0);
	ck_assert_uint_eq(r.first_run_end, 0x5010);
	f.at = 0;
	r = read_all(&f, false, false);
	ck_assert_int_eq(r.ret, 0);
	ck_assert_uint_eq(r.first_run_end, 0x2000);

	/* A promise that the image does not keep is an error. */
	s.len = s.borders[1] - 1;
	f.at = 0;
	r = read_all(&f, true, false);
	ck_assert_int_eq(r.ret, -EINVAL);
	free_sample(&s);
}
END_TEST

/* Headers that make no sense, each in front of data that would. */
struct bad_header {
	size_t offset;
	uint8_t byte;
	const char *words;
};

static const struct bad_header bad_headers[] = {
	{ 0, 'a', "bad magic" },
	{ 4, 2, "version 2" },
	{ 4, 0, "version 0" },
	{ 31, 1, "reserved" },
	{ 24, 1, "reserved" },
	{ 15, 0x80, "before it begins" },
};

START_TEST(image_reader_bad_header_is_named)
{
	const struct bad_header *t = &bad_headers[_i];
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = SIZE_MAX, .fail_at = SIZE_MAX };
	struct result r;
	bool found = false;

	add_v1(&s, 0x1000, 0x1000);
	add_v1(&s, 0x8000, 0x1000);
	s.image[s.borders[0] + t->offset] = t->byte;
	r = read_all(&f, true, false);
	ck_assert_int_eq(r.ret, -EINVAL);
	ck_assert_uint_eq(r.memory_len, 0x1000);
	ck_assert_ptr_nonnull(
		strstr(avml_error_message(&r.err, 0), "offset 4128"));
	for (unsigned int i = 0; avml_error_message(&r.err, i); i++)
		found |=
			strstr(avml_error_message(&r.err, i), t->words) != NULL;
	ck_assert_msg(found, "not '%s'", t->words);
	free_sample(&s);
}
END_TEST

/* No header is believed for more than a few bytes of memory. */
START_TEST(image_reader_huge_ranges_are_read_in_parts)
{
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = SIZE_MAX, .fail_at = SIZE_MAX };
	struct result r;

	append_header(&s, AVML_RECORD_LIME, 0, UINT64_C(1) << 63);
	append(&s, append_memory(&s, 1000), 1000);
	r = read_all(&f, true, false);
	ck_assert_int_eq(r.ret, -EINVAL);
	ck_assert_uint_eq(r.memory_len, 0);
	f.at = 0;
	s.len = 32;
	store_le32(s.image, AVML_RECORD_MAGIC_AVML);
	store_le32(s.image + 4, AVML_RECORD_AVML);
	r = read_all(&f, true, false);
	ck_assert_int_eq(r.ret, -EINVAL);
	ck_assert_uint_eq(r.zeros, 0);
	free_sample(&s);
}
END_TEST

/* Oddities are counted, and where the first is. */
START_TEST(image_reader_oddities_are_counted)
{
	struct sample s = new_sample();
	struct feed f = { .sample = &s, .most = 100, .fail_at = SIZE_MAX };
	const struct image_input input = { .ctx = &f, .read = feed_read };
	struct image_reader *reader = new_reader(&input, 0, false);
	uint8_t *buf = malloc(IMAGE_PART_BYTES);
	struct avml_error err = AVML_ERROR_INIT;
	struct image_part part;
	int ret;

	ck_assert_int_eq(image_reader_format(reader), AVML_IMAGE_NONE);
	add_v2(&s, 0x1000, 0x1000, 4096, 0);
	store_le64(s.image + s.len - 8, 0x1000);
	append_header(&s, AVML_RECORD_AVML, 0x10000, 0x2000);
	end_record(&s);
	append_header(&s, AVML_RECORD_AVML, 0x12000, 0x2000);
	end_record(&s);
	add_v1(&s, 0x11000, 0xfff);
	add_v2(&s, 0x20000, 0x1000, 4096, 0);
	store_le64(s.image + s.len - 8, 7);
	do
		ret = image_reader_next(reader, buf, &part, NULL, &err);
	while (ret == 1);
	ck_assert_int_eq(ret, 0);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_EMPTY)->count, 2);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_TRAILER)->count, 1);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_TRAILER)->offset,
		s.len - 8);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_UNCOMPRESSED_TRAILER)
			->offset,
		s.borders[0] - 8);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_ORDER)->count, 1);
	ck_assert_uint_eq(image_reader_oddity(reader, IMAGE_ODD_ORDER)->offset,
		s.borders[2]);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_MIXED)->count, 1);
	ck_assert_uint_eq(
		image_reader_oddity(reader, IMAGE_ODD_PARTIAL_PAGE)->count, 1);
	ck_assert_int_eq(
		image_reader_format(reader), AVML_IMAGE_LIME_COMPRESSED);
	ck_assert_uint_eq(image_reader_offset(reader), s.len);
	image_reader_free(reader);
	free(buf);
	free_sample(&s);
}
END_TEST

/* Raw has no headers, and a size that has to be kept. */
START_TEST(image_reader_raw_is_one_range)
{
	struct sample s = new_sample();

	append(&s, append_memory(&s, 700000), 700000);
	for (size_t size = 1; size <= 700001; size += 350000) {
		struct feed f = {
			.sample = &s, .most = 1000, .fail_at = SIZE_MAX
		};
		const struct image_input input = {
			.ctx = &f, .read = feed_read, .peek = feed_peek
		};
		struct image_reader *reader = new_reader(&input, size, false);
		uint8_t *buf = malloc(IMAGE_PART_BYTES);
		struct avml_error err;
		struct image_part part;
		size_t got = 0;
		int ret;

		while ((ret = image_reader_next(
				reader, buf, &part, NULL, &err)) == 1) {
			ck_assert_uint_eq(part.run_end, size);
			ck_assert_uint_eq(part.range.start, got);
			check_part(&s, &part, buf, got);
			got += (size_t)avml_range_len(part.range);
		}
		ck_assert_int_eq(ret, size <= 700000 ? 0 : -EINVAL);
		ck_assert_int_eq(image_reader_format(reader), AVML_IMAGE_RAW);
		if (ret == 0)
			ck_assert_uint_eq(got, size);
		image_reader_free(reader);
		free(buf);
	}
	free_sample(&s);
}
END_TEST

static Suite *image_reader_suite(void)
{
	Suite *suite = suite_create("image_reader");
	TCase *tc = tcase_create("image_reader");

	tcase_add_test(tc, image_reader_any_input_gives_the_same);
	tcase_add_test(tc, image_reader_read_error_comes_after_what_is_whole);
	tcase_add_test(tc, image_reader_truncation_is_an_error_with_its_offset);
	tcase_add_test(tc, image_reader_salvage_of_truncated_ends);
	tcase_add_test(tc, image_reader_salvage_padding_like_a_trailer_is_none);
	tcase_add_loop_test(
		tc, image_reader_salvage_mistyped_chunk_is_made_good, 0, 2);
	tcase_add_test(tc, image_reader_run_end_needs_to_look_ahead);
	tcase_add_loop_test(tc, image_reader_bad_header_is_named, 0,
		TEST_COUNT(bad_headers));
	tcase_add_test(tc, image_reader_huge_ranges_are_read_in_parts);
	tcase_add_test(tc, image_reader_oddities_are_counted);
	tcase_add_test(tc, image_reader_raw_is_one_range);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(image_reader_suite)

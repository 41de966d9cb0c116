/* SPDX-License-Identifier: MIT */
/*
 * Version 2 onto a sink, with pieces that compress as well as a test wants:
 * what comes out is taken apart again, and held to the rules of a producer.
 */
#include "check_main.h"

#include <inttypes.h>

#include "format/framing.h"
#include "job/image_writer.h"
#include "sink/sink_ops.h"

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1) << 20)
#define CHUNK (64 * KIB)
#define PIECE (256 * KIB)
#define JOIN_MAX (128 * MIB)
/* What a piece's chunks cost when they do not compress. */
#define WORST(len) ((len) + 8 * (((len) + CHUNK - 1) / CHUNK))

/* A sink that keeps what it gets, and fails when it is told to. */
struct memory_sink {
	struct avml_sink base;
	uint8_t *bytes;
	uint64_t len, room;
	uint64_t fail_at; /* byte that cannot be written */
	bool keep;
};

static int sink_write(struct avml_sink *sink, const void *buf, size_t len,
	struct avml_error *err)
{
	struct memory_sink *s = (struct memory_sink *)sink;

	if (s->len + len > s->fail_at)
		return avml_error_set(err, ENOSPC, "the sink is full");
	if (s->keep && s->room < s->len + len) {
		s->room = 2 * (s->len + len);
		s->bytes = realloc(s->bytes, s->room);
		TEST_ASSERT(s->bytes);
	}
	if (s->keep)
		memcpy(s->bytes + s->len, buf, len);
	s->len += len;
	return 0;
}

static int sink_zeros(
	struct avml_sink *sink, uint64_t len, struct avml_error *err)
{
	(void)sink;
	(void)len;
	(void)err;
	ck_abort_msg("zeros are encoded here, never left to the sink");
	return -EINVAL;
}

static const struct sink_ops memory_ops = {
	.can_cut = true,
	.write = sink_write,
	.zeros = sink_zeros,
};

struct block {
	struct avml_range range;
	bool zero;
	uint64_t stream;	 /* bytes of all its pieces, encoded */
	bool at_risk;		 /* never safe by itself */
	const uint8_t *given[8]; /* pieces as they were encoded; NULL: zeros */
	size_t lens[8];
	size_t pieces;
};

#define BLOCKS_MAX 64

/* Where encoded bytes are taken from: the writer does not look into them. */
static uint8_t pool[3 * PIECE];

struct run {
	struct memory_sink sink;
	struct image_writer writer;
	struct block blocks[BLOCKS_MAX];
	size_t count;
	uint64_t events;
	uint64_t event_end;
};

/* Pieces were read when their addresses say. */
static void on_record(void *ctx, const struct avml_image_record *record)
{
	struct run *r = ctx;

	TEST_ASSERT(record->range.start < record->range.end);
	TEST_ASSERT(record->offset == r->event_end);
	TEST_ASSERT(record->len == r->sink.base.position - record->offset);
	TEST_ASSERT(record->read_begin == record->range.start + 1);
	TEST_ASSERT(record->read_end == record->range.end + 1);
	/* Marked: this much is whole. */
	TEST_ASSERT(r->sink.base.mark == r->sink.base.position);
	r->event_end = r->sink.base.position;
	r->events++;
}

static void run_begin(struct run *r, bool keep, bool keep_zeros)
{
	const struct image_writer_options options = {
		.format = AVML_IMAGE_LIME_COMPRESSED,
		.keep_zeros = keep_zeros,
	};
	const struct image_writer_events events = { r, on_record };
	struct avml_error err;
	uint64_t seed = 99;

	*r = (struct run){
		.sink = { .base = { .ops = &memory_ops },
			.fail_at = UINT64_MAX,
			.keep = keep },
	};
	for (size_t i = 0; pool[0] == 0 && i < sizeof(pool); i++)
		pool[i] = (uint8_t)(1 + test_random(&seed) % 255);
	ck_assert_int_eq(
		image_writer_init(&r->writer, &options, &events, &err), 0);
	r->writer.sink = &r->sink.base;
}

static void run_end(struct run *r)
{
	image_writer_release(&r->writer);
	free(r->sink.bytes);
}

static uint64_t low_word(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static const uint8_t *encoded_at(struct avml_range range)
{
	uint64_t seed = range.start + 1;

	return pool + test_random(&seed) % PIECE;
}

/* One piece, of `encoded` bytes; 0: zeros. */
static int put(struct run *r, struct avml_range range, struct avml_range block,
	uint64_t encoded, uint64_t follows, struct avml_error *err)
{
	const struct piece piece = {
		.range = range,
		.block = block,
		.run_end = follows,
		.zero = encoded == 0,
		.encoded = encoded_at(range),
		.encoded_len = encoded,
		.read_begin = range.start + 1,
		.read_end = range.end + 1,
	};

	TEST_ASSERT(encoded <= 2 * PIECE);
	return image_writer_piece(&r->writer, &piece, err);
}

/* How well a piece compresses, in eighths and the bytes of chunk heads. */
static uint64_t encoded_len(uint64_t len, unsigned int eighths)
{
	return eighths == 8 ? WORST(len) : len * eighths / 8 + 16;
}

/* A block of pieces, each in `eighths` of its length; 0: zeros. */
static int put_block(struct run *r, struct avml_range range,
	const unsigned int *eighths, uint64_t follows, struct avml_error *err)
{
	struct block *b = &r->blocks[r->count++];
	const uint64_t len = range.end - range.start;
	uint64_t done = 0;
	int ret = 0;

	TEST_ASSERT(r->count <= BLOCKS_MAX);
	*b = (struct block){ .range = range, .zero = true, .at_risk = true };
	for (size_t i = 0; done < len && ret == 0; i++) {
		const uint64_t part = len - done < PIECE ? len - done : PIECE;
		const uint64_t encoded =
			eighths[i] ? encoded_len(part, eighths[i]) : 0;
		const struct avml_range piece = { range.start + done,
			range.start + done + part };

		b->zero &= encoded == 0;
		b->stream +=
			encoded ? encoded : framing_zeros_len((size_t)part);
		done += part;
		if (FRAMING_IDENT_LEN + b->stream + WORST(len - done) < len)
			b->at_risk = false;
		ret = put(r, piece, range, encoded, follows, err);
	}
	return ret;
}

static int finish(struct run *r, struct avml_error *err)
{
	return image_writer_finish(&r->writer, err);
}

/* The record at `at`: its range, and where the next one begins. */
static uint64_t take_record(const struct run *r, uint64_t at,
	struct avml_range *range, uint64_t *stream)
{
	const uint8_t *head = r->sink.bytes + at, *base;
	struct avml_record_header header;
	struct avml_error err;
	uint64_t memory = 0, pos = at + AVML_RECORD_HEADER_SIZE;

	TEST_ASSERT(r->sink.len - at > AVML_RECORD_HEADER_SIZE + 18);
	TEST_ASSERT(avml_record_header_decode(head, &header, &err) == 0);
	TEST_ASSERT(header.format == AVML_RECORD_AVML);
	TEST_ASSERT(memcmp(r->sink.bytes + pos, framing_ident,
			    FRAMING_IDENT_LEN) == 0);
	pos += FRAMING_IDENT_LEN;
	*range = header.range;
	base = r->sink.bytes + pos - FRAMING_IDENT_LEN;
	*stream = FRAMING_IDENT_LEN;
	for (size_t i = 0; i < r->count; i++) {
		const struct block *b = &r->blocks[i];

		if (b->range.start < range->start || b->range.end > range->end)
			continue;
		TEST_ASSERT(b->range.start == range->start + memory);
		memory += b->range.end - b->range.start;
		for (size_t k = 0; k < b->pieces; k++) {
			TEST_ASSERT(*stream + b->lens[k] <= r->sink.len);
			TEST_ASSERT(!b->given[k] ||
				    memcmp(base + *stream, b->given[k],
					    b->lens[k]) == 0);
			*stream += b->lens[k];
		}
		if (b->pieces == 0)
			*stream += b->stream;
	}
	TEST_ASSERT(memory == range->end - range->start);
	pos += *stream - FRAMING_IDENT_LEN;
	TEST_ASSERT(pos + 8 <= r->sink.len);
	TEST_ASSERT(low_word(r->sink.bytes + pos) == *stream);
	return pos + 8;
}

/* What there is of records obeys the rules; `unsafe` are too long. */
static void check_image(const struct run *r, bool foreseen)
{
	uint64_t at = 0, last = 0, unsafe = 0, records = 0;

	while (at < r->sink.len) {
		struct avml_range range;
		uint64_t stream;
		size_t first = BLOCKS_MAX, in = 0;

		at = take_record(r, at, &range, &stream);
		TEST_ASSERT(range.start >= last);
		last = range.end;
		for (size_t i = 0; i < r->count; i++) {
			const struct block *b = &r->blocks[i];

			if (b->range.start >= range.start &&
				b->range.end <= range.end) {
				first = first < i ? first : i;
				in++;
			}
		}
		TEST_ASSERT(in > 0);
		/* Joined only where there was a reason. */
		TEST_ASSERT(in == 1 || r->blocks[first].at_risk);
		TEST_ASSERT(in == 1 || range.end - range.start <= JOIN_MAX);
		/* Not joined only where there was nothing to join. */
		if (in == 1 && r->blocks[first].at_risk && foreseen)
			TEST_ASSERT(
				first + 1 == r->count ||
				r->blocks[first + 1].range.start != range.end);
		unsafe += stream >= range.end - range.start;
		records++;
	}
	TEST_ASSERT(records == r->writer.records);
	TEST_ASSERT(records == r->events);
	TEST_ASSERT(unsafe == r->writer.unsafe_records);
	TEST_ASSERT(r->sink.base.mark == r->sink.len);
	/* Every block that is not zero is there. */
	at = 0;
	for (size_t i = 0; i < r->count; i++) {
		struct avml_range range = { 0, 0 };
		uint64_t stream;

		if (r->blocks[i].zero)
			continue;
		for (uint64_t pos = 0; pos < r->sink.len;) {
			pos = take_record(r, pos, &range, &stream);
			if (range.end >= r->blocks[i].range.end)
				break;
		}
		TEST_ASSERT(range.start <= r->blocks[i].range.start);
		TEST_ASSERT(range.end >= r->blocks[i].range.end);
	}
}

/* One block of `n` pieces. */
struct single {
	const char *name;
	uint64_t len;
	unsigned int eighths[4];
	size_t out_after; /* pieces after which the header is out */
	uint64_t unsafe;
};

static const struct single singles[] = {
	{ "compressible", 4 * PIECE, { 4, 8, 8, 8 }, 1, 0 },
	{ "late", 4 * PIECE, { 8, 8, 8, 4 }, 4, 0 },
	{ "third", 4 * PIECE, { 8, 8, 7, 8 }, 3, 0 },
	{ "zeros in front", 4 * PIECE, { 0, 0, 8, 8 }, 3, 0 },
	{ "zeros behind", 4 * PIECE, { 8, 8, 0, 0 }, 3, 0 },
	{ "never", 4 * PIECE, { 8, 8, 8, 8 }, 5, 1 },
	{ "a page", 4 * KIB, { 8 }, 2, 1 },
	{ "a page that helps", 4 * KIB, { 4 }, 1, 0 },
	{ "a byte", 1, { 8 }, 2, 1 },
};

START_TEST(writer_avml_single_block_waits_until_it_is_safe)
{
	const struct single *t = &singles[_i];
	const struct avml_range range = { 0x1000, 0x1000 + t->len };
	struct avml_error err;
	struct run r;
	uint64_t done = 0;
	size_t i = 0;

	run_begin(&r, true, false);
	r.blocks[r.count++] = (struct block){ .range = range };
	while (done < t->len) {
		const uint64_t part =
			t->len - done < PIECE ? t->len - done : PIECE;
		const struct avml_range piece = { range.start + done,
			range.start + done + part };
		const uint64_t encoded =
			t->eighths[i] ? encoded_len(part, t->eighths[i]) : 0;

		r.blocks[0].stream +=
			encoded ? encoded : framing_zeros_len((size_t)part);
		ck_assert_int_eq(
			put(&r, piece, range, encoded, range.end, &err), 0);
		done += part;
		i++;
		ck_assert_msg((r.sink.len > 0) == (i >= t->out_after),
			"%s: %" PRIu64 " bytes after %zu pieces", t->name,
			r.sink.len, i);
	}
	ck_assert_int_eq(finish(&r, &err), 0);
	ck_assert_uint_eq(r.writer.records, 1);
	ck_assert_uint_eq(r.writer.unsafe_records, t->unsafe);
	r.blocks[0].at_risk = true;
	check_image(&r, true);
	run_end(&r);
}
END_TEST

/* The least that saves enough: one byte less, and it is at risk. */
START_TEST(writer_avml_exactly_enough_saved_is_safe)
{
	for (int less = 0; less < 2; less++) {
		const struct avml_range range = { 0, 2 * PIECE };
		const struct avml_range first = { 0, PIECE };
		const struct avml_range second = { PIECE, 2 * PIECE };
		/* 10 of the identifier, 8 a chunk, and one to spare. */
		const uint64_t enough = PIECE - 10 - 8 * 4 - 1;
		struct avml_error err;
		struct run r;

		run_begin(&r, true, false);
		ck_assert_int_eq(put(&r, first, range, enough + (uint64_t)less,
					 range.end, &err),
			0);
		ck_assert_uint_eq(r.sink.len > 0, less == 0);
		ck_assert_int_eq(
			put(&r, second, range, WORST(PIECE), range.end, &err),
			0);
		ck_assert_int_eq(finish(&r, &err), 0);
		ck_assert_uint_eq(r.writer.unsafe_records, (uint64_t)less);
		ck_assert_uint_eq(r.sink.len,
			32 + 10 + enough + (uint64_t)less + WORST(PIECE) + 8);
		run_end(&r);
	}
}
END_TEST

/* Blocks and pieces as chance has it, in runs with gaps between them. */
START_TEST(writer_avml_random_blocks_obey_the_rules)
{
	uint64_t seed = 4711 + (uint64_t)_i;

	for (int round = 0; round < 60; round++) {
		const bool keep_zeros = test_random(&seed) % 4 == 0;
		const bool foreseen = test_random(&seed) % 2;
		uint64_t at = 0x1000;
		struct avml_error err;
		struct run r;

		run_begin(&r, true, keep_zeros);
		for (int run = 0; run < 4; run++) {
			const size_t count = 1 + test_random(&seed) % 5;
			uint64_t ends[8], end = at;
			const uint64_t bad = test_random(&seed) % 8;

			for (size_t i = 0; i < count; i++) {
				end += 4 * KIB +
				       test_random(&seed) % MIB / 4096 * 4096;
				ends[i] = end;
			}
			for (size_t i = 0; i < count; i++) {
				const struct avml_range block = { at, ends[i] };
				unsigned int eighths[8];

				for (int k = 0; k < 8; k++)
					eighths[k] =
						test_random(&seed) % 8 < bad
							? 8
							: (unsigned int)(test_random(
										 &seed) %
									 8);
				ck_assert_int_eq(
					put_block(&r, block, eighths,
						foreseen ? end : block.end,
						&err),
					0);
				at = block.end;
			}
			at += 4 * KIB;
		}
		ck_assert_int_eq(finish(&r, &err), 0);
		check_image(&r, foreseen);
		run_end(&r);
	}
}
END_TEST

/* A long incompressible run is cut where a reader's limit is. */
START_TEST(writer_avml_long_run_is_joined_to_the_limit)
{
	const uint64_t block_len = 16 * MIB, end = 20 * block_len;
	struct avml_error err;
	struct run r;

	run_begin(&r, false, false);
	for (uint64_t at = 0; at < end; at += PIECE) {
		const uint64_t start = at - at % block_len;
		const struct avml_range block = { start, start + block_len };

		ck_assert_int_eq(put(&r, (struct avml_range){ at, at + PIECE },
					 block, WORST(PIECE), end, &err),
			0);
		/* Nothing is held but one block. */
		ck_assert_uint_ge(r.sink.len + block_len + MIB, at);
	}
	ck_assert_int_eq(finish(&r, &err), 0);
	ck_assert_uint_ge(r.writer.records, 3);
	ck_assert_uint_le(r.writer.records, 20);
	ck_assert_uint_eq(r.writer.unsafe_records, r.writer.records);
	ck_assert_uint_eq(
		r.sink.len, WORST(end) + r.writer.records * (32 + 10 + 8));
	run_end(&r);
}
END_TEST

/* One record is longer than all that may be held. */
START_TEST(writer_avml_long_record_streams)
{
	const struct avml_range block = { 0x1000, 0x1000 + 100 * MIB };
	struct avml_error err;
	struct run r;

	run_begin(&r, false, false);
	for (uint64_t at = block.start; at < block.end; at += PIECE) {
		const struct avml_range piece = { at, at + PIECE };
		const bool last = piece.end == block.end;

		ck_assert_int_eq(
			put(&r, piece, block, last ? 1000 : WORST(PIECE),
				block.end, &err),
			0);
		ck_assert_uint_ge(r.sink.len + 17 * MIB, at);
	}
	ck_assert_int_eq(finish(&r, &err), 0);
	ck_assert_uint_eq(r.writer.records, 1);
	ck_assert_uint_eq(r.writer.unsafe_records, 0);
	run_end(&r);
}
END_TEST

/* Whatever cannot be written: the mark stands behind the last whole one. */
START_TEST(writer_avml_failing_sink_leaves_a_mark_between_records)
{
	static const unsigned int eighths[] = { 8, 4, 2, 8 };
	uint64_t ends[4] = { 0 };
	struct avml_error err;
	struct run r;

	run_begin(&r, true, false);
	for (uint64_t i = 0; i < 3; i++) {
		const struct avml_range block = { i * 2 * MIB,
			i * 2 * MIB + MIB };

		ck_assert_int_eq(
			put_block(&r, block, eighths, block.end, &err), 0);
		ends[i + 1] = r.sink.base.mark;
		ck_assert_uint_eq(ends[i + 1], r.sink.len);
	}
	run_end(&r);
	for (uint64_t fail = 0; fail < ends[3]; fail += 4099) {
		uint64_t mark = 0;
		int ret = 0;

		run_begin(&r, false, false);
		r.sink.fail_at = fail;
		for (uint64_t i = 0; i < 3 && ret == 0; i++) {
			const struct avml_range block = { i * 2 * MIB,
				i * 2 * MIB + MIB };

			ret = put_block(&r, block, eighths, block.end, &err);
		}
		if (ret == 0)
			ret = finish(&r, &err);
		ck_assert_int_eq(ret, -ENOSPC);
		for (int i = 0; i < 4; i++) {
			if (ends[i] <= fail)
				mark = ends[i];
		}
		ck_assert_uint_eq(r.sink.base.mark, mark);
		run_end(&r);
	}
}
END_TEST

/* Records may come in any order: each with a header of its own. */
START_TEST(writer_avml_going_back_begins_a_record)
{
	static const unsigned int bad[] = { 8, 8, 8, 8 };
	static const unsigned int good[] = { 4, 4, 4, 4 };
	const struct avml_range high = { 256 * MIB, 257 * MIB };
	const struct avml_range next = { 257 * MIB, 258 * MIB };
	const struct avml_range low = { 0x1000, 0x1000 + MIB };
	struct avml_error err;
	struct avml_range range;
	struct run r;
	uint64_t at, stream;

	run_begin(&r, true, false);
	ck_assert_int_eq(put_block(&r, high, bad, next.end, &err), 0);
	ck_assert_int_eq(put_block(&r, next, good, next.end, &err), 0);
	ck_assert_int_eq(put_block(&r, low, good, low.end, &err), 0);
	ck_assert_int_eq(finish(&r, &err), 0);
	at = take_record(&r, 0, &range, &stream);
	ck_assert_uint_eq(range.start, high.start);
	ck_assert_uint_eq(range.end, next.end);
	at = take_record(&r, at, &range, &stream);
	ck_assert_uint_eq(range.start, low.start);
	ck_assert_uint_eq(range.end, low.end);
	ck_assert_uint_eq(at, r.sink.len);
	ck_assert_uint_eq(r.writer.records, 2);
	run_end(&r);
}
END_TEST

static Suite *writer_avml_suite(void)
{
	Suite *suite = suite_create("writer_avml");
	TCase *tc = tcase_create("writer_avml");

	tcase_add_loop_test(tc, writer_avml_single_block_waits_until_it_is_safe,
		0, TEST_COUNT(singles));
	tcase_add_test(tc, writer_avml_exactly_enough_saved_is_safe);
	tcase_add_loop_test(tc, writer_avml_random_blocks_obey_the_rules, 0, 4);
	tcase_add_test(tc, writer_avml_long_run_is_joined_to_the_limit);
	tcase_add_test(tc, writer_avml_long_record_streams);
	tcase_add_test(
		tc, writer_avml_failing_sink_leaves_a_mark_between_records);
	tcase_add_test(tc, writer_avml_going_back_begins_a_record);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(writer_avml_suite)

/* SPDX-License-Identifier: MIT */
/*
 * The image reader where damage does not end the reading: what it hands out
 * is at its right address, whatever byte is another one, and goes on as soon
 * as it can.
 */
#include "format/image_reader.h"

#include "check_main.h"
#include "format/framing.h"

#define IMAGE_MAX 400000u

struct image {
	uint8_t bytes[IMAGE_MAX];
	size_t len, at;
	size_t reads; /* bytes that were */
	bool peeks, skips;
};

/* What memory holds is known by its address. */
static uint8_t byte_at(uint64_t address)
{
	const uint64_t line = address / 32;

	return (uint8_t)(line * 37 ^ line >> 7 ^ (address % 3 == 0));
}

static void append(struct image *image, const void *bytes, size_t len)
{
	TEST_ASSERT(image->len + len <= IMAGE_MAX);
	memcpy(image->bytes + image->len, bytes, len);
	image->len += len;
}

static void fill(uint8_t *memory, uint64_t start, size_t len)
{
	for (size_t i = 0; i < len; i++)
		memory[i] = byte_at(start + i);
}

static void add_header(struct image *image, enum avml_record_format format,
	uint64_t start, size_t len)
{
	const struct avml_record_header record = { format,
		{ start, start + len } };
	uint8_t wire[AVML_RECORD_HEADER_SIZE];

	avml_record_header_encode(&record, wire);
	append(image, wire, sizeof(wire));
}

static void add_v1(struct image *image, uint64_t start, size_t len)
{
	static uint8_t memory[IMAGE_MAX];

	fill(memory, start, len);
	add_header(image, AVML_RECORD_LIME, start, len);
	append(image, memory, len);
}

/* In chunks of `chunk` bytes. */
static void add_v2(
	struct image *image, uint64_t start, size_t len, size_t chunk)
{
	static uint8_t memory[FRAMING_DATA_MAX], out[2 * FRAMING_BODY_MAX];
	struct avml_error err;
	size_t begin;
	uint8_t trailer[8];

	add_header(image, AVML_RECORD_AVML, start, len);
	begin = image->len;
	append(image, framing_ident, FRAMING_IDENT_LEN);
	for (size_t at = 0, out_len; at < len; at += chunk) {
		const size_t part = len - at < chunk ? len - at : chunk;

		fill(memory, start + at, part);
		ck_assert_int_eq(framing_encode(memory, part, out, sizeof(out),
					 &out_len, &err),
			0);
		append(image, out, out_len);
	}
	for (size_t i = 0; i < 8; i++)
		trailer[i] = (uint8_t)((uint64_t)(image->len - begin) >> 8 * i);
	append(image, trailer, sizeof(trailer));
}

static ssize_t read_some(
	void *ctx, void *buf, size_t len, struct avml_error *err)
{
	struct image *image = ctx;
	const size_t left = image->len - image->at;
	const size_t n = len < left ? len : left;

	(void)err;
	memcpy(buf, image->bytes + image->at, n);
	image->at += n;
	image->reads += n;
	return (ssize_t)n;
}

static ssize_t peek(void *ctx, void *buf, size_t len, uint64_t offset)
{
	const struct image *image = ctx;
	const size_t left =
		offset < image->len ? image->len - (size_t)offset : 0;
	const size_t n = len < left ? len : left;

	if (n > 0)
		memcpy(buf, image->bytes + offset, n);
	return (ssize_t)n;
}

static uint64_t skip(void *ctx, uint64_t len)
{
	struct image *image = ctx;
	const size_t left = image->len - image->at;
	const size_t n = len < left ? (size_t)len : left;

	image->at += n;
	return n;
}

/* All that a reader hands out. */
struct told {
	bool salvaged;
	int ret;
	size_t parts, losses;
	uint64_t memory;  /* bytes that are right */
	uint64_t suspect; /* in chunks that do not decode */
	struct image_loss loss[8];
	size_t odd_count;
	struct {
		enum image_oddity which;
		uint64_t offset;
	} odd[8];
};

/* Decode what is decodable, and see that it is what belongs there. */
static void check_chunks(
	const struct image_part *part, const uint8_t *bytes, struct told *told)
{
	static uint8_t memory[FRAMING_DATA_MAX];
	static struct framing_decoder decoder;
	uint64_t address = part->range.start;
	size_t at = 0;

	while (at < part->len) {
		struct framing_chunk chunk;
		struct avml_error err;
		size_t len, claimed;
		bool zero;

		TEST_ASSERT(framing_parse_head(bytes + at, &chunk, &err) == 0);
		TEST_ASSERT(
			framing_data_len(&chunk, bytes + at + FRAMING_HEAD_LEN,
				chunk.body_len, &claimed, &err) == 0);
		if (framing_decode(&decoder, &chunk,
			    bytes + at + FRAMING_HEAD_LEN, memory,
			    sizeof(memory), &len, &zero, &err) < 0) {
			told->suspect += claimed;
		} else {
			bool right = true;

			for (size_t i = 0; i < len; i++)
				right &= memory[i] == byte_at(address + i);
			/*
			 * Who checks does not decode: a wrong length of one
			 * moves those behind it, up to the trailer.
			 */
			TEST_ASSERT(right || !told->salvaged);
			told->memory += right ? len : 0;
		}
		address += claimed;
		at += FRAMING_HEAD_LEN + chunk.body_len;
	}
	TEST_ASSERT(address == part->range.end);
}

static void take_part(
	const struct image_part *part, const uint8_t *bytes, struct told *told)
{
	if (part->kind == IMAGE_ODDITY) {
		TEST_ASSERT(told->odd_count < TEST_COUNT(told->odd));
		told->odd[told->odd_count].which = part->oddity;
		told->odd[told->odd_count++].offset = part->offset;
		return;
	}
	told->parts++;
	TEST_ASSERT(part->range.start < part->range.end);
	TEST_ASSERT(part->range.start >= part->record.start);
	TEST_ASSERT(part->range.end <= part->record.end);
	TEST_ASSERT(part->record_offset < part->offset);
	if (part->kind == IMAGE_CHUNKS) {
		check_chunks(part, bytes, told);
		return;
	}
	told->memory += avml_range_len(part->range);
}

static struct told read_all(
	struct image *image, struct image_reader_options options)
{
	const struct image_input input = {
		.ctx = image,
		.read = read_some,
		.peek = image->peeks ? peek : NULL,
		.skip = image->skips ? skip : NULL,
	};
	struct image_reader *r = image_reader_new(&input, &options);
	uint8_t *buf = malloc(IMAGE_PART_BYTES);
	struct told told = { .ret = 1, .salvaged = options.salvage };
	struct avml_error err = AVML_ERROR_INIT;
	struct image_loss loss;
	struct image_part part;

	TEST_ASSERT(r && buf);
	image->at = 0;
	image->reads = 0;
	if (image_reader_begin(r, &loss, &err) < 0)
		told.ret = -1;
	while (told.ret > 0) {
		told.ret = image_reader_next(r, buf, &part, &loss, &err);
		if (told.ret == 1) {
			take_part(&part, buf, &told);
		} else if (told.ret == 2) {
			if (told.losses < TEST_COUNT(told.loss))
				told.loss[told.losses] = loss;
			told.losses++;
			TEST_ASSERT(loss.offset <= loss.end);
			TEST_ASSERT(loss.range.start <= loss.range.end);
		}
	}
	image_reader_free(r);
	free(buf);
	return told;
}

static const struct image_reader_options check = { .check = true };
static const struct image_reader_options salvage = { .salvage = true };

/* Offsets of chunks: of the n-th of data, in a record at `at`. */
static size_t chunk_at(const struct image *image, size_t at, size_t n)
{
	at += AVML_RECORD_HEADER_SIZE + FRAMING_IDENT_LEN;
	for (; n > 0; n--)
		at += FRAMING_HEAD_LEN + 1u * image->bytes[at + 1] +
		      256u * image->bytes[at + 2] +
		      65536u * image->bytes[at + 3];
	return at;
}

START_TEST(image_check_sound_images_are_read_as_ever)
{
	static struct image image;
	const uint64_t len = 0x31000 + 4096 + 3 * 65536;

	add_v2(&image, 0x100000, 0x31000, 65536);
	add_v2(&image, 0x200000, 4096, 100);
	add_v2(&image, 0x300000, 3 * 65536, 65536);
	for (int i = 0; i < 4; i++) {
		struct told told;

		image.peeks = i % 2;
		told = read_all(&image, i < 2 ? check : salvage);
		ck_assert_int_eq(told.ret, 0);
		ck_assert_uint_eq(told.memory, len);
		ck_assert_uint_eq(
			told.losses + told.odd_count + told.suspect, 0);
	}
}
END_TEST

static const struct {
	size_t at; /* in a chunk's head */
	uint8_t bits;
} head_damages[] = { { 0, 0x04 }, { 0, 0x80 }, { 0, 0x01 }, { 1, 0x10 },
	{ 2, 0x01 }, { 2, 0x40 }, { 3, 0x01 }, { 3, 0x80 } };

/* Damaged heads cost nothing but themselves: what follows proves them. */
START_TEST(image_check_damaged_heads_are_made_good)
{
	static const size_t chunks[] = { 0, 4, 6, 9 };
	static struct image image;
	size_t at[4];
	struct told told;

	add_v2(&image, 0x100000, 10 * 8192, 8192);
	add_v2(&image, 0x200000, 8192, 8192);
	for (size_t i = 0; i < 4; i++)
		at[i] = chunk_at(&image, 0, chunks[i]);
	for (size_t i = 0; i < 4; i++)
		image.bytes[at[i] + head_damages[_i].at] ^=
			head_damages[_i].bits;
	for (int i = 0; i < 4; i++) {
		image.peeks = i % 2;
		told = read_all(&image, i < 2 ? check : salvage);
		ck_assert_int_eq(told.ret, 0);
		/* Who decodes tells of those that were handed out damaged. */
		ck_assert_uint_eq(told.memory + told.suspect, 11 * 8192);
		ck_assert(i < 2 || told.suspect == 0);
		ck_assert_uint_le(told.losses, 4);
		for (size_t j = 0; j < told.losses; j++) {
			ck_assert_uint_eq(
				told.loss[j].end, told.loss[j].offset + 4);
			ck_assert_uint_eq(told.loss[j].range.start,
				told.loss[j].range.end);
		}
	}
}
END_TEST

/* Head and body: what is behind them, up to a trailer, tells how much it is. */
START_TEST(image_check_goes_on_at_the_next_chunk)
{
	static struct image image;
	size_t at;

	add_v2(&image, 0x100000, 10 * 8192, 8192);
	add_v2(&image, 0x200000, 8192, 8192);
	image.peeks = true;
	at = chunk_at(&image, 0, 4);
	image.bytes[at + head_damages[_i].at] ^= head_damages[_i].bits;
	image.bytes[at + 20] ^= 0xff;
	for (int i = 0; i < 2; i++) {
		struct told told = read_all(&image, i ? salvage : check);

		ck_assert_int_eq(told.ret, 0);
		ck_assert_uint_eq(told.memory, 9 * 8192 + 8192);
		ck_assert_uint_ge(told.losses, 1);
		for (size_t j = 0; j < told.losses; j++) {
			ck_assert_uint_ge(told.loss[j].offset, at);
			ck_assert_uint_ge(
				told.loss[j].range.start, 0x100000 + 4 * 8192);
			ck_assert_uint_le(
				told.loss[j].range.end, 0x100000 + 5 * 8192);
		}
	}
}
END_TEST

/* Of two such in a row it is not known how much memory they held. */
START_TEST(image_check_goes_on_at_the_next_record)
{
	static struct image image;
	struct told told;

	add_v2(&image, 0x100000, 10 * 60000, 60000);
	add_v2(&image, 0x200000, 8192, 8192);
	image.peeks = true;
	for (size_t i = 5; i < 7; i++) {
		const size_t at = chunk_at(&image, 0, i);

		image.bytes[at + 20] ^= 0xff;
		if (i == 6)
			image.bytes[chunk_at(&image, 0, 5)] ^= 0x20;
		image.bytes[at] ^= i == 6 ? 0x20 : 0;
	}
	for (int i = 0; i < 2; i++) {
		told = read_all(&image, i ? salvage : check);
		ck_assert_int_eq(told.ret, 0);
		ck_assert_uint_eq(told.memory, 5 * 60000 + 8192);
		ck_assert_uint_eq(told.loss[0].range.start, 0x100000 + 300000);
		ck_assert_uint_eq(told.loss[0].range.end, 0x100000 + 600000);
	}
}
END_TEST

static bool is_told(const struct told *told, enum image_oddity which)
{
	for (size_t i = 0; i < told->odd_count; i++) {
		if (told->odd[i].which == which)
			return true;
	}
	return false;
}

/*
 * A bit of a record's start or end: put right where its neighbours leave room
 * for one of both, and else lost, but never anywhere else. With gaps like
 * blocks that were left out, a bit may move it right onto a neighbour.
 */
static const struct {
	uint64_t before, start, behind;
	bool always; /* put right, whichever bit it is */
} neighbours[] = {
	{ 0x100000, 0x108000, 0x110000, true },
	{ 0x100000, 0x110000, 0x118000, false },
	{ 0x100000, 0x108000, 0x118000, false },
	{ 0x100000, 0x110000, 0x120000, false },
	{ 0x100000, 0x300000, 0x500000, false },
	{ 0, 0x108000, 0x110000, false },
	{ 0x100000, 0x108000, 0, false },
};

START_TEST(image_check_ranges_are_put_right)
{
	const size_t len = 0x8000;
	static struct image image;
	uint64_t others = 0;
	size_t at;

	if (neighbours[_i].before) {
		add_v2(&image, neighbours[_i].before, len, 8192);
		others += len;
	}
	at = image.len;
	add_v2(&image, neighbours[_i].start, len, 8192);
	if (neighbours[_i].behind) {
		add_v2(&image, neighbours[_i].behind, len, 8192);
		others += len;
	}
	image.peeks = true;
	for (int bit = 0; bit < 128; bit++) {
		uint8_t *byte = &image.bytes[at + 8 + (size_t)bit / 8];
		struct avml_record_header header;
		struct avml_error err;
		struct told told;

		*byte ^= (uint8_t)(1u << bit % 8);
		if (avml_record_header_decode(
			    image.bytes + at, &header, &err) == 0) {
			/* That bytes are right is seen when they come. */
			told = read_all(&image, salvage);
			ck_assert_int_eq(told.ret, 0);
			ck_assert_uint_eq(told.memory + told.loss[0].unplaced,
				others + len);
			ck_assert_uint_eq(
				told.losses, told.memory < others + len);
			ck_assert(!neighbours[_i].always || told.losses == 0);
			told = read_all(&image, check);
			ck_assert_int_eq(told.ret, 0);
			ck_assert_uint_ge(told.memory, others);
			ck_assert(is_told(&told, IMAGE_ODD_RANGE));
			ck_assert_uint_eq(
				told.odd[told.odd_count - 1].offset, at);
		}
		*byte ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

/* Where they do not tell, it is lost rather than put at wrong addresses. */
START_TEST(image_check_ranges_are_not_guessed)
{
	static struct image image;
	size_t at, end;
	struct told told;

	add_v2(&image, 0x100000, 0x4000, 8192);
	at = image.len;
	add_v2(&image, 0x200000, 0x5000, 8192);
	end = image.len;
	add_v2(&image, 0x400000, 0x3000, 8192);
	image.peeks = true;
	/* Its start, a page further; then its end. */
	image.bytes[at + (_i == 0 ? 9 : 17)] ^= 0x10;
	told = read_all(&image, salvage);
	ck_assert_int_eq(told.ret, 0);
	ck_assert_uint_eq(told.memory, 0x7000);
	ck_assert_uint_eq(told.losses, 1);
	ck_assert_uint_eq(told.loss[0].offset, at);
	ck_assert_uint_eq(told.loss[0].end, end);
	ck_assert_uint_eq(told.loss[0].range.start, 0x104000);
	ck_assert_uint_eq(told.loss[0].range.end, 0x104000);
	ck_assert_uint_eq(told.loss[0].unplaced, 0x5000);
	ck_assert_uint_eq(told.odd_count, 0);
	/* All of it is checked, and the record is what is told of. */
	told = read_all(&image, check);
	ck_assert_int_eq(told.ret, 0);
	ck_assert_uint_eq(told.losses + told.suspect, 0);
	ck_assert_uint_eq(told.odd_count, 1);
	ck_assert_int_eq(told.odd[0].which, IMAGE_ODD_RANGE);
	ck_assert_uint_eq(told.odd[0].offset, at);
}
END_TEST

/*
 * Any byte of the image is another one: what comes out sound is right, at
 * its address, and of the other records nothing is missing.
 */
START_TEST(image_check_no_byte_comes_out_at_another_address)
{
	static struct image image;
	const size_t lens[] = { 4 * 300, 2 * 500 + 17, 3 * 200 };
	const size_t chunks[] = { 300, 500, 200 };
	size_t starts[4] = { 0 };

	for (size_t i = 0; i < 3; i++) {
		add_v2(&image, 0x100000 * (i + 1), lens[i], chunks[i]);
		starts[i + 1] = image.len;
	}
	image.peeks = _i % 2;
	for (size_t at = 0; at < image.len; at++) {
		const size_t record = at < starts[1]   ? 0
				      : at < starts[2] ? 1
						       : 2;
		const size_t in_header = at - starts[record];
		const uint64_t others =
			lens[0] + lens[1] + lens[2] - lens[record];
		struct told told;

		/* All bits of what is structure, one of what is memory. */
		for (unsigned int bit = 0; bit < 8; bit++) {
			if (in_header >= 60 && at % 16 != bit &&
				at + 10 < starts[record + 1])
				continue;
			/* In a pipe a wrong start moves memory. */
			if (in_header >= 8 && in_header < 16 && !image.peeks)
				continue;
			image.bytes[at] ^= (uint8_t)(1u << bit);
			told = read_all(&image, _i < 2 ? check : salvage);
			image.bytes[at] ^= (uint8_t)(1u << bit);
			TEST_ASSERT(told.ret == 0);
			/* Nothing else passes for a wrong range. */
			TEST_ASSERT(!is_told(&told, IMAGE_ODD_RANGE) ||
				    (in_header >= 8 && in_header < 24));
			if (told.memory < others)
				ck_abort_msg("%zu, bit %u: %d bytes of others",
					at, bit, (int)told.memory);
		}
	}
}
END_TEST

START_TEST(image_check_oddities_are_handed_out_in_order)
{
	static struct image image;
	size_t first, second;
	struct told told;

	add_v2(&image, 0x100000, 8192, 4096);
	image.bytes[image.len - 8]++;
	first = image.len - 8;
	add_v1(&image, 0x200000, 4095);
	second = image.len;
	add_v1(&image, 0x1000, 4096);
	image.peeks = _i;
	told = read_all(&image, check);
	ck_assert_int_eq(told.ret, 0);
	ck_assert_uint_eq(told.losses, 0);
	ck_assert_uint_eq(told.memory, 8192 + 4095 + 4096);
	ck_assert_uint_eq(told.odd_count, 5);
	ck_assert_int_eq(told.odd[0].which, IMAGE_ODD_TRAILER);
	ck_assert_uint_eq(told.odd[0].offset, first);
	ck_assert_int_eq(told.odd[1].which, IMAGE_ODD_MIXED);
	ck_assert_uint_eq(told.odd[1].offset, first + 8);
	ck_assert_int_eq(told.odd[2].which, IMAGE_ODD_PARTIAL_PAGE);
	ck_assert_int_eq(told.odd[3].which, IMAGE_ODD_MIXED);
	ck_assert_uint_eq(told.odd[3].offset, second);
	ck_assert_int_eq(told.odd[4].which, IMAGE_ODD_ORDER);
	ck_assert_uint_eq(told.odd[4].offset, second);
}
END_TEST

/* Of version 1 the headers are read, and next to nothing else. */
START_TEST(image_check_heads_pass_over_memory)
{
	const struct image_reader_options heads = {
		.check = true,
		.heads = true,
	};
	static struct image image;
	struct told told;

	for (uint64_t i = 0; i < 4; i++)
		add_v1(&image, i << 20, 90112);
	image.skips = _i % 2;
	image.peeks = _i / 2;
	told = read_all(&image, heads);
	ck_assert_int_eq(told.ret, 0);
	ck_assert_uint_eq(told.parts, 4);
	ck_assert_uint_eq(told.memory, 4 * 90112);
	ck_assert_uint_eq(told.losses + told.odd_count, 0);
	if (!image.skips)
		ck_assert_uint_eq(image.reads, image.len);
	/* Cut off within the third: what there is of it, and that. */
	image.len = 2 * (90112 + 32) + 32 + 5000;
	told = read_all(&image, heads);
	ck_assert_int_eq(told.ret, 0);
	ck_assert_uint_eq(told.memory, 2 * 90112 + 5000);
	ck_assert_uint_eq(told.losses, 1);
	ck_assert_uint_eq(told.loss[0].range.start, (2 << 20) + 5000);
	ck_assert_uint_eq(told.loss[0].range.end, (2 << 20) + 90112);
}
END_TEST

static Suite *image_check_suite(void)
{
	Suite *suite = suite_create("image_check");
	TCase *tc = tcase_create("image_check");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, image_check_sound_images_are_read_as_ever);
	tcase_add_loop_test(tc, image_check_damaged_heads_are_made_good, 0,
		TEST_COUNT(head_damages));
	tcase_add_loop_test(tc, image_check_goes_on_at_the_next_chunk, 0,
		TEST_COUNT(head_damages));
	tcase_add_test(tc, image_check_goes_on_at_the_next_record);
	tcase_add_loop_test(tc, image_check_ranges_are_put_right, 0,
		TEST_COUNT(neighbours));
	tcase_add_loop_test(tc, image_check_ranges_are_not_guessed, 0, 2);
	tcase_add_loop_test(
		tc, image_check_no_byte_comes_out_at_another_address, 0, 4);
	tcase_add_loop_test(
		tc, image_check_oddities_are_handed_out_in_order, 0, 2);
	tcase_add_loop_test(tc, image_check_heads_pass_over_memory, 0, 4);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(image_check_suite)

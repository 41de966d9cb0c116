/* SPDX-License-Identifier: MIT */
/*
 * A compressed image, without padding, of which one bit outside of its
 * headers is wrong: salvage writes no byte that was not there in the sound one,
 * and tells of all that it leaves out of a record. In front of the image stands
 * which bit.
 */
#include "job.h"

#include "format/framing.h"

#define HEADER AVML_RECORD_HEADER_SIZE
#define TRAILER_LEN 8
#define PIECES_MAX 1024

struct piece_of {
	uint64_t addr;
	size_t len;
	uint8_t *bytes;
};

/* What the sound image holds, in pieces. */
struct truth {
	struct piece_of pieces[PIECES_MAX];
	size_t count;
	bool too_many;
};

static void remember(void *ctx, uint64_t addr, const uint8_t *bytes, size_t len)
{
	struct truth *truth = ctx;
	const struct fuzz_input all = { bytes, len };

	if (truth->count == PIECES_MAX) {
		truth->too_many = true;
		return;
	}
	truth->pieces[truth->count++] =
		(struct piece_of){ addr, len, fuzz_rest(&all) };
}

/* Whether any piece has that byte at that address. */
static bool is_true(const struct truth *truth, uint64_t addr, uint8_t byte)
{
	for (size_t i = 0; i < truth->count; i++) {
		const struct piece_of *p = &truth->pieces[i];

		if (addr >= p->addr && addr - p->addr < p->len &&
			p->bytes[addr - p->addr] == byte)
			return true;
	}
	return false;
}

static void compare(void *ctx, uint64_t addr, const uint8_t *bytes, size_t len)
{
	const struct truth *truth = ctx;

	for (size_t i = 0; i < len; i++)
		FUZZ_ASSERT(
			bytes[i] == 0 || is_true(truth, addr + i, bytes[i]));
}

/*
 * Whether the bit at that byte is to be changed: not in a header, which has
 * no checksum. `magics` counts what looks like headers.
 */
static bool is_stream(
	const uint8_t *bytes, size_t len, size_t at, uint64_t *magics)
{
	bool in_header = false;

	*magics = 0;
	for (size_t i = 0; i + 4 <= len; i++) {
		if (memcmp(bytes + i, "AVML", 4) != 0 &&
			memcmp(bytes + i, "EMiL", 4) != 0)
			continue;
		in_header |= at >= i && at - i < HEADER;
		++*magics;
	}
	return !in_header;
}

/*
 * Whether the byte belongs to the length of a chunk. One that is too long by
 * just the next chunk looks, where nothing can be looked ahead at, like one
 * that is damaged in another way. The image is sound.
 */
static bool is_length(const uint8_t *bytes, size_t len, size_t which)
{
	struct avml_record_header header;
	struct framing_chunk chunk;
	struct avml_error err;
	size_t data_len;

	for (size_t at = 0; at < len; at += TRAILER_LEN) {
		uint64_t left;

		if (avml_record_header_decode(bytes + at, &header, &err) < 0)
			return false;
		left = avml_range_len(header.range);
		at += HEADER + FRAMING_IDENT_LEN;
		while (left > 0) {
			if (which > at && which < at + FRAMING_HEAD_LEN)
				return true;
			framing_parse_head(bytes + at, &chunk, &err);
			at += FRAMING_HEAD_LEN;
			framing_data_len(&chunk, bytes + at, chunk.body_len,
				&data_len, &err);
			at += chunk.body_len;
			left -= data_len;
		}
	}
	return false;
}

static void check(const struct fuzz_job *job, const struct fuzz_image *source,
	const struct truth *truth, const struct fuzz_memory *sound)
{
	struct fuzz_memory out = FUZZ_MEMORY_ALL;
	struct fuzz_result result;

	out.part = compare;
	out.ctx = (void *)(uintptr_t)truth;
	fuzz_job_run(job, source, &result);
	fuzz_result_memory(job, &result, &out);
	/* Of a record that is passed over too, only the offset is told. */
	if (result.ret == 0 && !result.lost_unknown && sound->records == 1)
		FUZZ_ASSERT(out.len + result.lost_len >= sound->len);
	fuzz_result_release(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct truth truth;
	struct fuzz_input in = fuzz_begin(data, size);
	struct fuzz_job job = fuzz_job_take(&in);
	const uint64_t bit = fuzz_number(&in, 3);
	struct fuzz_memory sound = FUZZ_MEMORY_ALL;
	struct fuzz_image *source;
	struct avml_error err;
	uint64_t magics;
	uint8_t *bytes;

	if (in.left < HEADER || memcmp(in.at, "AVML", 4) != 0)
		return 0;
	job.format = AVML_IMAGE_LIME;
	job.raw = false;
	job.salvage = true;
	truth.count = 0;
	truth.too_many = false;
	sound.part = remember;
	sound.ctx = &truth;
	bytes = fuzz_rest(&in);
	source = fuzz_image_over(bytes, in.left, 0);
	if (fuzz_memory_read(&sound, source, false, &err) == 0 &&
		!truth.too_many &&
		is_stream(bytes, in.left, bit / 8 % in.left, &magics) &&
		magics == sound.records && sound.padding == 0 &&
		sound.oddities[IMAGE_ODD_TRAILER] == 0 &&
		sound.oddities[IMAGE_ODD_MIXED] == 0 &&
		sound.oddities[IMAGE_ODD_ORDER] == 0 &&
		sound.oddities[IMAGE_ODD_EMPTY] == 0 &&
		(job.peek || !is_length(bytes, in.left, bit / 8 % in.left))) {
		bytes[bit / 8 % in.left] ^= (uint8_t)(1 << bit % 8);
		check(&job, source, &truth, &sound);
	}
	for (size_t i = 0; i < truth.count; i++)
		free(truth.pieces[i].bytes);
	fuzz_image_free(source);
	free(bytes);
	return 0;
}

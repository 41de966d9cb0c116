/* SPDX-License-Identifier: MIT */
/*
 * Changes to images that leave them images: for the targets that read them,
 * where libFuzzer's own changes mostly end in a wrong checksum. Records and
 * chunks are doubled, moved, taken out, made anew, and what was changed gets
 * a right checksum, length and trailer again, mostly.
 */
#include "image.h"

#include <avml/record.h>

#include "base/cursor.h"
#include "format/crc32c.h"
#include "format/framing.h"

/* In front of the image: see fuzz_job_take(). */
#define FRONT 2
#define SPANS_MAX 512
#define TRAILER_LEN 8
#define MADE_MAX 4096
#define WIRE_MAX (AVML_RECORD_HEADER_SIZE + 3 * MADE_MAX)

/* libFuzzer's. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(
	uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
	const uint8_t *data2, size_t size2, uint8_t *out, size_t max_out,
	unsigned int seed);

/* A record or a chunk of one, as offsets in the input. */
struct span {
	size_t at, len;
	bool is_chunk;
};

struct mutation {
	uint8_t *data;
	size_t size, max;
	uint64_t random;
	struct span spans[SPANS_MAX];
	size_t count;
};

static size_t pick(struct mutation *m, size_t below)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return below ? (size_t)(m->random >> 33) % below : 0;
}

static void add_span(struct mutation *m, size_t at, size_t end, bool is_chunk)
{
	if (m->count < SPANS_MAX)
		m->spans[m->count++] = (struct span){ at, end - at, is_chunk };
}

static uint64_t number_at(const struct mutation *m, size_t at)
{
	struct cursor c = cursor_over(m->data + at, 8);

	return cursor_u64(&c);
}

/* The next magic, or the end. */
static size_t next_record(const struct mutation *m, size_t at)
{
	for (; at + AVML_RECORD_HEADER_SIZE <= m->size; at++) {
		if (memcmp(m->data + at, "EMiL", 4) == 0 ||
			memcmp(m->data + at, "AVML", 4) == 0)
			return at;
	}
	return m->size;
}

/* The chunk at `at` ends there; 0 when it is none, or not whole. */
static size_t chunk_end(const struct mutation *m, size_t at)
{
	struct framing_chunk chunk;
	struct avml_error err;

	if (m->size - at < FRAMING_HEAD_LEN ||
		framing_parse_head(m->data + at, &chunk, &err) < 0 ||
		chunk.body_len > m->size - at - FRAMING_HEAD_LEN)
		return 0;
	return at + FRAMING_HEAD_LEN + chunk.body_len;
}

/* Find the records, and the chunks of those that have some. */
static void map_spans(struct mutation *m)
{
	m->count = 0;
	for (size_t at = next_record(m, FRONT); at < m->size;) {
		const bool stream = m->data[at] == 'A';
		const size_t record = m->count;
		size_t end = at + AVML_RECORD_HEADER_SIZE, next;
		const size_t most = next_record(m, end);

		add_span(m, at, end, false);
		/* A trailer may look like a chunk. */
		while (stream && (next = chunk_end(m, end)) > 0 &&
			next <= most) {
			add_span(m, end, next, true);
			end = next;
		}
		at = most;
		if (record < m->count)
			m->spans[record].len = at - m->spans[record].at;
	}
}

/* False when there is no room for it. */
static bool replace(struct mutation *m, size_t at, size_t old_len,
	const uint8_t *bytes, size_t len)
{
	if (len > old_len && len - old_len > m->max - m->size)
		return false;
	memmove(m->data + at + len, m->data + at + old_len,
		m->size - at - old_len);
	if (len > 0)
		memcpy(m->data + at, bytes, len);
	m->size += len - old_len;
	return true;
}

/* Give a chunk the checksum of its data, which are counted. */
static size_t repair_chunk(struct mutation *m, const struct span *span)
{
	static uint8_t out[FRAMING_DATA_MAX];
	static struct framing_decoder decoder;
	uint8_t *at = m->data + span->at;
	struct framing_chunk chunk;
	struct avml_error err;
	size_t len = 0;
	bool zero;

	framing_decoder_init(&decoder);
	if (framing_parse_head(at, &chunk, &err) < 0 ||
		!framing_is_data(chunk.kind))
		return 0;
	framing_decode(&decoder, &chunk, at + FRAMING_HEAD_LEN, out,
		sizeof(out), &len, &zero, &err);
	if (len > 0)
		store_le32(at + FRAMING_HEAD_LEN,
			crc32c_mask(crc32c(0, out, len)));
	return len;
}

/* How much longer the bytes are once the zeros in them are no more named. */
static uint64_t named_len(const struct mutation *m, size_t at, size_t end)
{
	uint64_t more = 0;

	for (; at + FUZZ_ZEROS_LEN <= end; at++) {
		if (memcmp(m->data + at, FUZZ_ZEROS_MARK,
			    FUZZ_ZEROS_MARK_LEN) != 0)
			continue;
		at += FUZZ_ZEROS_MARK_LEN;
		more += m->data[at] + 256u * m->data[at + 1] +
			65536u * m->data[at + 2];
		more -= FUZZ_ZEROS_LEN;
	}
	return more;
}

/* Checksums, trailer and the header's last address of a record. */
static void repair(struct mutation *m, size_t record)
{
	const size_t at = m->spans[record].at;
	const size_t data_at = at + AVML_RECORD_HEADER_SIZE;
	size_t end = at + m->spans[record].len, stream_end = data_at;
	uint64_t memory_len = end - data_at + named_len(m, data_at, end);
	uint8_t trailer[TRAILER_LEN];

	if (m->data[at] == 'A') {
		memory_len = 0;
		for (size_t i = record + 1;
			i < m->count && m->spans[i].is_chunk; i++) {
			memory_len += repair_chunk(m, &m->spans[i]);
			stream_end = m->spans[i].at + m->spans[i].len;
		}
		store_le64(trailer, stream_end - data_at);
		replace(m, stream_end, end - stream_end, trailer, TRAILER_LEN);
	}
	store_le64(m->data + at + 16,
		number_at(m, at + 8) + (memory_len ? memory_len : 1) - 1);
}

/* Memory of some kind, and the address where the last record ends. */
static size_t make_memory(struct mutation *m, uint8_t *memory)
{
	const size_t kind = pick(m, 4);
	const size_t len = 1 + (pick(m, 3) ? pick(m, 99) : pick(m, MADE_MAX));

	for (size_t i = 0; i < len; i++)
		memory[i] = (uint8_t)(kind == 0	  ? 0
				      : kind == 1 ? 'x'
				      : kind == 2 ? i / 16
						  : pick(m, 256));
	return len;
}

static size_t make_chunk(struct mutation *m, uint8_t *wire)
{
	static uint8_t memory[MADE_MAX];
	static uint8_t encoded[FRAMING_BODY_MAX + 2 * MADE_MAX];
	struct avml_error err;
	size_t len;

	switch (pick(m, 6)) {
	case 0:
		memcpy(wire, framing_ident, FRAMING_IDENT_LEN);
		return FRAMING_IDENT_LEN;
	case 1:
		len = pick(m, 20);
		memset(wire, 0, FRAMING_HEAD_LEN + len);
		store_le32(wire,
			(uint32_t)len << 8 | (0x80 + (uint32_t)pick(m, 127)));
		return FRAMING_HEAD_LEN + len;
	default:
		framing_encode(memory, make_memory(m, memory), encoded,
			sizeof(encoded), &len, &err);
		memcpy(wire, encoded, len);
		return len;
	}
}

static size_t name_zeros(struct mutation *m, uint8_t *wire)
{
	/* Around what is written at once, and a few pages. */
	static const uint32_t lens[] = { 4096, 65536, 1 << 18, (1 << 24) - 1 };
	const uint32_t len =
		lens[pick(m, 16) ? pick(m, 3) : 3] - 2 + (uint32_t)pick(m, 4);

	memcpy(wire, FUZZ_ZEROS_MARK, FUZZ_ZEROS_MARK_LEN);
	store_le32(wire + FUZZ_ZEROS_MARK_LEN, len < 1 << 24 ? len : 0xffffff);
	return FUZZ_ZEROS_LEN;
}

/* A record without an address, to be repaired once it is in its place. */
static size_t make_record(struct mutation *m, uint8_t *wire)
{
	const bool stream = pick(m, 2);
	struct avml_record_header header = {
		stream ? AVML_RECORD_AVML : AVML_RECORD_LIME,
		{ 4096 * pick(m, 64), 0 },
	};
	size_t len = AVML_RECORD_HEADER_SIZE;

	header.range.end = header.range.start + 1;
	avml_record_header_encode(&header, wire);
	if (!stream && pick(m, 3) == 0)
		len += name_zeros(m, wire + len);
	if (!stream)
		len += make_memory(m, wire + len);
	if (!stream && pick(m, 3) == 0)
		len += name_zeros(m, wire + len);
	if (!stream)
		return len;
	memcpy(wire + len, framing_ident, FRAMING_IDENT_LEN);
	len += FRAMING_IDENT_LEN;
	return len + make_chunk(m, wire + len);
}

static void insert_made(struct mutation *m)
{
	static uint8_t wire[WIRE_MAX];
	const struct span *span =
		m->count ? &m->spans[pick(m, m->count)] : NULL;
	const bool chunk = span && span->is_chunk && pick(m, 2);
	const size_t at = span ? span->at + (chunk ? span->len : 0) : m->size;
	const size_t len = chunk ? make_chunk(m, wire) : make_record(m, wire);

	replace(m, at < FRONT ? FRONT : at, 0, wire, len);
}

/* Take a record or chunk out, or put it once more somewhere else. */
static void move_span(struct mutation *m)
{
	const struct span from = m->spans[pick(m, m->count)];
	const struct span to = m->spans[pick(m, m->count)];
	const size_t how = pick(m, 3);
	uint8_t *copy = malloc(from.len);

	FUZZ_ASSERT(copy);
	memcpy(copy, m->data + from.at, from.len);
	if (how == 0)
		replace(m, from.at, from.len, NULL, 0);
	else if (how == 1)
		replace(m, to.at, 0, copy, from.len);
	else if (to.at >= from.at + from.len || from.at >= to.at + to.len)
		replace(m, to.at, to.len, copy, from.len);
	free(copy);
}

/* Addresses that mean something to what stands before. */
static void change_header(struct mutation *m)
{
	const size_t record = pick(m, m->count);
	const size_t at = m->spans[record].at;
	uint64_t start, last, before = 0;

	if (m->spans[record].is_chunk)
		return;
	start = number_at(m, at + 8);
	last = number_at(m, at + 16);
	for (size_t i = 0; i < record; i++) {
		if (!m->spans[i].is_chunk)
			before = number_at(m, m->spans[i].at + 16) + 1;
	}
	switch (pick(m, 6)) {
	case 0:
	case 1:
		/* Just behind it, or a byte or two off. */
		if (pick(m, 2))
			before += (uint64_t)pick(m, 4) - 1;
		last += before - start;
		start = before;
		break;
	case 2:
		last += (uint64_t)pick(m, 3) - 1;
		break;
	case 3:
		last = start + ((uint64_t)1 << pick(m, 64)) - 1;
		break;
	case 4:
		last += 4096 * pick(m, 8);
		start += 4096 * pick(m, 8);
		break;
	default:
		start = ((uint64_t)pick(m, 16) << pick(m, 60)) & ~4095ull;
		last = start + m->spans[record].len;
	}
	store_le64(m->data + at + 8, start);
	store_le64(m->data + at + 16, last);
}

/* As libFuzzer does it, but within one record or chunk. */
static void change_span(struct mutation *m)
{
	const struct span span = m->spans[pick(m, m->count)];
	const size_t head = span.is_chunk ? FRAMING_HEAD_LEN + FRAMING_CRC_LEN
					  : AVML_RECORD_HEADER_SIZE;
	const bool all = span.len <= head || pick(m, 4) == 0;
	const size_t at = span.at + (all ? 0 : head);
	const size_t len = span.len - (all ? 0 : head);
	const size_t room = span.is_chunk ? len : len + m->max - m->size;
	uint8_t *copy = malloc(room);
	size_t new_len;

	FUZZ_ASSERT(copy);
	memcpy(copy, m->data + at, len);
	new_len = LLVMFuzzerMutate(copy, len, room);
	/* A chunk's length is in its head. */
	replace(m, at, span.is_chunk ? new_len : len, copy, new_len);
	free(copy);
}

size_t LLVMFuzzerCustomMutator(
	uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static struct mutation m;

	m.data = data;
	m.size = size;
	m.max = max_size;
	m.random = seed;
	pick(&m, 1);
	if (size < FRONT || pick(&m, 4) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	map_spans(&m);
	for (size_t turns = 1 + pick(&m, 2); turns > 0; turns--) {
		const size_t how = pick(&m, 8);

		if (m.count == 0 || how == 0)
			insert_made(&m);
		else if (how < 3)
			move_span(&m);
		else if (how == 3)
			change_header(&m);
		else if (how == 4)
			LLVMFuzzerMutate(data, FRONT, FRONT);
		else
			change_span(&m);
		map_spans(&m);
	}
	for (size_t i = 0; i < m.count; i++) {
		if (m.spans[i].is_chunk || pick(&m, 4) == 0)
			continue;
		repair(&m, i);
		map_spans(&m);
	}
	return m.size;
}

/* The front of one image, and the back of the other, both whole records. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1,
	const uint8_t *data2, size_t size2, uint8_t *out, size_t max_out,
	unsigned int seed)
{
	static struct mutation m;
	size_t cut, from;

	m.random = seed;
	/* The maps are only read from here. */
	m.data = (uint8_t *)(uintptr_t)data1;
	m.size = size1;
	map_spans(&m);
	cut = m.count ? m.spans[pick(&m, m.count)].at : size1;
	m.data = (uint8_t *)(uintptr_t)data2;
	m.size = size2;
	map_spans(&m);
	from = m.count ? m.spans[pick(&m, m.count)].at : size2;
	if (cut > max_out)
		cut = max_out;
	memcpy(out, data1, cut);
	if (size2 - from > max_out - cut)
		size2 = from + max_out - cut;
	memcpy(out + cut, data2 + from, size2 - from);
	return cut + size2 - from;
}

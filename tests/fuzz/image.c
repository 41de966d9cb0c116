/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <errno.h>

#include "format/framing.h"

/*
 * Large memory is kept from one input to the next: to get it anew would cost
 * more than all the rest.
 */
static struct fuzz_image *spare;

struct fuzz_image *fuzz_image_new(void)
{
	struct fuzz_image *image = spare ? spare : malloc(sizeof(*image));

	FUZZ_ASSERT(image);
	spare = image == spare ? image->next : spare;
	image->len = 0;
	image->count = 0;
	image->used = 0;
	return image;
}

void fuzz_image_free(struct fuzz_image *image)
{
	image->next = spare;
	spare = image;
}

/* The next extent; what goes on where the last one ends joins it. */
static bool append(struct fuzz_image *image, const uint8_t *bytes, uint64_t len)
{
	struct fuzz_extent *last = &image->extents[image->count];

	if (len == 0)
		return true;
	if (image->count > 0 &&
		(bytes ? last[-1].bytes &&
					last[-1].bytes + last[-1].len == bytes
		       : !last[-1].bytes)) {
		last[-1].len += len;
	} else {
		if (image->count == FUZZ_EXTENTS_MAX)
			return false;
		*last = (struct fuzz_extent){ image->len, len, bytes };
		image->count++;
	}
	image->len += len;
	return true;
}

struct fuzz_image *fuzz_image_over(
	const uint8_t *bytes, size_t len, uint64_t zeros_max)
{
	struct fuzz_image *image = fuzz_image_new();
	const uint8_t *const end = bytes + len, *mark;

	/* Where there may be none, a mark is what it is. */
	while (zeros_max > 0 &&
		(mark = memmem(bytes, (size_t)(end - bytes), FUZZ_ZEROS_MARK,
			 FUZZ_ZEROS_MARK_LEN)) != NULL &&
		image->count < FUZZ_EXTENTS_MAX - 2) {
		struct fuzz_input in = fuzz_begin(mark + FUZZ_ZEROS_MARK_LEN,
			(size_t)(end - mark) - FUZZ_ZEROS_MARK_LEN);
		uint64_t zeros = fuzz_number(&in, 3);

		if (zeros > zeros_max)
			zeros = zeros_max;
		zeros_max -= zeros;
		append(image, bytes, (uint64_t)(mark - bytes));
		append(image, NULL, zeros);
		bytes = in.at;
	}
	append(image, bytes, (uint64_t)(end - bytes));
	return image;
}

void fuzz_image_cut(struct fuzz_image *image, uint64_t len)
{
	FUZZ_ASSERT(len <= image->len);
	while (image->count > 0 && image->extents[image->count - 1].at >= len)
		image->count--;
	if (image->count > 0) {
		struct fuzz_extent *last = &image->extents[image->count - 1];

		last->len = len - last->at;
	}
	image->len = len;
}

bool fuzz_image_equal(const struct fuzz_image *a, const struct fuzz_image *b)
{
	if (a->len != b->len || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct fuzz_extent *x = &a->extents[i];
		const struct fuzz_extent *y = &b->extents[i];

		if (x->len != y->len || !x->bytes != !y->bytes)
			return false;
		if (x->bytes && memcmp(x->bytes, y->bytes, x->len) != 0)
			return false;
	}
	return true;
}

/* The extent that holds the offset, which is within the image. */
static const struct fuzz_extent *find(
	const struct fuzz_image *image, uint64_t offset)
{
	size_t low = 0, high = image->count;

	while (high - low > 1) {
		const size_t mid = low + (high - low) / 2;

		if (image->extents[mid].at <= offset)
			low = mid;
		else
			high = mid;
	}
	return &image->extents[low];
}

static size_t copy(const struct fuzz_image *image, uint64_t offset,
	uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len && offset < image->len) {
		const struct fuzz_extent *e = find(image, offset);
		const uint64_t skip = offset - e->at;
		size_t part = len - done;

		if (part > e->len - skip)
			part = (size_t)(e->len - skip);
		if (e->bytes)
			memcpy(buf + done, e->bytes + skip, part);
		else
			memset(buf + done, 0, part);
		done += part;
		offset += part;
	}
	return done;
}

static ssize_t feed_read(
	void *ctx, void *buf, size_t len, struct avml_error *err)
{
	struct fuzz_feed *feed = ctx;
	size_t n;

	(void)err;
	FUZZ_ASSERT(len > 0);
	/* Zeros at once: there may be very many. */
	if (feed->most > 0 && len > feed->most && feed->at < feed->image->len &&
		find(feed->image, feed->at)->bytes)
		len = feed->most;
	n = copy(feed->image, feed->at, buf, len);
	feed->at += n;
	return (ssize_t)n;
}

static ssize_t feed_peek(void *ctx, void *buf, size_t len, uint64_t offset)
{
	const struct fuzz_feed *feed = ctx;

	return (ssize_t)copy(feed->image, offset, buf, len);
}

void fuzz_feed_init(struct fuzz_feed *feed, const struct fuzz_image *image,
	size_t most, bool peek)
{
	*feed = (struct fuzz_feed){
		.input = { .ctx = feed,
			.read = feed_read,
			.peek = peek ? feed_peek : NULL },
		.image = image,
		.most = most,
	};
}

static int full(struct avml_error *err)
{
	return avml_error_set_errno(err, ENOSPC, "the image");
}

static int sink_write(struct avml_sink *base, const void *buf, size_t len,
	struct avml_error *err)
{
	struct fuzz_image *image = ((struct fuzz_sink *)base)->image;
	uint8_t *to = image->data + image->used;

	if (len > FUZZ_DATA_MAX - image->used || !append(image, to, len))
		return full(err);
	memcpy(to, buf, len);
	image->used += len;
	return 0;
}

static int sink_zeros(
	struct avml_sink *base, uint64_t len, struct avml_error *err)
{
	struct fuzz_sink *sink = (struct fuzz_sink *)base;

	if (len > sink->zeros_left || !append(sink->image, NULL, len))
		return full(err);
	sink->zeros_left -= len;
	return 0;
}

void fuzz_sink_init(struct fuzz_sink *sink, struct fuzz_image *image,
	bool makes_holes, uint64_t zeros_max)
{
	static const struct sink_ops ops = {
		.can_cut = true,
		.write = sink_write,
		.zeros = sink_zeros,
	};
	static char name[] = "the image";

	*sink = (struct fuzz_sink){
		.base = { .ops = &ops,
			.name = name,
			.makes_holes = makes_holes },
		.image = image,
		.zeros_left = zeros_max,
	};
}

void fuzz_memory_add(struct fuzz_memory *memory, uint64_t addr,
	const uint8_t *bytes, size_t len)
{
	if (memory->part)
		memory->part(memory->ctx, addr, bytes, len);
	for (size_t i = 0; i < len && memory->nonzero < memory->limit; i++) {
		if (bytes[i] == 0)
			continue;
		memory->nonzero++;
		memory->hash = (memory->hash ^ (addr + i)) * 0x9e3779b97f4a7c15;
		memory->hash = (memory->hash ^ bytes[i]) * 0xff51afd7ed558ccd;
		memory->hash ^= memory->hash >> 29;
	}
}

/* What stands between this part and the one before, but for what has to. */
static void count_padding(
	struct fuzz_memory *memory, const struct image_part *part)
{
	const bool stream = part->kind == IMAGE_CHUNKS;
	uint64_t offset = memory->offset;

	if (part->range.start == part->record.start)
		offset += AVML_RECORD_HEADER_SIZE +
			  (stream ? (uint64_t)FRAMING_IDENT_LEN : 0);
	memory->padding += part->offset - offset;
	memory->offset = part->offset + part->len;
	if (stream && part->range.end == part->record.end)
		memory->offset += 8; /* trailer */
}

/* One part of an image; the buffers are of the sizes that are promised. */
static int add_part(struct fuzz_memory *memory, const struct image_part *part,
	const uint8_t *buf, uint8_t *out, struct framing_decoder *decoder,
	struct avml_error *err)
{
	const uint64_t len = avml_range_len(part->range);
	size_t at = 0, done = 0;

	FUZZ_ASSERT(part->range.start < part->range.end);
	FUZZ_ASSERT(part->range.start >= part->record.start);
	FUZZ_ASSERT(part->range.end <= part->record.end);
	FUZZ_ASSERT(part->run_end >= part->record.end);
	memory->len += len;
	count_padding(memory, part);
	memory->records += part->range.start == part->record.start;
	if (part->kind == IMAGE_ZEROS)
		return 0;
	FUZZ_ASSERT(len <= IMAGE_PART_MEMORY && part->len <= IMAGE_PART_BYTES);
	if (part->kind == IMAGE_PLAIN) {
		FUZZ_ASSERT(part->len == len);
		fuzz_memory_add(memory, part->range.start, buf, part->len);
		return 0;
	}
	while (at < part->len) {
		struct framing_chunk chunk;
		size_t chunk_len;
		bool zero;
		int ret;

		FUZZ_ASSERT(framing_parse_head(buf + at, &chunk, err) == 0);
		at += FRAMING_HEAD_LEN;
		ret = framing_decode(decoder, &chunk, buf + at, out + done,
			(size_t)len - done, &chunk_len, &zero, err);
		if (ret < 0)
			return ret;
		at += chunk.body_len;
		done += chunk_len;
	}
	FUZZ_ASSERT(at == part->len && done == len);
	/* As a whole: a part that is damaged is none. */
	fuzz_memory_add(memory, part->range.start, out, done);
	return 0;
}

int fuzz_memory_read(struct fuzz_memory *memory, const struct fuzz_image *image,
	bool raw, struct avml_error *err)
{
	const struct image_reader_options options = {
		.raw_size = raw ? image->len : 0,
	};
	struct framing_decoder decoder;
	struct image_part part;
	struct image_loss loss;
	struct fuzz_feed feed;
	struct image_reader *reader;
	static uint8_t *buf, *out;
	int ret;

	if (!buf) {
		buf = malloc(IMAGE_PART_BYTES);
		out = malloc(IMAGE_PART_MEMORY);
	}
	fuzz_feed_init(&feed, image, 0, false);
	reader = image_reader_new(&feed.input, &options);
	FUZZ_ASSERT(reader && buf && out);
	framing_decoder_init(&decoder);
	ret = image_reader_begin(reader, &loss, err);
	while (ret == 0 &&
		(ret = image_reader_next(reader, buf, &part, &loss, err)) > 0) {
		FUZZ_ASSERT(ret == 1);
		ret = add_part(memory, &part, buf, out, &decoder, err);
	}
	for (int i = 0; i < IMAGE_ODD_COUNT; i++)
		memory->oddities[i] =
			image_reader_oddity(reader, (enum image_oddity)i)
				->count;
	image_reader_free(reader);
	return ret;
}

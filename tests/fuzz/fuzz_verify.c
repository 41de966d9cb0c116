/* SPDX-License-Identifier: MIT */
/*
 * Verification and information, of anything: an image has no faults if and
 * only if it reads as one, and both tell of the same memory.
 */
#include "image.h"

#include <errno.h>

#include <avml/info.h>
#include <avml/verify.h>

#include "memory_file.h"

struct told {
	uint64_t size; /* of the image */
	uint64_t faults, notes;
	bool doubtful; /* a strict reading has no such fault */
	uint64_t ranges, memory, records;
	uint64_t cells_memory, cells_zero, cells_stored, cells_bad;
	uint64_t hash; /* of all findings */
};

static void mix(struct told *told, uint64_t number)
{
	told->hash = (told->hash ^ number) * 0x9e3779b97f4a7c15;
}

static void on_finding(void *ctx, const struct avml_verify_finding *f)
{
	struct told *told = ctx;

	FUZZ_ASSERT(f->offset <= f->end);
	FUZZ_ASSERT(f->end <= told->size || f->end == f->offset);
	FUZZ_ASSERT(f->offset <= told->size);
	FUZZ_ASSERT(f->range.start <= f->range.end);
	FUZZ_ASSERT(f->text[0] != '\0');
	if (f->fault)
		told->faults++;
	else
		told->notes++;
	/* A header in memory behind an end; padding that is data by a sum. */
	told->doubtful |= strstr(f->text, "not where the next") ||
			  strstr(f->text, "skippable chunk");
	mix(told, f->offset);
	mix(told, f->end);
	mix(told, f->range.start);
	mix(told, f->range.end);
}

static void on_range(void *ctx, struct avml_range range, uint64_t records)
{
	struct told *told = ctx;

	FUZZ_ASSERT(range.start < range.end);
	told->ranges++;
	told->memory += avml_range_len(range);
	told->records += records;
}

static void on_map(void *ctx, const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes)
{
	struct told *told = ctx;

	FUZZ_ASSERT((cell_bytes & (cell_bytes - 1)) == 0);
	for (size_t i = 0; i < count; i++) {
		FUZZ_ASSERT(cells[i].start % cell_bytes == 0);
		FUZZ_ASSERT(i == 0 || cells[i - 1].start < cells[i].start);
		FUZZ_ASSERT(cells[i].zero_bytes <= cells[i].memory_bytes);
		FUZZ_ASSERT(cells[i].bad_bytes <= cells[i].memory_bytes);
		told->cells_memory += cells[i].memory_bytes;
		told->cells_zero += cells[i].zero_bytes;
		told->cells_stored += cells[i].stored_bytes;
		told->cells_bad += cells[i].bad_bytes;
	}
}

static int verify(const char *path, unsigned int threads, struct told *told,
	struct avml_verify_result *result)
{
	const struct avml_verify_options options = {
		.image = path,
		.threads = threads,
	};
	const struct avml_verify_events events = {
		.ctx = told,
		.finding = on_finding,
	};
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = avml_verify(&options, &events, result, &err);

	FUZZ_ASSERT(ret == 0 || ret == -EINVAL);
	FUZZ_ASSERT(ret < 0 || (result->faults == told->faults &&
				       result->notes == told->notes));
	FUZZ_ASSERT(result->checked_bytes <= result->memory_bytes);
	return ret;
}

/* What it finds is what a strict reading stumbles over, and the reverse. */
static void check_verify(const struct told *told,
	const struct avml_verify_result *result,
	const struct fuzz_image *source, struct fuzz_memory *strict)
{
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = fuzz_memory_read(strict, source, false, &err);
	const uint64_t odd = strict->oddities[IMAGE_ODD_ORDER] +
			     strict->oddities[IMAGE_ODD_MIXED] +
			     strict->oddities[IMAGE_ODD_TRAILER];

	if (told->faults == 0) {
		FUZZ_ASSERT(ret == 0);
		FUZZ_ASSERT(result->memory_bytes == strict->len);
	} else {
		FUZZ_ASSERT(ret < 0 || odd > 0 || told->doubtful);
	}
	if (ret < 0 || odd > 0)
		FUZZ_ASSERT(told->faults > 0);
}

static void check_info(const char *path, bool map,
	const struct avml_verify_result *verified, struct told *told)
{
	const struct avml_info_options options = {
		.image = path,
		.map_cells = map ? 64 : 0,
		.threads = 1,
	};
	const struct avml_info_events events = {
		.ctx = told,
		.range = on_range,
		.map = on_map,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_info info;

	FUZZ_ASSERT(avml_info(&options, &events, &info, &err) == 0);
	FUZZ_ASSERT(info.format == verified->format);
	FUZZ_ASSERT(info.ranges == told->ranges);
	/* Without a map it does not search the memory of v1 for headers. */
	FUZZ_ASSERT(info.records == verified->records ||
		    (!map && verified->faults > 0));
	FUZZ_ASSERT(info.memory_bytes == verified->memory_bytes ||
		    (!map && verified->faults > 0));
	FUZZ_ASSERT(info.memory_bytes == told->memory);
	FUZZ_ASSERT(told->records >= told->ranges);
	/* What was taken for a chunk may have held others, in damage. */
	FUZZ_ASSERT(
		verified->faults > 0 || info.stored_bytes <= info.image_bytes);
	FUZZ_ASSERT(info.trouble_count <= AVML_INFO_TROUBLES_MAX);
	FUZZ_ASSERT(verified->faults > 0 || info.damages == 0);
	if (!map)
		return;
	FUZZ_ASSERT(told->cells_memory == info.memory_bytes);
	FUZZ_ASSERT(told->cells_zero == info.zero_bytes);
	FUZZ_ASSERT(told->cells_stored == info.stored_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_begin(data, size);
	/* As many bytes in front as the other targets that read images. */
	const uint64_t how = fuzz_number(&in, 2);
	struct fuzz_memory strict = FUZZ_MEMORY_ALL;
	struct avml_verify_result result, again_result;
	struct told told, again;
	struct fuzz_image *source;
	char path[64];
	uint8_t *bytes;
	int fd, ret;

	bytes = fuzz_rest(&in);
	told = (struct told){ .size = in.left };
	again = told;
	fd = memory_file(bytes, in.left);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	source = fuzz_image_over(bytes, in.left, 0);
	ret = verify(path, 1, &told, &result);
	if (ret == 0) {
		check_verify(&told, &result, source, &strict);
		check_info(path, how & 1, &result, &(struct told){ .size = 0 });
	} else {
		FUZZ_ASSERT(fuzz_memory_read(&strict, source, false,
				    &(struct avml_error){ .depth = 0 }) < 0);
	}
	if (how & 2) {
		FUZZ_ASSERT(verify(path, 2, &again, &again_result) == ret);
		FUZZ_ASSERT(again.hash == told.hash);
		FUZZ_ASSERT(again.faults == told.faults);
	}
	fuzz_image_free(source);
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include <avml/info.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/json.h"
#include "cmd/map.h"
#include "cmd/print.h"

/* Ranges that are listed: an image of 8 TiB with every other block left out. */
#define RANGES_MAX (1u << 18)
/* Cells to draw from; as many as will ever be shown, and some to join. */
#define MAP_CELLS 16384

struct info_range {
	struct avml_range range;
	uint64_t records;
};

struct info {
	const char *operands[1];
	bool json;
	bool map;
	uint64_t threads;
	struct map_style style;
	struct info_range *ranges;
	size_t range_count, range_cap;
	struct avml_info_cell *cells; /* a copy */
	size_t cell_count;
	uint64_t cell_bytes;
	bool out_of_memory;
};

#define AT(member) offsetof(struct info, member)

static const struct option info_options[] = {
	OPTION_FLAG_AT("json", AT(json), "print JSON"),
	OPTION_FLAG_AT("map", AT(map), "draw physical memory"),
	OPTION_THREADS(AT(threads)),
	{ .name = NULL },
};

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	print_line("note: %s", text);
}

static void on_range(void *ctx, struct avml_range range, uint64_t records)
{
	struct info *info = ctx;

	if (info->range_count == RANGES_MAX)
		return;
	if (info->range_count == info->range_cap) {
		const size_t cap = info->range_cap ? 2 * info->range_cap : 64;
		struct info_range *more =
			realloc(info->ranges, cap * sizeof(*more));

		if (!more) {
			info->out_of_memory = true;
			return;
		}
		info->ranges = more;
		info->range_cap = cap;
	}
	info->ranges[info->range_count++] =
		(struct info_range){ range, records };
}

static void on_map(void *ctx, const struct avml_info_cell *cells, size_t count,
	uint64_t cell_bytes)
{
	struct info *info = ctx;

	info->cells = calloc(count + 1, sizeof(*cells));
	if (!info->cells) {
		info->out_of_memory = true;
		return;
	}
	memcpy(info->cells, cells, count * sizeof(*cells));
	info->cell_count = count;
	info->cell_bytes = cell_bytes;
}

static double ratio_of(const struct avml_info *found)
{
	return (double)found->image_bytes / (double)found->memory_bytes;
}

/* --- JSON ----------------------------------------------------------------- */

static bool add_ranges(cJSON *root, const struct info *info)
{
	cJSON *list = cJSON_AddArrayToObject(root, "range_list");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < info->range_count; i++) {
		const struct info_range *r = &info->ranges[i];
		cJSON *item = json_item(list);

		ok = item && json_number(item, "start", r->range.start) &&
		     json_number(item, "end", r->range.end) &&
		     json_number(item, "records", r->records);
	}
	return ok;
}

static bool add_troubles(cJSON *root, const struct avml_info *found)
{
	cJSON *list = cJSON_AddArrayToObject(root, "readers");
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < found->trouble_count; i++) {
		const struct avml_info_trouble *t = &found->troubles[i];
		cJSON *item = json_item(list);

		ok = item && json_text(item, "reader", t->reader) &&
		     json_text(item, "message", t->text) &&
		     json_number(item, "records", t->records) &&
		     (t->records == 0 ||
			     json_number(item, "first_offset", t->offset));
	}
	return ok;
}

static bool add_damage(cJSON *root, const struct avml_info *found)
{
	cJSON *damage = cJSON_AddObjectToObject(root, "damage");

	return damage && json_number(damage, "places", found->damages) &&
	       (found->damages == 0 ||
		       (json_number(
				damage, "first_offset", found->damage_offset) &&
			       json_text(damage, "message", found->damage)));
}

static bool add_map(cJSON *root, const struct info *info)
{
	cJSON *map = cJSON_AddObjectToObject(root, "map");
	cJSON *list = map ? cJSON_AddArrayToObject(map, "cells") : NULL;
	bool ok = list && json_number(map, "cell_bytes", info->cell_bytes);

	for (size_t i = 0; ok && i < info->cell_count; i++) {
		const struct avml_info_cell *cell = &info->cells[i];
		cJSON *item = json_item(list);

		ok = item && json_number(item, "start", cell->start) &&
		     json_number(item, "memory_bytes", cell->memory_bytes) &&
		     json_number(item, "zero_bytes", cell->zero_bytes) &&
		     json_number(item, "stored_bytes", cell->stored_bytes) &&
		     json_number(item, "damaged_bytes", cell->bad_bytes);
	}
	return ok;
}

static bool add_numbers(cJSON *root, const struct avml_info *found)
{
	return json_number(root, "image_bytes", found->image_bytes) &&
	       (!found->on_disk || json_number(root, "allocated_bytes",
					   found->allocated_bytes)) &&
	       json_number(root, "records", found->records) &&
	       json_number(root, "shortest_record", found->shortest_record) &&
	       json_number(root, "longest_record", found->longest_record) &&
	       json_number(root, "memory_bytes", found->memory_bytes) &&
	       json_number(root, "stored_bytes", found->stored_bytes) &&
	       (found->memory_bytes == 0 ||
		       cJSON_AddNumberToObject(
			       root, "ratio", ratio_of(found))) &&
	       (!found->decoded ||
		       json_number(root, "zero_bytes", found->zero_bytes)) &&
	       json_number(root, "start", found->span.start) &&
	       json_number(root, "end", found->span.end) &&
	       json_number(root, "ranges", found->ranges) &&
	       json_number(root, "holes", found->holes) &&
	       json_number(root, "hole_bytes", found->hole_bytes) &&
	       json_number(root, "left_out_blocks", found->left_out_blocks);
}

static int print_json(const struct info *info, const struct avml_info *found,
	struct avml_error *err)
{
	cJSON *root = cJSON_CreateObject();
	char *text = NULL;

	if (root && json_text(root, "image", info->operands[0]) &&
		json_text(root, "format",
			avml_image_format_name(found->format)) &&
		add_numbers(root, found) && add_troubles(root, found) &&
		add_damage(root, found) && add_ranges(root, info) &&
		(!info->map || add_map(root, info)))
		text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		return avml_error_set_errno(err, ENOMEM, "the output");
	puts(text);
	cJSON_free(text);
	return 0;
}

/* --- text ----------------------------------------------------------------- */

static void print_bytes(const char *name, uint64_t bytes)
{
	char size[MAP_SIZE_MAX];

	printf("%-12s  %" PRIu64 " bytes (%s)\n", name, bytes,
		map_size(bytes, size));
}

static void print_memory(const struct avml_info *found)
{
	printf("%-12s  %" PRIu64, "records", found->records);
	if (found->longest_record > 0)
		printf(", of %" PRIu64 " to %" PRIu64 " bytes of memory",
			found->shortest_record, found->longest_record);
	printf("\n");
	print_bytes("memory", found->memory_bytes);
	if (found->decoded)
		print_bytes("zeros", found->zero_bytes);
	if (found->memory_bytes > 0)
		printf("%-12s  %.3f (image by memory)\n", "ratio",
			ratio_of(found));
	printf("%-12s  %" PRIu64 ", from 0x%" PRIx64 " to 0x%" PRIx64 "\n",
		"ranges", found->ranges, found->span.start, found->span.end);
	printf("%-12s  %" PRIu64 ", %" PRIu64 " bytes\n", "holes", found->holes,
		found->hole_bytes);
	printf("%-12s  %" PRIu64 " blocks of 16 MiB, by the gaps\n", "left out",
		found->left_out_blocks);
}

static void print_troubles(const struct avml_info *found)
{
	for (size_t i = 0; i < found->trouble_count; i++) {
		const struct avml_info_trouble *t = &found->troubles[i];

		printf("%-12s  %s: %s", i == 0 ? "readers" : "", t->reader,
			t->text);
		if (t->records > 0)
			printf(" (%" PRIu64 " records, the first at offset "
			       "%" PRIu64 ")",
				t->records, t->offset);
		printf("\n");
	}
	if (found->trouble_count == 0)
		printf("%-12s  nothing that one would trip over is known\n",
			"readers");
}

static void print_ranges(const struct info *info, const struct avml_info *found)
{
	printf("\n%-18s  %-18s  %16s  %s\n", "start", "end", "bytes",
		"records");
	for (size_t i = 0; i < info->range_count; i++) {
		const struct info_range *r = &info->ranges[i];

		printf("0x%016" PRIx64 "  0x%016" PRIx64 "  %16" PRIu64
		       "  %" PRIu64 "\n",
			r->range.start, r->range.end, avml_range_len(r->range),
			r->records);
	}
	if (found->ranges > info->range_count)
		printf("and %" PRIu64 " more\n",
			found->ranges - info->range_count);
}

static void print_text(const struct info *info, const struct avml_info *found)
{
	char path[PRINT_PATH_MAX];

	print_path(print_source(info->operands[0]), path);
	printf("%-12s  %s\n", "image", path);
	printf("%-12s  %s\n", "format", avml_image_format_name(found->format));
	print_bytes("size", found->image_bytes);
	if (found->on_disk)
		print_bytes("on disk", found->allocated_bytes);
	print_memory(found);
	if (found->damages > 0)
		printf("%-12s  in %" PRIu64
		       " places, the first at offset %" PRIu64 ": %s\n",
			"damage", found->damages, found->damage_offset,
			found->damage);
	print_troubles(found);
	print_ranges(info, found);
	if (info->map) {
		printf("\n");
		map_draw(stdout, info->cells, info->cell_count,
			info->cell_bytes, &info->style);
	}
}

/* --- the command ---------------------------------------------------------- */

static int print_info(struct info *info, const struct avml_info *found,
	struct avml_error *err)
{
	int ret = 0;

	if (info->out_of_memory)
		return avml_error_set_errno(err, ENOMEM, "the output");
	info->style.compressed = found->format == AVML_IMAGE_LIME_COMPRESSED;
	if (info->json)
		ret = print_json(info, found, err);
	else
		print_text(info, found);
	if (fflush(stdout) != 0 || ferror(stdout))
		return avml_error_set(err, EIO, "cannot write to stdout");
	if (ret == 0 && found->damages > 0)
		return avml_error_set(err, EINVAL,
			"%s is damaged in %" PRIu64
			" places or more (avml verify lists them)",
			print_source(info->operands[0]), found->damages);
	return ret;
}

static int show(struct info *info)
{
	const struct avml_info_options options = {
		.image = info->operands[0],
		.map_cells = info->map ? MAP_CELLS : 0,
		.threads = (unsigned int)info->threads,
		.confine = true,
	};
	const struct avml_info_events events = {
		.ctx = info,
		.warning = on_warning,
		.range = on_range,
		.map = on_map,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_info found;
	int ret;

	map_style_of(STDOUT_FILENO, &info->style);
	ret = avml_info(&options, &events, &found, &err);
	if (ret == 0)
		ret = print_info(info, &found, &err);
	free(info->ranges);
	free(info->cells);
	return ret < 0 ? cmd_failed(&err) : STATUS_COMPLETE;
}

static int run(int argc, char **argv)
{
	struct info i = { .json = false };
	struct avml_error err = AVML_ERROR_INIT;
	int ret = option_parse(&cmd_info, argc, argv, &i, i.operands, &err);

	if (ret < 0)
		return cmd_wrong_usage(&cmd_info, &err);
	if (ret != OPTIONS_DONE)
		return cmd_answer(&cmd_info, ret);
	return show(&i);
}

static const char *const info_operands[] = { "IMAGE", NULL };

const struct command cmd_info = {
	.name = "info",
	.synopsis = "IMAGE",
	.summary = "tell what is in an image, and what readers trip over",
	.options = info_options,
	.operands = info_operands,
	.run = run,
};

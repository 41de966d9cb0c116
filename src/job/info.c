/* SPDX-License-Identifier: MIT */
#include <avml/info.h>

#include <stdio.h>

#include "base/sum.h"
#include "job/density.h"
#include "job/inspect.h"

#define PAGE 4096u
/* A map of fewer could not tell the first cell from the last. */
#define CELLS_MIN 64

enum trouble {
	V3_ORDER,
	V3_MIXED,
	V3_EMPTY,
	V3_LONG,
	V2_COMPRESSED,
	V2_MIXED,
	LC_COMPRESSED,
	LC_ORDER,
	LC_START,
	LC_END,
	LC_MIXED,
	TROUBLES
};

static const struct {
	const char *reader, *text;
} troubles[TROUBLES] = {
	[V3_ORDER] = { "Volatility 3",
		"a record overlaps or precedes the one before it: the image is "
		"refused, or memory is not found" },
	[V3_MIXED] = { "Volatility 3",
		"a record is of another format than the first: the image is "
		"refused" },
	[V3_EMPTY] = { "Volatility 3",
		"a record has no data: the image is refused, or it hangs" },
	[V3_LONG] = { "Volatility 3",
		"a record's stream is not shorter than its memory: it hangs" },
	[V2_COMPRESSED] = { "Volatility 2",
		"it does not read lime_compressed" },
	[V2_MIXED] = { "Volatility 2",
		"a record is of another format than the first: what is from "
		"there on is not seen, and that is not said" },
	[LC_COMPRESSED] = { "LeechCore, MemProcFS",
		"they do not read lime_compressed" },
	[LC_ORDER] = { "LeechCore, MemProcFS",
		"a record overlaps or precedes the one before it: the image is "
		"refused" },
	[LC_START] = { "LeechCore, MemProcFS",
		"a record does not begin at a page: the image is refused" },
	[LC_END] = { "LeechCore, MemProcFS",
		"a record does not end with a page: the image is refused" },
	[LC_MIXED] = { "LeechCore, MemProcFS",
		"a record is of another format than the first: the image is "
		"refused" },
};

struct tally {
	const struct avml_info_events *events;
	struct avml_info *info;
	bool mapped;
	struct density density;
	struct {
		uint64_t records, offset;
	} found[TROUBLES];
	bool in_record;
	struct image_part record; /* its first part */
	uint64_t record_memory;	  /* bytes of it so far */
	uint64_t record_end;	  /* in the image, of its last part */
	bool lost; /* something that makes no sense since the last part */
	bool in_run;
	struct avml_range run; /* without a gap so far */
	uint64_t run_records;  /* with memory in it */
};

static void count_trouble(struct tally *t, enum trouble which, uint64_t offset)
{
	if (t->found[which].records++ == 0)
		t->found[which].offset = offset;
}

/* What only the whole of a record tells. */
static void end_record(struct tally *t)
{
	const struct image_part *record = &t->record;
	const uint64_t len = avml_range_len(record->record);
	const uint64_t stream_len =
		t->record_end - record->record_offset - AVML_RECORD_HEADER_SIZE;

	if (!t->in_record)
		return;
	t->in_record = false;
	/* Volatility 3 takes one byte less of the stream than of memory. */
	if (record->kind == IMAGE_CHUNKS && t->record_memory == len &&
		stream_len >= len)
		count_trouble(t, V3_LONG, record->record_offset);
}

static void begin_record(struct tally *t, const struct image_part *part)
{
	struct avml_info *info = t->info;
	const struct avml_range range = part->record;
	const uint64_t len = avml_range_len(range);
	const bool first = info->longest_record == 0;

	end_record(t);
	t->in_record = true;
	t->record = *part;
	t->record_memory = 0;
	if (first || len < info->shortest_record)
		info->shortest_record = len;
	if (len > info->longest_record)
		info->longest_record = len;
	/* LeechCore looks at the address of the last byte. */
	if (range.start % PAGE != 0)
		count_trouble(t, LC_START, part->record_offset);
	if (range.end % PAGE != 0 && range.end % PAGE != 1)
		count_trouble(t, LC_END, part->record_offset);
}

/* The run is over: a gap follows, or the end. */
static void end_run(struct tally *t)
{
	if (!t->in_run)
		return;
	t->in_run = false;
	t->info->ranges++;
	if (t->events->range)
		t->events->range(t->events->ctx, t->run, t->run_records);
	t->run_records = 0;
}

static void tell_gap(struct tally *t, uint64_t gap)
{
	struct avml_info *info = t->info;

	/* Nobody left out what is damaged. */
	if (!t->lost && gap % AVML_BLOCK_SIZE == 0 &&
		avml_range_len(t->run) % AVML_BLOCK_SIZE == 0) {
		info->left_out_blocks += gap / AVML_BLOCK_SIZE;
	} else {
		info->holes++;
		sum_add(&info->hole_bytes, gap);
	}
}

static void add_to_run(struct tally *t, struct avml_range range, bool begins)
{
	struct avml_info *info = t->info;

	if (info->memory_bytes == 0 || range.start < info->span.start)
		info->span.start = range.start;
	if (range.end > info->span.end)
		info->span.end = range.end;
	if (t->in_run && range.start != t->run.end) {
		if (range.start > t->run.end)
			tell_gap(t, range.start - t->run.end);
		end_run(t);
	}
	/* Damage can part a record: then it is in both runs. */
	if (begins || !t->in_run)
		t->run_records++;
	if (!t->in_run)
		t->run.start = range.start;
	t->in_run = true;
	t->run.end = range.end;
}

static void on_part(void *ctx, const struct image_part *part,
	const struct inspect_counts *counts)
{
	struct tally *t = ctx;
	struct avml_info *info = t->info;
	const uint64_t len = avml_range_len(part->range);
	const bool begins =
		!t->in_record || part->record_offset != t->record.record_offset;

	if (begins)
		begin_record(t, part);
	add_to_run(t, part->range, begins);
	t->lost = false;
	t->record_memory += len;
	t->record_end = part->offset + part->len;
	info->memory_bytes += len;
	info->stored_bytes += part->len;
	info->zero_bytes += counts->zero_bytes;
	if (t->mapped)
		density_add(&t->density, part->range,
			&(struct avml_info_cell){
				.memory_bytes = len,
				.zero_bytes = counts->zero_bytes,
				.stored_bytes = part->len,
				.bad_bytes = counts->bad_bytes,
			});
}

static void on_damage(void *ctx, const struct image_loss *damage)
{
	struct tally *t = ctx;
	struct avml_info *info = t->info;

	t->lost = true;
	if (info->damages++ > 0)
		return;
	info->damage_offset = damage->offset;
	snprintf(info->damage, sizeof(info->damage), "%s", damage->reason);
}

static void on_oddity(void *ctx, const struct image_part *part)
{
	struct tally *t = ctx;
	const uint64_t offset = part->record_offset;

	switch (part->oddity) {
	case IMAGE_ODD_ORDER:
		count_trouble(t, V3_ORDER, offset);
		count_trouble(t, LC_ORDER, offset);
		break;
	case IMAGE_ODD_MIXED:
		count_trouble(t, V3_MIXED, offset);
		count_trouble(t, V2_MIXED, offset);
		count_trouble(t, LC_MIXED, offset);
		break;
	case IMAGE_ODD_EMPTY:
		count_trouble(t, V3_EMPTY, offset);
		break;
	case IMAGE_ODD_END:
		on_damage(t,
			&(struct image_loss){
				.offset = offset,
				.reason = "the record's end is not where the "
					  "next one begins",
			});
		break;
	case IMAGE_ODD_RANGE:
		on_damage(t,
			&(struct image_loss){
				.offset = offset,
				.reason = "the record's range is not as long "
					  "as its memory",
			});
		break;
	default:
		break;
	}
}

/* What the readers make of it. */
static void tell_troubles(struct tally *t)
{
	struct avml_info *info = t->info;
	const bool compressed = info->format == AVML_IMAGE_LIME_COMPRESSED;

	for (int i = 0; i < TROUBLES; i++) {
		const bool leech = i == LC_ORDER || i == LC_START ||
				   i == LC_END || i == LC_MIXED;
		bool is = t->found[i].records > 0;

		if (i == V2_COMPRESSED || i == LC_COMPRESSED)
			is = compressed;
		/* What is not read at all needs no further reasons. */
		else if (compressed && (leech || i == V2_MIXED))
			is = false;
		if (!is)
			continue;
		info->troubles[info->trouble_count++] =
			(struct avml_info_trouble){
				.reader = troubles[i].reader,
				.text = troubles[i].text,
				.records = t->found[i].records,
				.offset = t->found[i].offset,
			};
	}
}

static void finish(struct tally *t, const struct inspect_result *found)
{
	struct avml_info *info = t->info;

	end_record(t);
	end_run(t);
	info->format = found->format;
	info->image_bytes = found->image_bytes;
	info->on_disk = found->on_disk;
	info->allocated_bytes = found->allocated_bytes;
	info->records = found->records;
	info->decoded = t->mapped;
	tell_troubles(t);
	if (t->mapped && t->events->map)
		t->events->map(t->events->ctx, t->density.cells,
			t->density.count, UINT64_C(1) << t->density.shift);
}

int avml_info(const struct avml_info_options *options,
	const struct avml_info_events *events, struct avml_info *info,
	struct avml_error *err)
{
	struct tally t = {
		.events = events,
		.info = info,
		.mapped = options->map_cells > 0,
	};
	const struct inspect_options inspect_options = {
		.image = options->image,
		.threads = options->threads,
		.heads = !t.mapped,
		.confine = options->confine,
		.warning = { events->ctx, events->warning },
	};
	const struct inspect_events inspect_events = {
		.ctx = &t,
		.part = on_part,
		.damage = on_damage,
		.oddity = on_oddity,
	};
	struct inspect_result found = { .records = 0 };
	const size_t cells =
		options->map_cells > CELLS_MIN ? options->map_cells : CELLS_MIN;
	int ret = 0;

	*info = (struct avml_info){ .records = 0 };
	if (t.mapped)
		ret = density_init(&t.density, cells, err);
	if (ret == 0)
		ret = inspect(&inspect_options, &inspect_events, &found, err);
	if (ret == 0)
		finish(&t, &found);
	density_release(&t.density);
	return ret;
}

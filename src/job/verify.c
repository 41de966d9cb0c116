/* SPDX-License-Identifier: MIT */
#include <avml/verify.h>

#include "job/inspect.h"

struct verify {
	const struct avml_verify_events *events;
	struct avml_verify_result *result;
};

static const struct {
	bool fault;
	const char *text;
} oddities[IMAGE_ODD_COUNT] = {
	[IMAGE_ODD_EMPTY] = { false, "a record without data, which means zeros "
				     "(AVML 0.17.0 wrote such)" },
	[IMAGE_ODD_TRAILER] = { true,
		"the trailer is not the length of the record's stream" },
	[IMAGE_ODD_UNCOMPRESSED_TRAILER] = { false,
		"the trailer is the length of the record's memory, not of its "
		"stream (a development version of AVML wrote such)" },
	[IMAGE_ODD_ORDER] = { true,
		"the record overlaps or precedes the one before" },
	[IMAGE_ODD_MIXED] = { true,
		"the record is of another format than the first" },
	[IMAGE_ODD_PARTIAL_PAGE] = { false,
		"the record does not end with a page (AVML leaves out the last "
		"byte of every range)" },
	[IMAGE_ODD_END] = { true,
		"the record's end is not where the next one begins" },
	[IMAGE_ODD_RANGE] = { true,
		"the record's range is not as long as its memory: its start or "
		"its end is wrong" },
};

static void tell(struct verify *v, const struct avml_verify_finding *finding)
{
	if (finding->fault)
		v->result->faults++;
	else
		v->result->notes++;
	v->events->finding(v->events->ctx, finding);
}

static void on_damage(void *ctx, const struct image_loss *damage)
{
	tell(ctx, &(struct avml_verify_finding){
			  .fault = true,
			  .offset = damage->offset,
			  .end = damage->end,
			  .range = damage->range,
			  .text = damage->reason,
		  });
}

static void on_oddity(void *ctx, const struct image_part *part)
{
	tell(ctx, &(struct avml_verify_finding){
			  .fault = oddities[part->oddity].fault,
			  .offset = part->offset,
			  .end = part->offset,
			  .range = part->record,
			  .text = oddities[part->oddity].text,
		  });
}

static void on_part(void *ctx, const struct image_part *part,
	const struct inspect_counts *counts)
{
	struct avml_verify_result *result = ((struct verify *)ctx)->result;
	const uint64_t len = avml_range_len(part->range);

	result->memory_bytes += len;
	result->chunks += counts->chunks;
	if (part->kind == IMAGE_CHUNKS)
		result->checked_bytes += len - counts->bad_bytes;
}

int avml_verify(const struct avml_verify_options *options,
	const struct avml_verify_events *events,
	struct avml_verify_result *result, struct avml_error *err)
{
	struct verify v = { .events = events, .result = result };
	const struct inspect_options inspect_options = {
		.image = options->image,
		.threads = options->threads,
		.confine = options->confine,
		.warning = { events->ctx, events->warning },
		.progress = { .ctx = events->ctx, .tell = events->progress },
	};
	const struct inspect_events inspect_events = {
		.ctx = &v,
		.part = on_part,
		.damage = on_damage,
		.oddity = on_oddity,
	};
	struct inspect_result found;
	int ret;

	*result = (struct avml_verify_result){ .faults = 0 };
	ret = inspect(&inspect_options, &inspect_events, &found, err);
	result->format = found.format;
	result->image_bytes = found.image_bytes;
	result->records = found.records;
	return ret;
}

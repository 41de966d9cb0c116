/* SPDX-License-Identifier: MIT */
#include "job/plan.h"

void plan_init(struct plan *plan, const struct avml_range_list *ranges,
	uint64_t block_len, uint64_t piece_len)
{
	*plan = (struct plan){
		.ranges = ranges,
		.block_len = block_len,
		.piece_len = piece_len,
	};
}

bool plan_next(struct plan *plan, struct piece *piece)
{
	while (!avml_range_split(&plan->rest, plan->piece_len, &piece->range)) {
		while (!avml_range_split(
			&plan->range, plan->block_len, &plan->block)) {
			if (plan->next == plan->ranges->count)
				return false;
			plan->range = plan->ranges->items[plan->next++];
		}
		plan->rest = plan->block;
	}
	piece->block = plan->block;
	piece->run_end = plan->range.end;
	return true;
}

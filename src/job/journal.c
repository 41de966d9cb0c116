/* SPDX-License-Identifier: MIT */
#include "job/journal.h"

#include <assert.h>
#include <errno.h>

/* A reader that is slower than that is not one. */
#define PATIENCE_MS 5000

static size_t list_others(const struct journal_options *options,
	struct avml_sink_input inputs[JOURNAL_OTHERS_MAX])
{
	size_t count = 0;

	assert(options->other_count <= JOURNAL_OTHERS_MAX);
	for (size_t i = 0; i < options->other_count; i++) {
		inputs[count].written = true;
		if (avml_sink_input_look(options->others[i], &inputs[count]))
			count++;
	}
	return count;
}

int journal_open(struct journal *journal, const char *path,
	const struct journal_options *options, struct avml_error *err)
{
	struct avml_sink_input others[JOURNAL_OTHERS_MAX];
	const struct avml_sink_options sink_options = {
		.what = "report",
		.no_sparse = true,
		.no_clobber = options->no_clobber,
		.to_the_end = true,
		.patience_ms = PATIENCE_MS,
		.inputs = others,
		.input_count = list_others(options, others),
	};
	int ret;

	*journal = (struct journal){ .path = path, .input.written = true };
	ret = avml_sink_open(path, &sink_options, &journal->sink, err);
	if (ret < 0)
		return ret;
	(void)avml_sink_input_look(path, &journal->input);
	return 0;
}

const struct avml_sink_input *journal_input(const struct journal *journal)
{
	return journal->input.path ? &journal->input : NULL;
}

/* Whole lines stay. */
static void give_up(struct journal *journal)
{
	struct avml_error ignored = AVML_ERROR_INIT;
	struct avml_sink_left left;

	journal->failed = true;
	(void)avml_sink_abort(journal->sink, &left, &ignored);
	avml_sink_free(journal->sink);
	journal->sink = NULL;
}

void journal_line(struct journal *journal, const char *line, size_t len)
{
	if (!journal->sink)
		return;
	if (avml_sink_write(journal->sink, line, len, &journal->err) < 0)
		give_up(journal);
	else
		avml_sink_mark(journal->sink);
}

void journal_fail(struct journal *journal)
{
	if (!journal->sink)
		return;
	avml_error_set_errno(&journal->err, ENOMEM, "a line of it");
	give_up(journal);
}

int journal_close(struct journal *journal, struct avml_error *err)
{
	if (journal->sink && avml_sink_finish(journal->sink, &journal->err) < 0)
		give_up(journal);
	avml_sink_free(journal->sink);
	journal->sink = NULL;
	if (!journal->failed)
		return 0;
	*err = journal->err;
	avml_error_wrap(err, "the report %s is incomplete", journal->path);
	return -err->code;
}

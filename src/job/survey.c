/* SPDX-License-Identifier: MIT */
#include <avml/survey.h>

#include <errno.h>
#include <stdio.h>

#include <avml/page_flags.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "job/ram.h"
#include "source/host.h"

/* As an acquisition does: without RAM, only some sources can be used. */
static void look_at_ram(const char *path, bool given, size_t page_size,
	struct ram *ram, struct avml_survey *survey,
	struct avml_source_config *config)
{
	const int ret =
		ram_read(path, given, page_size, ram, &survey->iomem_error);

	snprintf(survey->iomem_path, sizeof(survey->iomem_path), "%s", path);
	survey->ranges = ram->pages.count;
	survey->ram_bytes = avml_range_list_total(&ram->pages);
	if (survey->iomem_error.depth > 0)
		config->ram_error = avml_error_message(&survey->iomem_error, 0);
	/* A list that is empty: an acquisition would end here. */
	if (ret < 0 || ram->known)
		config->ram = &ram->pages;
}

static void look_at_flags(const char *path, struct avml_survey *survey)
{
	struct avml_page_flags flags;
	struct avml_error ignored;

	survey->kpageflags = avml_page_flags_open(path, &flags, &ignored) == 0;
	if (survey->kpageflags)
		avml_page_flags_release(&flags);
}

int avml_survey(const struct avml_survey_options *options,
	void (*verdict)(void *ctx, const struct avml_source_verdict *verdict),
	void *ctx, struct avml_survey *survey, struct avml_error *err)
{
	CLEANUP(ram_release) struct ram ram = { .known = false };
	CLEANUP_FREE char *iomem_path =
		host_proc_path(options->proc_dir, "iomem");
	CLEANUP_FREE char *flags_path =
		host_proc_path(options->proc_dir, "kpageflags");
	struct avml_source_config config = {
		.proc_dir = options->proc_dir,
		.dev_dir = options->dev_dir,
		.page_size = host_page_size(options->page_size),
		.ram_given = options->iomem != NULL,
	};

	*survey = (struct avml_survey){ .usable = 0 };
	if (!iomem_path || !flags_path)
		return avml_error_set_errno(err, ENOMEM, "paths");
	avml_host_look(options->proc_dir, &survey->host);
	look_at_flags(flags_path, survey);
	look_at_ram(options->iomem ? options->iomem : iomem_path,
		config.ram_given, config.page_size, &ram, survey, &config);
	survey->usable = avml_source_survey(&config, verdict, ctx);
	return cancel_level() > 0 ? cancel_error(err) : 0;
}

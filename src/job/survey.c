/* SPDX-License-Identifier: MIT */
#include <avml/survey.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <avml/iomem.h>
#include <avml/page_flags.h>

#include "base/cleanup.h"
#include "source/host.h"

static void look_at_host(struct avml_survey *survey)
{
	struct utsname name;

	if (uname(&name) == 0)
		snprintf(survey->kernel, sizeof(survey->kernel), "%s",
			name.release);
	if (!host_lockdown(survey->lockdown, sizeof(survey->lockdown)))
		survey->lockdown[0] = '\0';
	survey->root = geteuid() == 0;
	survey->cap_sys_rawio = host_capable(CAP_SYS_RAWIO);
	survey->cap_sys_admin = host_capable(CAP_SYS_ADMIN);
}

static int look_at_ram(size_t page_size, struct avml_survey *survey,
	struct avml_iomem *iomem, const char *path, struct avml_error *err)
{
	snprintf(survey->iomem_path, sizeof(survey->iomem_path), "%s", path);
	if (avml_iomem_read(path, iomem, &survey->iomem_error) < 0)
		return 0;
	if (avml_range_list_align(&iomem->ram, page_size, NULL))
		return avml_error_set_errno(err, ENOMEM, "the table of ranges");
	survey->ranges = iomem->ram.count;
	survey->ram_bytes = avml_range_list_total(&iomem->ram);
	return 0;
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
	const char *proc = options->proc_dir ? options->proc_dir : "/proc";
	CLEANUP(avml_iomem_release) struct avml_iomem iomem = AVML_IOMEM_INIT;
	CLEANUP_FREE char *iomem_path = NULL;
	CLEANUP_FREE char *flags_path = NULL;
	struct avml_source_config config = {
		.proc_dir = options->proc_dir,
		.dev_dir = options->dev_dir,
		.page_size = options->page_size ? options->page_size
						: (size_t)sysconf(_SC_PAGESIZE),
		.ram_given = options->iomem != NULL,
	};
	int ret;

	*survey = (struct avml_survey){ .usable = 0 };
	if (asprintf(&iomem_path, "%s/iomem", proc) < 0)
		iomem_path = NULL;
	if (asprintf(&flags_path, "%s/kpageflags", proc) < 0)
		flags_path = NULL;
	if (!iomem_path || !flags_path)
		return avml_error_set_errno(err, ENOMEM, "%s", proc);
	look_at_host(survey);
	look_at_flags(flags_path, survey);
	ret = look_at_ram(config.page_size, survey, &iomem,
		options->iomem ? options->iomem : iomem_path, err);
	if (ret < 0)
		return ret;
	if (survey->iomem_error.depth > 0)
		config.ram_error = avml_error_message(&survey->iomem_error, 0);
	else
		config.ram = &iomem.ram;
	survey->usable = avml_source_survey(&config, verdict, ctx);
	return 0;
}

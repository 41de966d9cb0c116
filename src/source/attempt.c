/* SPDX-License-Identifier: MIT */
#include "source/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <avml/meminfo.h>

#include "base/cleanup.h"
#include "source/probe.h"

void attempt_release(struct attempt *a)
{
	avml_source_free(a->source);
	free(a->path);
}

static size_t page_size_of(const struct avml_source_config *config)
{
	return config->page_size ? config->page_size
				 : (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Put the filter in front. Where there is none, memory is known to be bad
 * and nobody asked for just this source, it is not used.
 */
static int add_filter(struct attempt *a,
	const struct avml_source_config *config, bool asked_for)
{
	const char *proc = config->proc_dir ? config->proc_dir : "/proc";
	CLEANUP_FREE char *flags_path = NULL;
	CLEANUP_FREE char *meminfo_path = NULL;
	struct avml_error ignored;
	struct avml_meminfo meminfo;
	int ret;

	if (asprintf(&flags_path, "%s/kpageflags", proc) < 0)
		flags_path = NULL;
	if (asprintf(&meminfo_path, "%s/meminfo", proc) < 0)
		meminfo_path = NULL;
	if (!flags_path || !meminfo_path)
		return avml_error_set_errno(&a->err, ENOMEM, "%s", a->path);
	(void)avml_meminfo_read(meminfo_path, &meminfo, &ignored);
	a->source->cautious = meminfo.poisoned > 0 || meminfo.unaccepted > 0;
	ret = avml_page_flags_open(flags_path, &a->source->flags, &ignored);
	if (ret == 0 || !a->source->cautious || asked_for)
		return 0;
	avml_error_set(&a->err, EPERM,
		"%s: %s tells of memory that must not be touched (%s), and "
		"which it is cannot be told: %s",
		a->path, meminfo_path,
		meminfo.poisoned > 0 ? "HardwareCorrupted" : "Unaccepted",
		avml_error_message(&ignored, 0));
	return source_refuse(&a->why, AVML_SOURCE_UNSAFE,
		"--source with its name reads it all the same, at the risk of "
		"the machine",
		-EPERM);
}

/* Open it and put the filter in front. 0 or -errno, and the reason. */
static int open_filtered(struct attempt *a,
	const struct avml_source_config *config, bool asked_for)
{
	const struct source_place place = {
		.path = a->path,
		.page_size = page_size_of(config),
		.copy_allowed = config->dev_dir != NULL,
		.ram = config->ram,
	};
	CLEANUP_FREE char *copy = NULL;
	int ret;

	a->why = (struct source_refusal){ .reason = AVML_SOURCE_OTHER };
	copy = a->path ? strdup(a->path) : NULL;
	if (!copy)
		return avml_error_set_errno(
			&a->err, ENOMEM, "%s", a->ops->name);
	ret = a->ops->open(&place, &a->source, &a->why, &a->err);
	if (ret < 0)
		return ret;
	a->source->ops = a->ops;
	a->source->path = TAKE_PTR(copy);
	a->source->page_size = place.page_size;
	/* The marks of this machine mean nothing to a copy of another. */
	if (a->source->host || (a->source->live && config->proc_dir))
		ret = add_filter(a, config, asked_for);
	if (ret < 0) {
		avml_source_free(a->source);
		a->source = NULL;
	}
	return ret;
}

/* What may be asked of it, in order to see whether it can be read. */
static const struct avml_range_list *ranges_to_probe(
	struct attempt *a, const struct avml_source_config *config)
{
	a->why.reason = AVML_SOURCE_NO_RAM;
	if (!a->source->live && a->source->covers_all && !config->ram_given) {
		avml_error_set(&a->err, EINVAL,
			"%s is a file: say which physical ranges it holds "
			"(--iomem FILE)",
			a->path);
		return NULL;
	}
	if (config->ram)
		return config->ram;
	if (!a->source->covers_all)
		return &a->source->coverage;
	avml_error_set(&a->err, ENODATA,
		"%s: which addresses are RAM is not known%s%s", a->path,
		config->ram_error ? ": " : "",
		config->ram_error ? config->ram_error : "");
	return NULL;
}

static int attempt_probe(
	struct attempt *a, const struct avml_source_config *config)
{
	const struct avml_range_list *ranges = ranges_to_probe(a, config);
	struct probe probe;
	int ret;

	if (!ranges)
		return -a->err.code;
	ret = probe_source(a->source, ranges, &probe, &a->err);
	a->above_low = probe.above_low;
	if (ret == 0)
		return 0;
	if (a->ops == &source_mem && probe.status == EPERM)
		return source_refuse(&a->why, AVML_SOURCE_STRICT_DEVMEM,
			"the kernel was built with CONFIG_STRICT_DEVMEM, which "
			"keeps RAM above 1 MiB from it: use another source",
			ret);
	return source_refuse(&a->why,
		ret == -ENODATA ? AVML_SOURCE_NO_RAM : AVML_SOURCE_UNREADABLE,
		NULL, ret);
}

bool attempt_open(struct attempt *a, const struct avml_source_config *config,
	bool asked_for)
{
	return open_filtered(a, config, asked_for) == 0;
}

bool attempt_source(struct attempt *a, const struct avml_source_config *config,
	bool asked_for)
{
	if (open_filtered(a, config, asked_for) < 0)
		return false;
	if (attempt_probe(a, config) == 0)
		return true;
	avml_source_free(a->source);
	a->source = NULL;
	return false;
}

void attempt_reason(const struct attempt *a, char text[ATTEMPT_REASON_MAX])
{
	const char *message;
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; (message = avml_error_message(&a->err, i));
		i++) {
		const int n = snprintf(text + len, ATTEMPT_REASON_MAX - len,
			"%s%s", i > 0 ? ": " : "", message);

		if (n < 0 || (size_t)n >= ATTEMPT_REASON_MAX - len)
			return;
		len += (size_t)n;
	}
	if (a->why.remedy)
		snprintf(text + len, ATTEMPT_REASON_MAX - len, "; %s",
			a->why.remedy);
}

int attempt_fail(const struct attempt *a, struct avml_error *err)
{
	char text[ATTEMPT_REASON_MAX];

	if (!a->why.remedy) {
		*err = a->err;
		return -err->code;
	}
	attempt_reason(a, text);
	return avml_error_set(err, a->err.code, "%s", text);
}

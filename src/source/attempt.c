/* SPDX-License-Identifier: MIT */
#include "source/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avml/meminfo.h>

#include "base/cleanup.h"
#include "source/host.h"
#include "source/probe.h"

void attempt_release(struct attempt *a)
{
	avml_source_free(a->source);
	free(a->path);
}

static int refuse_unsafe(struct attempt *a, const char *meminfo_path,
	const struct avml_meminfo *meminfo, const char *reason)
{
	avml_error_set(&a->err, EPERM,
		"%s: %s tells of memory that must not be touched (%s), and %s",
		a->path, meminfo_path,
		meminfo->unaccepted > 0 ? "Unaccepted" : "HardwareCorrupted",
		reason);
	return source_refuse(&a->why, AVML_SOURCE_UNSAFE,
		"--source with its name reads it all the same, at the risk of "
		"the machine",
		-EPERM);
}

/*
 * What has no guard but the filter is not for use without one, and already
 * touches memory when it is opened: so this comes before. The marks that were
 * found are those that are used: opened once more, they might not be had.
 */
static int check_last_resort(struct attempt *a,
	const struct source_place *place, struct avml_page_flags *flags)
{
	CLEANUP_FREE char *flags_path =
		host_proc_path(place->proc_dir, "kpageflags");
	CLEANUP_FREE char *meminfo_path =
		host_proc_path(place->proc_dir, "meminfo");
	struct avml_meminfo meminfo;
	struct avml_error why = AVML_ERROR_INIT;
	char text[AVML_ERROR_TEXT];
	int ret = 0;

	if (!flags_path || !meminfo_path)
		return avml_error_set_errno(&a->err, ENOMEM, "%s", a->path);
	if (avml_page_flags_open(flags_path, flags, &why) < 0) {
		avml_error_join(&why, text, sizeof(text));
		avml_error_set(&a->err, EPERM,
			"%s: pages that must not be touched are not known: %s",
			a->path, text);
		ret = source_risk(place, &a->why, &a->err);
	}
	if (ret < 0)
		return ret;
	if (avml_meminfo_read(meminfo_path, &meminfo, &why) < 0) {
		avml_error_join(&why, text, sizeof(text));
		avml_error_set(&a->err, EPERM,
			"%s: whether memory must not be touched is not known: "
			"%s",
			a->path, text);
		return source_risk(place, &a->why, &a->err);
	}
	if (meminfo.unaccepted == 0)
		return 0;
	avml_error_set(&a->err, EPERM,
		"%s: %s tells of memory that must not be touched (Unaccepted), "
		"and kpageflags does not tell which it is",
		a->path, meminfo_path);
	return source_risk(place, &a->why, &a->err);
}

/*
 * Put the filter in front, `opened` or not. Where it cannot do its work, memory
 * is known to be bad and nobody asked for just this source, it is not used.
 */
static int add_filter(struct attempt *a,
	const struct avml_source_config *config, bool asked_for,
	struct avml_page_flags *opened)
{
	CLEANUP_FREE char *flags_path =
		host_proc_path(config->proc_dir, "kpageflags");
	CLEANUP_FREE char *meminfo_path =
		host_proc_path(config->proc_dir, "meminfo");
	struct avml_meminfo meminfo;
	struct avml_error ignored;
	int ret = 0;

	if (!flags_path || !meminfo_path)
		return avml_error_set_errno(&a->err, ENOMEM, "%s", a->path);
	(void)avml_meminfo_read(meminfo_path, &meminfo, &ignored);
	a->source->cautious = meminfo.poisoned > 0 || meminfo.unaccepted > 0;
	a->source->flags = *opened;
	*opened = (struct avml_page_flags)AVML_PAGE_FLAGS_INIT;
	/* Where it is forced without, that has been told. */
	if (!a->ops->last_resort)
		ret = avml_page_flags_open(
			flags_path, &a->source->flags, &ignored);
	if (asked_for || a->ops->last_resort)
		return 0;
	if (ret < 0 && a->source->cautious)
		return refuse_unsafe(a, meminfo_path, &meminfo,
			avml_error_message(&ignored, 0));
	/* No mark tells of it; only kcore keeps away from it by itself. */
	if (meminfo.unaccepted > 0 && !a->ops->guarded)
		return refuse_unsafe(a, meminfo_path, &meminfo,
			"kpageflags does not tell which it is");
	return 0;
}

/* Open it and put the filter in front. 0 or -errno, and the reason. */
static int open_filtered(struct attempt *a,
	const struct avml_source_config *config, bool asked_for)
{
	CLEANUP(avml_page_flags_release)
	struct avml_page_flags flags = AVML_PAGE_FLAGS_INIT;
	const struct source_place place = {
		.path = a->path,
		.page_size = host_page_size(config->page_size),
		.copy_allowed = config->dev_dir != NULL,
		.ram = config->ram,
		.proc_dir = config->proc_dir,
		/* For something else it may have been meant otherwise. */
		.forced = config->force && asked_for,
		.flags = &flags,
		.tell_forced = config->forced,
		.ctx = config->ctx,
	};
	CLEANUP_FREE char *copy = NULL;
	int ret = 0;

	a->why = (struct source_refusal){ .reason = AVML_SOURCE_OTHER };
	copy = a->path ? strdup(a->path) : NULL;
	if (!copy)
		return avml_error_set_errno(
			&a->err, ENOMEM, "%s", a->ops->name);
	if ((place.page_size & (place.page_size - 1)) != 0 ||
		place.page_size < AVML_PAGE_SIZE_MIN ||
		place.page_size > AVML_PAGE_SIZE_MAX)
		return avml_error_set(&a->err, EINVAL,
			"%s: pages of %zu bytes make no sense", a->path,
			place.page_size);
	if (a->ops->check)
		ret = a->ops->check(&place, &a->why, &a->err);
	if (ret == 0 && a->ops->last_resort)
		ret = check_last_resort(a, &place, &flags);
	a->asked_kernel = ret == 0 && a->ops->last_resort;
	if (ret == 0)
		ret = a->ops->open(&place, &a->source, &a->why, &a->err);
	if (ret < 0)
		return ret;
	a->source->ops = a->ops;
	a->source->path = TAKE_PTR(copy);
	a->source->page_size = place.page_size;
	/* The marks of this machine mean nothing to a copy of another. */
	if (a->source->host || (a->source->live && config->proc_dir &&
				       !host_is_procfs(config->proc_dir)))
		ret = add_filter(a, config, asked_for, &flags);
	if (ret < 0) {
		avml_source_free(a->source);
		a->source = NULL;
	}
	return ret;
}

/* The ranges of this machine are of no use to a copy of another. */
static bool is_without_ram(
	const struct attempt *a, const struct avml_source_config *config)
{
	if (a->source->host || config->ram_given)
		return false;
	return !a->source->live || !config->proc_dir ||
	       host_is_procfs(config->proc_dir);
}

/* What may be asked of it, in order to see whether it can be read. */
static const struct avml_range_list *ranges_to_probe(
	struct attempt *a, const struct avml_source_config *config)
{
	a->why.reason = AVML_SOURCE_NO_RAM;
	if (is_without_ram(a, config)) {
		avml_error_set(&a->err, EINVAL,
			"%s is a file: say which physical ranges it holds "
			"(--iomem FILE)",
			a->path);
		return NULL;
	}
	if (config->ram && (config->ram->count > 0 || !config->ram_error))
		return config->ram;
	if (!config->ram && !a->source->covers_all)
		return &a->source->coverage;
	a->why.remedy = "root with CAP_SYS_ADMIN can read iomem; --iomem names "
			"another one";
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
	const char *remedy = a->why.remedy ? a->why.remedy : "";
	const char *semicolon = a->why.remedy ? "; " : "";
	const size_t room =
		ATTEMPT_REASON_MAX - strlen(remedy) - strlen(semicolon);
	const size_t len = avml_error_join(&a->err, text, room);

	snprintf(text + len, ATTEMPT_REASON_MAX - len, "%s%s", semicolon,
		remedy);
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

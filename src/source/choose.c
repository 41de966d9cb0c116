/* SPDX-License-Identifier: MIT */
/* Which sources there are, which of them work, and which is read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "source/attempt.h"
#include "source/fallback.h"
#include "source/host.h"

/* The known sources, in the order in which they are tried. */
static const struct source_ops *const known[] = {
	&source_crash,
	&source_kcore,
	&source_mem,
	&source_bpf,
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))
_Static_assert(KNOWN_COUNT <= FALLBACK_MAX, "all may be in one list");

static bool is_of_proc(const struct source_ops *ops)
{
	return strncmp(ops->usual_path, "/proc/", 6) == 0;
}

/* A known source, at its usual path or where its tree is mounted instead. */
static char *path_of(
	const struct source_ops *ops, const struct avml_source_config *config)
{
	const char *dir = is_of_proc(ops) ? config->proc_dir : config->dev_dir;
	const char *name = strrchr(ops->usual_path, '/');
	char *path;

	if (!dir || !name)
		return strdup(ops->usual_path);
	return asprintf(&path, "%s%s", dir, name) < 0 ? NULL : path;
}

/*
 * A proc that is a copy tells of another machine, or another time: this
 * machine's devices do not go with it.
 */
static bool is_ours(const struct avml_source_config *config)
{
	return !config->proc_dir || host_is_procfs(config->proc_dir);
}

static bool is_asked_for(
	const struct source_ops *ops, const struct avml_source_config *config)
{
	/* A dev that was named may hold copies; a proc that is one does not. */
	if (ops->last_resort)
		return is_ours(config) &&
		       (config->proc_dir || !config->dev_dir);
	return ops == &source_file || is_of_proc(ops) || config->dev_dir ||
	       is_ours(config);
}

static bool is_called(const struct source_ops *ops, const char *what)
{
	return strcmp(what, ops->name) == 0 ||
	       strcmp(what, ops->usual_path) == 0;
}

/* What a path stands for: another place of a known source, or a mere file. */
static const struct source_ops *ops_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct stat st;

	if (slash && strcmp(name, source_kcore.name) == 0)
		return &source_kcore;
	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
		return &source_file;
	if (st.st_rdev == makedev(1, 1))
		return &source_mem;
	return strcmp(name, source_crash.name) == 0 ? &source_crash
						    : &source_file;
}

static const struct source_ops *find(
	const char *what, const struct avml_source_config *config, char **path)
{
	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		if (is_called(known[i], what)) {
			*path = path_of(known[i], config);
			return known[i];
		}
	}
	*path = strdup(what);
	return ops_of_path(what);
}

/* The error of several: each with its reason, in the order of the table. */
static int fail_all(
	const struct attempt *attempts, size_t count, struct avml_error *err)
{
	/* That there is no such file says least. */
	int code = ENOENT;
	char text[ATTEMPT_REASON_MAX];

	for (size_t i = 0; i < count; i++) {
		if (attempts[i].err.code != ENOENT && code == ENOENT)
			code = attempts[i].err.code;
	}
	for (size_t i = count; i-- > 0;) {
		attempt_reason(&attempts[i], text);
		if (i == count - 1)
			avml_error_set(err, code, "%s", text);
		else
			avml_error_wrap(err, "%s", text);
	}
	return avml_error_wrap(err, "no source of memory works");
}

typedef void verdict_fn(void *ctx, const struct avml_source_verdict *verdict);

static void tell(
	const struct attempt *a, bool primary, verdict_fn *verdict, void *ctx)
{
	const struct avml_source_verdict v = {
		.name = a->ops->name,
		.path = a->path ? a->path : a->ops->usual_path,
		.reason = a->source ? AVML_SOURCE_USABLE : a->why.reason,
		.primary = primary,
		.changes_kernel = a->source && a->ops->last_resort,
		.asked_kernel = a->asked_kernel,
		.remedy = a->source ? NULL : a->why.remedy,
		.err = a->source ? NULL : &a->err,
	};

	if (verdict)
		verdict(ctx, &v);
}

/* --- choosing ------------------------------------------------------------- */

typedef bool attempt_fn(struct attempt *a,
	const struct avml_source_config *config, bool asked_for);

static void attempts_release(struct attempt *attempts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		attempt_release(&attempts[i]);
}

/* Copies and this machine's own memory do not fill in for each other. */
static bool goes_with(struct attempt *a, const struct attempt *primary)
{
	if (!primary || a->source->host == primary->source->host)
		return true;
	avml_error_set(&a->err, EXDEV,
		"%s is %s, but %s, which is read, is not", a->path,
		a->source->host ? "this machine's memory" : "a copy",
		primary->path);
	a->why = (struct source_refusal){ .reason = AVML_SOURCE_OTHER };
	avml_source_free(TAKE_PTR(a->source));
	return false;
}

/* Nothing is put into a kernel whose memory can be had without. */
static bool is_needed(struct attempt *a, const struct attempt *primary)
{
	if (!primary || !a->ops->last_resort)
		return true;
	avml_error_set(&a->err, ECANCELED,
		"%s is used only where no other source works, since it puts a "
		"program into the kernel",
		a->ops->name);
	return source_refuse(&a->why, AVML_SOURCE_UNNEEDED,
		"--source with its name reads it instead", false);
}

/* All that are asked for; the count of those that were tried. */
static size_t try_all(struct attempt attempts[KNOWN_COUNT],
	const struct avml_source_config *config, verdict_fn *verdict, void *ctx)
{
	const struct attempt *primary = NULL;
	size_t count = 0;

	for (size_t i = 0; i < KNOWN_COUNT; i++) {
		struct attempt *a = &attempts[count];

		if (!is_asked_for(known[i], config) || cancel_level() > 0)
			continue;
		*a = (struct attempt){ .ops = known[i] };
		a->path = path_of(known[i], config);
		if (is_needed(a, primary) && attempt_source(a, config, false) &&
			goes_with(a, primary) && !primary)
			primary = a;
		tell(a, a == primary, verdict, ctx);
		count++;
	}
	return count;
}

/* Those that work, as one. */
static int unite(struct attempt *attempts, size_t count,
	struct avml_source **source, struct avml_error *err)
{
	struct avml_source *members[KNOWN_COUNT];
	bool fills_low[KNOWN_COUNT];
	size_t usable = 0;

	for (size_t i = 0; i < count; i++) {
		if (!attempts[i].source)
			continue;
		/* Only where it has shown not to be strict. */
		fills_low[usable] =
			attempts[i].ops != &source_mem || attempts[i].above_low;
		members[usable++] = TAKE_PTR(attempts[i].source);
	}
	if (usable == 0)
		return count == 1 ? attempt_fail(&attempts[0], err)
				  : fail_all(attempts, count, err);
	if (usable > 1)
		return fallback_new(members, fills_low, usable, source, err);
	*source = members[0];
	return 0;
}

/* By its name: of a dev, the last resort has no need. */
static int check_named(const struct attempt *a,
	const struct avml_source_config *config, struct avml_error *err)
{
	if (a->ops->last_resort ? is_ours(config)
				: is_asked_for(a->ops, config))
		return 0;
	return avml_error_set(err, EXDEV,
		"%s is this machine's, and %s is no mounted proc but a copy%s",
		a->path ? a->path : a->ops->usual_path, config->proc_dir,
		a->ops->last_resort
			? ""
			: ": name the dev that goes with it (--dev)");
}

static int take_one(const char *what, const struct avml_source_config *config,
	attempt_fn *attempt, verdict_fn *verdict, void *ctx,
	struct avml_source **source, struct avml_error *err)
{
	struct attempt a = { .path = NULL };
	int ret = 0;

	a.ops = find(what, config, &a.path);
	if (a.ops != &source_file && is_called(a.ops, what))
		ret = check_named(&a, config, err);
	if (ret == 0 && attempt(&a, config, true)) {
		tell(&a, true, verdict, ctx);
		*source = TAKE_PTR(a.source);
	} else if (ret == 0) {
		tell(&a, false, verdict, ctx);
		ret = attempt_fail(&a, err);
	}
	attempt_release(&a);
	return ret;
}

int avml_source_choose(const char *what,
	const struct avml_source_config *config, verdict_fn *verdict, void *ctx,
	struct avml_source **source, struct avml_error *err)
{
	struct attempt attempts[KNOWN_COUNT];
	size_t count;
	int ret;

	*source = NULL;
	if (what)
		return take_one(what, config, attempt_source, verdict, ctx,
			source, err);
	count = try_all(attempts, config, verdict, ctx);
	if (cancel_level() > 0)
		ret = cancel_error(err);
	else
		ret = unite(attempts, count, source, err);
	attempts_release(attempts, count);
	return ret;
}

size_t avml_source_survey(
	const struct avml_source_config *config, verdict_fn *verdict, void *ctx)
{
	struct attempt attempts[KNOWN_COUNT];
	const size_t count = try_all(attempts, config, verdict, ctx);
	size_t usable = 0;

	for (size_t i = 0; i < count; i++)
		usable += attempts[i].source != NULL;
	attempts_release(attempts, count);
	return usable;
}

int avml_source_open(const char *what, const struct avml_source_config *config,
	struct avml_source **source, struct avml_error *err)
{
	*source = NULL;
	return take_one(what, config, attempt_open, NULL, NULL, source, err);
}

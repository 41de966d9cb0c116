/* SPDX-License-Identifier: MIT */
#include "pipeline/threads.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avml/pipeline.h>

#include "base/cleanup.h"
#include "base/io.h"

#define DEFAULT_MAX 4
#define TEXT_MAX (64u << 10)

/* Whole CPUs in a quota of `quota` per `period`; 0: no limit told. */
static unsigned int quota_cpus(long long quota, long long period)
{
	long long cpus;

	if (quota <= 0 || period <= 0)
		return 0;
	cpus = quota / period + (quota % period != 0);
	return cpus > DEFAULT_MAX ? DEFAULT_MAX : (unsigned int)cpus;
}

static unsigned int smaller(unsigned int a, unsigned int b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

/* "QUOTA PERIOD" or "max PERIOD" (cgroup v2). */
static unsigned int read_cpu_max(const char *dir)
{
	CLEANUP_FREE char *text = NULL;
	long long quota, period;
	struct avml_error err;
	char path[4352];
	size_t len;

	snprintf(path, sizeof(path), "%s/cpu.max", dir);
	if (io_read_system_text(path, TEXT_MAX, &text, &len, &err) < 0 ||
		sscanf(text, "%lld %lld", &quota, &period) != 2)
		return 0;
	return quota_cpus(quota, period);
}

static long long read_number(const char *dir, const char *name)
{
	CLEANUP_FREE char *text = NULL;
	struct avml_error err;
	char path[4352];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (io_read_system_text(path, TEXT_MAX, &text, &len, &err) < 0)
		return 0;
	return strtoll(text, NULL, 10);
}

/* The same in two files (cgroup v1). */
static unsigned int read_cfs_quota(const char *dir)
{
	return quota_cpus(read_number(dir, "cpu.cfs_quota_us"),
		read_number(dir, "cpu.cfs_period_us"));
}

/* The least of a cgroup's limit and all limits above it. */
static unsigned int limit_upwards(const char *root, const char *group,
	unsigned int (*read_one)(const char *))
{
	char dir[4096];
	size_t root_len = strlen(root);
	unsigned int limit = 0;

	if (snprintf(dir, sizeof(dir), "%s%s", root, group) >= (int)sizeof(dir))
		return 0;
	for (;;) {
		char *slash;

		limit = smaller(limit, read_one(dir));
		slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < root_len)
			return limit;
		*slash = '\0';
	}
}

static bool has_word(const char *list, const char *word)
{
	const size_t len = strlen(word);

	while (*list) {
		const size_t item = strcspn(list, ",");

		if (item == len && memcmp(list, word, len) == 0)
			return true;
		list += item + (list[item] == ',');
	}
	return false;
}

/* Lines of /proc/self/cgroup: "ID:CONTROLLERS:PATH"; v2 has no names. */
unsigned int threads_cgroup_limit(const char *cgroup_file, const char *root)
{
	CLEANUP_FREE char *text = NULL;
	unsigned int limit = 0;
	struct avml_error err;
	char *save = NULL;
	char v1_root[256];
	size_t len;

	if (io_read_system_text(cgroup_file, TEXT_MAX, &text, &len, &err) < 0)
		return 0;
	snprintf(v1_root, sizeof(v1_root), "%s/cpu", root);
	for (char *line = strtok_r(text, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (names[1] == '\0')
			limit = smaller(
				limit, limit_upwards(root, path, read_cpu_max));
		else if (has_word(names + 1, "cpu"))
			limit = smaller(limit,
				limit_upwards(v1_root, path, read_cfs_quota));
	}
	return limit;
}

unsigned int avml_pipeline_threads(unsigned int wanted)
{
	cpu_set_t set;
	unsigned int cpus = 1;

	if (wanted > AVML_PIPELINE_THREADS_MAX)
		return AVML_PIPELINE_THREADS_MAX;
	if (wanted > 0)
		return wanted;
	/* Fails where there are more CPUs than the set has bits for. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = (unsigned int)CPU_COUNT(&set);
	else
		cpus = DEFAULT_MAX;
	if (cpus > DEFAULT_MAX)
		cpus = DEFAULT_MAX;
	return smaller(cpus,
		threads_cgroup_limit("/proc/self/cgroup", "/sys/fs/cgroup"));
}

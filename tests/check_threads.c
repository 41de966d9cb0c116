/* SPDX-License-Identifier: MIT */
/* How many CPUs a control group allows, from made-up trees. */
#include "check_paths.h"

#include <sched.h>

#include <avml/pipeline.h>

#include "pipeline/threads.h"

#define FILES_MAX 4

/* A tree below `root`, and what /proc/self/cgroup says. */
static const struct {
	const char *name;
	const char *cgroup; /* NULL: no such file */
	struct {
		const char *path, *text;
	} files[FILES_MAX];
	unsigned int cpus;
} trees[] = {
	{ "no cgroup file", NULL, { { 0 } }, 0 },
	{ "an empty cgroup file", "", { { 0 } }, 0 },
	{ "no limit file", "0::/a\n", { { 0 } }, 0 },
	{ "v2: max", "0::/a\n", { { "a/cpu.max", "max 100000\n" } }, 0 },
	{ "v2: two CPUs", "0::/a\n", { { "a/cpu.max", "200000 100000\n" } },
		2 },
	{ "v2: a part is rounded up", "0::/a\n",
		{ { "a/cpu.max", "200001 100000\n" } }, 3 },
	{ "v2: less than one CPU", "0::/a\n",
		{ { "a/cpu.max", "1000 100000\n" } }, 1 },
	{ "v2: another period", "0::/a\n", { { "a/cpu.max", "60000 20000\n" } },
		3 },
	{ "v2: at most four", "0::/a\n",
		{ { "a/cpu.max", "6400000 100000\n" } }, 4 },
	{ "v2: the group of the root", "0::/\n",
		{ { "cpu.max", "300000 100000\n" } }, 3 },
	{ "v2: the parent's is less", "0::/a/b\n",
		{ { "a/b/cpu.max", "300000 100000\n" },
			{ "a/cpu.max", "100000 100000\n" } },
		1 },
	{ "v2: the parent's is more", "0::/a/b\n",
		{ { "a/b/cpu.max", "200000 100000\n" },
			{ "a/cpu.max", "400000 100000\n" } },
		2 },
	{ "v2: only a forefather has one", "0::/a/b/c\n",
		{ { "a/b/c/cpu.max", "max 100000\n" },
			{ "a/cpu.max", "200000 100000\n" } },
		2 },
	{ "v2: the root's is less", "0::/a\n",
		{ { "a/cpu.max", "300000 100000\n" },
			{ "cpu.max", "100000 100000\n" } },
		1 },
	{ "v2: a brother's does not count", "0::/a/b\n",
		{ { "a/c/cpu.max", "100000 100000\n" },
			{ "a/b/cpu.max", "300000 100000\n" } },
		3 },
	{ "v2: nothing above the root counts", "0::/a\n",
		{ { "a/cpu.max", "300000 100000\n" },
			{ "../cpu.max", "100000 100000\n" } },
		3 },
	{ "v1: two and a half CPUs", "3:cpu,cpuacct:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "250000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" } },
		3 },
	{ "v1: cpu need not be named first", "3:cpuacct,cpu:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "200000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" } },
		2 },
	{ "v1: no quota", "3:cpu:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "-1\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" } },
		0 },
	{ "v1: no period", "3:cpu:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "100000\n" } }, 0 },
	{ "v1: the parent's is less", "3:cpu:/a/b\n",
		{ { "cpu/a/b/cpu.cfs_quota_us", "300000\n" },
			{ "cpu/a/b/cpu.cfs_period_us", "100000\n" },
			{ "cpu/a/cpu.cfs_quota_us", "100000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" } },
		1 },
	{ "v1: nothing above cpu counts", "3:cpu:/\n",
		{ { "cpu.cfs_quota_us", "100000\n" },
			{ "cpu.cfs_period_us", "100000\n" } },
		0 },
	{ "v1: another controller", "3:cpuset,cpuacct:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "100000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" },
			{ "a/cpu.max", "100000 100000\n" } },
		0 },
	{ "both: v1's is less", "4:cpu,cpuacct:/a\n1:name=systemd:/a\n0::/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "100000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" },
			{ "a/cpu.max", "300000 100000\n" } },
		1 },
	{ "both: v2's is less", "4:cpu,cpuacct:/a\n0::/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "300000\n" },
			{ "cpu/a/cpu.cfs_period_us", "100000\n" },
			{ "a/cpu.max", "100000 100000\n" } },
		1 },
	{ "lines that are none", "0\n0:\nx\n\n::\n0::/a",
		{ { "a/cpu.max", "200000 100000" } }, 2 },
	{ "v2: an empty limit", "0::/a\n", { { "a/cpu.max", "" } }, 0 },
	{ "v2: no number", "0::/a\n", { { "a/cpu.max", "many 100000\n" } }, 0 },
	{ "v2: one number", "0::/a\n", { { "a/cpu.max", "100000\n" } }, 0 },
	{ "v2: a quota of 0", "0::/a\n", { { "a/cpu.max", "0 100000\n" } }, 0 },
	{ "v2: a negative quota", "0::/a\n", { { "a/cpu.max", "-1 100000\n" } },
		0 },
	{ "v2: a period of 0", "0::/a\n", { { "a/cpu.max", "100000 0\n" } },
		0 },
	{ "v2: a huge quota", "0::/a\n",
		{ { "a/cpu.max", "9223372036854775807 100000\n" } }, 4 },
	{ "v1: a huge quota", "3:cpu:/a\n",
		{ { "cpu/a/cpu.cfs_quota_us", "9223372036854775807\n" },
			{ "cpu/a/cpu.cfs_period_us",
				"9223372036854775807\n" } },
		1 },
};

/* Every folder on the way; most of them are there already. */
static void make_parents(const char *path)
{
	for (const char *at = path; (at = strchr(at + 1, '/')) != NULL;) {
		const char *dir = test_text("%.*s", (int)(at - path), path);

		ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
	}
}

START_TEST(threads_cgroup_tree_gives_limit)
{
	const char *const top = test_text("%s", test_dir());
	const char *const cgroup = test_text("%s/cgroup", top);
	const char *const root = test_text("%s/root", top);
	unsigned int cpus;

	ck_assert_int_eq(mkdir(root, 0700), 0);
	if (trees[_i].cgroup)
		test_make_file(
			cgroup, trees[_i].cgroup, strlen(trees[_i].cgroup));
	for (size_t i = 0; i < FILES_MAX && trees[_i].files[i].path; i++) {
		const char *text = trees[_i].files[i].text;
		const char *path =
			test_text("%s/%s", root, trees[_i].files[i].path);

		make_parents(path);
		test_make_file(path, text, strlen(text));
	}
	cpus = threads_cgroup_limit(cgroup, root);
	ck_assert_msg(cpus == trees[_i].cpus, "%s: %u CPUs, not %u",
		trees[_i].name, cpus, trees[_i].cpus);
}
END_TEST

START_TEST(threads_overlong_group_is_no_limit)
{
	char text[8192];

	memset(text, 'a', sizeof(text));
	memcpy(text, "0::/", 4);
	text[sizeof(text) - 1] = '\n';
	ck_assert_uint_eq(
		threads_cgroup_limit(
			test_file("cgroup", text, sizeof(text)), test_dir()),
		0);
}
END_TEST

START_TEST(threads_default_follows_affinity)
{
	const unsigned int usual = avml_pipeline_threads(0);
	cpu_set_t one;

	ck_assert_uint_ge(usual, 1);
	ck_assert_uint_le(usual, 4);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_uint_eq(avml_pipeline_threads(0), 1);
}
END_TEST

static Suite *threads_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *tc = tcase_create("threads");

	tcase_add_loop_test(
		tc, threads_cgroup_tree_gives_limit, 0, TEST_COUNT(trees));
	tcase_add_test(tc, threads_overlong_group_is_no_limit);
	tcase_add_test(tc, threads_default_follows_affinity);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(threads_suite)

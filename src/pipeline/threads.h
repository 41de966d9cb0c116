/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_THREADS_H
#define PIPELINE_THREADS_H

/*
 * The CPU quota of the cgroups that `cgroup_file` (in the form of
 * /proc/self/cgroup) names, below `root` (usually /sys/fs/cgroup), in
 * whole CPUs rounded up, at most 4; 0 when there is none.
 */
unsigned int threads_cgroup_limit(const char *cgroup_file, const char *root);

#endif

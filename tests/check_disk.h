/* SPDX-License-Identifier: MIT */
/*
 * A made-up file system: statvfs() and statfs() are this program's own, so
 * that the numbers are known.
 */
#ifndef CHECK_DISK_H
#define CHECK_DISK_H

#include "check_paths.h"
#include "check_wrap.h"

#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define MIB ((uint64_t)1 << 20)
#define FRAGMENT 1024u

/* In MiB; `failure` is an errno value, 0 for none. */
static struct {
	uint64_t size, free, available;
	int failure;
	long type;		   /* of the file system */
	long open_type;		   /* of what is open; 0: the same */
	bool real;		   /* statfs() is the system's */
	size_t looks;		   /* for room */
	const char *taken_by;	   /* the file whose bytes take room */
	char asked[TEST_PATH_MAX]; /* the path that was looked at last */
} disk = { .size = 100, .free = 50, .available = 40, .type = 0xef53 };

static int disk_fill(struct statvfs *fs)
{
	struct stat st;

	disk.looks++;
	if (disk.failure) {
		errno = disk.failure;
		return -1;
	}
	memset(fs, 0, sizeof(*fs));
	/* Counts are in fragments; f_bsize is only a hint for reading. */
	fs->f_bsize = 8 * FRAGMENT;
	fs->f_frsize = FRAGMENT;
	fs->f_blocks = disk.size * MIB / FRAGMENT;
	fs->f_bfree = disk.free * MIB / FRAGMENT;
	fs->f_bavail = disk.available * MIB / FRAGMENT;
	if (disk.taken_by && stat(disk.taken_by, &st) == 0)
		fs->f_bavail -= (fsblkcnt_t)st.st_size / FRAGMENT;
	return 0;
}

int WRAP64(statvfs)(const char *path, struct statvfs *fs)
{
	snprintf(disk.asked, sizeof(disk.asked), "%s", path);
	return disk_fill(fs);
}

int WRAP64(fstatvfs)(int fd, struct statvfs *fs)
{
	snprintf(disk.asked, sizeof(disk.asked), "%d", fd);
	return disk_fill(fs);
}

static int disk_fill_type(long type, struct statfs *fs)
{
	if (disk.failure) {
		errno = disk.failure;
		return -1;
	}
	memset(fs, 0, sizeof(*fs));
	/* Of what type this is, the C libraries do not agree. */
	fs->f_type = (__typeof__(fs->f_type))type;
	return 0;
}

/* No path is on a proc: what is said to be one lets this host's dev in. */
int WRAP64(statfs)(const char *path, struct statfs *fs)
{
	if (disk.real)
		return REAL64(statfs)(path, fs);
	ck_assert_int_ne(disk.type, PROC_SUPER_MAGIC);
	snprintf(disk.asked, sizeof(disk.asked), "%s", path);
	return disk_fill_type(disk.type, fs);
}

int WRAP64(fstatfs)(int fd, struct statfs *fs)
{
	snprintf(disk.asked, sizeof(disk.asked), "%d", fd);
	return disk_fill_type(disk.open_type ? disk.open_type : disk.type, fs);
}

#endif

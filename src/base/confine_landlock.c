/* SPDX-License-Identifier: MIT */
/*
 * Landlock, by the numbers of Linux: libcs have no functions for it, and old
 * kernels' headers do not know it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/confine_parts.h"
#include "base/io.h"

/* The same on every processor. */
#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION 1u
#define LANDLOCK_BENEATH 1

/* include/uapi/linux/landlock.h of Linux: rights to files, by their bits. */
#define FS_WRITE_FILE (1u << 1)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_REG (1u << 8)
#define FS_TRUNCATE (1u << 14)

struct landlock_ruleset {
	uint64_t fs;	 /* rights that are taken away */
	uint64_t net;	 /* from version 4 on */
	uint64_t scoped; /* from version 6 on */
};

struct landlock_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* What a version of Landlock can take away: everything. */
static const struct {
	struct landlock_ruleset ruleset;
	size_t size;
} landlock_versions[] = {
	{ { 0x1fff, 0, 0 }, 8 },
	{ { 0x3fff, 0, 0 }, 8 },  /* files from one directory to another */
	{ { 0x7fff, 0, 0 }, 8 },  /* truncating */
	{ { 0x7fff, 3, 0 }, 16 }, /* TCP */
	{ { 0xffff, 3, 0 }, 16 }, /* ioctl() of devices */
	{ { 0xffff, 3, 3 }, 24 }, /* abstract sockets, signals */
};

/* The directory that `path` lies in, opened to name it. */
static int open_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	/* With the slash: "/" stays what it is. */
	const size_t len = slash ? (size_t)(slash - path) + 1 : 1;
	char dir[PATH_MAX];

	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, slash ? path : ".", len);
	dir[len] = '\0';
	return io_open(dir, O_PATH | O_DIRECTORY, 0);
}

/* Files in the directory of `path` are made, written and removed. */
static int allow_directory(int ruleset, uint64_t known, const char *path)
{
	CLEANUP_CLOSE int dir = open_directory_of(path);
	const struct landlock_beneath beneath = {
		(FS_MAKE_REG | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_FILE) &
			known,
		dir,
	};

	if (dir < 0)
		return dir;
	return syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_BENEATH, &beneath,
		       0) == 0
		       ? 0
		       : -errno;
}

int confine_landlock(const char *path)
{
	const size_t known =
		sizeof(landlock_versions) / sizeof(landlock_versions[0]);
	const long version = syscall(
		LANDLOCK_CREATE_RULESET, NULL, (size_t)0, LANDLOCK_VERSION);
	CLEANUP_CLOSE int ruleset = -1;
	size_t i;
	int ret = 0;

	if (version < 1)
		return version < 0 ? -errno : -ENOSYS;
	i = (size_t)version < known ? (size_t)version - 1 : known - 1;
	ruleset = (int)syscall(LANDLOCK_CREATE_RULESET,
		&landlock_versions[i].ruleset, landlock_versions[i].size, 0);
	if (ruleset < 0)
		return -errno;
	if (path)
		ret = allow_directory(
			ruleset, landlock_versions[i].ruleset.fs, path);
	if (ret < 0)
		return ret;
	return syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0 ? 0 : -errno;
}

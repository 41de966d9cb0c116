/* SPDX-License-Identifier: MIT */
#include "job/disk_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <avml/meminfo.h>
#include <avml/sink.h>

#include "base/cleanup.h"

#define MIB (1u << 20)
/* Headers and rounding, for each range; AVML's figure. */
#define RANGE_OVERHEAD (100u << 10)
/* No memory but zeros compresses better: 64 KiB to 3 KiB and a bit. */
#define BEST_RATIO 22

struct disk {
	uint64_t size, used, available; /* bytes */
	uint64_t old;			/* taken by what the image replaces */
};

uint64_t disk_estimate(const struct avml_range_list *ranges)
{
	const uint64_t memory = avml_range_list_total(ranges);
	uint64_t estimate;

	if (__builtin_add_overflow(memory,
		    ranges->count * (uint64_t)RANGE_OVERHEAD, &estimate))
		return UINT64_MAX;
	return estimate;
}

uint64_t disk_least(uint64_t memory, const char *meminfo_path)
{
	struct avml_meminfo meminfo;
	struct avml_error ignored;
	uint64_t zeros;

	if (avml_meminfo_read(meminfo_path, &meminfo, &ignored) < 0 ||
		__builtin_add_overflow(meminfo.free, meminfo.free_huge, &zeros))
		return 0;
	if (meminfo.total < memory)
		memory = meminfo.total; /* the rest is ballooned, or unused */
	return zeros < memory ? (memory - zeros) / BEST_RATIO : 0;
}

/* The directory that a path lies in, as text of its own. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/")
			     : strndup(path, (size_t)(slash - path));
}

/* What a destination's disk is asked for by. */
struct place {
	int fd;		  /* of an open file, or -1: */
	const char *path; /* of the file, or of the directory it will be in */
	char *dir;	  /* to be freed */
	uint64_t old;	  /* bytes that the file takes, and will not any more */
};

static void place_release(struct place *place)
{
	free(place->dir);
}

/* 0, -ENOTSUP when there is no disk behind it, or -errno. */
static int find_place(const char *destination, struct place *place)
{
	struct stat st;

	*place = (struct place){
		.fd = avml_sink_descriptor(destination),
		.path = destination,
	};
	if (place->fd >= 0) {
		if (fstat(place->fd, &st) < 0)
			return -errno;
	} else if (lstat(destination, &st) == 0) {
		/* Under another name it stays. */
		place->old = st.st_nlink > 1 ? 0 : (uint64_t)st.st_blocks * 512;
	} else {
		place->path = place->dir = directory_of(destination);
		return place->dir ? 0 : -ENOMEM;
	}
	return S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
}

/* As find_place(). */
static int look(const char *destination, struct disk *disk)
{
	CLEANUP(place_release) struct place place;
	struct statvfs fs;
	int ret = find_place(destination, &place);

	*disk = (struct disk){ .old = 0 };
	if (ret < 0)
		return ret;
	/* A signal is no failure of theirs. */
	do
		ret = place.fd < 0 ? statvfs(place.path, &fs)
				   : fstatvfs(place.fd, &fs);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	*disk = (struct disk){
		.size = (uint64_t)fs.f_blocks * fs.f_frsize,
		.available = (uint64_t)fs.f_bavail * fs.f_frsize,
		.old = place.old,
	};
	disk->used = disk->size - (uint64_t)fs.f_bfree * fs.f_frsize;
	if (disk->old > disk->used)
		disk->old = disk->used;
	return 0;
}

/* As look(), for a percentage, and with words for what goes wrong. */
static int look_at_disk(
	const char *destination, struct disk *disk, struct avml_error *err)
{
	int ret = look(destination, disk);

	if (ret == -ENOTSUP)
		return avml_error_set(err, ENOTSUP,
			"%s is no regular file: a percentage of its disk "
			"means nothing",
			destination);
	if (ret == 0 && disk->size == 0)
		ret = -ENODATA;
	if (ret < 0)
		return avml_error_set_errno(err, -ret,
			"cannot tell how full the disk of %s is", destination);
	return 0;
}

static int check_percentage(const char *destination, uint64_t estimate,
	double max, struct avml_error *err)
{
	struct disk disk;
	double percentage;
	int ret = look_at_disk(destination, &disk, err);

	if (ret < 0)
		return ret;
	percentage = ((double)(disk.used - disk.old) + (double)estimate) *
		     100.0 / (double)disk.size;
	if (percentage > max)
		return avml_error_set(err, EDQUOT,
			"%s would fill its disk to %.2f %%, above the limit "
			"of %.2f %%: the image may take %" PRIu64
			" MiB, %" PRIu64 " of %" PRIu64 " MiB are in use",
			destination, percentage, max, estimate / MIB,
			(disk.used - disk.old) / MIB, disk.size / MIB);
	return 0;
}

int disk_limit_bytes(const char *destination, const struct disk_limit *limit,
	uint64_t *max, struct avml_error *err)
{
	struct disk disk;
	double room;
	int ret;

	*max = UINT64_MAX;
	if (limit->max_mib > 0 && limit->max_mib <= UINT64_MAX / MIB)
		*max = limit->max_mib * MIB;
	if (limit->max_percentage <= 0)
		return 0;
	ret = look_at_disk(destination, &disk, err);
	if (ret < 0)
		return ret;
	room = (double)disk.size * limit->max_percentage / 100.0 -
	       (double)(disk.used - disk.old);
	if (room < 1)
		return avml_error_set(err, EDQUOT,
			"the disk of %s is filled to the limit of %.2f %% "
			"already",
			destination, limit->max_percentage);
	if (room < (double)*max)
		*max = (uint64_t)room;
	return 0;
}

int disk_limit_check(const char *destination, uint64_t estimate,
	const struct disk_limit *limit, struct avml_error *err)
{
	/* estimate > max_mib MiB, without an overflow */
	if (limit->max_mib > 0 && estimate > 0 &&
		(estimate - 1) / MIB >= limit->max_mib)
		return avml_error_set(err, EDQUOT,
			"%s may take %" PRIu64
			" bytes, above the limit of %" PRIu64 " MiB",
			destination, estimate, limit->max_mib);
	if (limit->max_percentage > 0)
		return check_percentage(
			destination, estimate, limit->max_percentage, err);
	return 0;
}

bool disk_free(const char *destination, uint64_t *bytes)
{
	struct disk disk;

	if (look(destination, &disk) < 0)
		return false;
	*bytes = disk.available + disk.old;
	return true;
}

bool disk_is_memory(const char *destination)
{
	CLEANUP(place_release) struct place place;
	struct statfs fs;

	if (find_place(destination, &place) < 0 ||
		(place.fd < 0 ? statfs(place.path, &fs)
			      : fstatfs(place.fd, &fs)) < 0)
		return false;
	return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
}

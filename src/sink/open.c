/* SPDX-License-Identifier: MIT */
/* Which kind of sink a destination asks for, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "sink/sink_ops.h"

/* Character devices, by the kernel's admin-guide/devices.txt. */
#define MEM_MAJOR 1
#define MEM_NULL 3
#define MEM_ZERO 5
#define MEM_FULL 7
#define TAPE_MAJOR 9

int avml_sink_descriptor(const char *destination)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };

	if (strcmp(destination, "-") == 0 ||
		strcmp(destination, "/dev/stdout") == 0)
		return STDOUT_FILENO;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const size_t len = strlen(dirs[i]);
		const char *number = destination + len;

		if (strncmp(destination, dirs[i], len) == 0 &&
			number[0] != '\0' && strlen(number) <= 6 &&
			strspn(number, "0123456789") == strlen(number))
			return atoi(number);
	}
	return -1;
}

/* A device that holds an image, or does no harm with it. */
static bool is_good_device(dev_t dev)
{
	if (major(dev) == TAPE_MAJOR)
		return true;
	return major(dev) == MEM_MAJOR &&
	       (minor(dev) == MEM_NULL || minor(dev) == MEM_ZERO ||
		       minor(dev) == MEM_FULL);
}

static int check_kind(const struct sink_target *target, const struct stat *st,
	struct avml_error *err)
{
	const char *path = target->path;

	if (S_ISDIR(st->st_mode))
		return avml_error_set(err, EISDIR,
			"%s is a directory, not a place for an image", path);
	if (isatty(target->fd))
		return avml_error_set(err, EINVAL,
			"%s is a terminal: memory is not written there", path);
	if (S_ISBLK(st->st_mode))
		return avml_error_set(err, EINVAL,
			"%s is a disk: what is on it would be lost", path);
	if (S_ISCHR(st->st_mode) && !is_good_device(st->st_rdev))
		return avml_error_set(err, EINVAL,
			"%s is a device, not a place for an image", path);
	return 0;
}

static int check_inputs(const struct sink_target *target,
	const struct avml_sink_options *options, const struct stat *st,
	struct avml_error *err)
{
	for (size_t i = 0; i < options->input_count; i++) {
		const struct avml_sink_input *input = &options->inputs[i];

		if (input->dev == st->st_dev && input->ino == st->st_ino &&
			!S_ISCHR(st->st_mode))
			return avml_error_set(err, EINVAL,
				"%s is the same file as %s, which is read: it "
				"would be overwritten",
				target->path, input->path);
	}
	return 0;
}

/* Descriptors may be anything: a file only if it ends where we begin. */
static int open_descriptor(struct sink_target *target, int number,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err)
{
	struct stat st;
	off_t at;
	int flags, ret;

	target->fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	if (target->fd < 0)
		return avml_error_set_errno(err, errno,
			"cannot use descriptor %d as %s", number, target->path);
	flags = fcntl(target->fd, F_GETFL);
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		ret = avml_error_set(err, EBADF,
			"%s: descriptor %d is not open for writing",
			target->path, number);
	else if (fstat(target->fd, &st) < 0)
		ret = avml_error_set_errno(err, errno, "%s", target->path);
	else if (S_ISBLK(st.st_mode))
		ret = 0; /* the shell opened it: it was meant */
	else
		ret = check_kind(target, &st, err);
	if (ret == 0)
		ret = check_inputs(target, options, &st, err);
	if (ret < 0) {
		close(target->fd);
		return ret;
	}
	at = lseek(target->fd, 0, SEEK_CUR);
	if (!S_ISREG(st.st_mode) || (flags & O_APPEND) || at < 0 ||
		at != st.st_size)
		return sink_stream_new(target, sink, err);
	target->base = (uint64_t)at;
	return sink_file_new(target, !options->no_sparse, sink, err);
}

/* Create the file, or open what is there without changing it yet. */
static int open_or_create(
	struct sink_target *target, bool no_clobber, struct avml_error *err)
{
	const char *path = target->path;
	const int flags = O_WRONLY | O_NOFOLLOW | O_NOCTTY;

	target->fd = io_open(path, flags | O_CREAT | O_EXCL, 0600);
	if (target->fd >= 0) {
		target->created = true;
		return 0;
	}
	if (target->fd != -EEXIST)
		return avml_error_set_errno(
			err, -target->fd, "cannot create %s", path);
	if (no_clobber)
		return avml_error_set_errno(
			err, EEXIST, "cannot create %s", path);
	target->fd = io_open(path, flags, 0);
	if (target->fd == -ELOOP)
		return avml_error_set(err, ELOOP,
			"%s is a symbolic link, which is not followed: name "
			"the file itself",
			path);
	if (target->fd < 0)
		return avml_error_set_errno(
			err, -target->fd, "cannot open %s", path);
	return 0;
}

static int open_path(struct sink_target *target,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err)
{
	struct stat st;
	int ret = open_or_create(target, options->no_clobber, err);

	if (ret < 0)
		return ret;
	if (fstat(target->fd, &st) < 0)
		ret = avml_error_set_errno(err, errno, "%s", target->path);
	if (ret == 0)
		ret = check_kind(target, &st, err);
	if (ret == 0)
		ret = check_inputs(target, options, &st, err);
	/* Best effort: a file system without modes is no reason to fail. */
	if (ret == 0 && S_ISREG(st.st_mode) && !target->created)
		(void)fchmod(target->fd, 0600);
	if (ret == 0 && S_ISREG(st.st_mode) && ftruncate(target->fd, 0) < 0)
		ret = avml_error_set_errno(
			err, errno, "cannot empty %s", target->path);
	if (ret < 0) {
		close(target->fd);
		if (target->created)
			unlink(target->path);
		return ret;
	}
	if (!S_ISREG(st.st_mode))
		return sink_stream_new(target, sink, err);
	return sink_file_new(target, !options->no_sparse, sink, err);
}

int avml_sink_open(const char *destination,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err)
{
	struct sink_target target = { .path = destination, .fd = -1 };
	const int number = avml_sink_descriptor(destination);

	if (number >= 0)
		return open_descriptor(&target, number, options, sink, err);
	return open_path(&target, options, sink, err);
}

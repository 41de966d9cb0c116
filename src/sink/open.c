/* SPDX-License-Identifier: MIT */
/* Which kind of sink a destination asks for, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "sink/hasher.h"
#include "sink/sink_ops.h"

/* Character devices, by the kernel's admin-guide/devices.txt. */
#define MEM_MAJOR 1
#define MEM_NULL 3
#define MEM_ZERO 5
#define MEM_FULL 7
#define TAPE_MAJOR 9
#define TTY_MAJOR 4
#define TTYAUX_MAJOR 5
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143

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

bool avml_sink_input_look(const char *path, struct avml_sink_input *input)
{
	const int number = avml_sink_descriptor(path);
	struct stat st;

	if ((number >= 0 ? fstat(number, &st) : stat(path, &st)) < 0)
		return false;
	input->path = path;
	input->dev = st.st_dev;
	input->ino = st.st_ino;
	return true;
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

static bool is_tty(const struct stat *st)
{
	const unsigned int type = major(st->st_rdev);

	return S_ISCHR(st->st_mode) &&
	       (type == TTY_MAJOR || type == TTYAUX_MAJOR ||
		       (type >= PTS_MAJOR_FIRST && type <= PTS_MAJOR_LAST));
}

static const char *what(const struct avml_sink_options *options)
{
	return options->what ? options->what : "image";
}

static int check_kind(const char *path, const struct avml_sink_options *options,
	const struct stat *st, struct avml_error *err)
{
	if (S_ISDIR(st->st_mode))
		return avml_error_set(err, EISDIR,
			"%s is a directory, not a place for the %s", path,
			what(options));
	if (is_tty(st) && !options->what)
		return avml_error_set(err, EINVAL,
			"%s is a terminal: memory is not written there", path);
	if (S_ISBLK(st->st_mode))
		return avml_error_set(err, EINVAL,
			"%s is a disk: what is on it would be lost", path);
	if (S_ISCHR(st->st_mode) && !is_tty(st) && !is_good_device(st->st_rdev))
		return avml_error_set(err, EINVAL,
			"%s is a device, not a place for the %s", path,
			what(options));
	return 0;
}

static int check_inputs(const char *path,
	const struct avml_sink_options *options, const struct stat *st,
	struct avml_error *err)
{
	struct stat messages;

	/* To devices both may go: /dev/null keeps nothing of either. */
	if (!S_ISCHR(st->st_mode) && fstat(STDERR_FILENO, &messages) == 0 &&
		messages.st_dev == st->st_dev && messages.st_ino == st->st_ino)
		return avml_error_set(err, EINVAL,
			"messages go to the same place as %s and would spoil "
			"the %s: send them elsewhere (2>FILE)",
			path, what(options));
	for (size_t i = 0; i < options->input_count; i++) {
		const struct avml_sink_input *input = &options->inputs[i];

		if (input->dev == st->st_dev && input->ino == st->st_ino &&
			!S_ISCHR(st->st_mode))
			return avml_error_set(err, EINVAL,
				input->written
					? "%s is the same file as %s: each "
					  "would overwrite the other"
					: "%s is the same file as %s, which "
					  "is read: it would be overwritten",
				path, input->path);
	}
	return 0;
}

/* Descriptors may be anything: a file only if it ends where we begin. */
static int open_descriptor(struct sink_target *target, int number,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err)
{
	struct stat st = { .st_mode = 0 };
	off_t at;
	int flags, ret;

	target->fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	if (target->fd < 0)
		return avml_error_set_errno(err, errno,
			"cannot use descriptor %d as %s", number, target->path);
	flags = fcntl(target->fd, F_GETFL);
	/* O_PATH neither reads nor writes; musl has it in O_ACCMODE. */
	if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY)
		ret = avml_error_set(err, EBADF,
			"%s: descriptor %d is not open for writing",
			target->path, number);
	else if (fstat(target->fd, &st) < 0)
		ret = avml_error_set_errno(err, errno, "%s", target->path);
	else if (S_ISBLK(st.st_mode))
		ret = 0; /* the shell opened it: it was meant */
	else
		ret = check_kind(target->path, options, &st, err);
	if (ret == 0)
		ret = check_inputs(target->path, options, &st, err);
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

/*
 * Whether an old file is to make way for a new one, instead of being
 * emptied: others may have it open, own it or know it by another name, and
 * would get the memory.
 */
static bool must_replace(const struct stat *st)
{
	return S_ISREG(st->st_mode) &&
	       (st->st_uid != geteuid() || st->st_nlink > 1);
}

/*
 * Put a new file in the place of an old one: made under another name first,
 * so that the old one stays if that fails.
 */
static int replace_old(struct sink_target *target, struct avml_error *err)
{
	const int create = O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CREAT | O_EXCL;
	CLEANUP_FREE char *name = NULL;

	if (asprintf(&name, "%s.avml-%ld", target->path, (long)getpid()) < 0) {
		name = NULL;
		return avml_error_set_errno(err, ENOMEM, "%s", target->path);
	}
	target->fd = io_open(name, create, 0600);
	if (target->fd < 0)
		return avml_error_set_errno(
			err, -target->fd, "cannot create %s", name);
	if (rename(name, target->path) < 0) {
		const int ret = avml_error_set_errno(
			err, errno, "cannot replace %s", target->path);
		unlink(name);
		close(target->fd);
		return ret;
	}
	target->created = true;
	return 0;
}

/* Open what is there; it has been looked at, and `st` is what was seen. */
static int open_old(struct sink_target *target, const struct stat *seen,
	struct avml_error *err)
{
	/* With O_CREAT the kernel's protected_regular and _fifos apply. */
	const int flags = O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CREAT;
	struct stat st;

	target->fd = io_open(target->path, flags, 0600);
	if (target->fd < 0)
		return avml_error_set_errno(
			err, -target->fd, "cannot open %s", target->path);
	if (fstat(target->fd, &st) == 0 && st.st_dev == seen->st_dev &&
		st.st_ino == seen->st_ino)
		return 0;
	close(target->fd);
	return avml_error_set(err, EBUSY,
		"%s was replaced while it was being opened", target->path);
}

/*
 * Create the file, or open what is there without changing it. What has to
 * be judged is judged before it is opened: to open some devices is to use
 * them.
 */
static int open_or_create(struct sink_target *target,
	const struct avml_sink_options *options, struct avml_error *err)
{
	const char *path = target->path;
	const int create = O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CREAT | O_EXCL;
	struct stat st;
	int ret;

	target->fd = io_open(path, create, 0600);
	if (target->fd == -EEXIST && !options->no_clobber &&
		lstat(path, &st) == 0) {
		if (S_ISLNK(st.st_mode))
			return avml_error_set(err, ELOOP,
				"%s is a symbolic link, which is not "
				"followed: name the file itself",
				path);
		ret = check_kind(path, options, &st, err);
		if (ret == 0)
			ret = check_inputs(path, options, &st, err);
		if (ret < 0)
			return ret;
		return must_replace(&st) ? replace_old(target, err)
					 : open_old(target, &st, err);
	}
	if (target->fd < 0)
		return avml_error_set_errno(
			err, -target->fd, "cannot create %s", path);
	target->created = true;
	return 0;
}

static int open_path(struct sink_target *target,
	const struct avml_sink_options *options, struct avml_sink **sink,
	struct avml_error *err)
{
	struct stat st;
	int ret = open_or_create(target, options, err);

	if (ret < 0)
		return ret;
	if (fstat(target->fd, &st) < 0)
		ret = avml_error_set_errno(err, errno, "%s", target->path);
	/* A FIFO may have kept us waiting. */
	if (ret == 0 && cancel_level() > (options->to_the_end ? 1 : 0))
		ret = cancel_error(err);
	if (ret == 0 && S_ISREG(st.st_mode) && !target->created) {
		/* A file system without modes is no reason to fail. */
		(void)fchmod(target->fd, 0600);
		ret = io_truncate(target->fd, 0);
		if (ret < 0)
			avml_error_set_errno(
				err, -ret, "cannot empty %s", target->path);
	}
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
	struct avml_error ignored;
	int ret;

	if (options->remote)
		ret = sink_remote_new(options, sink, err);
	else if (number >= 0)
		ret = open_descriptor(&target, number, options, sink, err);
	else
		ret = open_path(&target, options, sink, err);
	if (ret < 0)
		return ret;
	(*sink)->max_bytes = options->max_bytes;
	if (__builtin_mul_overflow(
		    options->min_free_mib, 1u << 20, &(*sink)->min_free))
		(*sink)->min_free = UINT64_MAX;
	if (options->to_the_end && (*sink)->ops->can_cut)
		(*sink)->stop_level = SINK_STOP_NEVER;
	(*sink)->patience_ms = options->patience_ms;
	/* Without it, what is written is worth as much. */
	if (options->digest)
		(*sink)->hasher = hasher_new(!options->digest_inline, &ignored);
	return 0;
}

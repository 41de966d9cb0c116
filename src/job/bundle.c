/* SPDX-License-Identifier: MIT */
#include <avml/bundle.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "job/bundle_copy.h"
#include "job/bundle_items.h"
#include "source/host.h"

struct avml_bundle {
	char *directory; /* without slashes at its end */
	int fd;		 /* of it */
	bool created;
	char *dirs[BUNDLE_DIRS];
	char *release;
	void *buf; /* of BUNDLE_PIECE */
};

/* --- the directory -------------------------------------------------------- */

/* With a slash at its end, a symbolic link would be followed. */
static void cut_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

static int open_directory(struct avml_bundle *b, struct avml_error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	struct stat st;

	b->created = mkdir(b->directory, 0700) == 0;
	if (!b->created && errno != EEXIST)
		return avml_error_set_errno(err, errno,
			"cannot make the directory %s", b->directory);
	b->fd = io_open(b->directory, flags, 0);
	if (b->fd >= 0)
		return 0;
	if (lstat(b->directory, &st) == 0 && S_ISLNK(st.st_mode))
		return avml_error_set(err, ELOOP,
			"%s is a symbolic link, which is not followed",
			b->directory);
	return avml_error_set_errno(err, -b->fd,
		"cannot use %s as a directory for the bundle", b->directory);
}

/* 1, 0, or -errno. */
static int is_empty(int fd)
{
	const int own = io_openat(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	int ret;

	if (own < 0)
		return own;
	if (!dir) {
		ret = -errno;
		close(own);
		return ret;
	}
	do {
		errno = 0;
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): DIR is ours alone */
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 ||
				  strcmp(entry->d_name, "..") == 0));
	ret = entry ? 0 : errno ? -errno : 1;
	closedir(dir);
	return ret;
}

/* What an earlier run left must not be taken for what this one found. */
static int remove_old(const struct avml_bundle *b, struct avml_error *err)
{
	for (size_t i = 0; i < AVML_BUNDLE_FILES; i++) {
		const char *name = bundle_items[i].name;

		if (unlinkat(b->fd, name, 0) < 0 && errno != ENOENT)
			return avml_error_set_errno(err, errno,
				"cannot remove %s/%s", b->directory, name);
	}
	return 0;
}

static int check_directory(
	const struct avml_bundle *b, bool force, struct avml_error *err)
{
	int ret;

	/* A disk that is mounted to be read only, for one. */
	if (access(b->directory, W_OK | X_OK) < 0)
		return avml_error_set_errno(
			err, errno, "cannot write to %s", b->directory);
	ret = is_empty(b->fd);
	if (ret < 0)
		return avml_error_set_errno(
			err, -ret, "cannot list %s", b->directory);
	if (ret == 0 && !force)
		return avml_error_set(err, EEXIST,
			"%s is not empty, and may hold another bundle (--force "
			"replaces it)",
			b->directory);
	return ret == 0 ? remove_old(b, err) : 0;
}

/* --- the host ------------------------------------------------------------- */

/* One that cannot be known leaves things out, and ends nothing. */
static char *find_release(const struct avml_bundle_options *o)
{
	CLEANUP_FREE char *path =
		host_proc_path(o->proc_dir, "sys/kernel/osrelease");
	struct avml_error ignored;
	struct utsname name;
	char *text = NULL;
	size_t len;

	if (o->release)
		return strdup(o->release);
	if (path && io_read_system_text(path, 4096, &text, &len, &ignored) == 0)
		text[strcspn(text, "\n")] = '\0';
	else if (!o->proc_dir && uname(&name) == 0)
		text = strdup(name.release);
	return text;
}

static int set_host(struct avml_bundle *b, const struct avml_bundle_options *o,
	struct avml_error *err)
{
	const char *root = o->root_dir ? o->root_dir : "/";
	int n = 0;

	b->dirs[BUNDLE_ROOT] = strdup(root);
	b->dirs[BUNDLE_PROC] = strdup(o->proc_dir ? o->proc_dir : "/proc");
	if (o->sys_dir)
		b->dirs[BUNDLE_SYS] = strdup(o->sys_dir);
	else
		n = asprintf(&b->dirs[BUNDLE_SYS], "%s%ssys", root,
			strcmp(root, "/") == 0 ? "" : "/");
	if (n < 0)
		b->dirs[BUNDLE_SYS] = NULL;
	b->buf = malloc(BUNDLE_PIECE);
	for (size_t i = 0; i < BUNDLE_DIRS; i++) {
		if (!b->dirs[i] || !b->buf)
			return avml_error_set_errno(
				err, ENOMEM, "%s", b->directory);
	}
	b->release = find_release(o);
	if (b->release && !bundle_release_is_good(b->release)) {
		free(b->release);
		b->release = NULL;
	}
	return 0;
}

int avml_bundle_open(const struct avml_bundle_options *options,
	struct avml_bundle **bundle, struct avml_error *err)
{
	struct avml_bundle *b = calloc(1, sizeof(*b));
	int ret;

	avml_error_init(err);
	if (b) {
		b->fd = -1;
		b->directory = strdup(options->directory);
	}
	if (!b || !b->directory) {
		free(b);
		return avml_error_set_errno(
			err, ENOMEM, "%s", options->directory);
	}
	cut_slashes(b->directory);
	ret = set_host(b, options, err);
	if (ret == 0)
		ret = open_directory(b, err);
	if (ret == 0)
		ret = check_directory(b, options->force, err);
	if (ret < 0) {
		avml_bundle_free(b);
		return ret;
	}
	*bundle = b;
	return 0;
}

void avml_bundle_free(struct avml_bundle *bundle)
{
	if (!bundle)
		return;
	if (bundle->fd >= 0)
		close(bundle->fd);
	/* What is not empty stays. */
	if (bundle->created)
		(void)rmdir(bundle->directory);
	for (size_t i = 0; i < BUNDLE_DIRS; i++)
		free(bundle->dirs[i]);
	free(bundle->release);
	free(bundle->directory);
	free(bundle->buf);
	free(bundle);
}

/* --- collecting ----------------------------------------------------------- */

static int collect_one(const struct avml_bundle *b,
	const struct bundle_item *item, const struct avml_bundle_events *events,
	struct avml_bundle_result *result, struct avml_error *err)
{
	const struct bundle_host host = {
		.dirs = { b->dirs[BUNDLE_ROOT], b->dirs[BUNDLE_PROC],
			b->dirs[BUNDLE_SYS] },
		.release = b->release,
	};
	const struct bundle_target to = { b->fd, b->directory, item->name };
	struct bundle_source source = { .fd = -1 };
	struct avml_bundle_file file = { .name = item->name };
	struct bundle_copied copied = { .bytes = 0 };
	CLEANUP_FREE char *path = NULL;
	int ret = bundle_item_open(item, &host, &path, &source, err);

	if (ret == 0)
		ret = bundle_copy(&source, &to, b->buf, &copied, err);
	if (source.fd >= 0)
		close(source.fd);
	if (ret == 0) {
		file.bytes = copied.bytes;
		file.sha256 = copied.sha256;
		file.remark = bundle_item_remark(item, &copied);
		result->files++;
		result->bytes += copied.bytes;
	} else {
		file.err = err;
		result->missing++;
	}
	file.path = path ? path : item->name;
	if (events->file)
		events->file(events->ctx, &file);
	return ret;
}

int avml_bundle_collect(struct avml_bundle *bundle,
	const struct avml_bundle_events *events,
	struct avml_bundle_result *result, struct avml_error *err)
{
	*result = (struct avml_bundle_result){ .files = 0 };
	for (size_t i = 0; i < AVML_BUNDLE_FILES; i++) {
		avml_error_init(err);
		if (cancel_level() > 0)
			return cancel_error(err);
		/* One that was stopped is told, and is the last. */
		if (collect_one(bundle, &bundle_items[i], events, result,
			    err) == -EINTR &&
			cancel_level() > 0)
			return -EINTR;
	}
	if (result->files == 0)
		return avml_error_set(err, ENODATA,
			"nothing could be collected in %s", bundle->directory);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "job/bundle_items.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <avml/kcore.h>

#include "base/cleanup.h"
#include "base/io.h"

#define RELEASE_MAX 128
#define PLACES_TEXT 1024

const struct bundle_item bundle_items[AVML_BUNDLE_FILES] = {
	{ .name = "vmcoreinfo",
		.dir = BUNDLE_PROC,
		.places = { "kcore" },
		.note = "VMCOREINFO",
		.max_mib = 1 },
	{ .name = "kallsyms",
		.dir = BUNDLE_PROC,
		.places = { "kallsyms" },
		.max_mib = 256,
		.no_address = "addresses are hidden (kernel.kptr_restrict, or "
			      "CAP_SYSLOG is missing)" },
	{ .name = "btf",
		.dir = BUNDLE_SYS,
		.places = { "kernel/btf/vmlinux" },
		.max_mib = 1024 },
	{ .name = "cmdline",
		.dir = BUNDLE_PROC,
		.places = { "cmdline" },
		.max_mib = 1 },
	{ .name = "version",
		.dir = BUNDLE_PROC,
		.places = { "version" },
		.max_mib = 1 },
	{ .name = "modules",
		.dir = BUNDLE_PROC,
		.places = { "modules" },
		.max_mib = 16 },
	{ .name = "iomem",
		.dir = BUNDLE_PROC,
		.places = { "iomem" },
		.max_mib = 16,
		.no_address = "addresses are hidden (CAP_SYS_ADMIN is "
			      "missing)" },
	{ .name = "os-release",
		.dir = BUNDLE_ROOT,
		.places = { "etc/os-release", "usr/lib/os-release" },
		.max_mib = 1 },
	/* Debian's package of the kernel has a line in its place. */
	{ .name = "System.map",
		.dir = BUNDLE_ROOT,
		.places = { "boot/System.map-*", "usr/lib/modules/*/System.map",
			"lib/modules/*/System.map" },
		.max_mib = 1024,
		.stand_in = "ffffffffffffffff B The real System.map is in" },
	{ .name = "vmlinuz",
		.dir = BUNDLE_ROOT,
		.places = { "boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz",
			"lib/modules/*/vmlinuz" },
		.max_mib = 1024 },
};

bool bundle_release_is_good(const char *release)
{
	return release[0] != '\0' && strlen(release) < RELEASE_MAX &&
	       !strchr(release, '/') && strcmp(release, ".") != 0 &&
	       strcmp(release, "..") != 0;
}

/* The caller frees it; NULL when memory is out. */
static char *path_of(
	const char *place, const char *dir, const struct bundle_host *host)
{
	const char *star = strchr(place, '*');
	const size_t before = star ? (size_t)(star - place) : strlen(place);
	/* "/" and "boot" are "/boot". */
	const size_t len = strlen(dir);
	const char *slash = len > 0 && dir[len - 1] == '/' ? "" : "/";
	char *path;

	return asprintf(&path, "%s%s%.*s%s%s", dir, slash, (int)before, place,
		       star ? host->release : "", star ? star + 1 : "") < 0
		       ? NULL
		       : path;
}

static int not_regular(const char *path, struct avml_error *err)
{
	return avml_error_set(
		err, ENODEV, "%s is masked: it is no regular file", path);
}

/* The descriptor. What is no file is not even opened: that may do things. */
static int open_file(const char *path, struct avml_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;

	/* What else may be wrong, opening it tells. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return not_regular(path, err);
	fd = io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return avml_error_set(err, ENOENT, "%s does not exist", path);
	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return not_regular(path, err);
	return TAKE_FD(fd);
}

static int find_note(const struct bundle_item *item, const char *path,
	struct bundle_source *source, struct avml_error *err)
{
	struct avml_kcore_note note;
	char byte;
	int ret;

	/* Containers mount an empty file over it. */
	if (io_pread_full(source->fd, &byte, 1, 0) == 0)
		return avml_error_set(
			err, ENODEV, "%s is empty or masked", path);
	ret = avml_kcore_note_find(source->fd, path, item->note, &note, err);
	if (ret == -ENODATA)
		return avml_error_set(err, ENOENT,
			"%s has no note %s, as those of kernels before 4.19",
			path, item->note);
	if (ret < 0)
		return ret;
	source->offset = note.offset;
	source->len = note.len;
	return 0;
}

/* None of the places has it: all of them are named. */
static int is_nowhere(const struct bundle_item *item,
	const struct bundle_host *host, struct avml_error *err)
{
	char text[PLACES_TEXT] = "";
	size_t len = 0;

	for (size_t i = 0; i < BUNDLE_PLACES_MAX && item->places[i]; i++) {
		CLEANUP_FREE char *path =
			path_of(item->places[i], host->dirs[item->dir], host);
		const int n = snprintf(text + len, sizeof(text) - len, "%s%s",
			i > 0 ? ", " : "", path ? path : item->places[i]);

		if (n < 0 || (size_t)n >= sizeof(text) - len)
			break;
		len += (size_t)n;
	}
	return avml_error_set(err, ENOENT, "there is none of %s", text);
}

int bundle_item_open(const struct bundle_item *item,
	const struct bundle_host *host, char **path,
	struct bundle_source *source, struct avml_error *err)
{
	struct avml_error first = AVML_ERROR_INIT;
	const char *dir = host->dirs[item->dir];
	size_t i;

	*path = NULL;
	if (strchr(item->places[0], '*') && !host->release)
		return avml_error_set(
			err, ENODATA, "the kernel's release is not known");
	for (i = 0; i < BUNDLE_PLACES_MAX && item->places[i]; i++) {
		CLEANUP_FREE char *at = path_of(item->places[i], dir, host);

		if (!at)
			return avml_error_set_errno(
				err, ENOMEM, "%s", item->name);
		source->fd = open_file(at, err);
		if (!*path || source->fd >= 0) {
			free(*path);
			*path = TAKE_PTR(at);
		}
		if (source->fd >= 0)
			break;
		/* One that is there says more than one that is not. */
		if (first.depth == 0 || first.code == ENOENT)
			first = *err;
	}
	if (source->fd < 0) {
		*err = first;
		return first.code == ENOENT && i > 1
			       ? is_nowhere(item, host, err)
			       : -first.code;
	}
	source->path = *path;
	source->offset = 0;
	source->len = BUNDLE_TO_END;
	source->max = (uint64_t)item->max_mib << 20;
	return item->note ? find_note(item, *path, source, err) : 0;
}

const char *bundle_item_remark(
	const struct bundle_item *item, const struct bundle_copied *copied)
{
	if (copied->bytes == 0)
		return "it is empty";
	if (item->no_address && !copied->addresses)
		return item->no_address;
	if (item->stand_in && strncmp(copied->head, item->stand_in,
				      strlen(item->stand_in)) == 0)
		return "it is the distribution's stand-in, without symbols";
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/*
 * What /dev/crash and /dev/mem have in common: character devices whose
 * offsets are physical addresses. What lies where is not known to them.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "source/source_ops.h"

/* Containers mount /dev/null over what is not to be seen. */
static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int check_device(const struct source_place *place, const struct stat *st,
	struct source_refusal *why, struct avml_error *err)
{
	static const char remedy[] =
		"in a container, mount the host's dev and name it with --dev";

	if ((S_ISCHR(st->st_mode) && !is_null_device(st)) ||
		(S_ISREG(st->st_mode) && place->copy_allowed))
		return 0;
	return source_refuse(why, AVML_SOURCE_MASKED, remedy,
		avml_error_set(err, ENODEV, "%s is masked: it is %s",
			place->path,
			is_null_device(st) ? "the null device"
					   : "no character device"));
}

int source_device_open(const struct source_place *place, const char *lockdown,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	int ret;

	/* Before it is opened: to open some devices is to use them. */
	if (stat(place->path, &st) < 0)
		return source_refuse(why,
			errno == ENOENT ? AVML_SOURCE_MISSING
					: AVML_SOURCE_OTHER,
			NULL,
			avml_error_set_errno(err, errno, "%s", place->path));
	ret = check_device(place, &st, why, err);
	if (ret < 0)
		return ret;
	fd = source_open_fd(place->path, lockdown, why, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", place->path);
	ret = check_device(place, &st, why, err);
	if (ret < 0)
		return ret;
	ret = S_ISREG(st.st_mode) ? source_check_plain(fd, place->path, err)
				  : 0;
	if (ret < 0)
		return source_refuse(why, AVML_SOURCE_HEADERS, NULL, ret);
	*source = calloc(1, sizeof(**source));
	if (!*source)
		return avml_error_set_errno(err, ENOMEM, "%s", place->path);
	(*source)->lockdown = lockdown;
	(*source)->live = true;
	(*source)->host = S_ISCHR(st.st_mode);
	(*source)->covers_all = true;
	return 0;
}

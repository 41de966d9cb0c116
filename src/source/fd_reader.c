/* SPDX-License-Identifier: MIT */
/* What the sources that are files or devices have in common. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "source/source_ops.h"

#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"

/*
 * The lockdown mode in force: the word in brackets. False when there is
 * none, or when it cannot be told.
 */
static bool lockdown_mode(char *mode, size_t len)
{
	CLEANUP_FREE char *text = NULL;
	const char *open, *close;
	struct avml_error err;
	size_t text_len;

	if (io_read_text(LOCKDOWN_FILE, 4096, &text, &text_len, &err) < 0)
		return false;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close || (size_t)(close - open) > len)
		return false;
	memcpy(mode, open + 1, (size_t)(close - open) - 1);
	mode[close - open - 1] = '\0';
	return strcmp(mode, "none") != 0;
}

static int denied(const char *path, const char *lockdown, int code,
	struct avml_error *err)
{
	char mode[32];

	if (geteuid() != 0)
		return avml_error_set_errno(err, code,
			"cannot open %s: run as root (CAP_SYS_RAWIO)", path);
	if (lockdown_mode(mode, sizeof(mode)) &&
		(strcmp(mode, lockdown) == 0 ||
			strcmp(mode, "confidentiality") == 0))
		return avml_error_set_errno(err, code,
			"cannot open %s: kernel lockdown is '%s', which "
			"forbids it; only a boot without lockdown would "
			"allow it",
			path, mode);
	return avml_error_set_errno(err, code,
		"cannot open %s: the capability CAP_SYS_RAWIO is missing, or "
		"a security module forbids it",
		path);
}

int source_open_fd(
	const char *path, const char *lockdown, struct avml_error *err)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hold us up. */
	int fd = io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);

	if (lockdown && (fd == -EACCES || fd == -EPERM))
		return denied(path, lockdown, -fd, err);
	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	/* From here on a device may take its time. */
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

int source_fd_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	struct avml_source_reader *r = malloc(sizeof(*r));

	if (!r)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	r->source = source;
	r->fd = source_open_fd(source->path, source->lockdown, err);
	if (r->fd < 0) {
		int ret = r->fd;

		free(r);
		return ret;
	}
	*reader = r;
	return 0;
}

void source_fd_reader_free(struct avml_source_reader *reader)
{
	close(reader->fd);
	free(reader);
}

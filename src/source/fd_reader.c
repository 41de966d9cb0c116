/* SPDX-License-Identifier: MIT */
/* What the sources that are files or devices have in common. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "source/host.h"
#include "source/source_ops.h"

#define MAGIC_LEN 4

/* Whether a lockdown of this mode forbids what `least` and above does. */
static bool forbids(const char *mode, const char *least)
{
	return strcmp(mode, "confidentiality") == 0 || strcmp(mode, least) == 0;
}

static int denied(const char *path, const char *lockdown, int code,
	struct source_refusal *why, struct avml_error *err)
{
	const int ret = avml_error_set_errno(err, code, "cannot open %s", path);
	char mode[32];

	if (geteuid() != 0)
		return source_refuse(why, AVML_SOURCE_NOT_ROOT,
			"run as root (CAP_SYS_RAWIO)", ret);
	if (!host_capable(CAP_SYS_RAWIO))
		return source_refuse(why, AVML_SOURCE_CAPABILITY,
			"the capability CAP_SYS_RAWIO is missing: run where "
			"root has it, outside of a container",
			ret);
	if (host_lockdown(mode, sizeof(mode)) && forbids(mode, lockdown)) {
		avml_error_set_errno(err, code,
			"cannot open %s: kernel lockdown is '%s', which "
			"forbids it",
			path, mode);
		return source_refuse(why, AVML_SOURCE_LOCKDOWN,
			"only a boot without lockdown allows it", ret);
	}
	if (host_in_user_namespace())
		return source_refuse(why, AVML_SOURCE_USER_NAMESPACE,
			"root of a user namespace is not root of the machine: "
			"run outside of the container",
			ret);
	return source_refuse(why, AVML_SOURCE_DENIED,
		"a security module, or the device rules of a container, "
		"forbid it",
		ret);
}

int source_open_fd(const char *path, const char *lockdown,
	struct source_refusal *why, struct avml_error *err)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hold us up. */
	int fd = io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);

	if (lockdown && (fd == -EACCES || fd == -EPERM))
		return denied(path, lockdown, -fd, why, err);
	if (lockdown && (fd == -ENXIO || fd == -ENODEV))
		return source_refuse(why, AVML_SOURCE_MISSING, NULL,
			avml_error_set_errno(
				err, -fd, "%s has no driver behind it", path));
	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	/* From here on a device may take its time. */
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

int source_check_plain(int fd, const char *path, struct avml_error *err)
{
	uint8_t head[4096]; /* a page: so a device's copy is read by pages */

	if (io_pread_full(fd, head, sizeof(head), 0) < MAGIC_LEN)
		return 0;
	if (memcmp(head, "\177ELF", MAGIC_LEN) == 0)
		return avml_error_set(err, EINVAL,
			"%s is an ELF file: a kcore is read by the name "
			"kcore, with --proc DIR where proc is mounted "
			"elsewhere",
			path);
	if (memcmp(head, "EMiL", MAGIC_LEN) == 0 ||
		memcmp(head, "AVML", MAGIC_LEN) == 0)
		return avml_error_set(err, EINVAL,
			"%s is an image already, not memory by address", path);
	return 0;
}

int source_fd_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err)
{
	struct avml_source_reader *r = malloc(sizeof(*r));
	struct source_refusal ignored;

	if (!r)
		return avml_error_set_errno(err, ENOMEM, "%s", source->path);
	r->source = source;
	r->fd = source_open_fd(source->path, source->lockdown, &ignored, err);
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

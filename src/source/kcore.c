/* SPDX-License-Identifier: MIT */
/*
 * /proc/kcore: the kernel's own view of all of its memory, as an ELF core
 * file. Needs CAP_SYS_RAWIO; lockdown mode "confidentiality" forbids it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <avml/kcore.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "source/source_ops.h"

/* The least mode that forbids it (security/security.c: LOCKDOWN_KCORE). */
#define LOCKDOWN_MODE "confidentiality"

struct kcore {
	struct avml_source base;
	struct avml_kcore_map map;
};

/*
 * Containers hide the file by mounting something harmless over it: the
 * null device or an empty file.
 */
static int check_unmasked(int fd, const char *path, struct avml_error *err)
{
	struct stat st;
	char byte;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return avml_error_set(err, ENODEV,
			"%s is masked: it is no regular file (in a container, "
			"mount the host's proc and name it with --proc)",
			path);
	n = io_pread_full(fd, &byte, 1, 0);
	if (n < 0)
		return avml_error_set_errno(
			err, (int)-n, "cannot read %s", path);
	if (n == 0)
		return avml_error_set(err, ENODEV,
			"%s is empty or masked (in a container, mount the "
			"host's proc and name it with --proc)",
			path);
	return 0;
}

static int kcore_open(const char *path, size_t page_size,
	struct avml_source **source, struct avml_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct kcore *kcore;
	int ret;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return avml_error_set(err, ENOENT,
			"%s does not exist: a kernel without "
			"CONFIG_PROC_KCORE, or proc is not mounted there",
			path);
	fd = source_open_fd(path, LOCKDOWN_MODE, err);
	if (fd < 0)
		return fd;
	ret = check_unmasked(fd, path, err);
	if (ret < 0)
		return ret;
	kcore = calloc(1, sizeof(*kcore));
	if (!kcore)
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	ret = avml_kcore_map_read(fd, path, &kcore->map, err);
	if (ret == 0) {
		kcore->base.live = true;
		kcore->base.lockdown = LOCKDOWN_MODE;
		if (avml_kcore_map_ranges(&kcore->map, &kcore->base.coverage) ||
			avml_range_list_align(
				&kcore->base.coverage, page_size, NULL))
			ret = avml_error_set_errno(err, ENOMEM, "%s", path);
	}
	if (ret < 0) {
		avml_range_list_release(&kcore->base.coverage);
		avml_kcore_map_release(&kcore->map);
		free(kcore);
		return ret;
	}
	*source = &kcore->base;
	return 0;
}

static void kcore_free(struct avml_source *source)
{
	struct kcore *kcore = (struct kcore *)source;

	avml_kcore_map_release(&kcore->map);
	free(kcore);
}

static ssize_t kcore_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	const struct kcore *kcore = (const struct kcore *)reader->source;
	size_t done = 0;

	/* A piece may lie across segments: text in the direct map, say. */
	while (done < len) {
		const struct avml_kcore_segment *seg =
			avml_kcore_map_find(&kcore->map, addr + done);
		size_t part = len - done;
		ssize_t n;

		if (!seg)
			return done ? (ssize_t)done : -ENXIO;
		if (part > seg->end - (addr + done))
			part = (size_t)(seg->end - (addr + done));
		n = io_pread_full(reader->fd, (char *)buf + done, part,
			seg->offset + (addr + done - seg->start));
		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < part)
			break;
	}
	return (ssize_t)done;
}

const struct source_ops source_kcore = {
	.name = "kcore",
	.usual_path = "/proc/kcore",
	.open = kcore_open,
	.free = kcore_free,
	.reader_new = source_fd_reader_new,
	.reader_free = source_fd_reader_free,
	.read = kcore_read,
};

/* SPDX-License-Identifier: MIT */
/*
 * /proc/kcore: the kernel's own view of all of its memory, as an ELF core
 * file. Needs CAP_SYS_RAWIO; lockdown mode "confidentiality" forbids it.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <avml/kcore.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "source/host.h"
#include "source/source_ops.h"

/* The least mode that forbids it (security/security.c: LOCKDOWN_KCORE). */
#define LOCKDOWN_MODE "confidentiality"

struct kcore {
	struct avml_source base;
	struct avml_range_list ram; /* that it was opened with */
	struct avml_kcore_map map;
};

static const char masked_remedy[] =
	"in a container, mount the host's proc and name it with --proc";

static int check_kind(const char *path, const struct stat *st,
	struct source_refusal *why, struct avml_error *err)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return source_refuse(why, AVML_SOURCE_MASKED, masked_remedy,
		avml_error_set(err, ENODEV,
			"%s is masked: it is no regular file", path));
}

/*
 * Containers hide the file by mounting something harmless over it: the
 * null device or an empty file.
 */
static int check_unmasked(int fd, const char *path, struct source_refusal *why,
	struct avml_error *err)
{
	struct stat st;
	char byte;
	ssize_t n;
	int ret;

	if (fstat(fd, &st) < 0)
		return avml_error_set_errno(err, errno, "%s", path);
	ret = check_kind(path, &st, why, err);
	if (ret < 0)
		return ret;
	n = io_pread_full(fd, &byte, 1, 0);
	if (n < 0)
		return source_refuse(why, AVML_SOURCE_UNREADABLE, NULL,
			avml_error_set_errno(
				err, (int)-n, "cannot read %s", path));
	if (n == 0)
		return source_refuse(why, AVML_SOURCE_MASKED, masked_remedy,
			avml_error_set(
				err, ENODEV, "%s is empty or masked", path));
	return 0;
}

/* Before it is opened: to open some devices is to use them. */
static int check_there(
	const char *path, struct source_refusal *why, struct avml_error *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return check_kind(path, &st, why, err);
	if (errno != ENOENT)
		return 0;
	avml_error_set(err, ENOENT, "%s does not exist", path);
	return source_refuse(why, AVML_SOURCE_MISSING,
		host_kernel_config("PROC_KCORE") == 'n'
			? "this kernel was built without CONFIG_PROC_KCORE"
			: "a kernel without CONFIG_PROC_KCORE, or proc is not "
			  "mounted there (--proc)",
		-ENOENT);
}

/* What the headers cover, in whole pages, and where it is in the file. */
static int read_headers(int fd, const struct source_place *place,
	struct avml_kcore_map *map, struct avml_range_list *coverage,
	struct avml_error *err)
{
	int ret = avml_kcore_map_read(fd, place->path, place->ram, map, err);

	if (ret < 0)
		return ret;
	if (avml_kcore_map_ranges(map, coverage) ||
		avml_range_list_align(coverage, place->page_size, NULL)) {
		avml_range_list_release(coverage);
		return avml_error_set_errno(err, ENOMEM, "%s", place->path);
	}
	return 0;
}

static void kcore_free(struct avml_source *source)
{
	struct kcore *kcore = (struct kcore *)source;

	avml_kcore_map_release(&kcore->map);
	avml_range_list_release(&kcore->ram);
	free(kcore);
}

static int kcore_open(const struct source_place *place,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = -1;
	struct kcore *kcore;
	struct statfs fs;
	int ret;

	ret = check_there(place->path, why, err);
	if (ret < 0)
		return ret;
	fd = source_open_fd(place->path, LOCKDOWN_MODE, why, err);
	if (fd < 0)
		return fd;
	ret = check_unmasked(fd, place->path, why, err);
	if (ret < 0)
		return ret;
	kcore = calloc(1, sizeof(*kcore));
	if (!kcore)
		return avml_error_set_errno(err, ENOMEM, "%s", place->path);
	ret = read_headers(fd, place, &kcore->map, &kcore->base.coverage, err);
	if (ret < 0 && ret != -ENOMEM)
		(void)source_refuse(why, AVML_SOURCE_HEADERS, NULL, ret);
	if (ret == 0 && place->ram &&
		avml_range_list_copy(place->ram, &kcore->ram))
		ret = avml_error_set_errno(err, ENOMEM, "%s", place->path);
	if (ret < 0) {
		avml_range_list_release(&kcore->base.coverage);
		kcore_free(&kcore->base);
		return ret;
	}
	kcore->base.live = true;
	kcore->base.host =
		fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	kcore->base.lockdown = LOCKDOWN_MODE;
	*source = &kcore->base;
	return 0;
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
			return done ? (ssize_t)done : -AVML_PAGE_UNCOVERED;
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

/* The headers as they are now: memory comes and goes (hotplug). */
static int kcore_recheck(const struct avml_source *source,
	struct avml_range_list *added, struct avml_range_list *gone,
	struct avml_error *err)
{
	const struct kcore *kcore = (const struct kcore *)source;
	const struct source_place place = {
		.path = source->path,
		.page_size = source->page_size,
		.ram = kcore->ram.count > 0 ? &kcore->ram : NULL,
	};
	CLEANUP(avml_kcore_map_release)
	struct avml_kcore_map map = AVML_KCORE_MAP_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list now = AVML_RANGE_LIST_INIT;
	struct source_refusal ignored;
	CLEANUP_CLOSE int fd =
		source_open_fd(place.path, source->lockdown, &ignored, err);
	int ret;

	if (fd < 0)
		return fd;
	ret = read_headers(fd, &place, &map, &now, err);
	if (ret < 0)
		return ret;
	if (avml_range_list_subtract(&now, &source->coverage, added) ||
		avml_range_list_subtract(&source->coverage, &now, gone)) {
		avml_range_list_release(added);
		return avml_error_set_errno(err, ENOMEM, "%s", place.path);
	}
	return 0;
}

const struct source_ops source_kcore = {
	.name = "kcore",
	.usual_path = "/proc/kcore",
	.guarded = true,
	.false_zeros = true,
	.open = kcore_open,
	.free = kcore_free,
	.reader_new = source_fd_reader_new,
	.reader_free = source_fd_reader_free,
	.read = kcore_read,
	.recheck = kcore_recheck,
};

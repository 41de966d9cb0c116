/* SPDX-License-Identifier: MIT */
/*
 * /dev/crash: the crash driver of the RHEL family. A read that is not
 * within one page is EINVAL, a page that is not there EFAULT.
 */

#include "base/io.h"
#include "source/source_ops.h"

static int crash_open(const struct source_place *place,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	/* It reads memory, as /dev/mem does (LOCKDOWN_DEV_MEM). */
	int ret = source_device_open(place, "integrity", source, why, err);

	if (why->reason == AVML_SOURCE_MISSING)
		why->remedy = "on RHEL and its relatives, \"modprobe crash\" "
			      "loads its driver";
	return ret;
}

static ssize_t crash_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	const size_t page = reader->source->page_size;
	size_t done = 0;

	while (done < len) {
		ssize_t n = io_pread_full(
			reader->fd, (char *)buf + done, page, addr + done);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < page)
			break;
	}
	return (ssize_t)done;
}

const struct source_ops source_crash = {
	.name = "crash",
	.usual_path = "/dev/crash",
	.whole_pages = true,
	.open = crash_open,
	.reader_new = source_fd_reader_new,
	.reader_free = source_fd_reader_free,
	.read = crash_read,
};

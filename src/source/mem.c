/* SPDX-License-Identifier: MIT */
/*
 * /dev/mem: physical memory by its address. Needs CAP_SYS_RAWIO; lockdown
 * forbids it. With STRICT_DEVMEM, which nearly all distributions have, RAM
 * above 1 MiB is EPERM and some of what lies below reads as zeros. A read
 * fails as a whole, also when only its last page does.
 */

#include "base/io.h"
#include "source/host.h"
#include "source/source_ops.h"

/* The least mode that forbids it (LOCKDOWN_DEV_MEM). */
#define LOCKDOWN_MODE "integrity"

static int mem_open(const struct source_place *place,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err)
{
	int ret = source_device_open(place, LOCKDOWN_MODE, source, why, err);

	if (why->reason == AVML_SOURCE_MISSING)
		why->remedy = host_kernel_config("DEVMEM") == 'n'
				      ? "this kernel was built without "
					"CONFIG_DEVMEM"
				      : "\"mknod -m 600 /dev/mem c 1 1\" makes "
					"it, if the kernel has CONFIG_DEVMEM";
	return ret;
}

static ssize_t mem_read(
	struct avml_source_reader *reader, uint64_t addr, void *buf, size_t len)
{
	return io_pread_full(reader->fd, buf, len, addr);
}

const struct source_ops source_mem = {
	.name = "mem",
	.usual_path = "/dev/mem",
	.whole_pages = true,
	.open = mem_open,
	.reader_new = source_fd_reader_new,
	.reader_free = source_fd_reader_free,
	.read = mem_read,
};

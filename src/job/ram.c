/* SPDX-License-Identifier: MIT */
#include "job/ram.h"

#include <errno.h>

#include <avml/iomem.h>

void ram_release(struct ram *ram)
{
	avml_range_list_release(&ram->pages);
	avml_range_list_release(&ram->trimmed);
}

/* Other errors, and those of a file that was asked for, are to be mended. */
static bool can_do_without(int error)
{
	return error == -ENOENT || error == -ENODATA || error == -EPERM ||
	       error == -EACCES;
}

int ram_read(const char *path, bool given, size_t page_size, struct ram *ram,
	struct avml_error *err)
{
	struct avml_iomem iomem;
	int ret = avml_iomem_read(path, &iomem, err);

	*ram = (struct ram){ .known = false };
	if (ret < 0)
		return !given && can_do_without(ret) ? 0 : ret;
	ram->known = true;
	ram->pages = iomem.ram;
	ram->skipped = iomem.skipped;
	ram->first_skipped = iomem.first_skipped;
	if (avml_range_list_align(&ram->pages, page_size, &ram->trimmed)) {
		ram_release(ram);
		return avml_error_set_errno(err, ENOMEM, "%s", path);
	}
	return 0;
}

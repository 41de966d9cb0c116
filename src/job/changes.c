/* SPDX-License-Identifier: MIT */
#include "job/changes.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include <avml/iomem.h>

#include "base/cleanup.h"

static void warn_unsure(const struct changes *c, const struct avml_error *err)
{
	char text[AVML_ERROR_TEXT];

	avml_error_join(err, text, sizeof(text));
	warning_tell(&c->warning,
		"whether RAM changed during the run cannot be told: %s", text);
}

/* RAM came or went. */
static int compare_iomem(const struct changes *c, struct avml_error *err)
{
	CLEANUP(avml_iomem_release) struct avml_iomem now = AVML_IOMEM_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list came = AVML_RANGE_LIST_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list gone = AVML_RANGE_LIST_INIT;
	struct stat st;
	int ret;

	/* A pipe gave all that it had. */
	if (stat(c->iomem_path, &st) == 0 && !S_ISREG(st.st_mode))
		return avml_error_set(
			err, ENODEV, "%s is no regular file", c->iomem_path);
	ret = avml_iomem_read(c->iomem_path, &now, err);
	if (ret < 0)
		return ret;
	if (avml_range_list_align(
		    &now.ram, avml_source_page_size(c->source), NULL) ||
		avml_range_list_subtract(&now.ram, c->ram, &came) ||
		avml_range_list_subtract(c->ram, &now.ram, &gone))
		return avml_error_set_errno(err, ENOMEM, "the table of ranges");
	for (size_t i = 0; i < came.count; i++)
		c->late(c->ctx, came.items[i]);
	for (size_t i = 0; i < gone.count; i++)
		warning_tell(&c->warning,
			"0x%016" PRIx64 "-0x%016" PRIx64
			" was RAM when the run began and is not any more",
			gone.items[i].start, gone.items[i].end);
	return 0;
}

static int tell_coverage(const struct changes *c,
	const struct avml_range_list *list, const char *what,
	struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list ram = AVML_RANGE_LIST_INIT;

	if (avml_range_list_intersect(list, c->ram, &ram))
		return avml_error_set_errno(err, ENOMEM, "the table of ranges");
	for (size_t i = 0; i < ram.count; i++)
		warning_tell(&c->warning,
			"0x%016" PRIx64 "-0x%016" PRIx64
			" %s the program headers of kcore during the run",
			ram.items[i].start, ram.items[i].end, what);
	return 0;
}

/* The source's headers are others now. */
static int compare_coverage(const struct changes *c, struct avml_error *err)
{
	CLEANUP(avml_range_list_release)
	struct avml_range_list came = AVML_RANGE_LIST_INIT;
	CLEANUP(avml_range_list_release)
	struct avml_range_list gone = AVML_RANGE_LIST_INIT;
	int ret = avml_source_recheck(c->source, &came, &gone, err);

	/* Where the headers are all that tells of RAM, this is RAM. */
	for (size_t i = 0; i < came.count && ret == 0 && c->ram_of_source; i++)
		c->late(c->ctx, came.items[i]);
	if (ret == 0 && !c->ram_of_source)
		ret = tell_coverage(c, &came, "came into", err);
	if (ret == 0)
		ret = tell_coverage(c, &gone, "went out of", err);
	return ret;
}

void changes_tell(const struct changes *changes)
{
	struct avml_error err = AVML_ERROR_INIT;

	if (changes->iomem_path && compare_iomem(changes, &err) < 0)
		warn_unsure(changes, &err);
	if (compare_coverage(changes, &err) < 0)
		warn_unsure(changes, &err);
}

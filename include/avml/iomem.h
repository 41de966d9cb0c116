/* SPDX-License-Identifier: MIT */
/*
 * /proc/iomem: which physical addresses are RAM.
 *
 * The form is that of Linux's kernel/resource.c (r_show): a line is
 * "START-END : NAME", hexadecimal, END inclusive, indented by two spaces a
 * level (Linux stops indenting after five levels). RAM is whatever bears a
 * name that begins with "System RAM", at any level; what lies below such a
 * line is part of it.
 */
#ifndef AVML_IOMEM_H
#define AVML_IOMEM_H

#include <avml/error.h>
#include <avml/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Larger than the table of any machine: larger text is refused. */
#define AVML_IOMEM_MAX (16u << 20)

struct avml_iomem {
	struct avml_range_list ram;  /* merged, not aligned */
	unsigned long lines;	     /* lines read */
	unsigned long skipped;	     /* lines not understood */
	unsigned long first_skipped; /* number of the first of them, from 1 */
};

#define AVML_IOMEM_INIT                     \
	{                                   \
		.ram = AVML_RANGE_LIST_INIT \
	}
void avml_iomem_release(struct avml_iomem *iomem);

/*
 * Parse text, or the file at `path`. Errors name `path` and the line.
 *
 * -EPERM: every address reads 0, which is what Linux shows to a process
 * without CAP_SYS_ADMIN; -ENODATA: no RAM in it; -EINVAL: a RAM line that
 * makes no sense, or a file cut short; else the error of reading the file.
 * A line that is no iomem line and does not speak of System RAM is skipped
 * and counted. On failure `iomem` is empty.
 */
int avml_iomem_parse(const char *text, size_t len, const char *path,
	struct avml_iomem *iomem, struct avml_error *err);
int avml_iomem_read(
	const char *path, struct avml_iomem *iomem, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

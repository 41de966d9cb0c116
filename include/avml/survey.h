/* SPDX-License-Identifier: MIT */
/*
 * What of this host's memory could be read, and why the rest could not:
 * every source is opened and probed, and nothing is kept.
 *
 * Threads: a survey uses nothing that is shared.
 */
#ifndef AVML_SURVEY_H
#define AVML_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>
#include <avml/host.h>
#include <avml/source.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avml_survey_options {
	const char *iomem;    /* NULL: iomem of proc_dir */
	const char *proc_dir; /* NULL: /proc */
	const char *dev_dir;  /* NULL: /dev */
	size_t page_size;     /* see struct avml_source_config */
};

struct avml_survey {
	struct avml_host host;
	bool kpageflags;	       /* can be read */
	char iomem_path[4096];	       /* cut short if need be */
	size_t ranges;		       /* of RAM, in whole pages */
	uint64_t ram_bytes;	       /* in them */
	struct avml_error iomem_error; /* depth 0: there was none */
	size_t usable;		       /* sources */
};

/*
 * `verdict` is called for each source, see avml/source.h; NULL: nobody. 0,
 * -ENOMEM, or -EINTR after a signal.
 */
int avml_survey(const struct avml_survey_options *options,
	void (*verdict)(void *ctx, const struct avml_source_verdict *verdict),
	void *ctx, struct avml_survey *survey, struct avml_error *err);

#ifdef __cplusplus
}
#endif

#endif

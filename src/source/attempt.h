/* SPDX-License-Identifier: MIT */
/* One attempt to use one source, and what became of it. */
#ifndef SOURCE_ATTEMPT_H
#define SOURCE_ATTEMPT_H

#include "source/source_ops.h"

/* A reason in one line, as long as a few paths. */
#define ATTEMPT_REASON_MAX 400

struct attempt {
	const struct source_ops *ops;
	char *path;
	struct avml_source *source; /* NULL: it does not work */
	bool above_low;		    /* see struct probe */
	bool asked_kernel;	    /* see struct avml_source_verdict */
	struct source_refusal why;
	struct avml_error err;
};

/*
 * Open a source, put the page filter in front, and probe it. `asked_for`
 * says that somebody wants just this one. Whether it works; if not, nothing
 * of it is kept but the reason.
 */
bool attempt_open(struct attempt *a, const struct avml_source_config *config,
	bool asked_for);
bool attempt_source(struct attempt *a, const struct avml_source_config *config,
	bool asked_for);
void attempt_release(struct attempt *a);

/* The error's chain and the remedy as one line. */
void attempt_reason(const struct attempt *a, char text[ATTEMPT_REASON_MAX]);

/* The error of a source that was the only one. Returns its -errno. */
int attempt_fail(const struct attempt *a, struct avml_error *err);

#endif

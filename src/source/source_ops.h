/* SPDX-License-Identifier: MIT */
/*
 * What a source is made of. To add one: write its file, with a
 * struct source_ops, and put it into the table of source.c in the place
 * where it shall be tried.
 */
#ifndef SOURCE_SOURCE_OPS_H
#define SOURCE_SOURCE_OPS_H

#include <sys/types.h>

#include <avml/source.h>

struct source_ops {
	const char *name;	/* as `--source` takes it */
	const char *usual_path; /* as `--source` takes it too */

	/*
	 * Open at `path`: allocates a struct avml_source (as the first
	 * member of the source's own) and sets `live` and the coverage.
	 * The caller sets ops, path and page_size.
	 */
	int (*open)(const char *path, size_t page_size,
		struct avml_source **source, struct avml_error *err);
	void (*free)(struct avml_source *source);

	int (*reader_new)(const struct avml_source *source,
		struct avml_source_reader **reader, struct avml_error *err);
	void (*reader_free)(struct avml_source_reader *reader);

	/*
	 * One read, with no care for failure: the count of bytes, short
	 * where something failed behind them, 0 where the source ends, or
	 * -errno.
	 */
	ssize_t (*read)(struct avml_source_reader *reader, uint64_t addr,
		void *buf, size_t len);
};

struct avml_source {
	const struct source_ops *ops;
	char *path;
	size_t page_size;
	const char *lockdown; /* see source_open_fd() */
	bool live;
	bool covers_all; /* the coverage is not known */
	bool flat;	 /* behind an end there is nothing more */
	struct avml_range_list coverage;
};

struct avml_source_reader {
	const struct avml_source *source;
	int fd;
};

extern const struct source_ops source_kcore;
extern const struct source_ops source_file;

/* Readers that are a descriptor and nothing else. */
int source_fd_reader_new(const struct avml_source *source,
	struct avml_source_reader **reader, struct avml_error *err);
void source_fd_reader_free(struct avml_source_reader *reader);

/*
 * Open for reading. For memory of this machine a refusal comes with what
 * helps: to be root, a capability, or that lockdown forbids it, from the
 * mode `lockdown` on ("integrity", "confidentiality"); NULL: an ordinary
 * file. The descriptor or -errno.
 */
int source_open_fd(
	const char *path, const char *lockdown, struct avml_error *err);

#endif

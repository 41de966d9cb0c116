/* SPDX-License-Identifier: MIT */
/*
 * What a source is made of. To add one: write its file, with a
 * struct source_ops, and put it into the table of choose.c in the place
 * where it shall be tried.
 */
#ifndef SOURCE_SOURCE_OPS_H
#define SOURCE_SOURCE_OPS_H

#include <sys/types.h>

#include <avml/page_flags.h>
#include <avml/source.h>

/* Below it /dev/mem gives false zeros, and a success means nothing. */
#define SOURCE_LOW_MEMORY (1u << 20)

/* What a source is told when it is opened. */
struct source_place {
	const char *path;
	size_t page_size;
	bool copy_allowed; /* a regular file may be in a device's place */
	const struct avml_range_list *ram; /* whole pages; NULL: not known */
	const char *proc_dir;		   /* NULL: /proc */
	bool forced;			   /* see source_risk() */
	/* See struct avml_source_config. */
	void (*tell_forced)(void *ctx, const char *text);
	void *ctx;
	/* Of a last resort; closed where it is forced without. */
	const struct avml_page_flags *flags;
};

/* Why one does not work, besides the error. */
struct source_refusal {
	enum avml_source_reason reason;
	const char *remedy;
};

struct source_ops {
	const char *name;	/* as `--source` takes it */
	const char *usual_path; /* as `--source` takes it too; or the name */
	bool whole_pages;	/* never to be asked for less than a page */
	bool guarded;		/* keeps away from bad memory by itself */
	bool false_zeros; /* has zeros, no error, for what it does not read */
	/* Changes the kernel: read alone, and with the filter unless forced. */
	bool last_resort;

	/* Whether it may be opened at all, by what can be known. NULL: yes. */
	int (*check)(const struct source_place *place,
		struct source_refusal *why, struct avml_error *err);

	/*
	 * Open: allocates a struct avml_source (as the first member of the
	 * source's own) and sets what it is and its coverage. The caller
	 * sets ops, path and page_size.
	 */
	int (*open)(const struct source_place *place,
		struct avml_source **source, struct source_refusal *why,
		struct avml_error *err);
	/* What is the source's own, and itself. NULL: itself alone. */
	void (*free)(struct avml_source *source);

	/* As the public functions; NULL: none, nothing. */
	void *(*buffers)(struct avml_source *source, size_t len, size_t count,
		size_t readers);
	void (*footprint)(const struct avml_source *source,
		struct avml_source_footprint *footprint);

	int (*reader_new)(const struct avml_source *source,
		struct avml_source_reader **reader, struct avml_error *err);
	void (*reader_free)(struct avml_source_reader *reader);

	/*
	 * One read, with no care for failure: the count of bytes, short
	 * where something failed behind them, 0 where the source ends, or
	 * -errno, or -AVML_PAGE_UNCOVERED.
	 */
	ssize_t (*read)(struct avml_source_reader *reader, uint64_t addr,
		void *buf, size_t len);

	/* As avml_source_recheck(); NULL when it knows of no coverage. */
	int (*recheck)(const struct avml_source *source,
		struct avml_range_list *added, struct avml_range_list *gone,
		struct avml_error *err);

	/* The i-th of those it is made of, NULL behind the last. */
	const struct avml_source *(*member)(
		const struct avml_source *source, size_t i);

	/* As the public functions; NULL: nothing. */
	uint64_t (*filled)(const struct avml_source *source);
	const struct avml_range_list *(*filled_by)(
		const struct avml_source *source, size_t i);
};

struct avml_source {
	const struct source_ops *ops;
	char *path;
	size_t page_size;
	const char *lockdown; /* see source_open_fd() */
	bool live;	      /* a machine's memory: to be filtered */
	bool host;	      /* this machine's */
	bool covers_all;      /* the coverage is not known */
	bool flat;	      /* behind an end there is nothing more */
	bool cautious;	      /* a page without a mark is not touched */
	struct avml_range_list coverage;
	struct avml_page_flags flags;
};

struct avml_source_reader {
	const struct avml_source *source;
	int fd;
};

extern const struct source_ops source_crash;
extern const struct source_ops source_kcore;
extern const struct source_ops source_mem;
extern const struct source_ops source_bpf;
extern const struct source_ops source_file;

/* Set the reason, and return `ret`. */
int source_refuse(struct source_refusal *why, enum avml_source_reason reason,
	const char *remedy, int ret);

/*
 * To go on may end the machine, for the reason that is in `err`. Refused with
 * -EPERM; or where that is forced told, and 0.
 */
int source_risk(const struct source_place *place, struct source_refusal *why,
	struct avml_error *err);

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
int source_open_fd(const char *path, const char *lockdown,
	struct source_refusal *why, struct avml_error *err);

/*
 * A file that has headers is no memory by address: its bytes are elsewhere,
 * and the image would be wrong without a word. 0, or -EINVAL for one.
 */
int source_check_plain(int fd, const char *path, struct avml_error *err);

/* The devices: what opening one has in common. */
int source_device_open(const struct source_place *place, const char *lockdown,
	struct avml_source **source, struct source_refusal *why,
	struct avml_error *err);

#endif

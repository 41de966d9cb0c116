/* SPDX-License-Identifier: MIT */
/*
 * The bundle: what is needed to make sense of an image of memory and does not
 * outlive the kernel, copied into a directory. Of the kernel the image is of,
 * a symbol file can be made out of it: types of BTF, addresses of kallsyms,
 * the banner of version.
 *
 * In this order, each under its own name, and each only where it is there:
 *
 *	vmcoreinfo  the note of proc's kcore (Linux 4.19)
 *	kallsyms    of proc: names and addresses
 *	btf         of sys (kernel/btf/vmlinux): types
 *	cmdline, version, modules, iomem   of proc
 *	os-release  of the root file system
 *	System.map, vmlinuz   the same, of the release that runs
 *
 * What is in the bundle is whole: a file that could not be copied to its end
 * is removed again. Two steps, since a directory that cannot be had should be
 * known before memory is read, and copying overwrites memory.
 *
 * Threads: one run at a time in a process, since a signal stops all. The
 * caller ignores SIGXFSZ, which is an error of the write then.
 */
#ifndef AVML_BUNDLE_H
#define AVML_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <avml/error.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AVML_BUNDLE_FILES 10

/* The texts are copied. */
struct avml_bundle_options {
	/*
	 * Made with mode 0700 if it is not there; its parent has to be. One
	 * that holds anything is refused, and so is a symbolic link.
	 */
	const char *directory;
	const char *root_dir; /* NULL: / */
	const char *proc_dir; /* NULL: /proc */
	const char *sys_dir;  /* NULL: sys in root_dir */
	/*
	 * Of the kernel. NULL: what sys/kernel/osrelease of proc_dir says, or
	 * else, where proc_dir is NULL, uname(2).
	 */
	const char *release;
	/* Take a directory that is in use, and remove the names above there. */
	bool force;
};

/* What became of one. Texts live as long as the call that tells it. */
struct avml_bundle_file {
	const char *name;   /* in the directory */
	const char *path;   /* where it comes from, or was looked for first */
	uint64_t bytes;	    /* copied */
	const char *sha256; /* of them, in hexadecimal; NULL on failure */
	const char *remark; /* NULL, or why it may be of no use */
	/* NULL, or why it is not in the bundle; code ENOENT: it is nowhere. */
	const struct avml_error *err;
};

struct avml_bundle_events {
	void *ctx;
	/* One is done, well or not, in the caller's thread. */
	void (*file)(void *ctx, const struct avml_bundle_file *file);
};

struct avml_bundle_result {
	unsigned int files;   /* in the bundle */
	unsigned int missing; /* not there, or not to be had */
	uint64_t bytes;	      /* of the files */
};

struct avml_bundle;

/* Make or check the directory; nothing is collected yet. 0 or -errno. */
int avml_bundle_open(const struct avml_bundle_options *options,
	struct avml_bundle **bundle, struct avml_error *err);

/*
 * Collect, once. What one file lacks is told by the event, and the others are
 * tried: 0. -ENODATA when there is not one in the end, -EINTR after a signal.
 * Files have mode 0600, are never written over others, and are synchronised
 * to their disk; what was read and written leaves the page cache.
 */
int avml_bundle_collect(struct avml_bundle *bundle,
	const struct avml_bundle_events *events,
	struct avml_bundle_result *result, struct avml_error *err);

/* A directory that open() made and that stayed empty is removed. */
void avml_bundle_free(struct avml_bundle *bundle);

#ifdef __cplusplus
}
#endif

#endif

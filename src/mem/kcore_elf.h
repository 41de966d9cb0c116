/* SPDX-License-Identifier: MIT */
/*
 * The ELF header of /proc/kcore and its program headers, one by one, in
 * either order of bytes. What they say of themselves is checked here; what
 * they say of the rest of the file is not.
 */
#ifndef MEM_KCORE_ELF_H
#define MEM_KCORE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <avml/error.h>

struct kcore_elf {
	int fd;		  /* the caller's */
	const char *path; /* for messages; the caller's too */
	bool big;	  /* big-endian, as on s390x */
	uint64_t phoff;
	unsigned int phentsize;
	unsigned int phnum;
};

struct kcore_phdr {
	unsigned int number; /* in the table of the file */
	uint64_t offset, vaddr, paddr, filesz;
};

/* Read the ELF header. -EINVAL when it makes no sense, or -errno. */
int kcore_elf_open(int fd, const char *path, struct kcore_elf *elf,
	struct avml_error *err);

/* Program header `i`, below phnum, and its p_type. */
int kcore_elf_phdr(const struct kcore_elf *elf, unsigned int i,
	struct kcore_phdr *ph, uint32_t *type, struct avml_error *err);

/* Exactly `len` bytes, or an error: a header is whole or worth nothing. */
int kcore_elf_read(const struct kcore_elf *elf, void *buf, size_t len,
	uint64_t offset, struct avml_error *err);

#endif

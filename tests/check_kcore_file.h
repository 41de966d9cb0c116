/* SPDX-License-Identifier: MIT */
/* Made-up /proc/kcore files: an ELF64 core of given program headers. */
#ifndef CHECK_KCORE_FILE_H
#define CHECK_KCORE_FILE_H

#include "check_paths.h"

#include <elf.h>

struct test_phdr {
	uint64_t paddr, len, offset;
};

static inline void test_pwrite(
	int fd, const void *buf, size_t len, uint64_t offset)
{
	ck_assert_int_eq(pwrite(fd, buf, len, (off_t)offset), (ssize_t)len);
}

/* The direct map of x86-64 without KASLR, from 4.20 on and before it. */
#define TEST_KCORE_BASE UINT64_C(0xffff888000000000)
#define TEST_KCORE_OLD_BASE UINT64_C(0xffff880000000000)

/* An address of vmalloc's, for what is virtual only. */
static inline uint64_t test_kcore_vaddr(uint64_t paddr, uint64_t base)
{
	return paddr == UINT64_MAX ? UINT64_C(0xffffc90000000000)
				   : base + paddr;
}

/*
 * Create `path` with headers as Linux writes them: for `old` as it did
 * before 4.11, with 0 for every physical address. The descriptor is for
 * the memory's bytes, and for the caller to close.
 */
static inline int test_kcore_create_at(const char *path,
	const struct test_phdr *phdrs, size_t count, uint64_t base, bool old)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB
							       : ELFDATA2LSB,
			EV_CURRENT },
		.e_type = ET_CORE,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr),
		.e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)count,
	};

	ck_assert_int_ge(fd, 0);
	test_pwrite(fd, &ehdr, sizeof(ehdr), 0);
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr phdr = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = phdrs[i].offset,
			.p_vaddr = test_kcore_vaddr(phdrs[i].paddr, base),
			.p_paddr = old ? 0 : phdrs[i].paddr,
			.p_filesz = phdrs[i].len,
			.p_memsz = phdrs[i].len,
		};

		test_pwrite(fd, &phdr, sizeof(phdr),
			sizeof(ehdr) + i * sizeof(phdr));
	}
	return fd;
}

static inline int test_kcore_create(
	const char *path, const struct test_phdr *phdrs, size_t count)
{
	return test_kcore_create_at(path, phdrs, count, TEST_KCORE_BASE, false);
}

static inline int test_kcore_create_old(
	const char *path, const struct test_phdr *phdrs, size_t count)
{
	return test_kcore_create_at(
		path, phdrs, count, TEST_KCORE_OLD_BASE, true);
}

#endif

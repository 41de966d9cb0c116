/* SPDX-License-Identifier: MIT */
#include "mem/kcore_elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "base/io.h"

/* An entry may be longer than we know, in a version of ELF to come. */
#define PHENTSIZE_MAX 1024

int kcore_elf_read(const struct kcore_elf *elf, void *buf, size_t len,
	uint64_t offset, struct avml_error *err)
{
	ssize_t n = io_pread_full(elf->fd, buf, len, offset);

	if (n < 0)
		return avml_error_set_errno(err, (int)-n,
			"cannot read %s at offset 0x%" PRIx64, elf->path,
			offset);
	if ((size_t)n < len)
		return avml_error_set(err, EINVAL,
			"%s ends at offset 0x%" PRIx64 ", within its ELF "
			"headers",
			elf->path, offset + (uint64_t)n);
	return 0;
}

static int check_ident(
	const uint8_t *ident, const char *path, struct avml_error *err)
{
	if (memcmp(ident, ELFMAG, SELFMAG) != 0)
		return avml_error_set(err, EINVAL,
			"%s is no ELF file: the magic is wrong", path);
	if (ident[EI_CLASS] != ELFCLASS64)
		return avml_error_set(err, EINVAL,
			"%s is no 64-bit ELF file: class %u", path,
			ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB && ident[EI_DATA] != ELFDATA2MSB)
		return avml_error_set(err, EINVAL,
			"%s: ELF data encoding %u is unknown", path,
			ident[EI_DATA]);
	return 0;
}

int kcore_elf_open(
	int fd, const char *path, struct kcore_elf *elf, struct avml_error *err)
{
	uint8_t raw[sizeof(Elf64_Ehdr)] = { 0 };
	struct cursor c = cursor_over(raw, sizeof(raw));
	unsigned int type;
	int ret;

	elf->fd = fd;
	elf->path = path;
	ret = kcore_elf_read(elf, raw, sizeof(raw), 0, err);
	if (ret < 0)
		return ret;
	ret = check_ident(raw, path, err);
	if (ret < 0)
		return ret;
	c.big = raw[EI_DATA] == ELFDATA2MSB;
	cursor_skip(&c, EI_NIDENT);
	type = cursor_u16(&c);
	cursor_skip(&c, 2 + 4 + 8); /* machine, version, entry */
	elf->big = c.big;
	elf->phoff = cursor_u64(&c);
	cursor_skip(&c, 8 + 4 + 2); /* shoff, flags, ehsize */
	elf->phentsize = cursor_u16(&c);
	elf->phnum = cursor_u16(&c);
	if (type != ET_CORE)
		return avml_error_set(err, EINVAL,
			"%s is no ELF core file: type %u", path, type);
	if (elf->phentsize < sizeof(Elf64_Phdr) ||
		elf->phentsize > PHENTSIZE_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program headers of %u bytes make no sense", path,
			elf->phentsize);
	if (elf->phnum == 0 || elf->phnum == PN_XNUM)
		return avml_error_set(err, EINVAL,
			"%s: a table of %u program headers makes no sense",
			path, elf->phnum);
	if (elf->phoff > INT64_MAX - PN_XNUM * PHENTSIZE_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program headers at offset 0x%" PRIx64
			" make no sense",
			path, elf->phoff);
	return 0;
}

int kcore_elf_phdr(const struct kcore_elf *elf, unsigned int i,
	struct kcore_phdr *ph, uint32_t *type, struct avml_error *err)
{
	uint8_t raw[sizeof(Elf64_Phdr)] = { 0 };
	struct cursor c = cursor_over(raw, sizeof(raw));
	int ret;

	ret = kcore_elf_read(elf, raw, sizeof(raw),
		elf->phoff + (uint64_t)i * elf->phentsize, err);
	if (ret < 0)
		return avml_error_wrap(
			err, "program header %u of %u", i, elf->phnum);
	c.big = elf->big;
	*type = cursor_u32(&c);
	cursor_skip(&c, 4); /* flags */
	ph->number = i;
	ph->offset = cursor_u64(&c);
	ph->vaddr = cursor_u64(&c);
	ph->paddr = cursor_u64(&c);
	ph->filesz = cursor_u64(&c);
	return 0;
}

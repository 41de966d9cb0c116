/* SPDX-License-Identifier: MIT */
/*
 * The notes of /proc/kcore: each is a head of three words (lengths of name
 * and content, type), the name and the content, both padded to four bytes
 * (ELF specification; append_kcore_note() in Linux's fs/proc/kcore.c).
 */
#include <avml/kcore.h>

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "mem/kcore_elf.h"

/* Names are short: a longer one is not what is looked for. */
#define NAME_MAX_LEN 32

struct note_head {
	uint32_t name_len; /* with its NUL */
	uint32_t len;
};

static int read_head(const struct kcore_elf *elf, uint64_t at,
	struct note_head *head, struct avml_error *err)
{
	uint8_t raw[sizeof(Elf64_Nhdr)] = { 0 };
	struct cursor c = cursor_over(raw, sizeof(raw));
	int ret = kcore_elf_read(elf, raw, sizeof(raw), at, err);

	c.big = elf->big;
	head->name_len = cursor_u32(&c);
	head->len = cursor_u32(&c);
	return ret;
}

/* 1 when the note at `at` has that name, 0 when it has not, or -errno. */
static int is_called(const struct kcore_elf *elf, uint64_t at, uint32_t len,
	const char *name, struct avml_error *err)
{
	char text[NAME_MAX_LEN];
	int ret;

	if (len != strlen(name) + 1 || len > sizeof(text))
		return 0;
	ret = kcore_elf_read(elf, text, len, at, err);
	return ret < 0 ? ret : memcmp(text, name, len) == 0;
}

static uint64_t padded(uint32_t len)
{
	return ((uint64_t)len + 3) & ~(uint64_t)3;
}

/* Of one segment of notes: 1 when it is there, 0 when not, or -errno. */
static int search(const struct kcore_elf *elf, const struct kcore_phdr *ph,
	const char *name, struct avml_kcore_note *note, struct avml_error *err)
{
	const uint64_t end = ph->offset + ph->filesz;
	uint64_t at = ph->offset;

	while (end - at >= sizeof(Elf64_Nhdr)) {
		struct note_head head = { 0 };
		uint64_t content;
		int ret = read_head(elf, at, &head, err);

		if (ret < 0)
			return ret;
		content = at + sizeof(Elf64_Nhdr) + padded(head.name_len);
		if (content > end || head.len > end - content)
			return avml_error_set(err, EINVAL,
				"%s: the note at file offset 0x%" PRIx64
				" reaches past the end of its segment",
				elf->path, at);
		ret = is_called(
			elf, at + sizeof(Elf64_Nhdr), head.name_len, name, err);
		if (ret != 0) {
			note->offset = content;
			note->len = head.len;
			return ret;
		}
		/* The last one may lack its padding. */
		if (padded(head.len) > end - content)
			break;
		at = content + padded(head.len);
	}
	return 0;
}

/* So that what is read there is notes, and no memory. */
static int check_segment(const struct kcore_elf *elf,
	const struct kcore_phdr *ph, uint64_t memory, struct avml_error *err)
{
	if (ph->filesz > AVML_KCORE_NOTES_MAX ||
		ph->offset > INT64_MAX - AVML_KCORE_NOTES_MAX)
		return avml_error_set(err, EINVAL,
			"%s: program header %u: 0x%" PRIx64
			" bytes of notes at file offset 0x%" PRIx64
			" make no sense",
			elf->path, ph->number, ph->filesz, ph->offset);
	if (ph->offset + ph->filesz > memory)
		return avml_error_set(err, EINVAL,
			"%s: program header %u: its notes reach into the "
			"memory at file offset 0x%" PRIx64,
			elf->path, ph->number, memory);
	return 0;
}

/* Where memory begins in the file: no later than `*memory`. */
static int find_memory(
	const struct kcore_elf *elf, uint64_t *memory, struct avml_error *err)
{
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct kcore_phdr ph;
		uint32_t type;
		int ret = kcore_elf_phdr(elf, i, &ph, &type, err);

		if (ret < 0)
			return ret;
		if (type == PT_LOAD && ph.filesz > 0 && ph.offset < *memory)
			*memory = ph.offset;
	}
	return 0;
}

int avml_kcore_note_find(int fd, const char *path, const char *name,
	struct avml_kcore_note *note, struct avml_error *err)
{
	struct kcore_elf elf;
	uint64_t memory = UINT64_MAX;
	int ret = kcore_elf_open(fd, path, &elf, err);

	if (ret == 0)
		ret = find_memory(&elf, &memory, err);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < elf.phnum; i++) {
		struct kcore_phdr ph;
		uint32_t type;

		ret = kcore_elf_phdr(&elf, i, &ph, &type, err);
		if (ret == 0 && type != PT_NOTE)
			continue;
		if (ret == 0)
			ret = check_segment(&elf, &ph, memory, err);
		if (ret == 0)
			ret = search(&elf, &ph, name, note, err);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
	return avml_error_set(err, ENODATA, "%s has no note %s", path, name);
}

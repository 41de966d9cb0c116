/* SPDX-License-Identifier: MIT */
/*
 * Notes of a kcore that is made up. pread() is this program's own: it sees
 * that nothing behind the notes is read.
 */
#include <avml/kcore.h>

#include <elf.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "check_main.h"
#include "check_wrap.h"

#define NOTES_AT 0x200
#define MEMORY_AT 0x1000
#define FILE_LEN 0x2000

static uint64_t read_end; /* of all that was read */

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	if ((uint64_t)offset + len > read_end)
		read_end = (uint64_t)offset + len;
	return REAL64(pread)(fd, buf, len, offset);
}

/* --- a file of one segment of notes and one of memory --------------------- */

struct file {
	bool big;
	size_t notes_len;
	uint8_t bytes[FILE_LEN];
};

static void put(uint8_t *to, unsigned int size, uint64_t value, bool big)
{
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * (big ? size - 1 - i : i));
}

static void put_phdr(struct file *f, unsigned int number, uint32_t type,
	uint64_t offset, uint64_t filesz)
{
	uint8_t *ph = f->bytes + sizeof(Elf64_Ehdr) +
		      (size_t)number * sizeof(Elf64_Phdr);

	put(ph, 4, type, f->big);
	put(ph + 8, 8, offset, f->big);
	put(ph + 32, 8, filesz, f->big);
}

static struct file *new_file(bool big)
{
	struct file *f = calloc(1, sizeof(*f));
	uint8_t *bytes;

	ck_assert_ptr_nonnull(f);
	bytes = f->bytes;
	f->big = big;
	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = ELFCLASS64;
	bytes[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	put(bytes + 16, 2, ET_CORE, big);
	put(bytes + 32, 8, sizeof(Elf64_Ehdr), big);
	put(bytes + 54, 2, sizeof(Elf64_Phdr), big);
	put(bytes + 56, 2, 2, big);
	put_phdr(f, 0, PT_NOTE, NOTES_AT, 0);
	put_phdr(f, 1, PT_LOAD, MEMORY_AT, FILE_LEN - MEMORY_AT);
	return f;
}

/* Where its content is. */
static size_t add_note(struct file *f, const char *name, const char *content)
{
	uint8_t *at = f->bytes + NOTES_AT + f->notes_len;
	const size_t name_len = strlen(name) + 1, len = strlen(content);
	const size_t content_at = 12 + (name_len + 3) / 4 * 4;

	put(at, 4, name_len, f->big);
	put(at + 4, 4, len, f->big);
	memcpy(at + 12, name, name_len);
	memcpy(at + content_at, content, len);
	f->notes_len += content_at + (len + 3) / 4 * 4;
	put_phdr(f, 0, PT_NOTE, NOTES_AT, f->notes_len);
	return (size_t)(at - f->bytes) + content_at;
}

static struct file *usual_file(bool big, size_t *at)
{
	struct file *f = new_file(big);

	add_note(f, "CORE", "registers");
	add_note(f, "VMCOREINF", "not quite");
	add_note(f, "VMCOREINFX", "nor this");
	*at = add_note(f, "VMCOREINFO", "OSRELEASE=6.1\n");
	add_note(f, "VMCOREINFO", "another");
	return f;
}

static int find_in(const void *bytes, size_t len, struct avml_kcore_note *note,
	struct avml_error *err)
{
	CLEANUP_CLOSE int fd = memfd_create("kcore", MFD_CLOEXEC);
	int ret;

	TEST_ASSERT(fd >= 0);
	TEST_ASSERT(write(fd, bytes, len) == (ssize_t)len);
	read_end = 0;
	memset(note, 0xa5, sizeof(*note));
	avml_error_init(err);
	ret = avml_kcore_note_find(fd, "a/kcore", "VMCOREINFO", note, err);
	TEST_ASSERT(read_end <= MEMORY_AT || read_end > len);
	if (ret < 0)
		TEST_ASSERT(err->code == -ret && err->depth > 0);
	return ret;
}

static int find(const struct file *f, struct avml_kcore_note *note,
	struct avml_error *err)
{
	return find_in(f->bytes, sizeof(f->bytes), note, err);
}

/* --- tests ---------------------------------------------------------------- */

START_TEST(kcore_note_is_found_among_others)
{
	struct avml_kcore_note note;
	struct avml_error err;
	size_t at;
	CLEANUP_FREE struct file *f = usual_file(_i, &at);

	ck_assert_int_eq(find(f, &note, &err), 0);
	ck_assert_uint_eq(note.offset, at);
	ck_assert_uint_eq(note.len, strlen("OSRELEASE=6.1\n"));
	ck_assert_uint_le(read_end, at);
}
END_TEST

START_TEST(kcore_note_without_its_padding_is_found)
{
	struct avml_kcore_note note;
	struct avml_error err;
	CLEANUP_FREE struct file *f = new_file(false);
	const size_t at = add_note(f, "VMCOREINFO", "12345");

	/* One that comes after it is not looked for there. */
	put_phdr(f, 0, PT_NOTE, NOTES_AT, f->notes_len - 3);
	ck_assert_int_eq(find(f, &note, &err), 0);
	ck_assert_uint_eq(note.offset, at);
	ck_assert_uint_eq(note.len, 5);
	put(f->bytes + NOTES_AT + 12, 1, 'X', false);
	ck_assert_int_eq(find(f, &note, &err), -ENODATA);
}
END_TEST

START_TEST(kcore_note_in_a_second_segment_is_found)
{
	struct avml_kcore_note note;
	struct avml_error err;
	CLEANUP_FREE struct file *f = new_file(false);
	size_t first, at;

	add_note(f, "CORE", "registers");
	first = f->notes_len;
	at = add_note(f, "VMCOREINFO", "text");
	put_phdr(f, 0, PT_NOTE, NOTES_AT, first);
	put_phdr(f, 1, PT_NOTE, NOTES_AT + first, f->notes_len - first);
	ck_assert_int_eq(find(f, &note, &err), 0);
	ck_assert_uint_eq(note.offset, at);
}
END_TEST

START_TEST(kcore_note_that_is_not_there_is_enodata)
{
	struct avml_kcore_note note;
	struct avml_error err;
	CLEANUP_FREE struct file *f = new_file(false);

	ck_assert_int_eq(find(f, &note, &err), -ENODATA);
	add_note(f, "CORE", "registers");
	ck_assert_int_eq(find(f, &note, &err), -ENODATA);
	ck_assert_str_eq(
		avml_error_message(&err, 0), "a/kcore has no note VMCOREINFO");
	put_phdr(f, 0, PT_NULL, NOTES_AT, f->notes_len);
	ck_assert_int_eq(find(f, &note, &err), -ENODATA);
}
END_TEST

#define NOTE_SIZE(at, value) NOTES_AT + (at), 4, value
#define PHDR(field, value) \
	sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, field), 8, value

static const struct {
	size_t at;
	unsigned int size;
	uint64_t value;
	const char *says;
} lies[] = {
	{ 0, 1, 0, "no ELF file" },
	{ NOTE_SIZE(0, UINT32_MAX),
		"a/kcore: the note at file offset 0x200 reaches past the end "
		"of its segment" },
	{ NOTE_SIZE(0, UINT32_MAX - 2), "reaches past" },
	{ NOTE_SIZE(0, 0x100), "reaches past" },
	{ NOTE_SIZE(4, UINT32_MAX), "reaches past" },
	{ NOTE_SIZE(4, 0x100), "reaches past" },
	{ PHDR(p_filesz, AVML_KCORE_NOTES_MAX + 1),
		"a/kcore: program header 0: 0x100001 bytes of notes at file "
		"offset 0x200 make no sense" },
	{ PHDR(p_filesz, UINT64_MAX), "make no sense" },
	{ PHDR(p_offset, UINT64_MAX), "make no sense" },
	{ PHDR(p_offset, INT64_MAX), "make no sense" },
	{ PHDR(p_offset, MEMORY_AT),
		"a/kcore: program header 0: its notes reach into the memory "
		"at file offset 0x1000" },
	{ PHDR(p_offset, MEMORY_AT - 1), "reach into the memory" },
	{ PHDR(p_filesz, MEMORY_AT - NOTES_AT + 1), "reach into the memory" },
	{ PHDR(p_filesz, AVML_KCORE_NOTES_MAX), "reach into the memory" },
};

START_TEST(kcore_note_lie_is_refused_with_the_reason)
{
	struct avml_kcore_note note;
	struct avml_error err;
	size_t at;
	CLEANUP_FREE struct file *f = usual_file(false, &at);

	put(f->bytes + lies[_i].at, lies[_i].size, lies[_i].value, false);
	ck_assert_int_eq(find(f, &note, &err), -EINVAL);
	ck_assert_msg(
		strstr(avml_error_message(&err, 0), lies[_i].says) != NULL,
		"%s", avml_error_message(&err, 0));
	ck_assert_uint_le(read_end, MEMORY_AT);
}
END_TEST

START_TEST(kcore_note_in_a_file_cut_anywhere_is_no_note)
{
	struct avml_kcore_note note;
	struct avml_error err;
	size_t at;
	CLEANUP_FREE struct file *f = usual_file(false, &at);

	/* What it holds is the reader's business: up to there it is read. */
	for (size_t len = 0; len < at; len++) {
		const int ret = find_in(f->bytes, len, &note, &err);

		if (ret == 0)
			TEST_ASSERT(note.offset == at);
		else
			TEST_ASSERT(ret == -EINVAL);
	}
}
END_TEST

/* Whatever stands in headers and notes, what is found lies in a segment. */
START_TEST(kcore_note_of_random_changes_is_sound)
{
	static const uint32_t words[] = { 0, 1, 3, 11, 12, 0x7fffffff,
		0x80000000, 0xfffffffc, 0xffffffff };
	uint64_t state = 7;
	size_t at, found = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		CLEANUP_FREE struct file *f = usual_file(i & 1, &at);
		struct avml_kcore_note note;
		struct avml_error err;

		for (unsigned int k = 0; k < 1 + i % 3; k++) {
			const uint64_t r = test_random(&state);
			const size_t where =
				r % 2 ? NOTES_AT + r / 2 % f->notes_len / 4 * 4
				      : 16 + r / 2 % 160 / 4 * 4;

			put(f->bytes + where, 4,
				words[(r >> 32) % TEST_COUNT(words)], f->big);
		}
		if (find(f, &note, &err) < 0)
			continue;
		found++;
		TEST_ASSERT(note.len <= AVML_KCORE_NOTES_MAX);
		TEST_ASSERT(note.offset <= INT64_MAX - note.len);
	}
	ck_assert_uint_gt(found, 1000);
}
END_TEST

static Suite *kcore_note_suite(void)
{
	Suite *s = suite_create("kcore_note");
	TCase *tc = tcase_create("notes");

	tcase_add_loop_test(tc, kcore_note_is_found_among_others, 0, 2);
	tcase_add_test(tc, kcore_note_without_its_padding_is_found);
	tcase_add_test(tc, kcore_note_in_a_second_segment_is_found);
	tcase_add_test(tc, kcore_note_that_is_not_there_is_enodata);
	tcase_add_loop_test(tc, kcore_note_lie_is_refused_with_the_reason, 0,
		TEST_COUNT(lies));
	tcase_add_test(tc, kcore_note_in_a_file_cut_anywhere_is_no_note);
	tcase_add_test(tc, kcore_note_of_random_changes_is_sound);
	suite_add_tcase(s, tc);
	return s;
}

CHECK_MAIN(kcore_note_suite)

/* SPDX-License-Identifier: MIT */
/* What a made-up kpageflags tells of its pages. */
#include <avml/page_flags.h>

#include "check_paths.h"
#include "check_wrap.h"

/* As the kernel's ABI numbers them, whatever the code thinks. */
#define HWPOISON (UINT64_C(1) << 19)
#define NOPAGE (UINT64_C(1) << 20)
#define OFFLINE (UINT64_C(1) << 23)
#define OTHERS (~(HWPOISON | NOPAGE | OFFLINE))

#define COUNT_MAX 300

/* From that offset on reading fails; 0: nowhere. */
static off_t broken_from;

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	if (broken_from > 0 && offset >= broken_from) {
		errno = EIO;
		return -1;
	}
	if (broken_from > 0 && (off_t)len > broken_from - offset)
		len = (size_t)(broken_from - offset);
	return REAL64(pread)(fd, buf, len, offset);
}

static struct avml_page_flags open_flags(const char *path)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_page_flags flags;

	memset(&flags, 0xa5, sizeof(flags));
	ck_assert_msg(avml_page_flags_open(path, &flags, &err) == 0, "%s",
		avml_error_message(&err, 0));
	ck_assert(avml_page_flags_known(&flags));
	return flags;
}

static struct avml_page_flags flags_of(const uint64_t *words, size_t bytes)
{
	return open_flags(test_file("kpageflags", words, bytes));
}

/* What is behind the marks must stay as it was. */
static void read_marks(const struct avml_page_flags *flags, uint64_t pfn,
	size_t count, uint8_t *marks)
{
	uint8_t room[COUNT_MAX + 1];

	TEST_ASSERT(count <= COUNT_MAX);
	memset(room, 0xa5, sizeof(room));
	avml_page_flags_marks(flags, pfn, count, room);
	TEST_ASSERT(room[count] == 0xa5);
	memcpy(marks, room, count);
}

static const struct {
	uint64_t word;
	enum avml_page_mark mark;
} words[] = {
	{ 0, AVML_PAGE_MARK_NONE },
	{ OTHERS, AVML_PAGE_MARK_NONE },
	/* The neighbours of the three bits. */
	{ UINT64_C(1) << 18, AVML_PAGE_MARK_NONE },
	{ UINT64_C(1) << 21, AVML_PAGE_MARK_NONE },
	{ UINT64_C(1) << 22, AVML_PAGE_MARK_NONE },
	{ UINT64_C(1) << 24, AVML_PAGE_MARK_NONE },
	{ HWPOISON, AVML_PAGE_MARK_POISONED },
	{ HWPOISON | OTHERS, AVML_PAGE_MARK_POISONED },
	{ OFFLINE, AVML_PAGE_MARK_OFFLINE },
	{ OFFLINE | OTHERS, AVML_PAGE_MARK_OFFLINE },
	{ NOPAGE, AVML_PAGE_MARK_NO_PAGE },
	{ NOPAGE | OTHERS, AVML_PAGE_MARK_NO_PAGE },
	/* Of several the gravest. */
	{ HWPOISON | OFFLINE, AVML_PAGE_MARK_POISONED },
	{ HWPOISON | NOPAGE, AVML_PAGE_MARK_POISONED },
	{ OFFLINE | NOPAGE, AVML_PAGE_MARK_OFFLINE },
	{ UINT64_MAX, AVML_PAGE_MARK_POISONED },
};

START_TEST(page_flags_bits_give_marks)
{
	uint64_t file[TEST_COUNT(words)];
	uint8_t marks[TEST_COUNT(words)];
	struct avml_page_flags flags;

	for (size_t i = 0; i < TEST_COUNT(words); i++)
		file[i] = words[i].word;
	flags = flags_of(file, sizeof(file));
	/* All at once, and each by its own number. */
	read_marks(&flags, 0, TEST_COUNT(words), marks);
	for (size_t i = 0; i < TEST_COUNT(words); i++) {
		uint8_t one;

		read_marks(&flags, i, 1, &one);
		ck_assert_msg(marks[i] == words[i].mark && one == marks[i],
			"word %zu: %u and %u, not %u", i, marks[i], one,
			words[i].mark);
	}
	avml_page_flags_release(&flags);
}
END_TEST

/* A mark that tells its page from those around it: 0, 1, 2, 3, 0, ... */
static uint64_t word_of(uint64_t pfn)
{
	static const uint64_t of[] = { 0, HWPOISON, OFFLINE, NOPAGE };

	/* The pattern shifts, so that a wrong page shows. */
	return of[(pfn + pfn / 64 + pfn / 7) % 4];
}

static uint8_t mark_of(uint64_t pfn)
{
	const uint64_t word = word_of(pfn);

	return word & HWPOISON	? AVML_PAGE_MARK_POISONED
	       : word & OFFLINE ? AVML_PAGE_MARK_OFFLINE
	       : word & NOPAGE	? AVML_PAGE_MARK_NO_PAGE
				: AVML_PAGE_MARK_NONE;
}

static struct avml_page_flags flags_of_pattern(size_t count, size_t extra)
{
	static uint64_t file[COUNT_MAX + 1];

	for (size_t i = 0; i < TEST_COUNT(file); i++)
		file[i] = word_of(i);
	return flags_of(file, count * sizeof(file[0]) + extra);
}

/* Counts around those that are asked for at once, from any page on. */
START_TEST(page_flags_of_many_pages_are_each_their_own)
{
	static const size_t counts[] = { 0, 1, 2, 63, 64, 65, 127, 128, 129,
		200, 256 };
	static const uint64_t firsts[] = { 0, 1, 7, 63, 64, 44 };
	struct avml_page_flags flags = flags_of_pattern(COUNT_MAX, 0);
	uint8_t marks[COUNT_MAX];

	for (size_t k = 0; k < TEST_COUNT(counts); k++) {
		for (size_t f = 0; f < TEST_COUNT(firsts); f++) {
			if (firsts[f] + counts[k] > COUNT_MAX)
				continue;
			read_marks(&flags, firsts[f], counts[k], marks);
			for (size_t i = 0; i < counts[k]; i++)
				ck_assert_msg(
					marks[i] == mark_of(firsts[f] + i),
					"%zu from %llu: page %zu", counts[k],
					(unsigned long long)firsts[f], i);
		}
	}
	avml_page_flags_release(&flags);
}
END_TEST

/* The file ends where the last RAM does; behind it nothing is told. */
START_TEST(page_flags_behind_the_end_are_unknown)
{
	static const size_t ends[] = { 1, 5, 63, 64, 65, 100, 128 };

	for (size_t k = 0; k < TEST_COUNT(ends); k++) {
		/* A word cut short is none. */
		struct avml_page_flags flags = flags_of_pattern(ends[k], 7);
		uint8_t marks[200];

		read_marks(&flags, 0, TEST_COUNT(marks), marks);
		for (size_t i = 0; i < TEST_COUNT(marks); i++)
			ck_assert_msg(
				marks[i] ==
					(i < ends[k] ? mark_of(i)
						     : AVML_PAGE_MARK_UNKNOWN),
				"end %zu: page %zu is %u", ends[k], i,
				marks[i]);
		avml_page_flags_release(&flags);
	}
}
END_TEST

/* Numbers of pages whose words no file has a place for. */
START_TEST(page_flags_of_huge_numbers_are_not_told)
{
	static const uint64_t pfns[] = {
		UINT64_C(1) << 36,
		INT64_MAX / 8 - 70,
		INT64_MAX / 8,
		INT64_MAX / 8 + 1,
		/* Times 8 they would be 0, and go on with 8. */
		UINT64_C(1) << 61,
		(UINT64_C(1) << 61) + 1,
		(UINT64_C(1) << 61) - 64,
		UINT64_C(7) << 61,
		UINT64_MAX - 64,
		UINT64_MAX,
	};
	struct avml_page_flags flags = flags_of_pattern(COUNT_MAX, 0);
	uint8_t marks[130];

	for (size_t k = 0; k < TEST_COUNT(pfns); k++) {
		/* Numbers that wrap begin anew, which is not looked at. */
		const uint64_t left = UINT64_MAX - pfns[k];
		const size_t count = left < TEST_COUNT(marks)
					     ? (size_t)left + 1
					     : TEST_COUNT(marks);

		read_marks(&flags, pfns[k], count, marks);
		for (size_t i = 0; i < count; i++)
			ck_assert_msg(marks[i] == AVML_PAGE_MARK_UNKNOWN ||
					      marks[i] == AVML_PAGE_MARK_ERROR,
				"number %zu: page %zu is %u", k, i, marks[i]);
	}
	avml_page_flags_release(&flags);
}
END_TEST

/* On real ones too, the whole words of a hole are there, and 0. */
START_TEST(page_flags_of_a_sparse_file_far_up_are_found)
{
	const uint64_t pfn = UINT64_C(0x12345678);
	const char *path = test_path("kpageflags");
	const uint64_t word = OFFLINE;
	struct avml_page_flags flags;
	uint8_t marks[4];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, &word, 8, (off_t)(pfn * 8)), 8);
	ck_assert_int_eq(close(fd), 0);
	flags = open_flags(path);
	read_marks(&flags, pfn - 2, 4, marks);
	ck_assert_int_eq(marks[0], AVML_PAGE_MARK_NONE);
	ck_assert_int_eq(marks[1], AVML_PAGE_MARK_NONE);
	ck_assert_int_eq(marks[2], AVML_PAGE_MARK_OFFLINE);
	ck_assert_int_eq(marks[3], AVML_PAGE_MARK_UNKNOWN);
	avml_page_flags_release(&flags);
}
END_TEST

static void assert_refused(const char *path, int ret, const char *message)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_page_flags flags;
	const int next = dup(STDIN_FILENO);
	int got;

	close(next);
	memset(&flags, 0xa5, sizeof(flags));
	got = avml_page_flags_open(path, &flags, &err);
	ck_assert_msg(got == ret, "%s: %d, not %d", path, got, ret);
	ck_assert(!avml_page_flags_known(&flags));
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), message));
	/* There is nothing to release, and nothing was left open. */
	avml_page_flags_release(&flags);
	got = dup(STDIN_FILENO);
	ck_assert_int_eq(got, next);
	close(got);
}

START_TEST(page_flags_missing_or_masked_are_refused)
{
	static const uint64_t word = 0;
	const char *fifo = test_path("fifo");

	assert_refused(test_path("missing"), -ENOENT, "cannot open");
	assert_refused(test_text("%s", test_file("kpageflags", "", 0)),
		-ENODATA, "empty or masked");
	assert_refused(test_text("%s", test_file("kpageflags", &word, 7)),
		-ENODATA, "empty or masked");
	assert_refused(test_text("%s", test_dir()), -EISDIR, "cannot read");
	/* The null device, which containers mount over what they hide. */
	assert_refused("/dev/null", -ENODATA, "empty or masked");
	/* Nobody writes into it: this must not wait. */
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	assert_refused(fifo, -ESPIPE, "cannot read");
}
END_TEST

START_TEST(page_flags_release_closes_and_may_come_twice)
{
	struct avml_page_flags flags = flags_of_pattern(1, 0);
	const struct avml_page_flags none = AVML_PAGE_FLAGS_INIT;
	const int fd = flags.fd;

	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	avml_page_flags_release(&flags);
	ck_assert(!avml_page_flags_known(&flags));
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	avml_page_flags_release(&flags);
	ck_assert(!avml_page_flags_known(&none));
}
END_TEST

/* The last word that there is, and what comes of a file that shrinks. */
START_TEST(page_flags_that_cannot_be_read_any_more_are_not_told)
{
	const char *path = test_file("kpageflags", (uint64_t[4]){ 0 }, 32);
	struct avml_page_flags flags = open_flags(path);
	uint8_t marks[4];

	ck_assert_int_eq(truncate(path, 0), 0);
	read_marks(&flags, 0, 4, marks);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(marks[i], AVML_PAGE_MARK_UNKNOWN);
	/* An error is no end. */
	close(flags.fd);
	read_marks(&flags, 0, 4, marks);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(marks[i], AVML_PAGE_MARK_ERROR);
}
END_TEST

/* Nor is one that comes after a part of what was asked for at once. */
START_TEST(page_flags_behind_an_error_are_not_told)
{
	static const size_t good[] = { 1, 5, 63, 64, 65, 100 };

	for (size_t k = 0; k < TEST_COUNT(good); k++) {
		struct avml_page_flags flags = flags_of_pattern(COUNT_MAX, 0);
		uint8_t marks[200];

		broken_from = (off_t)good[k] * 8;
		read_marks(&flags, 0, TEST_COUNT(marks), marks);
		broken_from = 0;
		for (size_t i = 0; i < TEST_COUNT(marks); i++)
			ck_assert_msg(
				marks[i] ==
					(i < good[k] ? mark_of(i)
						     : AVML_PAGE_MARK_ERROR),
				"good %zu: page %zu is %u", good[k], i,
				marks[i]);
		avml_page_flags_release(&flags);
	}
}
END_TEST

static Suite *page_flags_suite(void)
{
	Suite *suite = suite_create("page_flags");
	TCase *tc = tcase_create("page_flags");

	tcase_add_test(tc, page_flags_bits_give_marks);
	tcase_add_test(tc, page_flags_of_many_pages_are_each_their_own);
	tcase_add_test(tc, page_flags_behind_the_end_are_unknown);
	tcase_add_test(tc, page_flags_of_huge_numbers_are_not_told);
	tcase_add_test(tc, page_flags_of_a_sparse_file_far_up_are_found);
	tcase_add_test(tc, page_flags_missing_or_masked_are_refused);
	tcase_add_test(tc, page_flags_release_closes_and_may_come_twice);
	tcase_add_test(
		tc, page_flags_that_cannot_be_read_any_more_are_not_told);
	tcase_add_test(tc, page_flags_behind_an_error_are_not_told);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(page_flags_suite)

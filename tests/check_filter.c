/* SPDX-License-Identifier: MIT */
/*
 * The page filter in front of a source: what kpageflags marks is not asked
 * for, and all else is read as if there were no filter.
 */
#include "check_faulty.h"
#include "check_paths.h"

/* More than the filter asks for at once, and not a multiple of it. */
#define PAGES_MAX 200
#define HWPOISON (UINT64_C(1) << 19)
#define NOPAGE (UINT64_C(1) << 20)
#define OFFLINE (UINT64_C(1) << 23)

static const size_t page_sizes[] = { 4096, 16384, 65536 };

/* 'P', 'O' and 'N' are marked; at 'U' the file has ended; others are not. */
static uint64_t word_of(char page)
{
	/* With bits that mean nothing to us. */
	const uint64_t others = 0x4003;

	switch (page) {
	case 'P':
		return HWPOISON | OFFLINE | others;
	case 'O':
		return OFFLINE | others;
	case 'N':
		return NOPAGE;
	default:
		return others;
	}
}

static bool is_marked(char page, bool cautious)
{
	return strchr("PON", page) || (page == 'U' && cautious);
}

static uint8_t expected_status(char page, bool cautious)
{
	switch (page) {
	case 'P':
		return AVML_PAGE_POISONED;
	case 'O':
		return AVML_PAGE_OFFLINE;
	case 'N':
		return AVML_PAGE_NO_PAGE;
	case 'U':
		return cautious ? AVML_PAGE_UNMARKED : AVML_PAGE_READ;
	default:
		return status_of(page);
	}
}

/* A kpageflags that tells of the pages, at the numbers that they have. */
static void open_flags(struct faulty *f)
{
	const char *path = test_path("kpageflags");
	const uint64_t pfn = f->start / f->base.page_size;
	struct avml_error err;
	uint64_t word = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	/* Behind the pages all are marked, and before them too. */
	for (uint64_t i = pfn < 200 ? 0 : pfn - 200; i < pfn; i++) {
		word = HWPOISON;
		ck_assert_int_eq(pwrite(fd, &word, 8, (off_t)(i * 8)), 8);
	}
	for (size_t i = 0; f->pages[i] && f->pages[i] != 'U'; i++) {
		word = word_of(f->pages[i]);
		ck_assert_int_eq(
			pwrite(fd, &word, 8, (off_t)((pfn + i) * 8)), 8);
	}
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(avml_page_flags_open(path, &f->base.flags, &err), 0);
}

/* Read pages `first` to `count`, and check all of them and the log. */
static void read_pages(struct faulty *f, size_t first, size_t count)
{
	const size_t page = f->base.page_size;
	const bool cautious = f->base.cautious;
	/* Of their exact size, so that a sanitizer sees what is behind. */
	uint8_t *bytes = malloc(count * page);
	uint8_t *status = malloc(count);
	struct avml_source_reader *reader;
	struct avml_error err;
	size_t failed, expected = 0;

	f->reads = 0;
	ck_assert_int_eq(avml_source_reader_new(&f->base, &reader, &err), 0);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_ptr_nonnull(status);
	memset(bytes, 0xdd, count * page);
	memset(status, 0xdd, count);
	failed = avml_source_read(
		reader, f->start + first * page, bytes, count * page, status);
	avml_source_reader_free(reader);
	for (size_t i = 0; i < count; i++) {
		const char letter = f->pages[first + i];
		const uint8_t want = expected_status(letter, cautious);
		const uint64_t addr = f->start + (first + i) * page;

		ck_assert_msg(status[i] == want,
			"page %zu of \"%s\": status %u, not %u", first + i,
			f->pages, status[i], want);
		assert_page_bytes(bytes + i * page, addr, page,
			want == AVML_PAGE_READ ? page : 0, 0);
		ck_assert_msg((faulty_asked(f, addr) > 0) ==
				      !is_marked(letter, cautious),
			"page %zu of \"%s\" was asked for %zu times", first + i,
			f->pages, faulty_asked(f, addr));
		expected += want != AVML_PAGE_READ;
	}
	ck_assert_uint_eq(failed, expected);
	free(bytes);
	free(status);
}

static const char *const patterns[] = {
	".",
	"P",
	"O",
	"N",
	"U",
	"P.",
	".P",
	".P.",
	"P.P",
	"PON",
	"PPPPPPPP",
	"NNOOPPNN",
	"PP......",
	"......PP",
	"...PP...",
	".P.O.N.P",
	"..UUUUUU",
	"..PPUUUU",
	/* Pages that cannot be read, next to others that may not. */
	"iiPPffOO",
	"PiPfPxP.",
	".Pi.",
	"....iPPPPi......",
	"PPPPPPPiPPPPPPPP",
};

START_TEST(filter_marked_pages_are_not_touched)
{
	for (size_t i = 0; i < TEST_COUNT(patterns); i++) {
		const size_t count = strlen(patterns[i]);

		for (int way = 0; way < 4; way++) {
			struct faulty f = faulty(page_sizes[_i], patterns[i]);

			f.base.cautious = way & 1;
			f.manner = way & 2 ? SHORT : WHOLE;
			open_flags(&f);
			read_pages(&f, 0, count);
			/* And a part of it: numbers are those of addresses. */
			if (count > 2)
				read_pages(&f, 1, count - 2);
			avml_page_flags_release(&f.base.flags);
		}
	}
}
END_TEST

/* Long ones: the same letter, with others at places of interest. */
static const struct {
	char most;
	struct {
		size_t at, len;
		char letter;
	} runs[4];
	size_t reads; /* at most, of the whole */
} longs[] = {
	/* One look at kpageflags is for 64 pages, and so is a read. */
	{ '.', { { 0 } }, 4 },
	{ 'P', { { 0 } }, 0 },
	{ 'U', { { 0 } }, 4 },
	{ '.', { { 0, 1, 'P' } }, 4 },
	{ '.', { { 63, 1, 'P' } }, 4 },
	{ '.', { { 64, 1, 'P' } }, 4 },
	{ '.', { { 63, 2, 'O' } }, 4 },
	{ '.', { { 199, 1, 'N' } }, 4 },
	{ '.', { { 60, 80, 'N' } }, 3 },
	{ '.', { { 64, 64, 'P' } }, 3 },
	{ '.', { { 100, 100, 'U' } }, 4 },
	{ '.', { { 10, 1, 'P' }, { 20, 1, 'P' }, { 30, 1, 'P' } }, 7 },
	{ 'P', { { 0, 1, '.' }, { 63, 2, '.' }, { 199, 1, '.' } }, 4 },
	{ '.', { { 62, 2, 'P' }, { 64, 2, 'i' }, { 128, 1, 'N' } }, 40 },
};

START_TEST(filter_of_many_pages_is_the_same_for_all)
{
	char pages[PAGES_MAX + 1] = "";

	memset(pages, longs[_i].most, PAGES_MAX);
	for (size_t i = 0; i < TEST_COUNT(longs[_i].runs); i++)
		memset(pages + longs[_i].runs[i].at, longs[_i].runs[i].letter,
			longs[_i].runs[i].len);
	for (int cautious = 0; cautious < 2; cautious++) {
		struct faulty f = faulty(4096, pages);

		f.base.cautious = cautious;
		open_flags(&f);
		read_pages(&f, 3, PAGES_MAX - 5);
		read_pages(&f, 0, PAGES_MAX);
		ck_assert_uint_le(f.reads, longs[_i].reads);
		avml_page_flags_release(&f.base.flags);
	}
}
END_TEST

START_TEST(filter_random_pages_are_told_one_by_one)
{
	uint64_t seed = 0x66696c746572;

	for (int round = 0; round < 150; round++) {
		const size_t count = 1 + test_random(&seed) % PAGES_MAX;
		const uint64_t odds = 2 + test_random(&seed) % 30;
		char pages[PAGES_MAX + 1] = "";
		struct faulty f;

		for (size_t i = 0; i < count; i++)
			pages[i] = test_random(&seed) % odds
					   ? '.'
					   : "PPOONif"[test_random(&seed) % 7];
		if (test_random(&seed) % 4 == 0)
			memset(pages + count / 2, 'U', count - count / 2);
		f = faulty(4096, pages);
		f.manner = (enum manner)(test_random(&seed) % 3);
		f.base.cautious = test_random(&seed) % 2;
		/* Elsewhere the words of other pages are looked up. */
		f.start = (test_random(&seed) % 100000) << 12;
		open_flags(&f);
		read_pages(&f, 0, count);
		avml_page_flags_release(&f.base.flags);
	}
}
END_TEST

/* A file that ends, seen through the filter: marks come first. */
START_TEST(filter_before_the_end_of_a_file)
{
	struct faulty f = faulty(4096, "....P...P");
	struct avml_source_reader *reader;
	uint8_t bytes[9 * 4096], status[9];
	struct avml_error err;

	f.base.flat = true;
	f.len = 2 * 4096 + 100;
	open_flags(&f);
	ck_assert_int_eq(avml_source_reader_new(&f.base, &reader, &err), 0);
	ck_assert_uint_eq(
		avml_source_read(reader, f.start, bytes, sizeof(bytes), status),
		7);
	avml_source_reader_free(reader);
	ck_assert_int_eq(status[1], AVML_PAGE_READ);
	ck_assert_int_eq(status[2], AVML_PAGE_END);
	ck_assert_int_eq(status[3], AVML_PAGE_END);
	ck_assert_int_eq(status[4], AVML_PAGE_POISONED);
	ck_assert_int_eq(status[5], AVML_PAGE_END);
	ck_assert_int_eq(status[8], AVML_PAGE_POISONED);
	assert_page_bytes(bytes + 2 * 4096, f.start + 2 * 4096, 4096, 100, 0);
	assert_page_bytes(bytes + 4 * 4096, 0, 4096, 0, 0);
	avml_page_flags_release(&f.base.flags);
}
END_TEST

/* Without a filter nothing is asked twice, and nothing is cut at 64. */
START_TEST(filter_absent_reads_as_before)
{
	char pages[PAGES_MAX + 1] = "";
	struct faulty f;

	memset(pages, '.', PAGES_MAX);
	f = faulty(4096, pages);
	f.base.cautious = true;
	ck_assert(!avml_source_is_filtered(&f.base));
	read_pages(&f, 0, PAGES_MAX);
	ck_assert_uint_eq(f.reads, 1);
	open_flags(&f);
	ck_assert(avml_source_is_filtered(&f.base));
	avml_page_flags_release(&f.base.flags);
}
END_TEST

/* Where the marks cannot be read at all, no page is known to be good. */
START_TEST(filter_that_fails_lets_nothing_through)
{
	char pages[PAGES_MAX + 1] = "";
	struct avml_source_reader *reader;
	uint8_t *bytes = malloc(PAGES_MAX * 4096);
	uint8_t status[PAGES_MAX];
	struct avml_error err;
	struct faulty f;

	memset(pages, '.', PAGES_MAX);
	f = faulty(4096, pages);
	f.base.flags.open = true;
	f.base.flags.fd = open("/", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(f.base.flags.fd, 0);
	ck_assert_int_eq(avml_source_reader_new(&f.base, &reader, &err), 0);
	ck_assert_uint_eq(avml_source_read(reader, f.start, bytes,
				  PAGES_MAX * 4096, status),
		PAGES_MAX);
	avml_source_reader_free(reader);
	ck_assert_uint_eq(f.reads, 0);
	for (size_t i = 0; i < PAGES_MAX; i++) {
		ck_assert_int_eq(status[i], AVML_PAGE_UNMARKED);
		assert_page_bytes(bytes + i * 4096, 0, 4096, 0, 0);
	}
	avml_page_flags_release(&f.base.flags);
	free(bytes);
}
END_TEST

/* Probing goes through the filter: its pages may be bad ones too. */
START_TEST(filter_probe_does_not_touch_marked_pages)
{
	static const struct {
		const char *pages;
		int ret;
		size_t asked;
	} probes[] = {
		{ "P...O....", 0, 1 },
		{ "PPPP.....", 0, 1 },
		{ "PPPPPPPP.", 0, 1 },
		{ "P...P...P", -EIO, 0 },
		{ "i...P...i", -EIO, 2 },
		{ "OOOOOOOOO", -EIO, 0 },
	};

	for (size_t i = 0; i < TEST_COUNT(probes); i++) {
		struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
		struct faulty f = faulty(4096, probes[i].pages);
		struct avml_error err = AVML_ERROR_INIT;

		ck_assert_int_eq(
			avml_range_list_add(&ranges, f.start, f.start + f.len),
			0);
		open_flags(&f);
		ck_assert_msg(avml_source_probe(&f.base, &ranges, &err) ==
				      probes[i].ret,
			"%s", probes[i].pages);
		ck_assert_uint_eq(f.reads, probes[i].asked);
		for (size_t k = 0; k < 9; k++) {
			if (is_marked(probes[i].pages[k], false))
				ck_assert_uint_eq(
					faulty_asked(&f, f.start + k * 4096),
					0);
		}
		if (i == 5)
			ck_assert_ptr_nonnull(
				strstr(avml_error_message(&err, 0),
					"offline (kpageflags)"));
		avml_page_flags_release(&f.base.flags);
		avml_range_list_release(&ranges);
	}
}
END_TEST

static Suite *filter_suite(void)
{
	Suite *suite = suite_create("filter");
	TCase *tc = tcase_create("filter");

	tcase_add_loop_test(tc, filter_marked_pages_are_not_touched, 0,
		TEST_COUNT(page_sizes));
	tcase_add_loop_test(tc, filter_of_many_pages_is_the_same_for_all, 0,
		TEST_COUNT(longs));
	tcase_add_test(tc, filter_random_pages_are_told_one_by_one);
	tcase_add_test(tc, filter_before_the_end_of_a_file);
	tcase_add_test(tc, filter_absent_reads_as_before);
	tcase_add_test(tc, filter_that_fails_lets_nothing_through);
	tcase_add_test(tc, filter_probe_does_not_touch_marked_pages);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(filter_suite)

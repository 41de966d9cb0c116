/* SPDX-License-Identifier: MIT */
#include <avml/page_flags.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Bits of a word; before Linux 5.2, OFFLINE was called BALLOON. */
#define FLAG_HWPOISON (1ull << 19)
#define FLAG_NOPAGE (1ull << 20)
#define FLAG_OFFLINE (1ull << 23)

/* Words that are asked for at once. */
#define WORDS 64

int avml_page_flags_open(
	const char *path, struct avml_page_flags *flags, struct avml_error *err)
{
	CLEANUP_CLOSE int fd =
		io_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	uint64_t word;
	ssize_t n;

	*flags = (struct avml_page_flags)AVML_PAGE_FLAGS_INIT;
	if (fd < 0)
		return avml_error_set_errno(err, -fd, "cannot open %s", path);
	n = io_pread_full(fd, &word, sizeof(word), 0);
	if (n < 0)
		return avml_error_set_errno(
			err, (int)-n, "cannot read %s", path);
	if ((size_t)n < sizeof(word))
		return avml_error_set(
			err, ENODATA, "%s is empty or masked", path);
	flags->fd = TAKE_FD(fd);
	flags->open = true;
	return 0;
}

void avml_page_flags_release(struct avml_page_flags *flags)
{
	if (flags->open)
		close(flags->fd);
	flags->open = false;
}

static uint8_t mark_of(uint64_t word)
{
	if (word & FLAG_HWPOISON)
		return AVML_PAGE_MARK_POISONED;
	if (word & FLAG_OFFLINE)
		return AVML_PAGE_MARK_OFFLINE;
	if (word & FLAG_NOPAGE)
		return AVML_PAGE_MARK_NO_PAGE;
	return AVML_PAGE_MARK_NONE;
}

void avml_page_flags_marks(const struct avml_page_flags *flags, uint64_t pfn,
	size_t count, uint8_t *marks)
{
	uint64_t words[WORDS], offset;

	while (count > 0) {
		size_t part = count < WORDS ? count : WORDS;
		ssize_t n = -EINVAL;

		if (!__builtin_mul_overflow(pfn, sizeof(words[0]), &offset))
			n = io_pread_full(flags->fd, words,
				part * sizeof(words[0]), offset);
		if (n >= (ssize_t)sizeof(words[0])) {
			/* Whether an error or the end is next, the next tells.
			 */
			part = (size_t)n / sizeof(words[0]);
			for (size_t i = 0; i < part; i++)
				marks[i] = mark_of(words[i]);
		} else {
			memset(marks,
				n < 0 ? AVML_PAGE_MARK_ERROR
				      : AVML_PAGE_MARK_UNKNOWN,
				part);
		}
		pfn += part;
		marks += part;
		count -= part;
	}
}

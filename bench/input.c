/* SPDX-License-Identifier: MIT */
/*
 * input KIND MIB FILE: a file to measure with, the same bytes each time.
 *
 *   mixed   like a machine's memory: about a third of its pages are zero, in
 *           runs of all lengths, some over 16 MiB; text, code, tables of
 *           pointers, and what does not compress
 *   zeros   nothing else, and no holes
 *   random  nothing else
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
#define MIB (1u << 20)

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1d;
}

static uint64_t below(uint64_t limit)
{
	return (next() >> 11) % limit;
}

static void fill_random(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		const uint64_t word = next();

		memcpy(p + i, &word, sizeof(word));
	}
}

/* Words of few letters, with the usual ones more often. */
static void fill_text(uint8_t *p, size_t len)
{
	static char words[512][12];

	for (size_t i = 0; words[511][0] == 0; i++) {
		const size_t n = 2 + below(9);

		for (size_t j = 0; j < n; j++)
			words[i][j] = (char)('a' + below(26));
	}
	for (size_t i = 0; i < len;) {
		const char *word = words[below(1 + below(512))];
		const size_t n = strlen(word);

		for (size_t j = 0; j <= n && i < len; j++)
			p[i++] = j < n ? (uint8_t)word[j] : ' ';
	}
}

/* Short patterns with operands between them. */
static void fill_code(uint8_t *p, size_t len)
{
	static uint8_t patterns[64][8];

	if (patterns[0][0] == 0)
		fill_random(patterns[0], sizeof(patterns));
	patterns[0][0] |= 1;
	for (size_t i = 0; i < len;) {
		const uint8_t *pattern = patterns[below(64)];
		const size_t n = 2u + pattern[7] % 6u;

		for (size_t j = 0; j < n && i < len; j++)
			p[i++] = pattern[j];
		for (size_t j = below(4); j > 0 && i < len; j--)
			p[i++] = (uint8_t)below(256);
	}
}

/* As of a slab: pointers of one region, small numbers, zeros. */
static void fill_pointers(uint8_t *p, size_t len)
{
	const uint64_t base = 0xffff888000000000 + below(1 << 20) * 4096;

	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		const uint64_t kind = below(8);
		uint64_t word = 0;

		if (kind < 3)
			word = base + below(1 << 14) * 64;
		else if (kind < 5)
			word = below(1 << 12);
		memcpy(p + i, &word, sizeof(word));
	}
}

/* Of what, and for how many pages; a run of zeros may be a long one. */
static size_t choose(unsigned int *kind, size_t left)
{
	const uint64_t die = below(100);
	size_t pages = 1 + below(64);

	*kind = die < 20 ? 0 : die < 45 ? 1 : die < 65 ? 2 : die < 88 ? 3 : 4;
	/* Few, and they hold most of the zeros. */
	if (*kind == 0 && below(400) == 0)
		pages = (33 + below(32)) * MIB / PAGE;
	return pages < left ? pages : left;
}

static void (*const fills[])(uint8_t *, size_t) = { NULL, fill_text, fill_code,
	fill_pointers, fill_random };

static bool write_mixed(FILE *out, size_t pages)
{
	static uint8_t buf[PAGE];

	while (pages > 0) {
		unsigned int kind;
		size_t run = choose(&kind, pages);

		pages -= run;
		for (; run > 0; run--) {
			memset(buf, 0, sizeof(buf));
			if (fills[kind])
				fills[kind](buf, sizeof(buf));
			if (fwrite(buf, sizeof(buf), 1, out) != 1)
				return false;
		}
	}
	return true;
}

static bool write_pages(FILE *out, size_t pages, bool random)
{
	static uint8_t buf[PAGE];

	for (; pages > 0; pages--) {
		if (random)
			fill_random(buf, sizeof(buf));
		if (fwrite(buf, sizeof(buf), 1, out) != 1)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	FILE *out;
	size_t pages;
	bool good;

	if (argc != 4 || !strchr("mzr", argv[1][0]))
		return 2;
	pages = strtoul(argv[2], NULL, 10) * (MIB / PAGE);
	out = fopen(argv[3], "w");
	if (!out) {
		fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	good = argv[1][0] == 'm' ? write_mixed(out, pages)
				 : write_pages(out, pages, argv[1][0] == 'r');
	if (fclose(out) != 0 || !good) {
		fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * A made-up proc and dev with all sources in them, each with bytes of its
 * own. pread() is this program's own: reads can fail, and are logged.
 */
#ifndef CHECK_TREE_H
#define CHECK_TREE_H

#include "check_faulty.h"
#include "check_kcore_file.h"
#include "check_wrap.h"

/* Two ranges: below 1 MiB, and above it. */
#define TREE_END 0x140000u
#define TREE_FAULTS 8

static const struct avml_range tree_ram[] = { { 0x1000, 0x9f000 },
	{ 0x100000, TREE_END } };

/* In the order in which they are tried; and what tells their bytes. */
enum tree_source { CRASH, KCORE, MEM, TREE_SOURCES };

static const char *const tree_names[] = { "crash", "kcore", "mem" };
static const uint8_t tree_twists[] = { 0x80, 0xff, 0xf0 };

/* Where kcore has memory in its file. */
static const struct test_phdr tree_phdrs[] = {
	{ 0x1000, 0x9e000, 0x10000 },
	{ 0x100000, 0x40000, 0x200000 },
};

struct tree {
	const char *proc, *dev;
	const char *paths[TREE_SOURCES];
	struct avml_range_list ram;
};

/* Reads of a file that fail, by offset. */
static struct {
	ino_t ino; /* 0: no fault */
	uint64_t from, to;
	int error;
} tree_faults[TREE_FAULTS];

static struct {
	ino_t ino;
	uint64_t offset;
	size_t len;
} tree_log[FAULTY_LOG];
static _Atomic size_t tree_reads;

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	const uint64_t at = (uint64_t)offset;
	struct stat st = { .st_ino = 0 };
	size_t number;

	fstat(fd, &st);
	number = atomic_fetch_add(&tree_reads, 1);
	if (number < FAULTY_LOG) {
		tree_log[number].ino = st.st_ino;
		tree_log[number].offset = at;
		tree_log[number].len = len;
	}
	/* A device's read fails as a whole. */
	for (size_t i = 0; i < TREE_FAULTS; i++) {
		if (tree_faults[i].ino == st.st_ino && st.st_ino != 0 &&
			at < tree_faults[i].to &&
			at + len > tree_faults[i].from) {
			errno = tree_faults[i].error;
			return -1;
		}
	}
	return REAL64(pread)(fd, buf, len, offset);
}

static inline ino_t tree_ino(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_ino;
}

/* Memory at [from, to) of that source cannot be read. */
static inline void tree_break(const struct tree *t, enum tree_source which,
	uint64_t from, uint64_t to, int error)
{
	const uint64_t shift = which != KCORE ? 0
			       : from < MIB   ? 0x10000 - 0x1000
					      : 0x200000 - 0x100000;
	size_t i = 0;

	while (i < TREE_FAULTS && tree_faults[i].ino)
		i++;
	ck_assert_uint_lt(i, TREE_FAULTS);
	tree_faults[i].ino = tree_ino(t->paths[which]);
	tree_faults[i].from = from + shift;
	tree_faults[i].to = to + shift;
	tree_faults[i].error = error;
}

/* How often memory at [from, to) of a copy was asked for. */
static inline size_t tree_asked(const struct tree *t, enum tree_source which,
	uint64_t from, uint64_t to)
{
	const ino_t ino = tree_ino(t->paths[which]);
	size_t count = 0;

	ck_assert_int_ne(which, KCORE);
	ck_assert_uint_le(tree_reads, FAULTY_LOG);
	for (size_t i = 0; i < tree_reads; i++)
		count += tree_log[i].ino == ino && tree_log[i].offset < to &&
			 tree_log[i].offset + tree_log[i].len > from;
	return count;
}

static inline void tree_write(
	int fd, uint64_t offset, uint64_t addr, size_t len, uint8_t twist)
{
	uint8_t *bytes = malloc(len);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(addr + i) ^ twist;
	test_pwrite(fd, bytes, len, offset);
	free(bytes);
}

/* A copy of memory in a device's place. */
static inline void tree_make_copy(const char *path, uint8_t twist)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	tree_write(fd, 0, 0, TREE_END, twist);
	ck_assert_int_eq(close(fd), 0);
}

static inline void tree_make_kcore(const char *path, uint8_t twist)
{
	int fd = test_kcore_create(path, tree_phdrs, TEST_COUNT(tree_phdrs));

	for (size_t i = 0; i < TEST_COUNT(tree_phdrs); i++)
		tree_write(fd, tree_phdrs[i].offset, tree_phdrs[i].paddr,
			(size_t)tree_phdrs[i].len, twist);
	ck_assert_int_eq(close(fd), 0);
}

/* With nothing in it. */
static inline struct tree tree_empty(void)
{
	struct tree t = { .ram = AVML_RANGE_LIST_INIT };

	t.proc = test_text("%s", test_dir());
	t.dev = test_text("%s", test_dir());
	t.paths[CRASH] = test_text("%s/crash", t.dev);
	t.paths[KCORE] = test_text("%s/kcore", t.proc);
	t.paths[MEM] = test_text("%s/mem", t.dev);
	for (size_t i = 0; i < TEST_COUNT(tree_ram); i++)
		ck_assert_int_eq(avml_range_list_add(&t.ram, tree_ram[i].start,
					 tree_ram[i].end),
			0);
	return t;
}

/* With the sources that are in the set of bits. */
static inline struct tree tree_new(unsigned int with)
{
	struct tree t = tree_empty();

	for (size_t i = 0; i < TREE_SOURCES; i++) {
		if (!(with & 1u << i))
			continue;
		if (i == KCORE)
			tree_make_kcore(t.paths[i], tree_twists[i]);
		else
			tree_make_copy(t.paths[i], tree_twists[i]);
	}
	return t;
}

static inline void tree_release(struct tree *t)
{
	avml_range_list_release(&t->ram);
}

static inline struct avml_source_config tree_config(const struct tree *t)
{
	return (struct avml_source_config){
		.proc_dir = t->proc,
		.dev_dir = t->dev,
		.page_size = 4096,
		.ram = &t->ram,
	};
}

/* A kpageflags in which the pages of [from, to) are poisoned. */
static inline void tree_make_flags(
	const struct tree *t, uint64_t from, uint64_t to)
{
	static uint64_t words[TREE_END / 4096];
	const char *path = test_text("%s/kpageflags", t->proc);

	for (uint64_t i = from / 4096; i < to / 4096; i++)
		words[i] |= 1 << 19;
	unlink(path);
	test_make_file(path, words, sizeof(words));
}

static inline void tree_make_meminfo(const struct tree *t, const char *text)
{
	test_make_file(test_text("%s/meminfo", t->proc), text, strlen(text));
}

/* --- what is told of the sources ------------------------------------------ */

struct verdicts {
	size_t count;
	struct verdict {
		char name[16], path[TEST_PATH_MAX];
		enum avml_source_reason reason;
		bool primary;
		char remedy[256], message[512]; /* "": NULL */
	} items[8];
};

static inline void tree_on_verdict(
	void *ctx, const struct avml_source_verdict *verdict)
{
	struct verdicts *all = ctx;
	struct verdict *v = &all->items[all->count++];

	ck_assert_uint_le(all->count, TEST_COUNT(all->items));
	snprintf(v->name, sizeof(v->name), "%s", verdict->name);
	snprintf(v->path, sizeof(v->path), "%s", verdict->path);
	v->reason = verdict->reason;
	v->primary = verdict->primary;
	snprintf(v->remedy, sizeof(v->remedy), "%s",
		verdict->remedy ? verdict->remedy : "");
	ck_assert((verdict->reason == AVML_SOURCE_USABLE) == !verdict->err);
	snprintf(v->message, sizeof(v->message), "%s",
		verdict->err ? avml_error_message(verdict->err, 0) : "");
}

/* The number of the next descriptor: the same again if nothing is left. */
static inline int tree_next_fd(void)
{
	const int fd = dup(STDERR_FILENO);

	ck_assert_int_ge(fd, 0);
	close(fd);
	return fd;
}

#endif

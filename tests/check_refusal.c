/* SPDX-License-Identifier: MIT */
/* Why a source does not work: each reason that files can make. */
#include "check_tree.h"

#include <linux/capability.h>

/* What is wrong, in a tree where all else works. */
typedef void spoil_fn(struct tree *t, struct avml_source_config *config);

static void none_there(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(unlink(t->paths[i]), 0);
}

static void empty(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		test_make_file(t->paths[i], "", 0);
}

static void fifos(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(mkfifo(t->paths[i], 0600), 0);
}

static void folders(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(mkdir(t->paths[i], 0700), 0);
}

/* As containers hide what is there. */
static void null_devices(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(symlink("/dev/null", t->paths[i]), 0);
}

static void loops(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(symlink(t->paths[i], t->paths[i]), 0);
}

static void garbage(struct tree *t, struct avml_source_config *config)
{
	const char *text = "No memory and no ELF file, though long enough to "
			   "be taken for one: ..............................";

	none_there(t, config);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		test_make_file(t->paths[i], text, strlen(text));
}

/* The headers are good, and what they speak of is not there. */
static void cut_short(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(truncate(t->paths[i], 0x11000), 0);
}

static void bad_sectors(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	for (size_t i = 0; i < TREE_SOURCES; i++)
		tree_break(t, (enum tree_source)i, MIB, TREE_END, EIO);
}

/* What STRICT_DEVMEM answers; of others it is an error like any. */
static void forbidden(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	for (size_t i = 0; i < TREE_SOURCES; i++)
		tree_break(t, (enum tree_source)i, MIB, TREE_END, EPERM);
}

static void no_ram(struct tree *t, struct avml_source_config *config)
{
	(void)t;
	config->ram = NULL;
	config->ram_error = "IOMEM IS HIDDEN";
}

static void no_page(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	t->ram.count = 0;
}

static void poisoned(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	tree_make_meminfo(t, "MemTotal: 5 kB\nHardwareCorrupted: 4 kB\n");
}

static void unaccepted(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	tree_make_meminfo(t, "Unaccepted:   1048576 kB\n");
}

/* kpageflags does not tell which they are; kcore keeps away by itself. */
static void unaccepted_and_flags(
	struct tree *t, struct avml_source_config *config)
{
	unaccepted(t, config);
	tree_make_flags(t, 0, 0);
}

/* What kpageflags does tell. */
static void poisoned_and_flags(
	struct tree *t, struct avml_source_config *config)
{
	poisoned(t, config);
	tree_make_flags(t, 0, 0);
}

static void odd_page(struct tree *t, struct avml_source_config *config)
{
	(void)t;
	config->page_size = 12288;
}

static void small_page(struct tree *t, struct avml_source_config *config)
{
	(void)t;
	config->page_size = 2048;
}

static void large_page(struct tree *t, struct avml_source_config *config)
{
	(void)t;
	config->page_size = 512 << 10;
}

/* Images, and a kcore, in the place of memory by its address. */
static void images(struct tree *t, struct avml_source_config *config)
{
	none_there(t, config);
	test_make_file(t->paths[CRASH], "EMiL and more", 13);
	test_make_file(t->paths[KCORE], "EMiL and more", 13);
	tree_make_kcore(t->paths[MEM], 0);
}

/* A filter that tells nothing is none. */
static void masked_flags(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	tree_make_meminfo(t, "HardwareCorrupted: 4 kB\n");
	test_make_file(test_text("%s/kpageflags", t->proc), "", 0);
}

/* All of it, by the file that says so. */
static void all_marked(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	tree_make_flags(t, MIB, TREE_END);
}

/* It ends before memory does, and there is reason for caution. */
static void unmarked(struct tree *t, struct avml_source_config *config)
{
	(void)config;
	tree_make_meminfo(t, "HardwareCorrupted: 4 kB\n");
	tree_make_flags(t, 0, 0);
	ck_assert_int_eq(truncate(test_text("%s/kpageflags", t->proc),
				 (off_t)(MIB / 4096 * 8)),
		0);
}

/*
 * Whose reasons are what they are, and what is said in the error: NULL is
 * what the C library says of the error of reading, or else of the code.
 */
#define U AVML_SOURCE_USABLE

static const struct {
	const char *name;
	spoil_fn *spoil;
	enum avml_source_reason reasons[TREE_SOURCES];
	int code;
	const char *says[TREE_SOURCES], *helps[TREE_SOURCES];
} cases[] = {
	{ "missing", none_there,
		{ AVML_SOURCE_MISSING, AVML_SOURCE_MISSING,
			AVML_SOURCE_MISSING },
		ENOENT, { NULL, "does not exist", NULL },
		{ "modprobe crash", "CONFIG_PROC_KCORE", "CONFIG_DEVMEM" } },
	/* A copy may be empty, and then has nothing. */
	{ "empty", empty,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_MASKED,
			AVML_SOURCE_UNREADABLE },
		EIO, { "ends before it", "empty or masked", "ends before it" },
		{ "", "--proc", "" } },
	{ "FIFOs", fifos,
		{ AVML_SOURCE_MASKED, AVML_SOURCE_MASKED, AVML_SOURCE_MASKED },
		ENODEV,
		{ "no character device", "no regular file",
			"no character device" },
		{ "--dev", "--proc", "--dev" } },
	{ "folders", folders,
		{ AVML_SOURCE_MASKED, AVML_SOURCE_MASKED, AVML_SOURCE_MASKED },
		ENODEV,
		{ "no character device", "no regular file",
			"no character device" },
		{ "--dev", "--proc", "--dev" } },
	{ "the null device", null_devices,
		{ AVML_SOURCE_MASKED, AVML_SOURCE_MASKED, AVML_SOURCE_MASKED },
		ENODEV,
		{ "the null device", "no regular file", "the null device" },
		{ "--dev", "--proc", "--dev" } },
	{ "links in a circle", loops,
		{ AVML_SOURCE_OTHER, AVML_SOURCE_OTHER, AVML_SOURCE_OTHER },
		ELOOP, { NULL, NULL, NULL }, { "", "", "" } },
	{ "no headers", garbage,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_HEADERS,
			AVML_SOURCE_UNREADABLE },
		EIO, { "ends before it", "no ELF file", "ends before it" },
		{ "", "", "" } },
	{ "cut short", cut_short,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_UNREADABLE,
			AVML_SOURCE_UNREADABLE },
		EIO, { "ends before it", "ends before it", "ends before it" },
		{ "", "", "" } },
	{ "bad sectors", bad_sectors,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_UNREADABLE,
			AVML_SOURCE_UNREADABLE },
		EIO, { NULL, NULL, NULL }, { "", "", "" } },
	{ "forbidden", forbidden,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_UNREADABLE,
			AVML_SOURCE_STRICT_DEVMEM },
		EIO, { NULL, NULL, NULL }, { "", "", "CONFIG_STRICT_DEVMEM" } },
	/* kcore's own headers serve. */
	{ "RAM unknown", no_ram, { AVML_SOURCE_NO_RAM, U, AVML_SOURCE_NO_RAM },
		0, { "IOMEM IS HIDDEN", "", "IOMEM IS HIDDEN" },
		{ "--iomem", "", "--iomem" } },
	{ "no page of RAM", no_page,
		{ AVML_SOURCE_NO_RAM, AVML_SOURCE_NO_RAM, AVML_SOURCE_NO_RAM },
		ENODATA, { "no page", "no place for any page", "no page" },
		{ "", "", "" } },
	{ "poisoned memory, no kpageflags", poisoned,
		{ AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE },
		EPERM,
		{ "HardwareCorrupted", "HardwareCorrupted",
			"HardwareCorrupted" },
		{ "--source", "--source", "--source" } },
	{ "unaccepted memory, no kpageflags", unaccepted,
		{ AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE },
		EPERM, { "Unaccepted", "Unaccepted", "Unaccepted" },
		{ "--source", "--source", "--source" } },
	{ "unaccepted memory, and kpageflags", unaccepted_and_flags,
		{ AVML_SOURCE_UNSAFE, U, AVML_SOURCE_UNSAFE }, 0,
		{ "Unaccepted", "", "Unaccepted" },
		{ "--source", "", "--source" } },
	{ "poisoned memory, and kpageflags", poisoned_and_flags, { U, U, U }, 0,
		{ "", "", "" }, { "", "", "" } },
	{ "pages of three times 4 KiB", odd_page,
		{ AVML_SOURCE_OTHER, AVML_SOURCE_OTHER, AVML_SOURCE_OTHER },
		EINVAL, { "12288", "12288", "12288" }, { "", "", "" } },
	{ "pages below 4 KiB", small_page,
		{ AVML_SOURCE_OTHER, AVML_SOURCE_OTHER, AVML_SOURCE_OTHER },
		EINVAL, { "2048", "2048", "2048" }, { "", "", "" } },
	{ "pages above 256 KiB", large_page,
		{ AVML_SOURCE_OTHER, AVML_SOURCE_OTHER, AVML_SOURCE_OTHER },
		EINVAL, { "524288", "524288", "524288" }, { "", "", "" } },
	{ "images", images,
		{ AVML_SOURCE_HEADERS, AVML_SOURCE_HEADERS,
			AVML_SOURCE_HEADERS },
		EINVAL, { "image already", "ELF headers", "ELF file" },
		{ "", "", "" } },
	{ "poisoned memory, kpageflags masked", masked_flags,
		{ AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE, AVML_SOURCE_UNSAFE },
		EPERM,
		{ "kpageflags is empty", "kpageflags is empty",
			"kpageflags is empty" },
		{ "--source", "--source", "--source" } },
	{ "all pages marked", all_marked,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_UNREADABLE,
			AVML_SOURCE_UNREADABLE },
		EIO,
		{ "hardware poisoned", "hardware poisoned",
			"hardware poisoned" },
		{ "", "", "" } },
	{ "pages without a mark", unmarked,
		{ AVML_SOURCE_UNREADABLE, AVML_SOURCE_UNREADABLE,
			AVML_SOURCE_UNREADABLE },
		EIO, { "does not tell", "does not tell", "does not tell" },
		{ "", "", "" } },
};

static const char *case_says(int number, size_t i)
{
	const char *text = cases[number].says[i];
	const int error = tree_faults[0].error;

	return text ? text : strerror(error ? error : cases[number].code);
}

static void assert_has(const char *text, const char *part)
{
	ck_assert_msg(
		strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static void assert_verdicts(
	const struct tree *t, const struct verdicts *verdicts, int number)
{
	ck_assert_uint_eq(verdicts->count, TREE_SOURCES);
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		const struct verdict *v = &verdicts->items[i];
		const enum avml_source_reason want = cases[number].reasons[i];

		ck_assert_str_eq(v->path, t->paths[i]);
		ck_assert_msg(v->reason == want, "%s: %s is %s, not %s: %s",
			cases[number].name, v->name,
			avml_source_reason_key(v->reason),
			avml_source_reason_key(want), v->message);
		assert_has(v->message, case_says(number, i));
		assert_has(v->remedy, cases[number].helps[i]);
		ck_assert_msg((v->remedy[0] != '\0') ==
				      (cases[number].helps[i][0] != '\0'),
			"%s: %s: \"%s\"", cases[number].name, v->name,
			v->remedy);
		if (want != U)
			assert_has(v->message, t->paths[i]);
	}
}

/* The error has all of them, in order, each with its reason and remedy. */
static void assert_error(const struct tree *t, const struct verdicts *verdicts,
	const struct avml_error *err)
{
	ck_assert_uint_eq(err->depth, 1 + TREE_SOURCES);
	ck_assert_str_eq(
		avml_error_message(err, 0), "no source of memory works");
	for (unsigned int i = 0; i < TREE_SOURCES; i++) {
		const char *message = avml_error_message(err, 1 + i);

		assert_has(message, t->paths[i]);
		assert_has(message, verdicts->items[i].message);
		assert_has(message, verdicts->items[i].remedy);
	}
}

START_TEST(refusal_has_its_reason)
{
	struct tree t = tree_new(7);
	struct avml_source_config config = tree_config(&t);
	const int next = tree_next_fd();
	struct avml_error err = AVML_ERROR_INIT;
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	size_t usable = 0;
	int ret;

	cases[_i].spoil(&t, &config);
	ret = avml_source_choose(
		NULL, &config, tree_on_verdict, &verdicts, &source, &err);
	ck_assert_msg(ret == -cases[_i].code, "%s: %d", cases[_i].name, ret);
	ck_assert((source == NULL) == (ret < 0));
	assert_verdicts(&t, &verdicts, _i);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		usable += cases[_i].reasons[i] == U;
	if (ret < 0)
		assert_error(&t, &verdicts, &err);
	avml_source_free(source);
	/* A survey says the same. */
	verdicts.count = 0;
	ck_assert_uint_eq(
		avml_source_survey(&config, tree_on_verdict, &verdicts),
		usable);
	assert_verdicts(&t, &verdicts, _i);
	ck_assert_int_eq(tree_next_fd(), next);
	t.ram.count = TEST_COUNT(tree_ram);
	tree_release(&t);
}
END_TEST

/* --- alone ---------------------------------------------------------------- */

/* The same of each by itself: what was asked for is taken at some risk. */
START_TEST(refusal_of_one_that_was_asked_for)
{
	struct tree t = tree_new(7);
	struct avml_source_config config = tree_config(&t);

	cases[_i].spoil(&t, &config);
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		const enum avml_source_reason reason = cases[_i].reasons[i];
		const bool works = reason == U || reason == AVML_SOURCE_UNSAFE;
		struct avml_error err = AVML_ERROR_INIT;
		struct verdicts verdicts = { .count = 0 };
		struct avml_source *source;
		int ret = avml_source_choose(tree_names[i], &config,
			tree_on_verdict, &verdicts, &source, &err);

		ck_assert_msg((ret == 0) == works, "%s: %s: %d: %s",
			cases[_i].name, tree_names[i], ret,
			avml_error_message(&err, 0));
		ck_assert_uint_eq(verdicts.count, 1);
		ck_assert_int_eq(verdicts.items[0].reason, works ? U : reason);
		ck_assert(verdicts.items[0].primary == works);
		if (works) {
			avml_source_free(source);
			continue;
		}
		ck_assert_int_eq(err.code, -ret);
		assert_has(avml_error_message(&err, 0), t.paths[i]);
		assert_has(avml_error_message(&err, 0), case_says(_i, i));
		assert_has(avml_error_message(&err, 0), cases[_i].helps[i]);
	}
	t.ram.count = TEST_COUNT(tree_ram);
	tree_release(&t);
}
END_TEST

/* Where something other than ENOENT was met, that is the error's number. */
START_TEST(refusal_of_all_says_most_by_its_number)
{
	static const struct {
		unsigned int broken; /* the others are missing */
		int code;
	} sets[] = { { 0, ENOENT }, { 1, EIO }, { 2, EIO }, { 4, EIO } };

	for (size_t k = 0; k < TEST_COUNT(sets); k++) {
		struct tree t = tree_new(sets[k].broken);
		const struct avml_source_config config = tree_config(&t);
		struct avml_source *source;
		struct avml_error err;

		for (size_t i = 0; i < TREE_SOURCES; i++) {
			if (sets[k].broken & 1u << i)
				ck_assert_int_eq(
					truncate(t.paths[i], 0x11000), 0);
		}
		ck_assert_int_eq(avml_source_choose(NULL, &config, NULL, NULL,
					 &source, &err),
			-sets[k].code);
		tree_release(&t);
	}
}
END_TEST

/* Paths as long as they may be: each is told of, with the end left out. */
START_TEST(refusal_with_long_paths_tells_of_each)
{
	char name[241];
	struct tree t = tree_new(0);
	struct avml_source_config config = tree_config(&t);
	struct avml_source *source;
	struct avml_error err;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	config.proc_dir = test_text("%s/%s", t.proc, name);
	config.dev_dir = test_text("%s/%s/%s", t.dev, name, name);
	ck_assert_int_eq(
		avml_source_choose(NULL, &config, NULL, NULL, &source, &err),
		-ENOENT);
	ck_assert_uint_eq(err.depth, 4);
	assert_has(avml_error_message(&err, 1), t.dev);
	assert_has(avml_error_message(&err, 2), t.proc);
	assert_has(avml_error_message(&err, 3), t.dev);
	tree_release(&t);
}
END_TEST

/* --- permission ----------------------------------------------------------- */

/* Root's power over files that are closed to it. */
static void drop_dac(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(CAP_TO_MASK(CAP_DAC_OVERRIDE) |
			       CAP_TO_MASK(CAP_DAC_READ_SEARCH));
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

/* As root without CAP_SYS_RAWIO, which no test here has, and as another. */
START_TEST(refusal_without_permission_says_who_may)
{
	struct tree t = tree_new(7);
	const struct avml_source_config config = tree_config(&t);
	const bool root = geteuid() == 0, other = _i == 1;
	struct verdicts verdicts = { .count = 0 };
	struct avml_source *source;
	struct avml_error err;

	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(chmod(t.paths[i], 0), 0);
	/* To come that far, the folders must let others pass. */
	ck_assert_int_eq(chmod(t.proc, 0711), 0);
	ck_assert_int_eq(chmod(t.dev, 0711), 0);
	ck_assert_int_eq(chmod(test_root, 0711), 0);
	if (root)
		drop_dac();
	if (root && other)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(avml_source_choose(NULL, &config, tree_on_verdict,
				 &verdicts, &source, &err),
		-EACCES);
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		const struct verdict *v = &verdicts.items[i];

		ck_assert_int_eq(v->reason, root && !other
						    ? AVML_SOURCE_CAPABILITY
						    : AVML_SOURCE_NOT_ROOT);
		assert_has(v->message, strerror(EACCES));
		assert_has(v->remedy, "CAP_SYS_RAWIO");
		if (!root || other)
			assert_has(v->remedy, "run as root");
	}
	/* Back, so that the files can be removed. */
	if (root && other)
		ck_assert_int_eq(seteuid(0), 0);
	tree_release(&t);
}
END_TEST

START_TEST(refusal_reasons_have_keys)
{
	static const char *const keys[] = { "usable", "missing", "masked",
		"not-root", "capability", "user-namespace", "lockdown",
		"denied", "strict-devmem", "headers", "no-ram", "unreadable",
		"unsafe", "kernel", "unproven", "unneeded", "other" };

	ck_assert_uint_eq(TEST_COUNT(keys), AVML_SOURCE_OTHER + 1);
	for (size_t i = 0; i < TEST_COUNT(keys); i++)
		ck_assert_str_eq(
			avml_source_reason_key((enum avml_source_reason)i),
			keys[i]);
}
END_TEST

static Suite *refusal_suite(void)
{
	Suite *suite = suite_create("refusal");
	TCase *tc = tcase_create("refusal");

	tcase_add_loop_test(tc, refusal_has_its_reason, 0, TEST_COUNT(cases));
	tcase_add_loop_test(
		tc, refusal_of_one_that_was_asked_for, 0, TEST_COUNT(cases));
	tcase_add_test(tc, refusal_of_all_says_most_by_its_number);
	tcase_add_test(tc, refusal_with_long_paths_tells_of_each);
	tcase_add_loop_test(tc, refusal_without_permission_says_who_may, 0, 2);
	tcase_add_test(tc, refusal_reasons_have_keys);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(refusal_suite)

/* SPDX-License-Identifier: MIT */
/* What a survey finds, of a made-up proc and dev. */
#include <avml/survey.h>

#include <sys/utsname.h>

#include "check_tree.h"

static const char iomem[] = "00001000-0009fbff : System RAM\n"
			    "00100000-0013ffff : System RAM\n";

static struct verdicts verdicts;

static struct avml_survey survey_of(const struct tree *t, const char *other)
{
	const struct avml_survey_options options = {
		.iomem = other,
		.proc_dir = t->proc,
		.dev_dir = t->dev,
		.page_size = 4096,
	};
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_survey survey;
	const int next = tree_next_fd();

	verdicts = (struct verdicts){ .count = 0 };
	memset(&survey, 0xa5, sizeof(survey));
	ck_assert_int_eq(avml_survey(&options, tree_on_verdict, &verdicts,
				 &survey, &err),
		0);
	ck_assert_int_eq(tree_next_fd(), next);
	return survey;
}

static const char *make_iomem(const struct tree *t, const char *text)
{
	const char *path = test_text("%s/iomem", t->proc);

	test_make_file(path, text, strlen(text));
	return path;
}

START_TEST(survey_tells_of_host_and_ram)
{
	struct tree t = tree_new(5);
	const char *path = make_iomem(&t, iomem);
	const struct avml_survey survey = survey_of(&t, NULL);
	struct utsname name;

	ck_assert_int_eq(uname(&name), 0);
	ck_assert_str_eq(survey.host.kernel, name.release);
	ck_assert(survey.host.root == (geteuid() == 0));
	/* No test has them. */
	ck_assert(!survey.host.cap_sys_rawio);
	ck_assert(!survey.host.cap_sys_admin);
	ck_assert(!survey.kpageflags);
	ck_assert_str_eq(survey.iomem_path, path);
	ck_assert_uint_eq(survey.iomem_error.depth, 0);
	ck_assert_uint_eq(survey.ranges, 2);
	ck_assert_uint_eq(survey.ram_bytes, 0x9e000 + 0x40000);
	ck_assert_uint_eq(survey.usable, 2);
	tree_release(&t);
}
END_TEST

START_TEST(survey_counts_what_works)
{
	const unsigned int with = (unsigned int)_i;
	struct tree t = tree_new(with);
	struct avml_survey survey;

	make_iomem(&t, iomem);
	survey = survey_of(&t, NULL);
	ck_assert_uint_eq(survey.usable, (size_t)__builtin_popcount(with));
	ck_assert_uint_eq(verdicts.count, TREE_SOURCES);
	for (size_t i = 0; i < TREE_SOURCES; i++) {
		const struct verdict *v = &verdicts.items[i];

		ck_assert_str_eq(v->path, t.paths[i]);
		ck_assert_int_eq(v->reason, with & 1u << i
						    ? AVML_SOURCE_USABLE
						    : AVML_SOURCE_MISSING);
		ck_assert(v->primary == ((with & -with) == 1u << i));
	}
	tree_release(&t);
}
END_TEST

/*
 * Where the host does not tell, only kcore knows what is RAM. One that is
 * broken is to be mended, as it would be for an acquisition.
 */
START_TEST(survey_without_iomem_says_why)
{
	static const struct {
		const char *text; /* NULL: no file */
		int code;
		const char *says;
		bool kcore; /* works */
	} files[] = {
		{ NULL, ENOENT, "cannot open", true },
		{ "00000000-00000000 : System RAM\n", EPERM, "root", true },
		{ "00000000-00000fff : Reserved\n", ENODATA, "no System RAM",
			true },
		{ "00002000-00001000 : System RAM\n", EINVAL,
			"before it begins", false },
	};

	for (size_t i = 0; i < TEST_COUNT(files); i++) {
		struct tree t = tree_new(7);
		struct avml_survey survey;
		const char *said;

		if (files[i].text)
			make_iomem(&t, files[i].text);
		survey = survey_of(&t, NULL);
		ck_assert_int_eq(survey.iomem_error.code, files[i].code);
		said = avml_error_message(&survey.iomem_error, 0);
		ck_assert_ptr_nonnull(strstr(said, files[i].says));
		ck_assert_ptr_nonnull(strstr(said, t.proc));
		ck_assert_uint_eq(survey.ranges, 0);
		ck_assert_uint_eq(survey.ram_bytes, 0);
		ck_assert_uint_eq(survey.usable, files[i].kcore);
		ck_assert_int_eq(
			verdicts.items[CRASH].reason, AVML_SOURCE_NO_RAM);
		ck_assert_ptr_nonnull(
			strstr(verdicts.items[CRASH].message, files[i].says));
		ck_assert_int_eq(verdicts.items[KCORE].reason,
			files[i].kcore ? AVML_SOURCE_USABLE
				       : AVML_SOURCE_NO_RAM);
		ck_assert(verdicts.items[KCORE].primary == files[i].kcore);
		tree_release(&t);
	}
}
END_TEST

/* RAM without a whole page is none to be read. */
START_TEST(survey_without_a_whole_page_finds_nothing_to_read)
{
	struct tree t = tree_new(7);
	struct avml_survey survey;

	make_iomem(&t, "00100800-001017ff : System RAM\n");
	survey = survey_of(&t, NULL);
	ck_assert_uint_eq(survey.ranges, 0);
	ck_assert_uint_eq(survey.iomem_error.depth, 0);
	ck_assert_uint_eq(survey.usable, 0);
	for (size_t i = 0; i < TREE_SOURCES; i++)
		ck_assert_int_eq(verdicts.items[i].reason, AVML_SOURCE_NO_RAM);
	tree_release(&t);
}
END_TEST

START_TEST(survey_takes_another_iomem)
{
	struct tree t = tree_new(7);
	const char *path = test_text("%s", test_file("other", iomem, 31));
	struct avml_survey survey;

	make_iomem(&t, "what is this\n");
	survey = survey_of(&t, path);
	ck_assert_str_eq(survey.iomem_path, path);
	ck_assert_uint_eq(survey.iomem_error.depth, 0);
	ck_assert_uint_eq(survey.ranges, 1);
	ck_assert_uint_eq(survey.usable, 3);
	tree_release(&t);
}
END_TEST

START_TEST(survey_sees_page_flags_that_can_be_read)
{
	struct tree t = tree_new(7);
	struct avml_survey survey;

	make_iomem(&t, iomem);
	test_make_file(test_text("%s/kpageflags", t.proc), "", 0);
	survey = survey_of(&t, NULL);
	ck_assert(!survey.kpageflags);
	ck_assert_uint_eq(survey.usable, 3);
	/* All that is above 1 MiB must not be touched. */
	tree_make_flags(&t, MIB, TREE_END);
	survey = survey_of(&t, NULL);
	ck_assert(survey.kpageflags);
	ck_assert_uint_eq(survey.usable, 0);
	for (size_t i = 0; i < TREE_SOURCES; i += 2)
		ck_assert_uint_eq(
			tree_asked(&t, (enum tree_source)i, MIB, TREE_END), 1);
	tree_release(&t);
}
END_TEST

/* As of a copy of proc alone: this machine's devices are not surveyed. */
START_TEST(survey_of_a_copied_proc_is_of_that_alone)
{
	struct tree t = tree_new(1u << KCORE);

	make_iomem(&t, iomem);
	t.dev = NULL;
	ck_assert_uint_eq(survey_of(&t, NULL).usable, 1);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_str_eq(verdicts.items[0].name, "kcore");
	tree_release(&t);
}
END_TEST

START_TEST(survey_of_pages_is_by_their_size)
{
	struct tree t = tree_new(1u << MEM);
	const struct avml_survey_options options = {
		.proc_dir = t.proc,
		.dev_dir = t.dev,
		.page_size = 65536,
	};
	struct avml_survey survey;
	struct avml_error err;

	make_iomem(&t, iomem);
	ck_assert_int_eq(avml_survey(&options, NULL, NULL, &survey, &err), 0);
	ck_assert_uint_eq(survey.ram_bytes, 0x80000 + 0x40000);
	ck_assert_uint_eq(survey.usable, 1);
	tree_release(&t);
}
END_TEST

START_TEST(survey_of_a_long_path_tells_it)
{
	char name[241];
	struct tree t = tree_empty();
	struct avml_survey survey;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	t.proc = test_text("%s/%s/%s", t.proc, name, name);
	survey = survey_of(&t, NULL);
	ck_assert_uint_lt(strlen(survey.iomem_path), sizeof(survey.iomem_path));
	ck_assert_ptr_nonnull(strstr(survey.iomem_path, name));
	ck_assert_uint_eq(survey.usable, 0);
	ck_assert_int_eq(survey.iomem_error.code, ENOENT);
	tree_release(&t);
}
END_TEST

static Suite *survey_suite(void)
{
	Suite *suite = suite_create("survey");
	TCase *tc = tcase_create("survey");

	tcase_add_test(tc, survey_tells_of_host_and_ram);
	tcase_add_loop_test(tc, survey_counts_what_works, 0, 8);
	tcase_add_test(tc, survey_without_iomem_says_why);
	tcase_add_test(tc, survey_without_a_whole_page_finds_nothing_to_read);
	tcase_add_test(tc, survey_takes_another_iomem);
	tcase_add_test(tc, survey_sees_page_flags_that_can_be_read);
	tcase_add_test(tc, survey_of_a_copied_proc_is_of_that_alone);
	tcase_add_test(tc, survey_of_pages_is_by_their_size);
	tcase_add_test(tc, survey_of_a_long_path_tells_it);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(survey_suite)

/* SPDX-License-Identifier: MIT */
/*
 * When the source "bpf" is tried: last, and only where no other one works and
 * the machine is ours. Proc and dev are made up, and the proc is taken for one
 * that is mounted.
 */
#include "check_bpf_source.h"
#include "cmd/acquire.h"

static struct avml_source_config config_of(const char *proc, const char *dev)
{
	return (struct avml_source_config){
		.proc_dir = proc, .dev_dir = dev, .page_size = PAGE, .ram = &ram
	};
}

static const char *make_dir(void)
{
	return test_text("%s", test_dir());
}

/* A proc with all that is looked for, but kcore. */
static const char *make_proc(void)
{
	const char *proc = make_dir();
	const char *flags = test_text("%s/kpageflags", proc);

	machine_begin();
	ck_assert_int_eq(avml_range_list_add(&ram, MIB, machine.end), 0);
	machine.proc_is_real = true;
	test_make_file(flags, "", 0);
	ck_assert_int_eq(truncate(flags, (off_t)(machine.end / PAGE * 8)), 0);
	test_make_file(test_text("%s/meminfo", proc), "MemTotal: 5 kB\n", 15);
	return proc;
}

/* A copy of memory that is all zeros. */
static void make_mem(const char *dev)
{
	const char *path = test_text("%s/mem", dev);

	test_make_file(path, "", 0);
	ck_assert_int_eq(truncate(path, (off_t)machine.end), 0);
}

static void assert_not_called(void)
{
	for (int i = 0; i < KERNEL_COMMANDS; i++)
		ck_assert_uint_eq(calls_of(i), 0);
}

static int choose(const char *what, const struct avml_source_config *config,
	struct verdicts *verdicts, char text[AVML_ERROR_TEXT])
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source;
	const int fds = machine_open_fds();
	const int ret = avml_source_choose(
		what, config, on_verdict, verdicts, &source, &err);

	text[0] = '\0';
	if (ret < 0)
		avml_error_join(&err, text, AVML_ERROR_TEXT);
	avml_source_free(source);
	ck_assert_int_eq(machine_open_fds(), fds);
	ck_assert_int_eq(machine.maps, 0);
	return ret;
}

START_TEST(bpf_is_tried_last)
{
	const struct avml_source_config config =
		config_of(make_proc(), make_dir());
	static const char *const names[] = { "crash", "kcore", "mem", "bpf" };
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), 0);
	ck_assert_uint_eq(verdicts.count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct verdict *v = &verdicts.items[i];

		ck_assert_str_eq(v->name, names[i]);
		ck_assert_int_eq(v->reason,
			i < 3 ? AVML_SOURCE_MISSING : AVML_SOURCE_USABLE);
		ck_assert(v->primary == (i == 3));
		ck_assert(v->changes_kernel == (i == 3));
	}
	ck_assert_str_eq(verdicts.items[3].path, "bpf");
	ck_assert_uint_eq(avml_source_survey(&config, NULL, NULL), 1);
}
END_TEST

/* That is said for tmpfs, and a full disk, too. */
START_TEST(bpf_is_not_forced_unless_it_is_named)
{
	struct avml_source_config config = config_of(make_proc(), make_dir());
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	config.force = true;
	ck_assert_int_eq(
		unlink(test_text("%s/kpageflags", config.proc_dir)), 0);
	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), -EPERM);
	ck_assert_int_eq(verdicts.items[3].reason, AVML_SOURCE_UNSAFE);
	assert_not_called();
	verdicts.count = 0;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), 0);
}
END_TEST

START_TEST(bpf_is_not_tried_where_another_works)
{
	const char *dev = make_dir();
	struct avml_source_config config = config_of(make_proc(), dev);
	struct verdicts verdicts = { .count = 0 };
	const struct verdict *v = &verdicts.items[3];
	char text[AVML_ERROR_TEXT];

	config.ram_given = true;
	make_mem(dev);
	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), 0);
	ck_assert_uint_eq(verdicts.count, 4);
	ck_assert(verdicts.items[2].primary && !v->primary);
	ck_assert(!v->changes_kernel);
	ck_assert_int_eq(v->reason, AVML_SOURCE_UNNEEDED);
	assert_has(v->message, "only where no other source works");
	assert_has(v->remedy, "--source");
	ck_assert_uint_eq(avml_source_survey(&config, NULL, NULL), 1);
	assert_not_called();
	/* By its name it is. */
	verdicts.count = 0;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), 0);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert(verdicts.items[0].primary);
}
END_TEST

/* Of another machine this one's kernel knows nothing. */
START_TEST(bpf_does_not_go_with_a_copy)
{
	const char *dev = _i == 0 ? NULL : make_dir();
	const struct avml_source_config config = config_of(make_proc(), dev);
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	machine.proc_is_real = false;
	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), -ENOENT);
	ck_assert_uint_eq(verdicts.count, _i == 0 ? 1 : 3);
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), -EXDEV);
	assert_has(text, "bpf is this machine's");
	assert_has(text, config.proc_dir);
	/* No dev would help. */
	ck_assert_ptr_null(strstr(text, "--dev"));
	assert_not_called();
}
END_TEST

/* A dev may be a copy as well, but who names this source means this machine. */
START_TEST(bpf_goes_with_a_dev_by_its_name_alone)
{
	const struct avml_source_config config = config_of(NULL, make_dir());
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	(void)make_proc();
	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), -ENOENT);
	ck_assert_uint_eq(verdicts.count, 3);
	assert_not_called();
	verdicts.count = 0;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), 0);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert(verdicts.items[0].primary);
}
END_TEST

START_TEST(bpf_is_told_of_when_none_works)
{
	const struct avml_source_config config =
		config_of(make_proc(), make_dir());
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	kernel.fail[BPF_MAP_CREATE].error = ENOSYS;
	ck_assert_int_eq(choose(NULL, &config, &verdicts, text), -ENOSYS);
	assert_has(text, "no source of memory works");
	assert_has(text, "CONFIG_BPF_SYSCALL");
	ck_assert_uint_eq(verdicts.count, 4);
	ck_assert_int_eq(verdicts.items[3].reason, AVML_SOURCE_KERNEL);
}
END_TEST

/* What an acquisition says on stderr, that fails with the command's status. */
static char *acquire(const char *proc, const char *source)
{
	static const char iomem[] = "00100000-bfffffff : System RAM\n";
	const char *path = test_path("stderr");
	const int saved = dup(STDERR_FILENO);
	struct acquire a = ACQUIRE_DEFAULTS;
	size_t len;
	int fd, status;

	a.file = test_path("image");
	a.proc = proc;
	a.dev = make_dir();
	a.iomem = test_file("iomem", iomem, strlen(iomem));
	a.source = source;
	a.threads = 1;
	test_make_file(path, "", 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert(dup2(fd, STDERR_FILENO) >= 0);
	status = acquire_run(&a);
	ck_assert(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(fd);
	ck_assert_int_eq(status, STATUS_FAILED);
	return test_load(path, &len);
}

/* By its name or not, where the kernel was asked; and not where it was not. */
START_TEST(bpf_that_does_not_work_is_told_to_have_been_tried)
{
	static const char note[] = "note: to try source bpf, the kernel was ";
	const char *proc = make_proc(), *source = _i % 2 ? "bpf" : NULL;
	char *said;

	if (_i < 2)
		kernel.fail[BPF_PROG_LOAD].error = EPERM;
	else
		ck_assert_int_eq(unlink(test_text("%s/meminfo", proc)), 0);
	said = acquire(proc, source);
	assert_has(said, "error: ");
	ck_assert_msg((strstr(said, note) != NULL) == (_i < 2), "%s", said);
	free(said);
}
END_TEST

/* --- which pagemap -------------------------------------------------------- */

/* That of the proc that was named, where the usual one has none. */
START_TEST(bpf_finds_its_pages_by_either_proc)
{
	const struct avml_source_config config = config_of(make_proc(), NULL);
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	machine.no_self = true;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), 0);
	machine.pagemap = ABSENT;
	verdicts.count = 0;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), -ENOENT);
	assert_has(text, config.proc_dir);
	assert_has(text, "CONFIG_PROC_PAGE_MONITOR");
	ck_assert_int_eq(verdicts.items[0].reason, AVML_SOURCE_UNPROVEN);
}
END_TEST

/* What the first says is what the second would. */
START_TEST(bpf_asks_the_second_proc_only_for_what_is_missing)
{
	const struct avml_source_config config = config_of(make_proc(), NULL);
	struct verdicts verdicts = { .count = 0 };
	char text[AVML_ERROR_TEXT];

	machine.pagemap = HIDDEN;
	ck_assert_int_eq(choose("bpf", &config, &verdicts, text), -EPERM);
	ck_assert_uint_eq(machine.looks, 1);
	assert_has(text, "/proc/self/pagemap");
}
END_TEST

static Suite *bpf_choose_suite(void)
{
	Suite *suite = suite_create("bpf_choose");
	TCase *tc = tcase_create("bpf_choose");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_test(tc, bpf_is_tried_last);
	tcase_add_test(tc, bpf_is_not_forced_unless_it_is_named);
	tcase_add_test(tc, bpf_is_not_tried_where_another_works);
	tcase_add_loop_test(tc, bpf_does_not_go_with_a_copy, 0, 2);
	tcase_add_test(tc, bpf_goes_with_a_dev_by_its_name_alone);
	tcase_add_test(tc, bpf_is_told_of_when_none_works);
	tcase_add_loop_test(
		tc, bpf_that_does_not_work_is_told_to_have_been_tried, 0, 4);
	tcase_add_test(tc, bpf_finds_its_pages_by_either_proc);
	tcase_add_test(tc, bpf_asks_the_second_proc_only_for_what_is_missing);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_choose_suite)

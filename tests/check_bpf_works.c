/* SPDX-License-Identifier: MIT */
/* What does not stand in the way of the source "bpf". */
#include "check_bpf_spoil.h"

static void another_user(struct avml_source_config *config)
{
	(void)config;
	machine.euid = 1000;
	machine.capabilities = CAPABILITY(SYS_ADMIN);
}

static void lesser_lockdown(struct avml_source_config *config)
{
	(void)config;
	machine.lockdown = text_file("none [integrity] confidentiality\n");
}

static void raw_tracepoint(struct avml_source_config *config)
{
	(void)config;
	kernel.before_5_14 = true;
	machine.release = "5.13.0";
}

static void locked_maps(struct avml_source_config *config)
{
	(void)config;
	kernel.before_5_14 = kernel.before_5_11 = true;
	machine.release = "5.10.0";
}

static void poisoned(struct avml_source_config *config)
{
	(void)config;
	machine.meminfo =
		text_file("MemTotal: 5 kB\nHardwareCorrupted: 4 kB\n");
}

/* Other words, on the line of an arm64 kernel. */
static void another_kvm(struct avml_source_config *config)
{
	(void)config;
	machine.kind = "aarch64";
	machine.cmdline =
		text_file("x=kvm-arm.mode=protected kvm-arm.mode=protected1 "
			  "kvm-arm.mode=nvhe\n");
}

/* The option is of arm64's alone. */
static void protected_on_another_machine(struct avml_source_config *config)
{
	(void)config;
	machine.cmdline = text_file("kvm-arm.mode=protected\n");
}

/* Nothing is known of its command line. */
static void arm64(struct avml_source_config *config)
{
	(void)config;
	machine.kind = "aarch64";
}

static const struct {
	spoil_fn *change;
	const char *kind;
	unsigned int limits; /* calls of setrlimit() */
	bool cautious;
} harmless[] = {
	{ plain, "syscall", 0, false },
	{ another_user, "syscall", 0, false },
	{ lesser_lockdown, "syscall", 0, false },
	{ raw_tracepoint, "raw-tracepoint", 0, false },
	{ locked_maps, "raw-tracepoint", 1, false },
	{ poisoned, "syscall", 0, true },
	{ another_kvm, "syscall", 0, false },
	{ protected_on_another_machine, "syscall", 0, false },
	{ arm64, "syscall", 0, false },
};

START_TEST(bpf_works)
{
	struct avml_source_config config = begin(false);
	struct avml_error err = AVML_ERROR_INIT;
	const int fds = machine_open_fds();
	struct avml_source_footprint footprint;
	struct avml_source *source;
	int ret;

	harmless[_i].change(&config);
	ret = avml_source_choose("bpf", &config, NULL, NULL, &source, &err);
	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	ck_assert(avml_source_is_cautious(source) == harmless[_i].cautious);
	ck_assert(avml_source_is_filtered(source));
	ck_assert(avml_source_footprint(source, &footprint));
	ck_assert_str_eq(footprint.kind, harmless[_i].kind);
	ck_assert_uint_eq(machine.limits, harmless[_i].limits);
	avml_source_free(source);
	assert_nothing_left(fds);
}
END_TEST

/* A load that fails so often, and then works. */
static const struct {
	bool before_5_14;
	int error;
	unsigned int times;
	const char *kind;
} passing[] = {
	{ false, EAGAIN, 1, "syscall" },
	{ false, EAGAIN, 5, "syscall" },
	/* The first of these is for the type. */
	{ true, EAGAIN, 5, "raw-tracepoint" },
	/* What was to tell why works. */
	{ false, EACCES, 1, "syscall" },
	{ false, EINVAL, 2, "raw-tracepoint" },
};

START_TEST(bpf_works_in_the_end)
{
	struct avml_source_config config = begin(false);
	struct avml_error err = AVML_ERROR_INIT;
	const int fds = machine_open_fds();
	struct avml_source_footprint footprint;
	struct avml_source *source;
	int ret;

	kernel.before_5_14 = passing[_i].before_5_14;
	kernel.fail[BPF_PROG_LOAD].error = passing[_i].error;
	kernel.fail[BPF_PROG_LOAD].times = passing[_i].times;
	ret = avml_source_choose("bpf", &config, NULL, NULL, &source, &err);
	ck_assert_msg(ret == 0, "%d: %s", ret, avml_error_message(&err, 0));
	ck_assert(avml_source_footprint(source, &footprint));
	ck_assert_str_eq(footprint.kind, passing[_i].kind);
	avml_source_free(source);
	assert_nothing_left(fds);
}
END_TEST

/* Nor is it tried without end. */
START_TEST(bpf_is_not_loaded_for_ever)
{
	struct avml_source_config config = begin(false);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source;

	kernel.fail[BPF_PROG_LOAD].error = EAGAIN;
	ck_assert_int_eq(
		avml_source_choose("bpf", &config, NULL, NULL, &source, &err),
		-EAGAIN);
	ck_assert_uint_eq(calls_of(BPF_PROG_LOAD), 6);
}
END_TEST

/* Each reason against it, one after the other. */
START_TEST(bpf_tells_all_that_is_forced)
{
	static const char *const lines[] = {
		"0:bpf: this is Android, ",
		"\n0:bpf: pages that must not be touched are not known: ",
		"\n0:bpf: /proc/meminfo tells of memory that must not be ",
	};
	struct avml_source_config config = begin(true);
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_source *source;

	machine.android = true;
	machine.flags = NULL;
	machine.meminfo = text_file("MemTotal: 5 kB\nUnaccepted: 4 kB\n");
	/* Nobody has to listen. */
	if (_i == 1)
		config.forced = NULL;
	ck_assert_int_eq(
		avml_source_choose("bpf", &config, NULL, NULL, &source, &err),
		0);
	ck_assert(!avml_source_is_filtered(source));
	for (size_t i = 0; i < TEST_COUNT(lines) && _i == 0; i++)
		assert_has(forced_over, lines[i]);
	avml_source_free(source);
	/* By itself nothing is forced, and the first reason is told. */
	config.forced = on_forced;
	config.force = false;
	forced_over[0] = '\0';
	ck_assert_int_eq(
		avml_source_choose("bpf", &config, NULL, NULL, &source, &err),
		-EPERM);
	ck_assert_str_eq(forced_over, "");
	assert_has(avml_error_message(&err, 0), "Android");
}
END_TEST

static Suite *bpf_works_suite(void)
{
	Suite *suite = suite_create("bpf_works");
	TCase *tc = tcase_create("bpf_works");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_loop_test(tc, bpf_works, 0, TEST_COUNT(harmless));
	tcase_add_loop_test(tc, bpf_works_in_the_end, 0, TEST_COUNT(passing));
	tcase_add_test(tc, bpf_is_not_loaded_for_ever);
	tcase_add_loop_test(tc, bpf_tells_all_that_is_forced, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_works_suite)

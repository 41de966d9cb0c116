/* SPDX-License-Identifier: MIT */
/*
 * Why the source "bpf" does not work: each reason, what is said of it and what
 * would help; and that nothing is left of the attempt.
 */
#include <signal.h>

#include "base/cancel.h"
#include "check_bpf_spoil.h"

/* --- before anything is loaded -------------------------------------------- */

static void not_root(struct avml_source_config *config)
{
	(void)config;
	machine.euid = 1000;
	machine.capabilities = CAPABILITY(BPF) | CAPABILITY(PERFMON);
}

static void in_a_user_namespace(struct avml_source_config *config)
{
	(void)config;
	machine.uid_map = text_file("0 100000 65536\n");
}

static void no_cap_bpf(struct avml_source_config *config)
{
	(void)config;
	machine.capabilities &= ~(CAPABILITY(SYS_ADMIN) | CAPABILITY(BPF));
}

static void no_cap_perfmon(struct avml_source_config *config)
{
	(void)config;
	machine.capabilities &= ~(CAPABILITY(SYS_ADMIN) | CAPABILITY(PERFMON));
}

static void no_cap_sys_admin(struct avml_source_config *config)
{
	(void)config;
	machine.capabilities &= ~CAPABILITY(SYS_ADMIN);
}

static void locked_down(struct avml_source_config *config)
{
	(void)config;
	machine.lockdown = text_file("none integrity [confidentiality]\n");
}

static void android_by_name(struct avml_source_config *config)
{
	(void)config;
	machine.release = "5.10.81-android12-9-00001-g0123456789ab";
}

static void android_by_its_files(struct avml_source_config *config)
{
	(void)config;
	machine.android = true;
}

static void protected_kvm(struct avml_source_config *config)
{
	(void)config;
	machine.kind = "aarch64";
	machine.cmdline =
		text_file("root=/dev/vda1 kvm-arm.mode=protected quiet\n");
}

/* As the kernel reads it. */
static void protected_kvm_by_other_letters(struct avml_source_config *config)
{
	(void)config;
	machine.kind = "aarch64";
	machine.cmdline = text_file("ro\tkvm_arm.mode=\"protected\"");
}

static void no_ram(struct avml_source_config *config)
{
	config->ram = NULL;
}

static void no_page_of_ram(struct avml_source_config *config)
{
	(void)config;
	ram.count = 0;
}

/* --- by the kernel -------------------------------------------------------- */

static void no_helper(struct avml_source_config *config)
{
	(void)config;
	kernel.before_5_14 = kernel.before_5_8 = true;
}

static void out_of_addresses(struct avml_source_config *config)
{
	(void)config;
	machine.map_fails = 1;
}

static void limited_for_good(struct avml_source_config *config)
{
	(void)config;
	kernel.before_5_14 = kernel.before_5_11 = true;
	machine.setrlimit_error = EPERM;
}

/* --- where its memory is -------------------------------------------------- */

static void hidden_frames(struct avml_source_config *config)
{
	(void)config;
	machine.pagemap = HIDDEN;
}

static void no_pagemap(struct avml_source_config *config)
{
	(void)config;
	machine.pagemap = ABSENT;
}

static void no_proof(struct avml_source_config *config)
{
	(void)config;
	machine.odd = 3;
}

static void marks_all_over(struct avml_source_config *config)
{
	(void)config;
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine_mark(machine.frames[i] - GIB / 2 / PAGE, OFFLINE);
}

static void no_memory_for_proof(struct avml_source_config *config)
{
	(void)config;
	machine.map_fails = 2;
}

static void stopped(struct avml_source_config *config)
{
	(void)config;
	cancel_request(SIGTERM);
}

/* --- what is not to be touched -------------------------------------------- */

static void no_flags(struct avml_source_config *config)
{
	(void)config;
	machine.flags = NULL;
}

static void empty_flags(struct avml_source_config *config)
{
	(void)config;
	machine.flags = text_file("");
}

static void of_another_kind(struct avml_source_config *config)
{
	(void)config;
	machine.kind = "s390x";
}

static void no_meminfo(struct avml_source_config *config)
{
	(void)config;
	machine.meminfo = NULL;
}

static void unaccepted(struct avml_source_config *config)
{
	(void)config;
	machine.meminfo = text_file("MemTotal: 5 kB\nUnaccepted: 4 kB\n");
}

static void no_memory(struct avml_source_config *config)
{
	(void)config;
	/* All but what our own pages are in. */
	machine.holes[0] = (struct avml_range){ 0, GIB };
	machine.holes[1] = (struct avml_range){ 2 * GIB, 3 * GIB };
	machine.holes[2] = (struct avml_range){ 0x60080000, 0x60081000 };
}

enum how { UNTOUCHED = 1, FORCED = 2 };

static const struct {
	spoil_fn *spoil;
	enum avml_source_reason reason;
	int code;
	const char *says, *helps;
	unsigned int how;   /* no bpf(2) is called; it works with --force */
	int command, error; /* of bpf(2) */
} cases[] = {
	{ not_root, AVML_SOURCE_NOT_ROOT, EPERM, "CAP_BPF and CAP_PERFMON",
		"run as root", UNTOUCHED, 0, 0 },
	{ in_a_user_namespace, AVML_SOURCE_USER_NAMESPACE, EPERM,
		"user namespace", "outside of the container", UNTOUCHED, 0, 0 },
	{ no_cap_bpf, AVML_SOURCE_CAPABILITY, EPERM, "CAP_BPF", "CAP_SYS_ADMIN",
		UNTOUCHED, 0, 0 },
	{ no_cap_perfmon, AVML_SOURCE_CAPABILITY, EPERM, "CAP_PERFMON",
		"CAP_SYS_ADMIN", UNTOUCHED, 0, 0 },
	{ no_cap_sys_admin, AVML_SOURCE_CAPABILITY, EPERM, "CAP_SYS_ADMIN",
		"where root has it", UNTOUCHED, 0, 0 },
	{ locked_down, AVML_SOURCE_LOCKDOWN, EPERM, "'confidentiality'",
		"without lockdown", UNTOUCHED, 0, 0 },
	{ android_by_name, AVML_SOURCE_UNSAFE, EPERM, "Android", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ android_by_its_files, AVML_SOURCE_UNSAFE, EPERM, "Android", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ protected_kvm, AVML_SOURCE_UNSAFE, EPERM, "KVM is in protected mode",
		"--force", UNTOUCHED | FORCED, 0, 0 },
	{ protected_kvm_by_other_letters, AVML_SOURCE_UNSAFE, EPERM,
		"(kvm-arm.mode=protected)", "--force", UNTOUCHED | FORCED, 0,
		0 },
	{ no_ram, AVML_SOURCE_NO_RAM, ENODATA, "RAM is not known", "--iomem",
		UNTOUCHED, 0, 0 },
	{ no_page_of_ram, AVML_SOURCE_NO_RAM, ENODATA, "RAM is not known",
		"--iomem", UNTOUCHED, 0, 0 },

	{ plain, AVML_SOURCE_KERNEL, ENOSYS, "the map", "CONFIG_BPF_SYSCALL", 0,
		BPF_MAP_CREATE, ENOSYS },
	{ plain, AVML_SOURCE_DENIED, EPERM, "the map", "security module", 0,
		BPF_MAP_CREATE, EPERM },
	{ plain, AVML_SOURCE_DENIED, EPERM, "a BPF program", "security module",
		0, BPF_PROG_LOAD, EPERM },
	{ plain, AVML_SOURCE_DENIED, EPERM, "to run a BPF program",
		"security module", 0, BPF_PROG_TEST_RUN, EPERM },
	{ plain, AVML_SOURCE_KERNEL, ENOTSUP, "6.12.0", "JIT compiler", 0,
		BPF_PROG_LOAD, 524 },
	{ plain, AVML_SOURCE_KERNEL, ENOTSUP, "kernel 6.12.0 cannot",
		"5.10 or later", 0, BPF_PROG_TEST_RUN, 524 },
	{ no_helper, AVML_SOURCE_KERNEL, EINVAL,
		"takes no such program: invalid func unknown#113",
		"5.10 or later", 0, 0, 0 },
	{ plain, AVML_SOURCE_KERNEL, EINVAL, "a BPF program: Invalid argument",
		"5.10 or later", 0, BPF_PROG_LOAD, EINVAL },
	{ plain, AVML_SOURCE_DENIED, EACCES, "a BPF program: Permission denied",
		"security module", 0, BPF_PROG_LOAD, EACCES },
	{ plain, AVML_SOURCE_KERNEL, EFAULT, "a BPF program: Bad address",
		"CONFIG_BPF_EVENTS", 0, BPF_PROG_LOAD, EFAULT },
	{ plain, AVML_SOURCE_OTHER, ENOMEM, "the map", "", 0, BPF_MAP_CREATE,
		ENOMEM },
	{ plain, AVML_SOURCE_OTHER, EMFILE, "a BPF program", "", 0,
		BPF_PROG_LOAD, EMFILE },
	{ plain, AVML_SOURCE_OTHER, EAGAIN, "signals kept the kernel",
		"once more", 0, BPF_PROG_LOAD, EAGAIN },
	{ out_of_addresses, AVML_SOURCE_OTHER, ENOMEM, "to see the map", "", 0,
		0, 0 },
	{ limited_for_good, AVML_SOURCE_DENIED, EPERM, "the map",
		"security module", 0, 0, 0 },

	{ hidden_frames, AVML_SOURCE_UNPROVEN, EPERM, "is not proved", "", 0, 0,
		0 },
	{ no_pagemap, AVML_SOURCE_UNPROVEN, ENOENT, "is not proved",
		"CONFIG_PROC_PAGE_MONITOR", 0, 0, 0 },
	{ no_proof, AVML_SOURCE_UNPROVEN, ERANGE, "is not proved", "", 0, 0,
		0 },
	{ marks_all_over, AVML_SOURCE_UNPROVEN, EPERM, "must not be touched",
		"", 0, 0, 0 },
	{ no_memory_for_proof, AVML_SOURCE_OTHER, ENOMEM, "pages of our own",
		"", 0, 0, 0 },
	{ stopped, AVML_SOURCE_OTHER, EINTR, "SIGTERM", "", 0, 0, 0 },

	{ no_flags, AVML_SOURCE_UNSAFE, EPERM, "are not known", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ empty_flags, AVML_SOURCE_UNSAFE, EPERM, "empty or masked", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ of_another_kind, AVML_SOURCE_KERNEL, ENOTSUP, "kind of machine", "",
		UNTOUCHED, 0, 0 },
	{ no_meminfo, AVML_SOURCE_UNSAFE, EPERM, "is not known", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ unaccepted, AVML_SOURCE_UNSAFE, EPERM, "Unaccepted", "--force",
		UNTOUCHED | FORCED, 0, 0 },
	{ no_memory, AVML_SOURCE_UNREADABLE, EIO, "Bad address", "", 0, 0, 0 },
};

/* By itself, with and without --force. */
START_TEST(bpf_refusal_has_its_reason)
{
	const bool force = _i % 2;
	const size_t n = (size_t)_i / 2;
	struct avml_source_config config = begin(force);
	const bool works = force && cases[n].how & FORCED;
	const int fds = machine_open_fds();
	struct verdicts verdicts = { .count = 0 };
	const struct verdict *v = &verdicts.items[0];
	struct avml_error err = AVML_ERROR_INIT;
	char text[AVML_ERROR_TEXT];
	struct avml_source *source;
	int ret;

	cases[n].spoil(&config);
	kernel.fail[cases[n].command].error = cases[n].error;
	ret = avml_source_choose(
		"bpf", &config, on_verdict, &verdicts, &source, &err);
	avml_error_join(&err, text, sizeof(text));
	ck_assert_msg(ret == (works ? 0 : -cases[n].code), "%zu: %d: %s", n,
		ret, text);
	ck_assert_uint_eq(verdicts.count, 1);
	ck_assert_str_eq(v->name, "bpf");
	ck_assert_str_eq(v->path, "bpf");
	ck_assert(v->primary == works && v->changes_kernel == works);
	/* Told where it was tried, whatever became of that. */
	ck_assert(v->asked_kernel == (all_calls() > 0));
	ck_assert_msg(
		v->reason == (works ? AVML_SOURCE_USABLE : cases[n].reason),
		"%zu: %s: %s", n, avml_source_reason_key(v->reason),
		v->message);
	/* What is forced is told in the words of the refusal, and first. */
	ck_assert((forced_over[0] != '\0') == works);
	if (works) {
		assert_has(forced_over, "0:bpf: ");
		assert_has(forced_over, cases[n].says);
		assert_has(forced_over, "; --force reads it all the same");
		avml_source_free(source);
	} else {
		ck_assert_ptr_null(source);
		ck_assert_int_eq(err.code, cases[n].code);
		if (ret != -EINTR)
			assert_has(v->message, "bpf");
		assert_has(v->message, cases[n].says);
		assert_has(v->remedy, cases[n].helps);
		ck_assert(
			(v->remedy[0] != '\0') == (cases[n].helps[0] != '\0'));
		assert_has(text, cases[n].says);
		assert_has(text, cases[n].helps);
	}
	ck_assert((all_calls() == 0) ==
		  (!works && (cases[n].how & UNTOUCHED) != 0));
	assert_nothing_left(fds);
	ram.count = 1;
}
END_TEST

static Suite *bpf_refused_suite(void)
{
	Suite *suite = suite_create("bpf_refused");
	TCase *tc = tcase_create("bpf_refused");

	tcase_add_checked_fixture(tc, NULL, release_ram);
	tcase_add_loop_test(
		tc, bpf_refusal_has_its_reason, 0, 2 * TEST_COUNT(cases));
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(bpf_refused_suite)

/* SPDX-License-Identifier: MIT */
/*
 * The filter's program, gone through as the kernel would: so that those of
 * other processors are tried where they are emulated, and there are no filters.
 */
#include "base/confine_parts.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "check_main.h"

#define DENY 0x80000000u
#define MISSING (SECCOMP_RET_ERRNO | ENOSYS)
#define REFUSED (SECCOMP_RET_ERRNO | EACCES)
#define ALLOW SECCOMP_RET_ALLOW

#if defined(__x86_64__)
#define HERE AUDIT_ARCH_X86_64
#define OTHER AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define HERE AUDIT_ARCH_AARCH64
#define OTHER AUDIT_ARCH_ARM
#else
#define HERE AUDIT_ARCH_S390X
#define OTHER AUDIT_ARCH_S390
#endif

static uint32_t result_of(const struct sock_filter *code, size_t count,
	const struct seccomp_data *data)
{
	uint32_t a = 0, i = 0;

	while (i < count) {
		const struct sock_filter *c = &code[i++];
		bool yes = false;

		switch (c->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			ck_assert_uint_le(c->k + 4, sizeof(*data));
			memcpy(&a, (const char *)data + c->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= c->k;
			continue;
		case BPF_RET | BPF_K:
			return c->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == c->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= c->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > c->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = (a & c->k) != 0;
			break;
		default:
			ck_abort_msg("instruction %#x", c->code);
		}
		i += yes ? c->jt : c->jf;
	}
	ck_abort_msg("the program does not end");
}

#ifdef __s390x__
#define CLONE(flags)        \
	{                   \
		0, flags, 0 \
	}
#else
#define CLONE(flags)        \
	{                   \
		flags, 0, 0 \
	}
#endif
#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

static const struct {
	const char *name;
	uint32_t arch;
	int number;
	uint64_t args[3];
	uint32_t results[3]; /* to open, to write, to read */
} calls[] = {
	{ "read", HERE, SYS_read, { 0 }, { ALLOW, ALLOW, ALLOW } },
	{ "of another architecture", OTHER, SYS_read, { 0 },
		{ DENY, DENY, DENY } },
	{ "pwritev", HERE, SYS_pwritev, { 0 }, { ALLOW, ALLOW, DENY } },
	{ "openat of a destination", HERE, SYS_openat,
		{ 0, 0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC },
		{ ALLOW, DENY, DENY } },
	{ "openat that empties", HERE, SYS_openat,
		{ 0, 0, O_WRONLY | O_CREAT | O_NOFOLLOW | O_TRUNC },
		{ DENY, DENY, DENY } },
	{ "openat to read and write", HERE, SYS_openat,
		{ 0, 0, O_RDWR | O_CREAT | O_NOFOLLOW }, { DENY, DENY, DENY } },
	{ "openat to read", HERE, SYS_openat, { 0, 0, O_RDONLY | O_CLOEXEC },
		{ REFUSED, REFUSED, REFUSED } },
	{ "socket", HERE, SYS_socket, { 0 }, { DENY, DENY, DENY } },
	{ "execve", HERE, SYS_execve, { 0 }, { DENY, DENY, DENY } },
	{ "a thread", HERE, SYS_clone, CLONE(THREAD), { ALLOW, ALLOW, ALLOW } },
	{ "a process", HERE, SYS_clone, CLONE(SIGCHLD), { DENY, DENY, DENY } },
	{ "clone3", HERE, 435, { 0 }, { MISSING, MISSING, MISSING } },
	{ "the newest", HERE, 450, { 0 }, { DENY, DENY, DENY } },
	{ "one of tomorrow", HERE, 451, { 0 }, { MISSING, MISSING, MISSING } },
	{ "mprotect", HERE, SYS_mprotect, { 0, 1, PROT_READ | PROT_WRITE },
		{ ALLOW, ALLOW, ALLOW } },
	{ "mprotect for code", HERE, SYS_mprotect, { 0, 1, PROT_EXEC },
		{ DENY, DENY, DENY } },
#ifdef __x86_64__
	{ "x32", HERE, 0x40000000, { 0 }, { DENY, DENY, DENY } },
	{ "no number", HERE, -1, { 0 }, { DENY, DENY, DENY } },
#endif
};

START_TEST(confine_filter_judges_call)
{
	static struct sock_filter code[CONFINE_FILTER_MAX];
	struct seccomp_data data = {
		.nr = calls[_i].number,
		.arch = calls[_i].arch,
	};

	for (size_t i = 0; i < 3; i++)
		data.args[i] = calls[_i].args[i];
	for (int to = CONFINE_TO_OPEN; to <= CONFINE_TO_READ; to++) {
		const size_t count =
			confine_filter((enum confine_to)to, DENY, code);
		const uint32_t result = result_of(code, count, &data);

		ck_assert_msg(result == calls[_i].results[to],
			"%s, list %d: %#x", calls[_i].name, to, result);
	}
}
END_TEST

START_TEST(confine_filter_lists_get_shorter)
{
	static struct sock_filter code[CONFINE_FILTER_MAX];
	size_t before = CONFINE_FILTER_MAX;

	for (int to = CONFINE_TO_OPEN; to <= CONFINE_TO_READ; to++) {
		const size_t count =
			confine_filter((enum confine_to)to, DENY, code);

		ck_assert_uint_lt(count, before);
		ck_assert_uint_gt(count, 0);
		before = count;
	}
}
END_TEST

static Suite *confine_filter_suite(void)
{
	Suite *suite = suite_create("confine_filter");
	TCase *tc = tcase_create("confine_filter");

	tcase_add_loop_test(
		tc, confine_filter_judges_call, 0, TEST_COUNT(calls));
	tcase_add_test(tc, confine_filter_lists_get_shorter);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(confine_filter_suite)

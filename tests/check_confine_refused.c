/* SPDX-License-Identifier: MIT */
/* What becomes of confining where the kernel does not play along. */
#include "base/confine_parts.h"

#include <linux/seccomp.h>
#include <stdarg.h>

#include "check_main.h"
#include "check_wrap.h"

#define LANDLOCK_FIRST 444
#define LANDLOCK_LAST 446

static struct {
	bool fake; /* nothing gets to the real kernel */
	bool no_kill_process;
	int no_new_privs, dumpable, filter; /* errno of prctl() */
	int seccomp;
	int landlock[3];  /* of each of its calls */
	long version;	  /* of Landlock */
	size_t size;	  /* of what it was told to take away */
	uint64_t allowed; /* beneath a directory */
	unsigned long flags;
	struct sock_filter code[CONFINE_FILTER_MAX];
	unsigned short len;
	int installed;
} kernel;

static long fail_with(int error, long result)
{
	errno = error;
	return error ? -1 : result;
}

static long install(int error, const void *program)
{
	const struct sock_fprog *p = program;

	if (error == 0) {
		ck_assert_uint_le(p->len, CONFINE_FILTER_MAX);
		kernel.len = p->len;
		memcpy(kernel.code, p->filter, p->len * sizeof(*p->filter));
		kernel.installed++;
	}
	return fail_with(error, 0);
}

int WRAP(prctl)(int option, ...)
{
	unsigned long a[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (!kernel.fake)
		return REAL(prctl)(option, a[0], a[1], a[2], a[3]);
	switch (option) {
	case PR_SET_NO_NEW_PRIVS:
		ck_assert_uint_eq(a[0], 1);
		return (int)fail_with(kernel.no_new_privs, 0);
	case PR_SET_DUMPABLE:
		ck_assert_uint_eq(a[0], 0);
		return (int)fail_with(kernel.dumpable, 0);
	case PR_SET_SECCOMP:
		ck_assert_uint_eq(a[0], SECCOMP_MODE_FILTER);
		return (int)install(kernel.filter, (const void *)a[1]);
	default:
		ck_abort_msg("prctl(%d)", option);
	}
}

static long fake_landlock(long number, const long *a)
{
	const int error = kernel.landlock[number - LANDLOCK_FIRST];

	if (number == LANDLOCK_FIRST && a[0] == 0)
		return fail_with(kernel.version ? 0 : error, kernel.version);
	if (number == LANDLOCK_FIRST) {
		kernel.size = (size_t)a[1];
		/* A descriptor that may be closed. */
		return fail_with(error, open("/dev/null", O_RDONLY));
	}
	if (number == LANDLOCK_FIRST + 1)
		memcpy(&kernel.allowed, (const void *)a[2], 8);
	return fail_with(error, 0);
}

long WRAP(syscall)(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (kernel.fake && number == SYS_seccomp &&
		a[0] == SECCOMP_GET_ACTION_AVAIL)
		return fail_with(kernel.no_kill_process ? EINVAL : 0, 0);
	if (kernel.fake && number == SYS_seccomp) {
		kernel.flags = (unsigned long)a[1];
		return install(kernel.seccomp, (const void *)a[2]);
	}
	if (kernel.fake && number >= LANDLOCK_FIRST && number <= LANDLOCK_LAST)
		return fake_landlock(number, a);
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool has_result(uint32_t action)
{
	for (size_t i = 0; i < kernel.len; i++) {
		if (kernel.code[i].code == (BPF_RET | BPF_K) &&
			kernel.code[i].k == action)
			return true;
	}
	return false;
}

static const struct refusal {
	const char *name, *told;
	int no_new_privs, dumpable, seccomp, filter;
} refusals[] = {
	{ "nothing is refused", NULL, 0, 0, 0, 0 },
	{ "the flag is not known", NULL, 0, 0, EINVAL, 0 },
	{ "the call is not there", NULL, 0, 0, ENOSYS, 0 },
	{ "a sandbox forbids the call", NULL, 0, 0, EPERM, 0 },
	{ "no filters", "system calls cannot be forbidden: Invalid", 0, 0,
		ENOSYS, EINVAL },
	{ "no memory", "system calls cannot be forbidden: ", 0, 0, ENOMEM,
		ENOMEM },
	{ "a sandbox forbids both", "system calls cannot be forbidden: ", 0, 0,
		EPERM, EPERM },
	{ "no new privileges", "new privileges cannot be ruled out: ", EINVAL,
		0, 0, 0 },
	{ "dumpable", "other processes cannot be kept from", 0, EPERM, 0, 0 },
};

START_TEST(confine_refusal_is_survived_and_told)
{
	const struct refusal *r = &refusals[_i];
	struct avml_error err = AVML_ERROR_INIT;
	int ret;

	kernel.fake = true;
	kernel.version = 3;
	kernel.no_new_privs = r->no_new_privs;
	kernel.dumpable = r->dumpable;
	kernel.seccomp = r->seccomp;
	kernel.filter = r->filter;
	ret = confine(CONFINE_TO_READ, NULL, &err);
	kernel.fake = false;
	ck_assert_msg((ret < 0) == (r->told != NULL), "%s: %d", r->name, ret);
	if (r->told)
		ck_assert_msg(strstr(avml_error_message(&err, 0), r->told),
			"%s: %s", r->name, avml_error_message(&err, 0));
	/* The rest is done. */
	ck_assert_int_eq(kernel.installed, r->filter == 0);
	ck_assert_uint_eq(kernel.flags, 4);
	if (kernel.installed)
		ck_assert(has_result(0x80000000));
}
END_TEST

START_TEST(confine_old_kernel_ends_by_trap)
{
	struct avml_error err = AVML_ERROR_INIT;

	kernel.fake = true;
	kernel.no_kill_process = true;
	ck_assert_int_eq(confine(CONFINE_TO_READ, NULL, &err), 0);
	kernel.fake = false;
	ck_assert(has_result(SECCOMP_RET_TRAP));
	ck_assert(!has_result(0x80000000));
	ck_assert(!has_result(SECCOMP_RET_KILL));
}
END_TEST

START_TEST(confine_landlock_refusal_is_not_told)
{
	static const int errors[] = { ENOSYS, EOPNOTSUPP, EPERM };
	struct avml_error err = AVML_ERROR_INIT;

	kernel.fake = true;
	for (size_t i = 0; i < TEST_COUNT(errors); i++) {
		/* The first call is made twice: for its version as well. */
		for (size_t k = 0; k < 4; k++) {
			memset(kernel.landlock, 0, sizeof(kernel.landlock));
			kernel.landlock[k % 3] = errors[i];
			kernel.version = k == 3 ? 0 : 6;
			ck_assert_int_eq(
				confine(CONFINE_TO_OPEN, "x", &err), 0);
			ck_assert_int_eq(confine_landlock("x"), -errors[i]);
		}
	}
	kernel.fake = false;
	ck_assert_int_eq(kernel.installed, TEST_COUNT(errors) * 4);
}
END_TEST

START_TEST(confine_landlock_takes_what_version_knows)
{
	static const struct {
		long version;
		size_t size;
		uint64_t allowed;
	} versions[] = { { 1, 8, 0x122 }, { 2, 8, 0x122 }, { 3, 8, 0x4122 },
		{ 4, 16, 0x4122 }, { 5, 16, 0x4122 }, { 6, 24, 0x4122 },
		{ 7, 24, 0x4122 }, { 99, 24, 0x4122 } };

	kernel.fake = true;
	for (size_t i = 0; i < TEST_COUNT(versions); i++) {
		kernel.version = versions[i].version;
		ck_assert_int_eq(confine_landlock("/tmp/x"), 0);
		ck_assert_uint_eq(kernel.size, versions[i].size);
		ck_assert_uint_eq(kernel.allowed, versions[i].allowed);
	}
	/* Without its directory the error is open()'s, and nothing is taken. */
	ck_assert_int_eq(confine_landlock("/nothing/here"), -ENOENT);
	kernel.fake = false;
}
END_TEST

static Suite *confine_refused_suite(void)
{
	Suite *suite = suite_create("confine_refused");
	TCase *tc = tcase_create("confine_refused");

	if (!CONFINE_SANITIZED) {
		tcase_add_loop_test(tc, confine_refusal_is_survived_and_told, 0,
			TEST_COUNT(refusals));
		tcase_add_test(tc, confine_old_kernel_ends_by_trap);
		tcase_add_test(tc, confine_landlock_refusal_is_not_told);
	} else {
		puts("left out: a sanitizer is not confined");
	}
	tcase_add_test(tc, confine_landlock_takes_what_version_knows);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(confine_refused_suite)

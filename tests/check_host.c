/* SPDX-License-Identifier: MIT */
/*
 * What a host allows, and why a source does not open there. The host is
 * made up: open(), geteuid() and capget are this program's own, and its
 * files have other places.
 */
#include "source/host.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <sys/utsname.h>

#include "check_paths.h"
#include "check_wrap.h"
#include "source/source_ops.h"

/* What is opened in the place of a file; NULL: there is none. */
static struct {
	const char *lockdown, *uid_map, *config;
	uid_t euid;
	int capget_error;
	uint64_t capabilities;
	const char *closed; /* the path of what does not open... */
	int closed_error;   /* ...and why */
	int flags;	    /* of the last open */
	const char *config_path;
} host;

static bool faking; /* while a test runs */

static const char *place_of(const char *path)
{
	if (strcmp(path, "/sys/kernel/security/lockdown") == 0)
		return host.lockdown;
	if (strcmp(path, "/proc/self/uid_map") == 0)
		return host.uid_map;
	if (strncmp(path, "/boot/config-", 13) == 0) {
		host.config_path = test_text("%s", path);
		return host.config;
	}
	/* No other file of this machine. */
	ck_assert_msg(strncmp(path, test_root, strlen(test_root)) == 0,
		"%s is opened", path);
	return path;
}

int WRAP64(open)(const char *path, int flags, ...)
{
	const char *place;
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, unsigned int);
		va_end(ap);
	}
	/* The C library itself comes here for what Check needs. */
	if (!faking)
		return REAL64(open)(path, flags, mode);
	host.flags = flags;
	place = place_of(path);
	if (host.closed && strcmp(path, host.closed) == 0)
		errno = host.closed_error;
	else if (!place)
		errno = ENOENT;
	else
		return REAL64(open)(place, flags, mode);
	return -1;
}

uid_t WRAP(geteuid)(void)
{
	return host.euid;
}

/* capget, as long as no other call comes this way. */
static long fake_capget(struct __user_cap_data_struct *data)
{
	if (host.capget_error) {
		errno = host.capget_error;
		return -1;
	}
	data[0].effective = (uint32_t)host.capabilities;
	data[1].effective = (uint32_t)(host.capabilities >> 32);
	data[0].permitted = data[1].permitted = UINT32_MAX;
	return 0;
}

long WRAP(syscall)(long number, ...)
{
	long args[6];
	va_list ap;

	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_capget && faking)
		return fake_capget((struct __user_cap_data_struct *)args[1]);
	return REAL(syscall)(
		number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

static const char *text_file(const char *text)
{
	return text ? test_text("%s", test_file("text", text, strlen(text)))
		    : NULL;
}

/* --- what the host is ----------------------------------------------------- */

START_TEST(host_lockdown_is_what_is_in_brackets)
{
	static const struct {
		const char *text; /* NULL: no file */
		const char *mode; /* NULL: cannot be told */
	} texts[] = {
		{ "[none] integrity confidentiality\n", "none" },
		{ "none [integrity] confidentiality\n", "integrity" },
		{ "none integrity [confidentiality]\n", "confidentiality" },
		{ "[none]", "none" },
		{ "[]", "" },
		{ NULL, NULL },
		{ "", NULL },
		{ "none integrity confidentiality\n", NULL },
		{ "none [integrity", NULL },
		{ "] [", NULL },
		{ "none] integrity", NULL },
		/* 31 fit with the NUL, one more does not. */
		{ "[1234567890123456789012345678901]",
			"1234567890123456789012345678901" },
		{ "[12345678901234567890123456789012]", NULL },
	};

	for (size_t i = 0; i < TEST_COUNT(texts); i++) {
		char mode[33];
		bool known;

		host.lockdown = text_file(texts[i].text);
		memset(mode, 'x', sizeof(mode));
		known = host_lockdown(mode, 32);
		ck_assert_msg(known == (texts[i].mode != NULL), "\"%s\"",
			texts[i].text ? texts[i].text : "");
		if (known)
			ck_assert_str_eq(mode, texts[i].mode);
		ck_assert_int_eq(mode[32], 'x');
	}
}
END_TEST

START_TEST(host_capable_is_effective_capability)
{
	static const unsigned int numbers[] = { 0, CAP_SYS_RAWIO, CAP_SYS_ADMIN,
		31, 32, CAP_BPF, CAP_LAST_CAP };

	for (size_t i = 0; i < TEST_COUNT(numbers); i++) {
		host.capabilities = UINT64_C(1) << numbers[i];
		for (size_t k = 0; k < TEST_COUNT(numbers); k++)
			ck_assert(host_capable(numbers[k]) == (i == k));
	}
	/* Where it cannot be told, root is taken to have all. */
	host.capget_error = ENOSYS;
	host.capabilities = 0;
	ck_assert(host_capable(CAP_SYS_RAWIO));
	host.euid = 1000;
	ck_assert(!host_capable(CAP_SYS_RAWIO));
}
END_TEST

START_TEST(host_user_namespace_is_one_that_maps)
{
	static const struct {
		const char *map;
		bool other;
	} maps[] = {
		{ "         0          0 4294967295\n", false },
		{ NULL, false },
		{ "", false },
		{ "nonsense\n", false },
		{ "0 0\n", false },
		{ "         0       1000          1\n", true },
		{ "         0     100000      65536\n", true },
		{ "      1000          0 4294967295\n", true },
		{ "         0          0 4294967294\n", true },
		{ "0 0 1\n1 100000 65536\n", true },
	};

	for (size_t i = 0; i < TEST_COUNT(maps); i++) {
		host.uid_map = text_file(maps[i].map);
		ck_assert_msg(host_in_user_namespace() == maps[i].other,
			"\"%s\"", maps[i].map ? maps[i].map : "");
	}
}
END_TEST

START_TEST(host_kernel_config_is_that_of_the_running_one)
{
	static const struct {
		const char *text;
		char devmem;
	} texts[] = {
		{ NULL, '?' },
		{ "# none\n", 'n' },
		{ "#\nCONFIG_DEVMEM=y\n", 'y' },
		{ "#\nCONFIG_DEVMEM=m\n", 'm' },
		{ "#\n# CONFIG_DEVMEM is not set\n", 'n' },
		{ "#\nCONFIG_DEVMEMORY=y\n", 'n' },
		{ "#\nCONFIG_STRICT_DEVMEM=y\n", 'n' },
		{ "#\nXCONFIG_DEVMEM=y\n", 'n' },
		{ "#\nCONFIG_STRICT_DEVMEM=y\nCONFIG_DEVMEM=y", 'y' },
	};
	struct utsname name;

	ck_assert_int_eq(uname(&name), 0);
	for (size_t i = 0; i < TEST_COUNT(texts); i++) {
		host.config = text_file(texts[i].text);
		ck_assert_msg(host_kernel_config("DEVMEM") == texts[i].devmem,
			"\"%s\"", texts[i].text ? texts[i].text : "");
		ck_assert_str_eq(host.config_path,
			test_text("/boot/config-%s", name.release));
	}
}
END_TEST

/* Only looked at, not into. */
START_TEST(host_procfs_is_a_mounted_one)
{
	ck_assert(host_is_procfs("/proc"));
	ck_assert(host_is_procfs("/proc/self"));
	ck_assert(!host_is_procfs("/"));
	ck_assert(!host_is_procfs(test_dir()));
	ck_assert(!host_is_procfs(test_path("missing")));
}
END_TEST

/* --- why a source does not open ------------------------------------------- */

#define RAWIO (UINT64_C(1) << CAP_SYS_RAWIO)
#define FIRST "0 0 4294967295\n"
#define MAPPED "0 100000 65536\n"
#define NONE "[none] integrity confidentiality\n"
#define INTEGRITY "none [integrity] confidentiality\n"
#define CONFIDENTIALITY "none integrity [confidentiality]\n"

static const struct {
	uid_t euid;
	uint64_t capabilities;
	const char *lockdown, *uid_map, *least;
	enum avml_source_reason reason;
	const char *says;
} cases[] = {
	{ 1000, 0, NULL, FIRST, "integrity", AVML_SOURCE_NOT_ROOT, "root" },
	{ 1000, 0, CONFIDENTIALITY, MAPPED, "integrity", AVML_SOURCE_NOT_ROOT,
		"root" },
	{ 1000, ~RAWIO, NULL, FIRST, "integrity", AVML_SOURCE_NOT_ROOT,
		"CAP_SYS_RAWIO" },
	{ 0, 0, NULL, FIRST, "integrity", AVML_SOURCE_CAPABILITY,
		"CAP_SYS_RAWIO" },
	{ 0, ~RAWIO, CONFIDENTIALITY, MAPPED, "integrity",
		AVML_SOURCE_CAPABILITY, "container" },
	/* With the capability, and the modes that each is forbidden by. */
	{ 0, RAWIO, INTEGRITY, FIRST, "integrity", AVML_SOURCE_LOCKDOWN,
		"without lockdown" },
	{ 0, RAWIO, CONFIDENTIALITY, FIRST, "integrity", AVML_SOURCE_LOCKDOWN,
		"without lockdown" },
	{ 0, RAWIO, CONFIDENTIALITY, FIRST, "confidentiality",
		AVML_SOURCE_LOCKDOWN, "without lockdown" },
	{ 0, RAWIO, INTEGRITY, FIRST, "confidentiality", AVML_SOURCE_DENIED,
		"security module" },
	{ 0, RAWIO, NONE, FIRST, "integrity", AVML_SOURCE_DENIED,
		"security module" },
	{ 0, RAWIO, NULL, FIRST, "integrity", AVML_SOURCE_DENIED,
		"security module" },
	{ 0, RAWIO, NONE, NULL, "integrity", AVML_SOURCE_DENIED, "container" },
	/* The file is root's, whatever else may be had. */
	{ 1000, RAWIO, NONE, FIRST, "integrity", AVML_SOURCE_NOT_ROOT,
		"run as root" },
	{ 0, RAWIO, NONE, MAPPED, "integrity", AVML_SOURCE_USER_NAMESPACE,
		"outside of the container" },
	/* What the kernel says of itself comes first. */
	{ 0, RAWIO, INTEGRITY, MAPPED, "integrity", AVML_SOURCE_LOCKDOWN,
		"without lockdown" },
};

START_TEST(source_denied_has_its_reason)
{
	static const int errors[] = { EPERM, EACCES };

	for (size_t i = 0; i < TEST_COUNT(errors); i++) {
		struct source_refusal why = { .reason = AVML_SOURCE_OTHER };
		struct avml_error err = AVML_ERROR_INIT;
		const char *said;

		host.euid = cases[_i].euid;
		host.capabilities = cases[_i].capabilities;
		host.lockdown = text_file(cases[_i].lockdown);
		host.uid_map = text_file(cases[_i].uid_map);
		host.closed = test_path("source");
		host.closed_error = errors[i];
		ck_assert_int_eq(source_open_fd(host.closed, cases[_i].least,
					 &why, &err),
			-errors[i]);
		ck_assert_int_eq(why.reason, cases[_i].reason);
		ck_assert_msg(strstr(why.remedy, cases[_i].says) != NULL,
			"\"%s\"", why.remedy);
		ck_assert_int_eq(err.code, errors[i]);
		said = avml_error_message(&err, 0);
		ck_assert_ptr_nonnull(strstr(said, host.closed));
		ck_assert_ptr_nonnull(
			strstr(said, why.reason == AVML_SOURCE_LOCKDOWN
					     ? "lockdown is '"
					     : strerror(errors[i])));
	}
}
END_TEST

/* Other errors, and other files, have no such reason. */
START_TEST(source_other_errors_are_themselves)
{
	static const struct {
		int error;
		const char *least;
	} others[] = { { ENXIO, NULL }, { EIO, "integrity" },
		{ EMFILE, "integrity" }, { EACCES, NULL }, { EPERM, NULL } };

	for (size_t i = 0; i < TEST_COUNT(others); i++) {
		struct source_refusal why = { .reason = AVML_SOURCE_OTHER };
		struct avml_error err = AVML_ERROR_INIT;

		host.closed = test_path("source");
		host.closed_error = others[i].error;
		ck_assert_int_eq(source_open_fd(host.closed, others[i].least,
					 &why, &err),
			-others[i].error);
		ck_assert_int_eq(why.reason, AVML_SOURCE_OTHER);
		ck_assert_ptr_null(why.remedy);
		ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0),
			strerror(others[i].error)));
	}
}
END_TEST

/* A node that was made for a driver which is not there. */
START_TEST(source_without_a_driver_is_missing)
{
	static const int errors[] = { ENXIO, ENODEV };

	for (size_t i = 0; i < TEST_COUNT(errors); i++) {
		struct source_refusal why = { .reason = AVML_SOURCE_OTHER };
		struct avml_error err = AVML_ERROR_INIT;

		host.closed = test_path("source");
		host.closed_error = errors[i];
		ck_assert_int_eq(
			source_open_fd(host.closed, "integrity", &why, &err),
			-errors[i]);
		ck_assert_int_eq(why.reason, AVML_SOURCE_MISSING);
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), "no driver"));
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), host.closed));
	}
}
END_TEST

START_TEST(host_paths_and_pages_have_defaults)
{
	char *path = host_proc_path(NULL, "iomem");

	ck_assert_str_eq(path, "/proc/iomem");
	free(path);
	path = host_proc_path("a/proc", "meminfo");
	ck_assert_str_eq(path, "a/proc/meminfo");
	free(path);
	ck_assert_uint_eq(host_page_size(0), (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_eq(host_page_size(65536), 65536);
}
END_TEST

/* It must not wait for a writer of a FIFO, but then for a slow device. */
START_TEST(source_is_opened_without_waiting)
{
	const char *path = test_file("source", "", 0);
	struct source_refusal why;
	struct avml_error err;
	const int fd = source_open_fd(path, "integrity", &why, &err);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(host.flags & O_ACCMODE, O_RDONLY);
	ck_assert_int_ne(host.flags & O_NONBLOCK, 0);
	ck_assert_int_ne(host.flags & O_NOCTTY, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}
END_TEST

/* This and every other test program is without them. */
START_TEST(host_tests_cannot_read_memory)
{
	faking = false;
	ck_assert(!host_capable(CAP_SYS_RAWIO));
	ck_assert(!host_capable(CAP_SYS_ADMIN));
	/* Nor could a program that one of them runs get them back. */
	if (getuid() == 0) {
		ck_assert_int_eq(prctl(PR_CAPBSET_READ, CAP_SYS_RAWIO), 0);
		ck_assert_int_eq(prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN), 0);
	}
}
END_TEST

static void fake(void)
{
	faking = true;
}

static Suite *host_suite(void)
{
	Suite *suite = suite_create("host");
	TCase *tc = tcase_create("host");

	tcase_add_checked_fixture(tc, fake, NULL);
	tcase_add_test(tc, host_lockdown_is_what_is_in_brackets);
	tcase_add_test(tc, host_capable_is_effective_capability);
	tcase_add_test(tc, host_user_namespace_is_one_that_maps);
	tcase_add_test(tc, host_kernel_config_is_that_of_the_running_one);
	tcase_add_test(tc, host_procfs_is_a_mounted_one);
	tcase_add_loop_test(
		tc, source_denied_has_its_reason, 0, TEST_COUNT(cases));
	tcase_add_test(tc, source_other_errors_are_themselves);
	tcase_add_test(tc, source_without_a_driver_is_missing);
	tcase_add_test(tc, host_paths_and_pages_have_defaults);
	tcase_add_test(tc, source_is_opened_without_waiting);
	tcase_add_test(tc, host_tests_cannot_read_memory);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(host_suite)

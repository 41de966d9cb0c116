/* SPDX-License-Identifier: MIT */
/*
 * Bundles of made-up hosts. open(), pread(), pwritev() and posix_fadvise()
 * are this program's own: no file of this machine is opened, and some calls
 * fail.
 */
#include <avml/bundle.h>

#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "check_paths.h"
#include "check_wrap.h"
#include "cmd/bundle.h"
#include "cmd/cmd.h"
#include "job/bundle_copy.h"

#define RELEASE "6.1.0-made"
#define LARGE 300000

static bool faking; /* while a test runs */
static struct {
	const char *stop_at; /* a signal comes with the first byte of this... */
	size_t stop_after;   /* ...or behind so many */
	const char *full;    /* writing this one fails */
	const char *unread;  /* and reading this */
	unsigned int dropped; /* calls that drop the page cache to the end */
} now;

/* Whether a descriptor is that of a file whose name ends so. */
static bool is_file(int fd, const char *name)
{
	char link[64], path[TEST_PATH_MAX];
	ssize_t len;

	if (!name)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < (ssize_t)strlen(name))
		return false;
	path[len] = '\0';
	return strcmp(path + len - strlen(name), name) == 0;
}

int WRAP64(open)(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, unsigned int);
		va_end(ap);
	}
	if (faking)
		ck_assert_msg(strncmp(path, test_root, strlen(test_root)) == 0,
			"%s is opened", path);
	return REAL64(open)(path, flags, mode);
}

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	if (is_file(fd, now.unread)) {
		errno = EIO;
		return -1;
	}
	if (is_file(fd, now.stop_at) && (size_t)offset >= now.stop_after)
		cancel_request(SIGTERM);
	return REAL64(pread)(fd, buf, len, offset);
}

ssize_t WRAP64(pwritev)(
	int fd, const struct iovec *iov, int count, off_t offset)
{
	if (is_file(fd, now.full) && offset > 0) {
		errno = ENOSPC;
		return -1;
	}
	return REAL64(pwritev)(fd, iov, count, offset);
}

int WRAP64(posix_fadvise)(int fd, off_t offset, off_t len, int advice)
{
	now.dropped += len == 0 && advice == POSIX_FADV_DONTNEED;
	return REAL64(posix_fadvise)(fd, offset, len, advice);
}

/* --- a host --------------------------------------------------------------- */

struct host {
	const char *dir, *proc, *root;
};

static void make_dirs(const char *top, const char *below)
{
	for (const char *at = below; (at = strchr(at, '/')); at++) {
		const char *dir =
			test_text("%s/%.*s", top, (int)(at - below), below);

		ck_assert(mkdir(dir, 0700) == 0 || errno == EEXIST);
	}
}

static void put_bytes(
	const char *top, const char *below, const void *bytes, size_t len)
{
	make_dirs(top, below);
	test_make_file(test_text("%s/%s", top, below), bytes, len);
}

static void put_text(const char *top, const char *below, const char *text)
{
	put_bytes(top, below, text, strlen(text));
}

/* No kcore, and no BTF: eight of ten. */
static struct host new_host(void)
{
	static char large[LARGE];
	struct host host = { .dir = test_text("%s", test_dir()) };

	memset(large, 'z', sizeof(large));
	host.proc = test_text("%s/proc", host.dir);
	host.root = test_text("%s/root", host.dir);
	put_text(host.dir, "proc/sys/kernel/osrelease", RELEASE "\n");
	put_text(host.dir, "proc/kallsyms", "ffffffff81000000 T _stext\n");
	put_text(host.dir, "proc/cmdline", "quiet\n");
	put_text(host.dir, "proc/version", "abc");
	put_text(host.dir, "proc/modules", "ext4 1 0 - Live 0x0\n");
	put_text(host.dir, "proc/iomem", "00001000-0009ffff : System RAM\n");
	put_text(host.dir, "root/usr/lib/os-release", "ID=made-up\n");
	put_text(host.dir, "root/boot/System.map-" RELEASE, "ff T _stext\n");
	put_bytes(host.dir, "root/boot/vmlinuz-" RELEASE, large, LARGE);
	return host;
}

static struct avml_bundle_options options_of(const struct host *host)
{
	return (struct avml_bundle_options){
		.directory = test_text("%s/bundle", host->dir),
		.root_dir = host->root,
		.proc_dir = host->proc,
	};
}

/* --- what is told --------------------------------------------------------- */

struct told {
	size_t count;
	struct {
		char name[32], path[TEST_PATH_MAX], sha256[80], remark[80];
		char why[AVML_ERROR_TEXT];
		uint64_t bytes;
		int code;
	} files[AVML_BUNDLE_FILES];
};

static struct told told;

static void on_file(void *ctx, const struct avml_bundle_file *file)
{
	struct told *t = ctx;
	const size_t i = t->count++;

	ck_assert_uint_lt(i, AVML_BUNDLE_FILES);
	snprintf(t->files[i].name, sizeof(t->files[i].name), "%s", file->name);
	snprintf(t->files[i].path, sizeof(t->files[i].path), "%s", file->path);
	snprintf(t->files[i].sha256, sizeof(t->files[i].sha256), "%s",
		file->sha256 ? file->sha256 : "");
	snprintf(t->files[i].remark, sizeof(t->files[i].remark), "%s",
		file->remark ? file->remark : "");
	t->files[i].bytes = file->bytes;
	ck_assert((file->err == NULL) == (file->sha256 != NULL));
	if (!file->err)
		return;
	t->files[i].code = file->err->code;
	avml_error_join(file->err, t->files[i].why, sizeof(t->files[i].why));
}

static size_t place_of(const char *name)
{
	size_t i = 0;

	while (i < told.count && strcmp(told.files[i].name, name) != 0)
		i++;
	ck_assert_msg(i < told.count, "%s is not told", name);
	return i;
}

#define TOLD(name) (&told.files[place_of(name)])

static int collect(const struct avml_bundle_options *options,
	struct avml_bundle_result *result, struct avml_error *err)
{
	const struct avml_bundle_events events = { &told, on_file };
	struct avml_bundle *bundle;
	int ret;

	faking = true;
	memset(&told, 0, sizeof(told));
	ret = avml_bundle_open(options, &bundle, err);
	ck_assert_msg(ret == 0, "%s", avml_error_message(err, 0));
	ret = avml_bundle_collect(bundle, &events, result, err);
	avml_bundle_free(bundle);
	faking = false;
	return ret;
}

/* Whether it is in the bundle, whole and the same as that. */
static bool is_there(const struct avml_bundle_options *options,
	const char *name, const char *source)
{
	CLEANUP_FREE char *ours = NULL, *theirs = NULL;
	const char *path = test_text("%s/%s", options->directory, name);
	struct stat st;
	size_t len, other;

	if (lstat(path, &st) < 0)
		return false;
	ours = test_load(path, &len);
	theirs = test_load(source, &other);
	ck_assert(len == other && memcmp(ours, theirs, len) == 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	return true;
}

/* --- tests ---------------------------------------------------------------- */

START_TEST(bundle_files_are_told_in_their_order)
{
	static const char *const names[] = { "vmcoreinfo", "kallsyms", "btf",
		"cmdline", "version", "modules", "iomem", "os-release",
		"System.map", "vmlinuz" };
	const struct host host = new_host();
	const struct avml_bundle_options options = options_of(&host);
	struct avml_bundle_result result;
	struct avml_error err;

	ck_assert_int_eq(collect(&options, &result, &err), 0);
	ck_assert_uint_eq(told.count, AVML_BUNDLE_FILES);
	for (size_t i = 0; i < TEST_COUNT(names); i++)
		ck_assert_str_eq(told.files[i].name, names[i]);
	ck_assert_uint_eq(result.files, 8);
	ck_assert_uint_eq(result.missing, 2);
	ck_assert_int_eq(TOLD("btf")->code, ENOENT);
	ck_assert_int_eq(TOLD("vmcoreinfo")->code, ENOENT);
	ck_assert_str_eq(TOLD("btf")->path,
		test_text("%s/sys/kernel/btf/vmlinux", host.root));
	/* Of "abc", FIPS 180-4's own example. */
	ck_assert_str_eq(TOLD("version")->sha256,
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad");
	ck_assert_uint_eq(TOLD("version")->bytes, 3);
	ck_assert_str_eq(TOLD("os-release")->path,
		test_text("%s/usr/lib/os-release", host.root));
	ck_assert_uint_eq(TOLD("vmlinuz")->bytes, LARGE);
	ck_assert(is_there(&options, "vmlinuz", TOLD("vmlinuz")->path));
	/* What was read and what was written, of each. */
	ck_assert_uint_ge(now.dropped, 16);
}
END_TEST

START_TEST(bundle_release_and_sys_that_are_given_are_taken)
{
	const struct host host = new_host();
	struct avml_bundle_options options = options_of(&host);
	struct avml_bundle_result result;
	struct avml_error err;

	put_text(host.dir, "elsewhere/kernel/btf/vmlinux", "types");
	put_text(host.dir, "root/boot/vmlinuz-other", "kernel");
	options.sys_dir = test_text("%s/elsewhere", host.dir);
	options.release = "other";
	ck_assert_int_eq(collect(&options, &result, &err), 0);
	ck_assert(is_there(&options, "btf", TOLD("btf")->path));
	ck_assert_str_eq(TOLD("vmlinuz")->path,
		test_text("%s/boot/vmlinuz-other", host.root));
	ck_assert_int_eq(TOLD("System.map")->code, ENOENT);
}
END_TEST

/* Nobody listens, and all is there the same. */
START_TEST(bundle_without_a_listener_is_collected)
{
	const struct host host = new_host();
	const struct avml_bundle_options options = options_of(&host);
	const struct avml_bundle_events nobody = { NULL, NULL };
	struct avml_bundle_result result;
	struct avml_bundle *bundle;
	struct avml_error err;

	ck_assert_int_eq(avml_bundle_open(&options, &bundle, &err), 0);
	ck_assert_int_eq(
		avml_bundle_collect(bundle, &nobody, &result, &err), 0);
	avml_bundle_free(bundle);
	ck_assert_uint_eq(result.files, 8);
}
END_TEST

START_TEST(bundle_directory_that_stayed_empty_goes_again)
{
	const struct host host = new_host();
	const struct avml_bundle_options options = options_of(&host);
	struct avml_bundle *bundle;
	struct avml_error err;

	ck_assert_int_eq(avml_bundle_open(&options, &bundle, &err), 0);
	ck_assert_int_eq(access(options.directory, F_OK), 0);
	avml_bundle_free(bundle);
	ck_assert_int_ne(access(options.directory, F_OK), 0);
	/* It was there before, or it is not empty. */
	ck_assert_int_eq(mkdir(options.directory, 0700), 0);
	ck_assert_int_eq(avml_bundle_open(&options, &bundle, &err), 0);
	avml_bundle_free(bundle);
	ck_assert_int_eq(rmdir(options.directory), 0);
	ck_assert_int_eq(avml_bundle_open(&options, &bundle, &err), 0);
	put_text(options.directory, "other", "");
	avml_bundle_free(bundle);
	ck_assert_int_eq(access(options.directory, F_OK), 0);
	ck_assert_int_eq(avml_bundle_open(&options, &bundle, &err), -EEXIST);
	avml_bundle_free(NULL);
}
END_TEST

START_TEST(bundle_of_nothing_is_enodata)
{
	const char *dir = test_text("%s", test_dir());
	const struct avml_bundle_options options = {
		.directory = test_text("%s/bundle", dir),
		.root_dir = test_text("%s/none", dir),
		.proc_dir = test_text("%s/none", dir),
	};
	struct avml_bundle_result result;
	struct avml_error err;

	ck_assert_int_eq(collect(&options, &result, &err), -ENODATA);
	ck_assert_uint_eq(result.missing, AVML_BUNDLE_FILES);
	ck_assert_int_ne(access(options.directory, F_OK), 0);
}
END_TEST

/* --- one file ------------------------------------------------------------- */

/* Copy these bytes of a file, of which more than `max` is too much. */
static int copy(const char *bytes, size_t len, uint64_t part, uint64_t max,
	struct bundle_copied *copied, struct avml_error *err)
{
	static char buf[BUNDLE_PIECE];
	const char *dir_path = test_dir();
	CLEANUP_CLOSE int dir = open(dir_path, O_RDONLY | O_DIRECTORY);
	CLEANUP_CLOSE int fd = memfd_create("source", MFD_CLOEXEC);
	const struct bundle_target to = { dir, dir_path, "copy" };
	const struct bundle_source from = { fd, "source", 0, part, max };
	int ret;

	TEST_ASSERT(dir >= 0 && fd >= 0);
	TEST_ASSERT(write(fd, bytes, len) == (ssize_t)len);
	ret = bundle_copy(&from, &to, buf, copied, err);
	TEST_ASSERT((faccessat(dir, "copy", F_OK, 0) == 0) == (ret == 0));
	return ret;
}

/* The only address stands wherever two pieces meet. */
START_TEST(bundle_address_is_seen_across_pieces)
{
	static const struct {
		const char *line;
		bool seen;
	} lines[] = { { "0000000000000000 T a\n", false },
		{ "0000000000000001 T b\n", true },
		{ "  00000010-0 : x\n", true }, { "00000000 9 f\n", false },
		{ "0000000000000000z\n", false }, { "f", true } };
	static char text[BUNDLE_PIECE + 64];
	struct bundle_copied copied;
	struct avml_error err;

	for (size_t i = 0; i < TEST_COUNT(lines); i++) {
		const size_t len = strlen(lines[i].line);

		for (size_t cut = 0; cut <= len; cut++) {
			const size_t before = BUNDLE_PIECE - cut;

			memset(text, '0', before);
			text[before - 1] = '\n';
			memcpy(text + before, lines[i].line, len);
			TEST_ASSERT(copy(text, before + len, BUNDLE_TO_END,
					    1 << 20, &copied, &err) == 0);
			TEST_ASSERT(copied.addresses == lines[i].seen);
			TEST_ASSERT(copied.bytes == before + len);
		}
	}
}
END_TEST

static const struct {
	size_t len;
	uint64_t part, max;
	int ret;
} sizes[] = {
	{ 0, BUNDLE_TO_END, 100, 0 },
	{ 100, BUNDLE_TO_END, 100, 0 },
	{ 101, BUNDLE_TO_END, 100, -EFBIG },
	{ 100000, BUNDLE_TO_END, 99999, -EFBIG },
	{ 100000, BUNDLE_TO_END, 65536, -EFBIG },
	{ 100, 0, 100, 0 },
	{ 100, 99, 100, 0 },
	{ 100, 100, 100, 0 },
	{ 100, 101, 1000, -EINVAL },
	{ 70000, 65537, 100000, 0 },
	{ 70000, 80000, 100000, -EINVAL },
};

START_TEST(bundle_part_is_exact_and_the_limit_holds)
{
	static char bytes[100000];
	struct bundle_copied copied;
	struct avml_error err;
	const uint64_t part = sizes[_i].part;

	ck_assert_int_eq(
		copy(bytes, sizes[_i].len, part, sizes[_i].max, &copied, &err),
		sizes[_i].ret);
	if (sizes[_i].ret == 0)
		ck_assert_uint_eq(copied.bytes,
			part == BUNDLE_TO_END ? sizes[_i].len : part);
}
END_TEST

/* --- what comes in between ------------------------------------------------ */

START_TEST(bundle_signal_ends_it_and_leaves_whole_files)
{
	const struct host host = new_host();
	const struct avml_bundle_options options = options_of(&host);
	struct avml_bundle_result result;
	struct avml_error err;

	now.stop_at = "/vmlinuz-" RELEASE;
	now.stop_after = _i ? 65536 : 0;
	ck_assert_int_eq(collect(&options, &result, &err), -EINTR);
	ck_assert_int_eq(err.code, EINTR);
	ck_assert_uint_eq(result.files, 7);
	ck_assert(!is_there(&options, "vmlinuz", TOLD("vmlinuz")->path));
	ck_assert(is_there(&options, "version", TOLD("version")->path));
}
END_TEST

START_TEST(bundle_file_that_fails_is_removed_and_the_rest_is_there)
{
	const struct host host = new_host();
	const struct avml_bundle_options options = options_of(&host);
	struct avml_bundle_result result;
	struct avml_error err;

	now.full = "/vmlinuz";
	now.unread = "/modules";
	ck_assert_int_eq(collect(&options, &result, &err), 0);
	ck_assert_uint_eq(result.files, 6);
	ck_assert_int_eq(TOLD("vmlinuz")->code, ENOSPC);
	ck_assert_str_eq(TOLD("vmlinuz")->why,
		test_text("cannot write %s/vmlinuz at offset 65536: No space "
			  "left on device",
			options.directory));
	ck_assert_int_eq(TOLD("modules")->code, EIO);
	ck_assert(!is_there(&options, "vmlinuz", TOLD("vmlinuz")->path));
	ck_assert(!is_there(&options, "modules", TOLD("modules")->path));
	ck_assert(is_there(&options, "iomem", TOLD("iomem")->path));
}
END_TEST

/* --- the command's side --------------------------------------------------- */

static const struct {
	const char *root, *given_proc, *given_dev, *proc, *dev;
} roots[] = {
	{ NULL, NULL, NULL, NULL, NULL },
	{ "/", NULL, NULL, NULL, NULL },
	{ "//", NULL, "/d", NULL, "/d" },
	{ "/host", NULL, NULL, "/host/proc", "/host/dev" },
	{ "/host//", NULL, NULL, "/host/proc", "/host/dev" },
	{ "host", NULL, NULL, "host/proc", "host/dev" },
	{ "/host", "/p", NULL, "/p", "/host/dev" },
	{ "/host", NULL, "/d", "/host/proc", "/d" },
	{ NULL, "/p", "/d", "/p", "/d" },
};

START_TEST(bundle_root_names_proc_and_dev)
{
	const char *proc = roots[_i].given_proc, *dev = roots[_i].given_dev;
	struct bundle b = { .root = roots[_i].root };
	struct avml_error err = AVML_ERROR_INIT;

	ck_assert_int_eq(bundle_begin(&b, &proc, &dev, &err), 0);
	ck_assert_pstr_eq(proc, roots[_i].proc);
	ck_assert_pstr_eq(dev, roots[_i].dev);
	/* No bundle is wanted: nothing is collected, and no status changes. */
	bundle_collect(&b, 0);
	ck_assert_int_eq(bundle_end(&b, STATUS_PARTIAL, &err), STATUS_PARTIAL);
}
END_TEST

static Suite *bundle_suite(void)
{
	Suite *s = suite_create("bundle");
	TCase *tc = tcase_create("bundle");

	tcase_add_test(tc, bundle_files_are_told_in_their_order);
	tcase_add_test(tc, bundle_release_and_sys_that_are_given_are_taken);
	tcase_add_test(tc, bundle_without_a_listener_is_collected);
	tcase_add_test(tc, bundle_directory_that_stayed_empty_goes_again);
	tcase_add_test(tc, bundle_of_nothing_is_enodata);
	tcase_add_test(tc, bundle_address_is_seen_across_pieces);
	tcase_add_loop_test(tc, bundle_part_is_exact_and_the_limit_holds, 0,
		TEST_COUNT(sizes));
	tcase_add_loop_test(
		tc, bundle_signal_ends_it_and_leaves_whole_files, 0, 2);
	tcase_add_test(
		tc, bundle_file_that_fails_is_removed_and_the_rest_is_there);
	tcase_add_loop_test(
		tc, bundle_root_names_proc_and_dev, 0, TEST_COUNT(roots));
	suite_add_tcase(s, tc);
	return s;
}

CHECK_MAIN(bundle_suite)

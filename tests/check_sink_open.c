/* SPDX-License-Identifier: MIT */
/* Which destinations are taken, as what, and which are refused. */
#include "check_paths.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <avml/sink.h>

static const struct avml_sink_options none = { .no_sparse = false };

static struct avml_sink *open_sink(
	const char *destination, const struct avml_sink_options *options)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;
	const int ret = avml_sink_open(destination, options, &sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	ck_assert_uint_eq(avml_sink_position(sink), 0);
	return sink;
}

static void write_text(struct avml_sink *sink, const char *text)
{
	struct avml_error err;

	ck_assert_int_eq(avml_sink_write(sink, text, strlen(text), &err), 0);
}

static void finish(struct avml_sink *sink)
{
	struct avml_error err = AVML_ERROR_INIT;
	const int ret = avml_sink_finish(sink, &err);

	ck_assert_msg(ret == 0, "%s", avml_error_message(&err, 0));
	avml_sink_free(sink);
}

static void abandon(struct avml_sink *sink, struct avml_sink_left *left)
{
	struct avml_error err;

	ck_assert_int_eq(avml_sink_abort(sink, left, &err), 0);
	avml_sink_free(sink);
}

static void assert_refused(const char *destination,
	const struct avml_sink_options *options, int ret, const char *message)
{
	struct avml_error err = AVML_ERROR_INIT;
	struct avml_sink *sink;
	const int got = avml_sink_open(destination, options, &sink, &err);
	const char *said = avml_error_message(&err, 0);

	ck_assert_msg(
		got == ret, "%s: %d, not %d: %s", destination, got, ret, said);
	ck_assert_msg(strstr(said, message) != NULL, "\"%s\" lacks \"%s\"",
		said, message);
	ck_assert_ptr_nonnull(strstr(said, destination));
}

static void assert_text(const char *path, const char *text)
{
	size_t len;
	char *got = test_load(path, &len);

	ck_assert_uint_eq(len, strlen(text));
	ck_assert_str_eq(got, text);
	free(got);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static const char *old_file(void)
{
	const char *path = test_path("old");

	test_make_file(path, "old text", 8);
	ck_assert_int_eq(chmod(path, 0644), 0);
	return path;
}

/* --- paths ------------------------------------------------------------- */

START_TEST(sink_open_new_file_has_mode_0600)
{
	static const mode_t masks[] = { 0, 022, 077 };
	const char *path = test_path("image");
	struct avml_sink *sink;

	umask(masks[_i]);
	sink = open_sink(path, &none);
	ck_assert_uint_eq(mode_of(path), 0600);
	ck_assert(avml_sink_can_cut(sink));
	write_text(sink, "image");
	finish(sink);
	assert_text(path, "image");
	ck_assert_uint_eq(mode_of(path), 0600);
}
END_TEST

START_TEST(sink_open_old_file_is_emptied_and_private)
{
	const char *path = old_file();
	struct avml_sink *sink = open_sink(path, &none);

	ck_assert_uint_eq(mode_of(path), 0600);
	assert_text(path, "");
	write_text(sink, "new");
	finish(sink);
	assert_text(path, "new");
}
END_TEST

/* Whoever knows the file otherwise must not get the memory with it. */
START_TEST(sink_open_file_of_two_names_makes_way)
{
	const char *path = old_file();
	const char *other = test_text("%s.other", path);
	struct avml_sink_left left;
	struct avml_sink *sink;

	ck_assert_int_eq(link(path, other), 0);
	sink = open_sink(path, &none);
	write_text(sink, "new");
	finish(sink);
	assert_text(path, "new");
	ck_assert_uint_eq(mode_of(path), 0600);
	assert_text(other, "old text");
	ck_assert_uint_eq(mode_of(other), 0644);
	/* So the new one is ours to remove. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(link(other, path), 0);
	abandon(open_sink(path, &none), &left);
	ck_assert(left.removed);
	assert_text(other, "old text");
}
END_TEST

START_TEST(sink_open_file_of_another_user_makes_way)
{
	const char *path = old_file();
	const int theirs = open(path, O_RDONLY | O_CLOEXEC);
	struct avml_sink *sink;
	char text[16] = "";
	struct stat st;

	/* Only root can make such a file. */
	if (geteuid() == 0 && chown(path, 65534, 65534) == 0) {
		sink = open_sink(path, &none);
		write_text(sink, "new");
		finish(sink);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_uid, geteuid());
		ck_assert_int_eq(read(theirs, text, sizeof(text)), 8);
		ck_assert_str_eq(text, "old text");
	}
	close(theirs);
}
END_TEST

START_TEST(sink_open_place_of_messages_is_refused)
{
	const char *path = old_file();
	const int usual = dup(STDERR_FILENO);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	dup2(fd, STDERR_FILENO);
	assert_refused(path, &none, -EINVAL, "messages");
	assert_refused(test_text("/dev/fd/%d", fd), &none, -EINVAL, "messages");
	dup2(ends[1], STDERR_FILENO);
	assert_refused(
		test_text("/dev/fd/%d", ends[1]), &none, -EINVAL, "messages");
	close(fd);
	/* Nothing is spoilt where nothing is kept. */
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(fd, STDERR_FILENO);
	finish(open_sink("/dev/null", &none));
	dup2(usual, STDERR_FILENO);
	close(usual);
	close(fd);
	close(ends[0]);
	close(ends[1]);
	assert_text(path, "old text");
	ck_assert_uint_eq(mode_of(path), 0644);
}
END_TEST

START_TEST(sink_open_no_clobber_refuses_what_is_there)
{
	const struct avml_sink_options options = { .no_clobber = true };
	const char *path = old_file();
	const char *fresh = test_path("fresh");

	assert_refused(path, &options, -EEXIST, strerror(EEXIST));
	assert_text(path, "old text");
	ck_assert_uint_eq(mode_of(path), 0644);
	finish(open_sink(fresh, &options));
	assert_refused(fresh, &options, -EEXIST, strerror(EEXIST));
}
END_TEST

START_TEST(sink_open_symbolic_link_is_refused)
{
	const char *path = old_file();
	const char *link = test_path("link"), *dangling = test_path("dangling");
	const char *missing = test_path("missing");

	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(symlink(missing, dangling), 0);
	assert_refused(link, &none, -ELOOP, "symbolic link");
	assert_text(path, "old text");
	ck_assert_uint_eq(mode_of(path), 0644);
	assert_refused(dangling, &none, -ELOOP, "symbolic link");
	ck_assert_int_eq(access(missing, F_OK), -1);
	/* The links themselves are still there. */
	ck_assert_uint_eq(mode_of(link), 0777);
	ck_assert_uint_eq(mode_of(dangling), 0777);
}
END_TEST

START_TEST(sink_open_link_to_a_folder_on_the_way_is_followed)
{
	const char *dir = test_text("%s", test_dir());
	const char *link = test_path("link");

	ck_assert_int_eq(symlink(dir, link), 0);
	finish(open_sink(test_text("%s/image", link), &none));
	assert_text(test_text("%s/image", dir), "");
}
END_TEST

START_TEST(sink_open_no_place_for_a_file_is_refused)
{
	const char *dir = test_text("%s", test_dir());
	const char *file = old_file();

	assert_refused(dir, &none, -EISDIR, "directory");
	assert_refused(test_text("%s/", dir), &none, -EISDIR, "cannot");
	assert_refused(
		test_text("%s/no/image", dir), &none, -ENOENT, "cannot create");
	assert_refused(
		test_text("%s/image", file), &none, -ENOTDIR, "cannot create");
	assert_refused("", &none, -ENOENT, "cannot create");
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(sink_open_socket_is_refused)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = test_path("s");
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	ck_assert_int_eq(
		bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_refused(path, &none, -ENXIO, "cannot open");
	close(fd);
}
END_TEST

static struct avml_sink_input input_of(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return (struct avml_sink_input){
		.path = path,
		.dev = st.st_dev,
		.ino = st.st_ino,
	};
}

START_TEST(sink_open_what_is_read_is_refused)
{
	const char *path = old_file();
	const char *other = old_file();
	const char *hard = test_text("%s.hard", path);
	const struct avml_sink_input inputs[] = { input_of(other),
		input_of(path) };
	const struct avml_sink_options options = { .inputs = inputs,
		.input_count = 2 };
	int fd;

	ck_assert_int_eq(link(path, hard), 0);
	assert_refused(path, &options, -EINVAL, path);
	assert_refused(hard, &options, -EINVAL, path);
	assert_refused(other, &options, -EINVAL, other);
	/* The descriptor of one, which a shell made with >>. */
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_refused(test_text("/dev/fd/%d", fd), &options, -EINVAL, path);
	close(fd);
	assert_text(path, "old text");
	assert_text(other, "old text");
	ck_assert_uint_eq(mode_of(path), 0644);
	/* Any other file is none of them. */
	finish(open_sink(old_file(), &options));
}
END_TEST

/* A device gives what it gives, whatever is written to it. */
START_TEST(sink_open_device_that_is_read_is_taken)
{
	const struct avml_sink_input input = input_of("/dev/null");
	const struct avml_sink_options options = { .inputs = &input,
		.input_count = 1 };

	finish(open_sink("/dev/null", &options));
}
END_TEST

START_TEST(sink_open_harmless_device_is_a_stream)
{
	static const char *const paths[] = { "/dev/null", "/dev/zero",
		"/dev/full" };
	struct avml_sink *sink = open_sink(paths[_i], &none);
	struct avml_sink_left left;

	ck_assert(!avml_sink_can_cut(sink));
	abandon(sink, &left);
	ck_assert(!left.removed);
	ck_assert_int_eq(access(paths[_i], F_OK), 0);
}
END_TEST

START_TEST(sink_open_other_device_is_refused)
{
	const char *path = test_path("device");

	/* The random device, which takes bytes, is as good as any. */
	if (mknod(path, S_IFCHR | 0600, makedev(1, 8)) < 0)
		path = "/dev/random";
	assert_refused(path, &none, -EINVAL, "device");
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(sink_open_terminal_is_refused)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *path;
	int fd;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	path = test_text("%s", ptsname(master));
	assert_refused(path, &none, -EINVAL, "terminal");
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	assert_refused(test_text("/dev/fd/%d", fd), &none, -EINVAL, "terminal");
	close(fd);
	close(master);
}
END_TEST

/* --- descriptors ------------------------------------------------------- */

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "-", 1 },
	{ "/dev/stdout", 1 },
	{ "/dev/fd/0", 0 },
	{ "/dev/fd/1", 1 },
	{ "/dev/fd/63", 63 },
	{ "/proc/self/fd/9", 9 },
	{ "/proc/self/fd/123456", 123456 },
	{ "/dev/fd/007", 7 },
	{ "", -1 },
	{ "--", -1 },
	{ "./-", -1 },
	{ "/dev/stderr", -1 },
	{ "/dev/stdout/", -1 },
	{ "/dev/fd", -1 },
	{ "/dev/fd/", -1 },
	{ "/dev/fd/x", -1 },
	{ "/dev/fd/1x", -1 },
	{ "/dev/fd/-1", -1 },
	{ "/dev/fd/+1", -1 },
	{ "/dev/fd/ 1", -1 },
	{ "/dev/fd/1 ", -1 },
	{ "/dev/fd/1/", -1 },
	{ "/dev/fd/4294967297", -1 },
	{ "/dev/fd/1234567", -1 },
	{ "/proc/self/fd/", -1 },
	{ "/proc/1/fd/1", -1 },
	{ "/proc/self/fd/1/image", -1 },
};

START_TEST(sink_descriptor_names_are_known)
{
	for (size_t i = 0; i < TEST_COUNT(names); i++)
		ck_assert_msg(
			avml_sink_descriptor(names[i].name) == names[i].number,
			"\"%s\": %d", names[i].name,
			avml_sink_descriptor(names[i].name));
}
END_TEST

/* Where a descriptor stands in a file decides what it is. */
static const struct {
	const char *name;
	int flags;
	off_t at; /* in "old text" */
	bool file;
	const char *text; /* after "new" was written */
} stands[] = {
	{ "at the end", O_WRONLY, 8, true, "old textnew" },
	{ "at the end, readable", O_RDWR, 8, true, "old textnew" },
	{ "in an emptied file", O_WRONLY | O_TRUNC, 0, true, "new" },
	{ "at the start", O_WRONLY, 0, false, "new text" },
	{ "in the middle", O_WRONLY, 4, false, "old newt" },
	{ "behind the end", O_WRONLY, 9, false, NULL },
	{ "appending", O_WRONLY | O_APPEND, 0, false, "old textnew" },
	{ "appending, at the end", O_WRONLY | O_APPEND, 8, false,
		"old textnew" },
};

START_TEST(sink_open_descriptor_of_file)
{
	const char *path = old_file();
	const int fd = open(path, stands[_i].flags | O_CLOEXEC);
	const char *destination =
		test_text(_i % 2 ? "/dev/fd/%d" : "/proc/self/fd/%d", fd);
	struct avml_sink *sink;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(lseek(fd, stands[_i].at, SEEK_SET), stands[_i].at);
	sink = open_sink(destination, &none);
	ck_assert_msg(avml_sink_can_cut(sink) == stands[_i].file, "%s",
		stands[_i].name);
	write_text(sink, "new");
	ck_assert_uint_eq(avml_sink_position(sink), 3);
	finish(sink);
	if (stands[_i].text)
		assert_text(path, stands[_i].text);
	/* It is somebody else's file: only its bytes change. */
	ck_assert_uint_eq(mode_of(path), 0644);
	/* The descriptor is still open, and goes on behind the image. */
	ck_assert_int_eq(write(fd, "!", 1), 1);
	if (stands[_i].file)
		assert_text(path, test_text("%s!", stands[_i].text));
	close(fd);
}
END_TEST

START_TEST(sink_open_descriptor_abort_cuts_back_to_its_begin)
{
	const char *path = old_file();
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct avml_sink_left left;
	struct avml_sink *sink;

	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 8);
	sink = open_sink(test_text("/dev/fd/%d", fd), &none);
	write_text(sink, " whole");
	avml_sink_mark(sink);
	write_text(sink, " half");
	abandon(sink, &left);
	ck_assert(left.cut);
	ck_assert_uint_eq(left.len, 6);
	assert_text(path, "old text whole");
	/* The next image comes right behind it, and fails at once. */
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 14);
	sink = open_sink(test_text("/dev/fd/%d", fd), &none);
	write_text(sink, " half");
	abandon(sink, &left);
	ck_assert(!left.removed);
	assert_text(path, "old text whole");
	close(fd);
}
END_TEST

START_TEST(sink_open_descriptor_makes_holes_behind_its_begin)
{
	const char *path = old_file();
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct avml_error err;
	struct avml_sink *sink;
	char *bytes;
	size_t len;

	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 8);
	sink = open_sink(test_text("/dev/fd/%d", fd), &none);
	ck_assert_int_eq(avml_sink_zeros(sink, 100000, &err), 0);
	write_text(sink, "new");
	ck_assert_int_eq(avml_sink_zeros(sink, 70000, &err), 0);
	ck_assert_int_eq(avml_sink_finish(sink, &err), 0);
	ck_assert_uint_eq(avml_sink_hole_bytes(sink), 170000);
	avml_sink_free(sink);
	bytes = test_load(path, &len);
	ck_assert_uint_eq(len, 170011);
	ck_assert(memcmp(bytes, "old text", 8) == 0);
	ck_assert(memcmp(bytes + 100008, "new", 3) == 0);
	free(bytes);
	close(fd);
}
END_TEST

START_TEST(sink_open_standard_output_is_taken)
{
	static const char *const outputs[] = { "-", "/dev/stdout", "/dev/fd/1",
		"/proc/self/fd/1" };
	const int usual = dup(STDOUT_FILENO);
	char text[8] = "";
	struct avml_sink *sink;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	sink = open_sink(outputs[_i], &none);
	ck_assert(!avml_sink_can_cut(sink));
	write_text(sink, "image");
	finish(sink);
	ck_assert_int_eq(dup2(usual, STDOUT_FILENO), STDOUT_FILENO);
	close(ends[1]);
	close(usual);
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 5);
	ck_assert_str_eq(text, "image");
	/* Nobody holds the other end any more. */
	ck_assert_int_eq(read(ends[0], text, sizeof(text)), 0);
	close(ends[0]);
}
END_TEST

START_TEST(sink_open_descriptor_that_cannot_be_written_is_refused)
{
	const char *path = old_file();
	const int flags[] = { O_RDONLY, O_PATH };
	int ends[2];

	for (size_t i = 0; i < TEST_COUNT(flags); i++) {
		const int fd = open(path, flags[i] | O_CLOEXEC);
		const char *name = test_text("/dev/fd/%d", fd);

		assert_refused(name, &none, -EBADF, "not open for writing");
		close(fd);
		assert_refused(name, &none, -EBADF, "cannot use descriptor");
	}
	ck_assert_int_eq(pipe(ends), 0);
	assert_refused(test_text("/dev/fd/%d", ends[0]), &none, -EBADF,
		"not open for writing");
	close(ends[0]);
	close(ends[1]);
	assert_refused("/dev/fd/999999", &none, -EBADF, "999999");
	assert_text(path, "old text");
}
END_TEST

static size_t count_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(sink_open_failure_or_end_leaves_no_descriptor)
{
	const struct avml_sink_options no_clobber = { .no_clobber = true };
	const char *path = old_file();
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct avml_sink_input input = input_of(path);
	const struct avml_sink_options is_read = { .inputs = &input,
		.input_count = 1 };
	const size_t before = count_descriptors();
	struct avml_sink_left left;

	assert_refused(path, &no_clobber, -EEXIST, "");
	assert_refused(path, &is_read, -EINVAL, "");
	assert_refused(test_text("/dev/fd/%d", fd), &none, -EBADF, "");
	assert_refused(test_dir(), &none, -EISDIR, "");
	abandon(open_sink(path, &none), &left);
	abandon(open_sink("/dev/null", &none), &left);
	finish(open_sink(path, &none));
	finish(open_sink("/dev/null", &none));
	avml_sink_free(NULL);
	ck_assert_uint_eq(count_descriptors(), before);
	close(fd);
}
END_TEST

static Suite *sink_open_suite(void)
{
	Suite *suite = suite_create("sink_open");
	TCase *tc = tcase_create("paths");

	tcase_add_loop_test(tc, sink_open_new_file_has_mode_0600, 0, 3);
	tcase_add_test(tc, sink_open_old_file_is_emptied_and_private);
	tcase_add_test(tc, sink_open_file_of_two_names_makes_way);
	tcase_add_test(tc, sink_open_file_of_another_user_makes_way);
	tcase_add_test(tc, sink_open_place_of_messages_is_refused);
	tcase_add_test(tc, sink_open_no_clobber_refuses_what_is_there);
	tcase_add_test(tc, sink_open_symbolic_link_is_refused);
	tcase_add_test(tc, sink_open_link_to_a_folder_on_the_way_is_followed);
	tcase_add_test(tc, sink_open_no_place_for_a_file_is_refused);
	tcase_add_test(tc, sink_open_socket_is_refused);
	tcase_add_test(tc, sink_open_what_is_read_is_refused);
	tcase_add_test(tc, sink_open_device_that_is_read_is_taken);
	tcase_add_loop_test(tc, sink_open_harmless_device_is_a_stream, 0, 3);
	tcase_add_test(tc, sink_open_other_device_is_refused);
	tcase_add_test(tc, sink_open_terminal_is_refused);
	suite_add_tcase(suite, tc);
	tc = tcase_create("descriptors");
	tcase_add_test(tc, sink_descriptor_names_are_known);
	tcase_add_loop_test(
		tc, sink_open_descriptor_of_file, 0, TEST_COUNT(stands));
	tcase_add_test(tc, sink_open_descriptor_abort_cuts_back_to_its_begin);
	tcase_add_test(tc, sink_open_descriptor_makes_holes_behind_its_begin);
	tcase_add_loop_test(tc, sink_open_standard_output_is_taken, 0, 4);
	tcase_add_test(
		tc, sink_open_descriptor_that_cannot_be_written_is_refused);
	tcase_add_test(tc, sink_open_failure_or_end_leaves_no_descriptor);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(sink_open_suite)

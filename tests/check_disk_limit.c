/* SPDX-License-Identifier: MIT */
/* Limits of disk usage, on a made-up file system. */
#include "check_disk.h"

#include "job/disk_limit.h"

#define OVERHEAD (100u << 10)

static uint64_t estimate_of(
	uint64_t start, uint64_t end, uint64_t start2, uint64_t end2)
{
	struct avml_range_list ranges = AVML_RANGE_LIST_INIT;
	uint64_t estimate;

	ck_assert_int_eq(avml_range_list_add(&ranges, start, end), 0);
	ck_assert_int_eq(avml_range_list_add(&ranges, start2, end2), 0);
	estimate = disk_estimate(&ranges);
	avml_range_list_release(&ranges);
	return estimate;
}

START_TEST(disk_limit_estimate_is_bytes_and_overhead)
{
	ck_assert_uint_eq(estimate_of(0, 0, 0, 0), 0);
	ck_assert_uint_eq(estimate_of(4096, 8192, 0, 0), 4096 + OVERHEAD);
	ck_assert_uint_eq(estimate_of(4096, 8192, 1 << 20, 3 << 20),
		4096 + (2 << 20) + 2 * OVERHEAD);
}
END_TEST

/* A hostile iomem must not make a small number of a large one. */
START_TEST(disk_limit_huge_estimate_does_not_wrap)
{
	const struct disk_limit limit = { .max_mib = 1 };
	const uint64_t estimate = estimate_of(0, UINT64_MAX - 4095, 0, 0);
	struct avml_error err;

	ck_assert_uint_ge(estimate, UINT64_MAX - 4095);
	ck_assert_int_eq(
		disk_limit_check("unused", estimate, &limit, &err), -EDQUOT);
}
END_TEST

static const struct {
	uint64_t max_mib, estimate;
	int ret;
} sizes[] = {
	{ 0, UINT64_MAX, 0 },
	{ 1, 0, 0 },
	{ 1, 1, 0 },
	{ 1, MIB, 0 },
	{ 1, MIB + 1, -EDQUOT },
	{ 2, 2 * MIB - 1, 0 },
	{ 2, 2 * MIB, 0 },
	{ 2, 2 * MIB + 1, -EDQUOT },
	{ 5000, 5000 * MIB, 0 },
	{ 5000, 5000 * MIB + 1, -EDQUOT },
	{ (uint64_t)1 << 44, UINT64_MAX, 0 },
	{ ((uint64_t)1 << 44) - 1, UINT64_MAX, -EDQUOT },
	{ UINT64_MAX, UINT64_MAX, 0 },
};

START_TEST(disk_limit_mebibytes_are_kept)
{
	const struct disk_limit limit = { .max_mib = sizes[_i].max_mib };
	struct avml_error err;
	const int ret =
		disk_limit_check("an/image", sizes[_i].estimate, &limit, &err);

	ck_assert_int_eq(ret, sizes[_i].ret);
	/* It is not the disk that this limit is about. */
	ck_assert_str_eq(disk.asked, "");
	if (ret < 0)
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), "an/image"));
}
END_TEST

/* A file of whole MiB that takes its room on the disk. */
static const char *old_file(uint64_t mib)
{
	const char *path = test_path("old");
	char block[4096];
	int fd;

	memset(block, 'o', sizeof(block));
	test_make_file(path, "", 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (uint64_t done = 0; done < mib * MIB; done += sizeof(block))
		ck_assert_int_eq(write(fd, block, sizeof(block)),
			(ssize_t)sizeof(block));
	/* Some file systems count blocks only once they are there. */
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(close(fd), 0);
	return path;
}

/* 50 of 100 MiB are in use; sizes in MiB. */
static const struct {
	uint64_t old, estimate;
	double max;
	int ret;
} shares[] = {
	{ 0, 0, 50, 0 },
	{ 0, 0, 49.99, -EDQUOT },
	{ 0, 10, 60, 0 },
	{ 0, 10, 59.99, -EDQUOT },
	{ 0, 10, 99.99, 0 },
	{ 0, 10, 0.01, -EDQUOT },
	{ 0, 49, 99, 0 },
	{ 0, 1 << 20, 99.99, -EDQUOT },
	/* What the image replaces is not in use any more. */
	{ 4, 10, 57, 0 },
	{ 4, 10, 55.9, -EDQUOT },
	{ 4, 0, 47, 0 },
};

START_TEST(disk_limit_percentage_is_kept)
{
	const struct disk_limit limit = { .max_percentage = shares[_i].max };
	const char *path = shares[_i].old > 0 ? old_file(shares[_i].old)
					      : test_path("new");
	struct avml_error err;
	int ret =
		disk_limit_check(path, shares[_i].estimate * MIB, &limit, &err);

	ck_assert_int_eq(ret, shares[_i].ret);
	if (ret < 0)
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), path));
	/* A look leaves nothing behind. */
	ck_assert_int_eq(access(path, F_OK), shares[_i].old > 0 ? 0 : -1);
}
END_TEST

/* A quota's file system may say that less is in use than one file has. */
START_TEST(disk_limit_old_file_above_used_counts_as_used)
{
	const struct disk_limit limit = { .max_percentage = 1 };
	const char *path = old_file(4);
	struct avml_error err;
	uint64_t bytes;

	disk.free = 98;
	disk.available = 98;
	ck_assert_int_eq(disk_limit_check(path, MIB, &limit, &err), 0);
	ck_assert_int_eq(
		disk_limit_check(path, MIB + 4096, &limit, &err), -EDQUOT);
	ck_assert(disk_free(path, &bytes));
	ck_assert_uint_eq(bytes, 100 * MIB);
}
END_TEST

START_TEST(disk_limit_both_limits_the_stricter_wins)
{
	const struct disk_limit small = { .max_mib = 5, .max_percentage = 99 };
	const struct disk_limit full = { .max_mib = 50, .max_percentage = 51 };
	const struct disk_limit none = { .max_mib = 50, .max_percentage = 99 };
	const char *path = test_path("new");
	struct avml_error err;

	ck_assert_int_eq(
		disk_limit_check(path, 10 * MIB, &small, &err), -EDQUOT);
	ck_assert_int_eq(
		disk_limit_check(path, 10 * MIB, &full, &err), -EDQUOT);
	ck_assert_int_eq(disk_limit_check(path, 10 * MIB, &none, &err), 0);
}
END_TEST

/* The same limits for what has no estimate; 50 of 100 MiB are in use. */
static const struct {
	uint64_t old, max_mib;
	double max_percentage;
	uint64_t max;
} rooms[] = {
	{ 0, 0, 0, UINT64_MAX },
	{ 0, 7, 0, 7 * MIB },
	{ 0, UINT64_MAX, 0, UINT64_MAX },
	{ 0, 0, 75, 25 * MIB },
	{ 0, 30, 75, 25 * MIB },
	{ 0, 20, 75, 20 * MIB },
	/* With what the image replaces. */
	{ 4, 0, 75, 29 * MIB },
};

START_TEST(disk_limit_bytes_are_what_may_be_written)
{
	const struct disk_limit limit = { rooms[_i].max_mib,
		rooms[_i].max_percentage };
	const char *path =
		rooms[_i].old > 0 ? old_file(rooms[_i].old) : test_path("new");
	struct avml_error err;
	uint64_t max = 0;

	ck_assert_int_eq(disk_limit_bytes(path, &limit, &max, &err), 0);
	ck_assert_uint_ge(max, rooms[_i].max);
	/* Some file systems take a little more than a file's bytes. */
	ck_assert_uint_le(max, rooms[_i].max + (rooms[_i].old > 0 ? 65536 : 0));
}
END_TEST

START_TEST(disk_limit_bytes_of_a_full_disk_is_refused)
{
	static const double percentages[] = { 50, 25, 0.01 };

	for (size_t i = 0; i < TEST_COUNT(percentages); i++) {
		const struct disk_limit limit = { 20, percentages[i] };
		struct avml_error err;
		uint64_t max;

		ck_assert_int_eq(
			disk_limit_bytes(test_path("new"), &limit, &max, &err),
			-EDQUOT);
	}
}
END_TEST

START_TEST(disk_limit_bytes_of_no_disk_is_an_error)
{
	const struct disk_limit limit = { .max_percentage = 50 };
	struct avml_error err;
	uint64_t max;

	ck_assert_int_eq(
		disk_limit_bytes("/dev/null", &limit, &max, &err), -ENOTSUP);
	disk.failure = EIO;
	ck_assert_int_eq(
		disk_limit_bytes(test_path("new"), &limit, &max, &err), -EIO);
}
END_TEST

START_TEST(disk_limit_none_needs_no_disk)
{
	const struct disk_limit limit = { .max_mib = 0 };
	struct avml_error err;

	disk.failure = EIO;
	ck_assert_int_eq(disk_limit_check("/missing/folder/image", UINT64_MAX,
				 &limit, &err),
		0);
}
END_TEST

START_TEST(disk_limit_unknown_disk_is_an_error)
{
	static const struct {
		int failure;
		uint64_t size;
		int ret;
	} disks[] = { { EIO, 100, -EIO }, { ENOSYS, 100, -ENOSYS },
		{ 0, 0, -ENODATA } };
	const struct disk_limit limit = { .max_percentage = 50 };
	const char *path = test_path("new");

	for (size_t i = 0; i < TEST_COUNT(disks); i++) {
		struct avml_error err;

		disk.failure = disks[i].failure;
		disk.size = disks[i].size;
		disk.free = 0;
		ck_assert_int_eq(
			disk_limit_check(path, 0, &limit, &err), disks[i].ret);
		ck_assert_ptr_nonnull(
			strstr(avml_error_message(&err, 0), path));
	}
}
END_TEST

/* Where the name alone says which disk it is. */
START_TEST(disk_limit_new_file_counts_for_its_folder)
{
	static const char *const names[][2] = {
		{ "no-such-file", "." },
		{ "/no-such-file", "/" },
		{ "/tmp/no-such-file", "/tmp" },
		{ "tests/data/no-such-file", "tests/data" },
	};
	uint64_t bytes;

	for (size_t i = 0; i < TEST_COUNT(names); i++) {
		ck_assert(disk_free(names[i][0], &bytes));
		ck_assert_uint_eq(bytes, 40 * MIB);
		ck_assert_str_eq(disk.asked, names[i][1]);
	}
}
END_TEST

START_TEST(disk_limit_old_file_is_free_room)
{
	const char *path = old_file(4);
	uint64_t bytes;

	ck_assert(disk_free(path, &bytes));
	ck_assert_str_eq(disk.asked, path);
	/* Some file systems take a little more than the bytes. */
	ck_assert_uint_ge(bytes, 44 * MIB);
	ck_assert_uint_le(bytes, 45 * MIB);
}
END_TEST

/* Under another name it stays, when a new one takes its place. */
START_TEST(disk_limit_old_file_of_two_names_is_no_room)
{
	const char *path = old_file(4);
	uint64_t bytes;

	ck_assert_int_eq(link(path, test_path("other")), 0);
	ck_assert(disk_free(path, &bytes));
	ck_assert_uint_eq(bytes, 40 * MIB);
}
END_TEST

START_TEST(disk_limit_descriptor_of_file_counts_for_its_disk)
{
	const struct disk_limit limit = { .max_percentage = 60 };
	const int fd = open(old_file(4), O_WRONLY | O_CLOEXEC);
	const char *name = test_text("/dev/fd/%d", fd);
	struct avml_error err;
	uint64_t bytes;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(disk_limit_check(name, 10 * MIB, &limit, &err), 0);
	ck_assert_str_eq(disk.asked, test_text("%d", fd));
	/* It is appended to, so what is there stays. */
	ck_assert_int_eq(disk_limit_check(name, 10 * MIB + 65536, &limit, &err),
		-EDQUOT);
	ck_assert(disk_free(name, &bytes));
	ck_assert_uint_eq(bytes, 40 * MIB);
	close(fd);
}
END_TEST

static void assert_no_disk(const char *name, int ret)
{
	const struct disk_limit percentage = { .max_percentage = 99 };
	const struct disk_limit mebibytes = { .max_mib = 5 };
	struct avml_error err;
	uint64_t bytes;

	ck_assert_int_eq(disk_limit_check(name, 0, &percentage, &err), ret);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), name));
	ck_assert(!disk_free(name, &bytes));
	/* The other limit is about the image alone. */
	ck_assert_int_eq(disk_limit_check(name, 5 * MIB, &mebibytes, &err), 0);
	ck_assert_int_eq(
		disk_limit_check(name, 6 * MIB, &mebibytes, &err), -EDQUOT);
}

START_TEST(disk_limit_no_regular_file_has_no_disk)
{
	const char *fifo = test_path("fifo");
	const char *link = test_path("link");
	int ends[2];

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(symlink("nowhere", link), 0);
	ck_assert_int_eq(pipe(ends), 0);
	assert_no_disk(fifo, -ENOTSUP);
	assert_no_disk(link, -ENOTSUP);
	assert_no_disk(test_dir(), -ENOTSUP);
	assert_no_disk("/dev/null", -ENOTSUP);
	assert_no_disk(test_text("/dev/fd/%d", ends[1]), -ENOTSUP);
	close(ends[0]);
	close(ends[1]);
	assert_no_disk(test_text("/dev/fd/%d", ends[1]), -EBADF);
}
END_TEST

/* --- file systems that are memory ---------------------------------------- */

START_TEST(disk_in_memory_is_tmpfs_and_ramfs)
{
	static const struct {
		long type;
		bool memory;
	} types[] = { { TMPFS_MAGIC, true }, { RAMFS_MAGIC, true },
		{ EXT4_SUPER_MAGIC, false }, { XFS_SUPER_MAGIC, false },
		{ BTRFS_SUPER_MAGIC, false }, { OVERLAYFS_SUPER_MAGIC, false },
		{ NFS_SUPER_MAGIC, false }, { 0, false } };
	const char *dir = test_text("%s", test_dir());
	const char *file = test_text("%s", test_file("old", "", 0));
	const int fd = open(file, O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < TEST_COUNT(types); i++) {
		disk.type = types[i].type;
		/* A new file is where its folder is. */
		ck_assert(disk_is_memory(test_text("%s/new", dir)) ==
			  types[i].memory);
		ck_assert_str_eq(disk.asked, dir);
		ck_assert(disk_is_memory("new") == types[i].memory);
		ck_assert_str_eq(disk.asked, ".");
		ck_assert(disk_is_memory("/new-file") == types[i].memory);
		ck_assert_str_eq(disk.asked, "/");
		ck_assert(disk_is_memory(file) == types[i].memory);
		ck_assert_str_eq(disk.asked, file);
		ck_assert(disk_is_memory(test_text("/dev/fd/%d", fd)) ==
			  types[i].memory);
		ck_assert_str_eq(disk.asked, test_text("%d", fd));
	}
	close(fd);
}
END_TEST

/* What is written there goes elsewhere; or it cannot be told. */
START_TEST(disk_in_memory_is_no_pipe_device_or_unknown)
{
	const char *fifo = test_path("fifo");
	int ends[2];

	disk.type = TMPFS_MAGIC;
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert(!disk_is_memory(fifo));
	ck_assert(!disk_is_memory(test_text("%s", test_dir())));
	ck_assert(!disk_is_memory("/dev/null"));
	ck_assert(!disk_is_memory(test_text("/dev/fd/%d", ends[1])));
	close(ends[0]);
	close(ends[1]);
	ck_assert(!disk_is_memory(test_text("/dev/fd/%d", ends[1])));
	ck_assert_str_eq(disk.asked, "");
	disk.failure = EACCES;
	ck_assert(!disk_is_memory(test_path("new")));
	ck_assert(!disk_is_memory(test_text("%s", test_file("old", "", 0))));
}
END_TEST

/* As the system itself names the kinds of its mounts. */
START_TEST(disk_in_memory_is_what_is_mounted_so)
{
	FILE *f = fopen("/proc/self/mounts", "re");
	char dir[512], type[64];
	size_t memory = 0;

	ck_assert_ptr_nonnull(f);
	disk.real = true;
	while (fscanf(f, "%*s %511s %63s%*[^\n]", dir, type) == 2) {
		const bool tmpfs = strcmp(type, "tmpfs") == 0;

		/* Others may lie over one, and be another kind. */
		if (strcmp(dir, "/dev/shm") != 0)
			continue;
		ck_assert(disk_is_memory("/dev/shm/no-such-file") == tmpfs);
		memory += tmpfs;
	}
	fclose(f);
	if (memory == 0)
		fprintf(stderr, "no tmpfs at /dev/shm: not tested\n");
}
END_TEST

static Suite *disk_limit_suite(void)
{
	Suite *suite = suite_create("disk_limit");
	TCase *tc = tcase_create("disk_limit");

	tcase_add_test(tc, disk_limit_estimate_is_bytes_and_overhead);
	tcase_add_test(tc, disk_limit_huge_estimate_does_not_wrap);
	tcase_add_loop_test(
		tc, disk_limit_mebibytes_are_kept, 0, TEST_COUNT(sizes));
	tcase_add_loop_test(
		tc, disk_limit_percentage_is_kept, 0, TEST_COUNT(shares));
	tcase_add_test(tc, disk_limit_old_file_above_used_counts_as_used);
	tcase_add_test(tc, disk_limit_both_limits_the_stricter_wins);
	tcase_add_loop_test(tc, disk_limit_bytes_are_what_may_be_written, 0,
		TEST_COUNT(rooms));
	tcase_add_test(tc, disk_limit_bytes_of_a_full_disk_is_refused);
	tcase_add_test(tc, disk_limit_bytes_of_no_disk_is_an_error);
	tcase_add_test(tc, disk_limit_none_needs_no_disk);
	tcase_add_test(tc, disk_limit_unknown_disk_is_an_error);
	tcase_add_test(tc, disk_limit_new_file_counts_for_its_folder);
	tcase_add_test(tc, disk_limit_old_file_is_free_room);
	tcase_add_test(tc, disk_limit_old_file_of_two_names_is_no_room);
	tcase_add_test(tc, disk_limit_descriptor_of_file_counts_for_its_disk);
	tcase_add_test(tc, disk_limit_no_regular_file_has_no_disk);
	tcase_add_test(tc, disk_in_memory_is_tmpfs_and_ramfs);
	tcase_add_test(tc, disk_in_memory_is_no_pipe_device_or_unknown);
	tcase_add_test(tc, disk_in_memory_is_what_is_mounted_so);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(disk_limit_suite)

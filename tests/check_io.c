/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "base/cancel.h"
#include "base/cleanup.h"
#include "check_main.h"
#include "check_wrap.h"

/* --- faults -------------------------------------------------------------- */

/* No file of this machine gives such reads: they are made here. */
static size_t pread_at_most = SIZE_MAX;
static unsigned int pread_interrupted; /* calls to come that are */

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	if (pread_interrupted > 0) {
		pread_interrupted--;
		errno = EINTR;
		return -1;
	}
	if (len > pread_at_most) {
		len = pread_at_most;
		pread_interrupted = 1;
	}
	return REAL64(pread)(fd, buf, len, offset);
}

static unsigned int truncate_interrupted;

int WRAP64(ftruncate)(int fd, off_t len)
{
	if (truncate_interrupted > 0) {
		truncate_interrupted--;
		errno = EINTR;
		return -1;
	}
	return REAL64(ftruncate)(fd, len);
}

/* A device at its end that says so by writing nothing. */
static bool writev_takes_nothing;

ssize_t WRAP(writev)(int fd, const struct iovec *iov, int count)
{
	return writev_takes_nothing ? 0 : REAL(writev)(fd, iov, count);
}

static volatile sig_atomic_t ticks;
static volatile sig_atomic_t tick_cancels;

static void on_tick(int signal_number)
{
	ticks = ticks + 1;
	if (tick_cancels)
		cancel_request(signal_number);
}

/*
 * A signal every few milliseconds that interrupts system calls. It comes
 * again, so one that comes too early does no harm.
 */
static void start_ticks(bool cancels)
{
	struct sigaction action = { .sa_handler = on_tick };
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } };

	tick_cancels = cancels;
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void stop_ticks(void)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

/* A thread that gets no ticks: they are for the one that is tested. */
static pthread_t start_thread(void *(*run)(void *), void *arg)
{
	sigset_t ticking, before;
	pthread_t thread;

	sigemptyset(&ticking);
	sigaddset(&ticking, SIGALRM);
	ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &ticking, &before), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, arg), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	return thread;
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static uint8_t *pattern_bytes(size_t len)
{
	uint8_t *bytes = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(i);
	return bytes;
}

/* Takes what comes out of a pipe, in small parts and not in a hurry. */
struct taker {
	int fd;
	size_t len;
	bool wrong;
};

static void *take_slowly(void *arg)
{
	struct taker *taker = arg;
	uint8_t part[20011];
	ssize_t n;

	usleep(30000);
	while ((n = read(taker->fd, part, sizeof(part))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			taker->wrong |= part[i] != pattern(taker->len++);
		usleep(2000);
	}
	return NULL;
}

/* --- io_open ------------------------------------------------------------- */

START_TEST(io_open_closes_on_exec)
{
	CLEANUP_CLOSE int fd = io_open(test_file("f", "x", 1), O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

START_TEST(io_open_failed_is_its_errno)
{
	const char *path = test_file("f", "x", 1);

	ck_assert_int_eq(io_open("/nonexistent/f", O_RDONLY, 0), -ENOENT);
	ck_assert_int_eq(
		io_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
	ck_assert_int_eq(io_open(path, O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
}
END_TEST

static const char *make_fifo(void)
{
	static char path[TEST_PATH_MAX];

	snprintf(path, sizeof(path), "%s/fifo", test_dir());
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	return path;
}

static void *open_late(void *arg)
{
	usleep(60000);
	return (void *)(intptr_t)open(arg, O_RDONLY | O_CLOEXEC);
}

START_TEST(io_open_interrupted_goes_on)
{
	const char *path = make_fifo();
	pthread_t other = start_thread(open_late, (void *)(intptr_t)path);
	CLEANUP_CLOSE int fd = -1;
	void *other_fd;

	start_ticks(false);
	fd = io_open(path, O_WRONLY, 0);
	stop_ticks();
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(ticks, 0);
	ck_assert_int_eq(pthread_join(other, &other_fd), 0);
	close((int)(intptr_t)other_fd);
}
END_TEST

START_TEST(io_open_cancelled_gives_up)
{
	start_ticks(true);
	ck_assert_int_eq(io_open(make_fifo(), O_WRONLY, 0), -EINTR);
	stop_ticks();
}
END_TEST

/* --- io_pread_full ------------------------------------------------------- */

#define FILE_LEN 10000u

static const struct {
	uint64_t offset;
	size_t len;
	ssize_t result;
} preads[] = {
	{ 0, FILE_LEN, FILE_LEN },
	{ 0, 0, 0 },
	{ 0, 1, 1 },
	{ 1, FILE_LEN, FILE_LEN - 1 },
	{ FILE_LEN - 1, 5, 1 },
	{ FILE_LEN, 5, 0 },
	{ FILE_LEN + 1, 5, 0 },
	{ UINT64_C(1) << 40, 5, 0 },
	/* Further than an off_t reaches. */
	{ UINT64_C(1) << 63, 5, -EINVAL },
	{ UINT64_MAX, 5, -EINVAL },
	{ UINT64_MAX, 0, 0 },
};

START_TEST(io_pread_full_reads_until_the_file_ends)
{
	static const size_t steps[] = { SIZE_MAX, 4096, 17 };
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(FILE_LEN);
	CLEANUP_CLOSE int fd =
		open(test_file("f", bytes, FILE_LEN), O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < TEST_COUNT(steps); i++) {
		uint8_t buf[FILE_LEN + 1];
		const ssize_t n = preads[_i].result;

		memset(buf, 0xa5, sizeof(buf));
		pread_at_most = steps[i];
		ck_assert_int_eq(io_pread_full(fd, buf, preads[_i].len,
					 preads[_i].offset),
			n);
		if (n > 0)
			ck_assert_mem_eq(
				buf, bytes + preads[_i].offset, (size_t)n);
		ck_assert_uint_eq(buf[n > 0 ? n : 0], 0xa5);
	}
}
END_TEST

START_TEST(io_pread_full_failed_is_its_errno)
{
	CLEANUP_CLOSE int directory = open("/", O_RDONLY | O_CLOEXEC);
	int ends[2];
	char buf[4];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(io_pread_full(-1, buf, 4, 0), -EBADF);
	ck_assert_int_eq(io_pread_full(directory, buf, 4, 0), -EISDIR);
	ck_assert_int_eq(io_pread_full(ends[0], buf, 4, 0), -ESPIPE);
}
END_TEST

/* The second page of the buffer does not take bytes. */
START_TEST(io_pread_full_failed_later_gives_what_is_good)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(2 * page);
	CLEANUP_CLOSE int fd =
		open(test_file("f", bytes, 2 * page), O_RDONLY | O_CLOEXEC);
	uint8_t *buf = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(buf, MAP_FAILED);
	ck_assert_int_eq(mprotect(buf + page, page, PROT_NONE), 0);
	/* In one call Linux fills that page, qemu-user looks at both first. */
	pread_at_most = page;
	ck_assert_int_eq(io_pread_full(fd, buf, 2 * page, 0), (ssize_t)page);
	ck_assert_mem_eq(buf, bytes, page);
	ck_assert_int_eq(io_pread_full(fd, buf + page, page, page), -EFAULT);
	munmap(buf, 2 * page);
}
END_TEST

/* A second signal ends a read that hangs; what was read before is good. */
START_TEST(io_pread_full_interrupted_stops_at_level_two)
{
	CLEANUP_CLOSE int fd =
		open(test_file("f", "abcdef", 6), O_RDONLY | O_CLOEXEC);
	char buf[6];

	for (unsigned int level = 0; level <= 2; level++) {
		ck_assert_int_eq(cancel_level(), (int)level);
		pread_interrupted = 1;
		ck_assert_int_eq(
			io_pread_full(fd, buf, 6, 0), level < 2 ? 6 : -EINTR);
		pread_interrupted = 0;
		pread_at_most = 4;
		ck_assert_int_eq(
			io_pread_full(fd, buf, 6, 0), level < 2 ? 6 : 4);
		pread_at_most = SIZE_MAX;
		cancel_request(SIGINT);
	}
	/* It stops what is interrupted, not what is not. */
	pread_interrupted = 0;
	ck_assert_int_eq(io_pread_full(fd, buf, 6, 0), 6);
}
END_TEST

/* --- io_truncate --------------------------------------------------------- */

START_TEST(io_truncate_sets_the_length)
{
	static const uint64_t lengths[] = { 3, 0, UINT64_C(5) << 32 };
	CLEANUP_CLOSE int fd =
		open(test_file("f", "abcdef", 6), O_WRONLY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; i < TEST_COUNT(lengths); i++) {
		truncate_interrupted = 2;
		ck_assert_int_eq(io_truncate(fd, lengths[i]), 0);
		ck_assert_uint_eq(truncate_interrupted, 0);
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_uint_eq((uint64_t)st.st_size, lengths[i]);
	}
}
END_TEST

START_TEST(io_truncate_failed_is_its_errno)
{
	CLEANUP_CLOSE int fd =
		open(test_file("f", "abcdef", 6), O_WRONLY | O_CLOEXEC);
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(io_truncate(-1, 0), -EBADF);
	ck_assert_int_eq(io_truncate(ends[1], 0), -EINVAL);
	ck_assert_int_eq(io_truncate(fd, UINT64_MAX), -EINVAL);
}
END_TEST

/* --- io_writev_full ------------------------------------------------------ */

/* `len` bytes in vectors of all kinds of lengths, also none. */
static int vectors_of(uint8_t *bytes, size_t len, struct iovec *iov, int room)
{
	static const size_t lengths[] = { 0, 1, 70001, 0, 0, 4096, 333333 };
	size_t at = 0;
	int count = 0;

	for (size_t i = 0; at < len; i++) {
		size_t part = lengths[i % TEST_COUNT(lengths)];

		if (part > len - at)
			part = len - at;
		ck_assert_int_lt(count, room - 1);
		iov[count++] = (struct iovec){ bytes + at, part };
		at += part;
	}
	iov[count++] = (struct iovec){ bytes, 0 };
	return count;
}

#define PIPE_LEN 1000000u

/* Through a pipe with a slow taker: all of it, and once. */
static void check_pipe(bool nonblocking)
{
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(PIPE_LEN);
	struct iovec iov[64];
	const int count = vectors_of(bytes, PIPE_LEN, iov, 64);
	struct taker taker = { .wrong = false };
	pthread_t thread;
	uint64_t done;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	if (nonblocking)
		ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	taker.fd = ends[0];
	thread = start_thread(take_slowly, &taker);
	ck_assert_int_eq(
		io_writev_full(ends[1], iov, count, IO_APPEND, 1, &done), 0);
	ck_assert_uint_eq(done, PIPE_LEN);
	close(ends[1]);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(taker.len, PIPE_LEN);
	ck_assert(!taker.wrong);
	close(ends[0]);
}

START_TEST(io_writev_full_to_a_slow_pipe_writes_all)
{
	check_pipe(false);
}
END_TEST

START_TEST(io_writev_full_to_a_nonblocking_pipe_waits)
{
	check_pipe(true);
}
END_TEST

/* Interrupted writes are short: the rest follows, where it broke off. */
START_TEST(io_writev_full_interrupted_goes_on)
{
	start_ticks(false);
	check_pipe(false);
	ck_assert_int_gt(ticks, 1);
	check_pipe(true);
	stop_ticks();
}
END_TEST

static const struct {
	size_t before;	 /* bytes that the file holds */
	off_t position;	 /* its file position */
	uint64_t offset; /* where it is asked to write "abcde" */
	const char *after;
	off_t position_after;
} places[] = {
	{ 0, 0, IO_APPEND, "abcde", 5 },
	{ 0, 0, 0, "abcde", 0 },
	{ 8, 3, IO_APPEND, "...abcde", 8 },
	{ 8, 0, IO_APPEND, "abcde...", 5 },
	{ 8, 8, 2, "..abcde.", 8 },
	{ 8, 0, 6, "......abcde", 0 },
};

START_TEST(io_writev_full_writes_at_its_place)
{
	const char *path = test_file("f", "........", places[_i].before);
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[] = "abcde";
	struct iovec iov[] = { { text, 2 }, { text + 2, 0 }, { text + 2, 3 } };
	CLEANUP_FREE char *after = NULL;
	uint64_t done;
	size_t len;

	ck_assert_int_eq(
		lseek(fd, places[_i].position, SEEK_SET), places[_i].position);
	ck_assert_int_eq(
		io_writev_full(fd, iov, 3, places[_i].offset, 1, &done), 0);
	ck_assert_uint_eq(done, 5);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), places[_i].position_after);
	after = test_load(path, &len);
	ck_assert_str_eq(after, places[_i].after);
}
END_TEST

START_TEST(io_writev_full_of_nothing_writes_nothing)
{
	struct iovec iov[] = { { NULL, 0 }, { NULL, 0 } };
	uint64_t done = 99;

	/* Not even the descriptor is looked at, nor whether to stop. */
	cancel_request(SIGINT);
	ck_assert_int_eq(io_writev_full(-1, iov, 2, IO_APPEND, 1, &done), 0);
	ck_assert_uint_eq(done, 0);
	done = 99;
	ck_assert_int_eq(io_writev_full(-1, NULL, 0, 0, 1, &done), 0);
	ck_assert_uint_eq(done, 0);
}
END_TEST

static int write_text(int fd, uint64_t offset, int stop_level, uint64_t *done)
{
	char text[] = "abcde";
	struct iovec iov = { text, 5 };

	*done = 99;
	return io_writev_full(fd, &iov, 1, offset, stop_level, done);
}

START_TEST(io_writev_full_to_a_full_device_is_enospc)
{
	CLEANUP_CLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	uint64_t done;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_text(fd, IO_APPEND, 1, &done), -ENOSPC);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(write_text(fd, 0, 1, &done), -ENOSPC);
	ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(io_writev_full_that_takes_nothing_is_enospc)
{
	CLEANUP_CLOSE int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	uint64_t done;

	writev_takes_nothing = true;
	ck_assert_int_eq(write_text(fd, IO_APPEND, 1, &done), -ENOSPC);
	ck_assert_uint_eq(done, 0);
}
END_TEST

START_TEST(io_writev_full_failed_is_its_errno)
{
	CLEANUP_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t done;
	int ends[2];

	ck_assert_int_eq(write_text(-1, IO_APPEND, 1, &done), -EBADF);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(write_text(fd, 0, 1, &done), -EBADF);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write_text(ends[1], 0, 1, &done), -ESPIPE);
	close(ends[0]);
	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	ck_assert_int_eq(write_text(ends[1], IO_APPEND, 1, &done), -EPIPE);
	ck_assert_uint_eq(done, 0);
}
END_TEST

/* A limit in the middle of a vector: what went before it is counted. */
START_TEST(io_writev_full_failed_later_counts_what_was_written)
{
	static const uint64_t offsets[] = { IO_APPEND, 0 };
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(20000);
	const struct rlimit limit = { 12345, RLIM_INFINITY };

	ck_assert_ptr_ne(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	for (size_t i = 0; i < TEST_COUNT(offsets); i++) {
		const char *path = test_file("f", "", 0);
		CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
		struct iovec iov[] = { { bytes, 10000 },
			{ bytes + 10000, 10000 } };
		struct rlimit before;
		struct stat st;
		uint64_t done;
		int ret;

		ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		ret = io_writev_full(fd, iov, 2, offsets[i], 1, &done);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
		ck_assert_int_eq(ret, -EFBIG);
		ck_assert_uint_eq(done, 12345);
		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_int_eq(st.st_size, 12345);
	}
}
END_TEST

/* How often the user asked, at which level to stop, and whether it does. */
static const struct {
	unsigned int requests;
	int stop_level;
	int result;
} stops[] = {
	{ 0, 1, 0 },
	{ 0, 2, 0 },
	{ 1, 1, -EINTR },
	{ 1, 2, 0 },
	{ 2, 1, -EINTR },
	{ 2, 2, -EINTR },
	{ 3, 2, -EINTR },
	{ 9, 3, 0 },
};

START_TEST(io_writev_full_stops_at_its_cancel_level)
{
	CLEANUP_CLOSE int fd =
		open(test_file("f", "", 0), O_WRONLY | O_CLOEXEC);
	const int result = stops[_i].result;
	uint64_t done;

	for (unsigned int i = 0; i < stops[_i].requests; i++)
		cancel_request(i == 0 ? SIGTERM : SIGINT);
	ck_assert_int_eq(cancel_signal(), stops[_i].requests ? SIGTERM : 0);
	ck_assert_int_eq(
		write_text(fd, IO_APPEND, stops[_i].stop_level, &done), result);
	ck_assert_uint_eq(done, result == 0 ? 5 : 0);
}
END_TEST

/* Nobody takes anything: only a signal ends the wait. */
static void check_stalled(bool nonblocking, int stop_level)
{
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(PIPE_LEN);
	struct iovec iov = { bytes, PIPE_LEN };
	uint64_t done;
	int ends[2], room;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	room = fcntl(ends[1], F_GETPIPE_SZ);
	ck_assert_int_gt(room, 0);
	if (nonblocking)
		ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	start_ticks(true);
	ck_assert_int_eq(
		io_writev_full(ends[1], &iov, 1, IO_APPEND, stop_level, &done),
		-EINTR);
	stop_ticks();
	ck_assert_int_ge(cancel_level(), stop_level);
	ck_assert_uint_eq(done, (uint64_t)room);
	close(ends[0]);
	close(ends[1]);
}

START_TEST(io_writev_full_stalled_is_ended_by_a_signal)
{
	check_stalled(_i & 1, 1 + (_i >> 1));
}
END_TEST

/* --- io_read_text -------------------------------------------------------- */

/* Lengths around those of the buffer as it grows, and limits around them. */
static const size_t text_lengths[] = { 0, 1, 8190, 8191, 8192, 8193, 16383,
	16384, 16385, 100000 };

START_TEST(io_read_text_reads_all_up_to_the_limit)
{
	const size_t len = text_lengths[_i];
	CLEANUP_FREE uint8_t *bytes = pattern_bytes(len);
	const char *path = test_file("text", bytes, len);
	struct avml_error err = AVML_ERROR_INIT;
	const size_t limits[] = { len, len + 1, SIZE_MAX };
	char expected[TEST_PATH_MAX + 64];

	for (size_t i = 0; i < TEST_COUNT(limits); i++) {
		CLEANUP_FREE char *text = NULL;
		size_t got = 99;

		ck_assert_int_eq(
			io_read_text(path, limits[i], &text, &got, &err), 0);
		ck_assert_uint_eq(got, len);
		ck_assert_int_eq(memcmp(text, bytes, len), 0);
		ck_assert_int_eq(text[len], '\0');
	}
	if (len > 0) {
		CLEANUP_FREE char *text = NULL;
		size_t got;

		ck_assert_int_eq(
			io_read_text(path, len - 1, &text, &got, &err), -EFBIG);
		ck_assert_ptr_null(text);
		snprintf(expected, sizeof(expected),
			"%s is larger than %zu bytes", path, len - 1);
		ck_assert_str_eq(avml_error_message(&err, 0), expected);
	}
}
END_TEST

static const struct {
	const char *path;
	int code;
	const char *says;
	bool why; /* and then what the C library says of the code */
} no_texts[] = {
	{ "/nonexistent/f", ENOENT, "cannot open /nonexistent/f", true },
	{ "/", EISDIR, "cannot read /", true },
	{ "", ENOENT, "cannot open ", true },
	/* It never ends, but the limit does. */
	{ "/dev/zero", EFBIG, "/dev/zero is larger than 100000 bytes", false },
};

START_TEST(io_read_text_failed_names_the_path)
{
	struct avml_error err = AVML_ERROR_INIT;
	char expected[256];
	char *text = NULL;
	size_t len;

	ck_assert_int_eq(
		io_read_text(no_texts[_i].path, 100000, &text, &len, &err),
		-no_texts[_i].code);
	ck_assert_int_eq(err.code, no_texts[_i].code);
	snprintf(expected, sizeof(expected), "%s%s%s", no_texts[_i].says,
		no_texts[_i].why ? ": " : "",
		no_texts[_i].why ? strerror(no_texts[_i].code) : "");
	ck_assert_str_eq(avml_error_message(&err, 0), expected);
	ck_assert_ptr_null(text);
}
END_TEST

/* Gives its bytes one by one, from a FIFO's other end. */
static void *give_slowly(void *arg)
{
	int fd = open(arg, O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < 20; i++) {
		const uint8_t byte = pattern(i);

		usleep(3000);
		if (write(fd, &byte, 1) != 1)
			break;
	}
	close(fd);
	return NULL;
}

START_TEST(io_read_text_interrupted_and_in_parts_reads_all)
{
	const char *path = make_fifo();
	struct avml_error err = AVML_ERROR_INIT;
	CLEANUP_FREE char *text = NULL;
	pthread_t giver;
	size_t len;

	start_ticks(false);
	giver = start_thread(give_slowly, (void *)(intptr_t)path);
	ck_assert_int_eq(io_read_text(path, 20, &text, &len, &err), 0);
	ck_assert_int_eq(pthread_join(giver, NULL), 0);
	stop_ticks();
	ck_assert_int_gt(ticks, 0);
	ck_assert_uint_eq(len, 20);
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq((uint8_t)text[i], pattern(i));
}
END_TEST

START_TEST(io_read_text_cancelled_gives_up)
{
	struct avml_error err = AVML_ERROR_INIT;
	char *text = NULL;
	char path[64];
	int ends[2];
	size_t len;

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	start_ticks(true);
	ck_assert_int_eq(io_read_text(path, 100, &text, &len, &err), -EINTR);
	stop_ticks();
	ck_assert_ptr_null(text);
	ck_assert_ptr_nonnull(strstr(avml_error_message(&err, 0), path));
}
END_TEST

static TCase *read_tcase(void)
{
	TCase *tcase = tcase_create("read");

	tcase_add_test(tcase, io_open_closes_on_exec);
	tcase_add_test(tcase, io_open_failed_is_its_errno);
	tcase_add_test(tcase, io_open_interrupted_goes_on);
	tcase_add_test(tcase, io_open_cancelled_gives_up);
	tcase_add_loop_test(tcase, io_pread_full_reads_until_the_file_ends, 0,
		TEST_COUNT(preads));
	tcase_add_test(tcase, io_pread_full_failed_is_its_errno);
	tcase_add_test(tcase, io_pread_full_failed_later_gives_what_is_good);
	tcase_add_test(tcase, io_pread_full_interrupted_stops_at_level_two);
	tcase_add_loop_test(tcase, io_read_text_reads_all_up_to_the_limit, 0,
		TEST_COUNT(text_lengths));
	tcase_add_loop_test(tcase, io_read_text_failed_names_the_path, 0,
		TEST_COUNT(no_texts));
	tcase_add_test(tcase, io_read_text_interrupted_and_in_parts_reads_all);
	tcase_add_test(tcase, io_read_text_cancelled_gives_up);
	return tcase;
}

static TCase *write_tcase(void)
{
	TCase *tcase = tcase_create("write");

	tcase_add_test(tcase, io_truncate_sets_the_length);
	tcase_add_test(tcase, io_truncate_failed_is_its_errno);
	tcase_add_test(tcase, io_writev_full_to_a_slow_pipe_writes_all);
	tcase_add_test(tcase, io_writev_full_to_a_nonblocking_pipe_waits);
	tcase_add_test(tcase, io_writev_full_interrupted_goes_on);
	tcase_add_loop_test(tcase, io_writev_full_writes_at_its_place, 0,
		TEST_COUNT(places));
	tcase_add_test(tcase, io_writev_full_of_nothing_writes_nothing);
	tcase_add_test(tcase, io_writev_full_to_a_full_device_is_enospc);
	tcase_add_test(tcase, io_writev_full_that_takes_nothing_is_enospc);
	tcase_add_test(tcase, io_writev_full_failed_is_its_errno);
	tcase_add_test(
		tcase, io_writev_full_failed_later_counts_what_was_written);
	tcase_add_loop_test(tcase, io_writev_full_stops_at_its_cancel_level, 0,
		TEST_COUNT(stops));
	tcase_add_loop_test(
		tcase, io_writev_full_stalled_is_ended_by_a_signal, 0, 4);
	return tcase;
}

static Suite *io_suite(void)
{
	Suite *suite = suite_create("io");

	suite_add_tcase(suite, read_tcase());
	suite_add_tcase(suite, write_tcase());
	return suite;
}

CHECK_MAIN(io_suite)

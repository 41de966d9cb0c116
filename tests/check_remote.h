/* SPDX-License-Identifier: MIT */
/*
 * An image on its way to check_server.h's server, through a sink, as a stream
 * or as a file that may change while it is sent.
 */
#ifndef CHECK_REMOTE_H
#define CHECK_REMOTE_H

#include <avml/sink.h>

#include "check_server.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/cancel.h"
#include "check_wrap.h"

#define MIB (1u << 20)
#define SECRET "s3cr3tvalue"
#define STATUS(line) "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"
#define SAID_MAX 2048

/* Fresh in each test, which is a process of its own. */
static struct server *server;
static struct avml_remote remote = AVML_REMOTE_DEFAULTS;
static struct avml_sink *sink;
static struct avml_sink_left left;
static struct avml_error err = AVML_ERROR_INIT;
static char url[256], text[AVML_ERROR_TEXT], notices[SAID_MAX];
static uint8_t *image;
static size_t image_len;

static inline void on_notice(void *ctx, const char *notice)
{
	(void)ctx;
	strncat(notices, notice, sizeof(notices) - strlen(notices) - 1);
}

/* No two pieces of it are the same. */
static inline void make_image(size_t len)
{
	uint64_t state = 11;

	image = malloc(len + 8);
	ck_assert_ptr_nonnull(image);
	for (size_t i = 0; i < len; i += 8) {
		const uint64_t word = test_random(&state);

		memcpy(image + i, &word, 8);
	}
	image_len = len;
}

static inline void open_sink(const struct reply *replies, size_t count,
	enum avml_remote_kind kind, bool of_file)
{
	const struct avml_sink_options options = {
		.digest = !of_file,
		.remote = &remote,
		.most = image_len,
		.of_file = of_file,
	};

	server = server_start(replies, count);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/a/b?sig=" SECRET "%%2B",
		server->port);
	remote.kind = kind;
	remote.to = url;
	remote.notice = on_notice;
	ck_assert_int_eq(avml_sink_open("it", &options, &sink, &err), 0);
}

/* Pieces of every size, up to what does not fit into any buffer. */
static inline int write_image(void)
{
	static const size_t sizes[] = { 1, 4095, 70000, 3 * MIB, 262144 };
	size_t at = 0, part;
	int ret = 0;

	for (size_t i = 0; at < image_len && ret == 0; i++, at += part) {
		part = sizes[i % TEST_COUNT(sizes)];
		if (part > image_len - at)
			part = image_len - at;
		ret = avml_sink_write(sink, image + at, part, &err);
	}
	return ret;
}

static inline void join(void)
{
	avml_error_join(&err, text, sizeof(text));
	ck_assert_ptr_null(strstr(text, SECRET));
	ck_assert_ptr_null(strstr(notices, SECRET));
}

/* The end of all, after finish() or abort(). */
static inline void close_sink(void)
{
	avml_sink_free(sink);
	server_stop(server);
}

static inline void release(void)
{
	server_free(server);
	free(image);
}

/* The run has failed: as a caller does then. */
static inline void abort_sink(void)
{
	struct avml_error ignored;

	join();
	ck_assert_int_eq(avml_sink_abort(sink, &left, &ignored), 0);
	ck_assert(left.dropped != left.unknown);
	ck_assert(!left.cut);
	/* Nobody has what a digest of it could be held against. */
	if (left.dropped)
		ck_assert_ptr_null(avml_sink_digest(sink));
	close_sink();
}

static inline void stop(int signal_number)
{
	/* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): made for it */
	cancel_request(signal_number);
}

/* In a second: time enough for the other side to have all. */
static inline void stop_soon(void)
{
	ck_assert(signal(SIGALRM, stop) != SIG_ERR);
	alarm(1);
}

static inline void expect_bytes(
	const struct seen *seen, const uint8_t *from, size_t len)
{
	ck_assert(seen->is_whole);
	ck_assert_uint_eq(seen->len, len);
	ck_assert(len == 0 || memcmp(seen->body, from, len) == 0);
}

static inline void expect_begin(const struct seen *seen, const char *line)
{
	ck_assert_msg(strncmp(seen->head, line, strlen(line)) == 0,
		"\"%s\" does not begin \"%s\"", line, seen->head);
}

/* --- a file that is sent -------------------------------------------------- */

static char image_path[TEST_PATH_MAX];
static int image_fd;
static atomic_ullong told; /* of the file, the last time */

/* In front of the pread() that has this offset in it. */
static void (*meanwhile)(int fd);
static uint64_t meanwhile_at;
static atomic_bool happened;
static atomic_int read_error;	  /* of all that follow; 0: none */
static atomic_ullong asked_bytes; /* of all reads */

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	if (fd == image_fd)
		atomic_fetch_add(&asked_bytes, len);
	if (fd == image_fd && meanwhile &&
		(uint64_t)offset + len > meanwhile_at &&
		!atomic_exchange(&happened, true))
		meanwhile(fd);
	if (fd == image_fd && atomic_load(&read_error)) {
		errno = atomic_load(&read_error);
		return -1;
	}
	return REAL64(pread)(fd, buf, len, offset);
}

static inline void on_progress(void *ctx, uint64_t sent)
{
	(void)ctx;
	ck_assert_uint_le(sent, image_len);
	atomic_store(&told, sent);
}

/* Written long ago, so that a change is another time. */
static inline void make_file(size_t len)
{
	const struct timespec times[] = { { .tv_sec = 1000 },
		{ .tv_sec = 1000, .tv_nsec = 5 } };

	make_image(len);
	snprintf(image_path, sizeof(image_path), "%s",
		test_file("image", image, len));
	image_fd = open(image_path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(image_fd, 0);
	ck_assert_int_eq(futimens(image_fd, times), 0);
}

static inline int send_file_of(uint64_t len)
{
	const struct avml_sink_file file = { .path = image_path,
		.fd = image_fd,
		.len = len,
		.progress = on_progress };

	return avml_sink_send_file(sink, &file, &err);
}

static inline int send_file(void)
{
	const int ret = send_file_of(image_len);

	return ret == 0 ? avml_sink_finish(sink, &err) : ret;
}

static inline void shrink(int fd)
{
	ck_assert_int_eq(ftruncate(fd, (off_t)image_len - 1), 0);
}

static inline void grow(int fd)
{
	ck_assert_int_eq(ftruncate(fd, (off_t)image_len + 1), 0);
}

static inline void write_to(int fd)
{
	ck_assert_int_eq(pwrite(fd, "x", 1, 0), 1);
}

/* A nanosecond of its time is enough to tell. */
static inline void touch(int fd)
{
	const struct timespec times[] = { { .tv_sec = 1000 },
		{ .tv_sec = 1000, .tv_nsec = 6 } };

	ck_assert_int_eq(futimens(fd, times), 0);
}

static inline void stop_run(int fd)
{
	(void)fd;
	cancel_request(SIGINT);
}

static inline void stop_reading(int fd)
{
	(void)fd;
	atomic_store(&read_error, EIO);
}

/* What can become of a file, and what is said of it behind its path. */
static const struct {
	void (*meanwhile)(int fd);
	int code;
	const char *says;
} changes[] = {
	{ shrink, ESTALE, " shrank while it was sent: it had " },
	{ grow, ESTALE, " grew while it was sent: it had " },
	{ write_to, ESTALE, " was written to while it was sent" },
	{ touch, ESTALE, " was written to while it was sent" },
	{ stop_reading, EIO, " at offset " },
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Uploads to tests/lib/s3store.py, which takes nothing that S3 would refuse,
 * and whose DIR/log says what it was asked for.
 */
#ifndef CHECK_STORE_H
#define CHECK_STORE_H

#include <avml/sink.h>

#include "check_main.h"

#include <signal.h>
#include <time.h>

#define MIB (1u << 20)
#define SECRET "sec/ret+key"
#define IMAGE_LEN (11 * MIB + 5)
#define STORE_FAULTS_MAX 4
/* An image of three parts, unless more is said. */
#define PARTS "part 1 200\npart 2 200\npart 3 200\n"
#define NO_OBJECT "head 404 NoSuchKey: x\n"
#define WHOLE PARTS NO_OBJECT "complete 200\n"

static char store_dir[TEST_PATH_MAX], endpoint[64];
static char notices[2048];
static struct avml_sink_left store_left; /* of a run that failed */

static inline void on_notice(void *ctx, const char *text)
{
	(void)ctx;
	strncat(notices, text, sizeof(notices) - strlen(notices) - 1);
}

static inline void write_keys(const char *path)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "AKID\n%s\nto/ken+==\neu-central-1\n", SECRET);
	ck_assert_int_eq(fclose(f), 0);
}

static inline __attribute__((noreturn)) void run_store(
	const char *keys, const char *const faults[])
{
	const char *args[10 + 2 * STORE_FAULTS_MAX] = { "python3", "-ISB",
		"tests/lib/s3store.py", "--keys", keys, "--dir", store_dir };
	size_t n = 7;

	for (; faults && *faults; faults++) {
		args[n++] = "--fault";
		args[n++] = *faults;
	}
	/* Whatever becomes of the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* NOLINTNEXTLINE(bugprone-casting-through-void): it takes no const */
	execvp(args[0], (char *const *)(uintptr_t)args);
	_exit(127);
}

/* `faults` end with NULL. */
static inline void start_store(const char *const faults[])
{
	const struct timespec moment = { .tv_nsec = 50000000 };
	char keys[TEST_PATH_MAX + 8], port[TEST_PATH_MAX + 8];
	unsigned int number = 0;

	snprintf(store_dir, sizeof(store_dir), "%s", test_dir());
	snprintf(keys, sizeof(keys), "%s/keys", store_dir);
	snprintf(port, sizeof(port), "%s/port", store_dir);
	write_keys(keys);
	if (fork() == 0)
		run_store(keys, faults);
	for (int tries = 0; tries < 400 && number == 0; tries++) {
		FILE *f = fopen(port, "re");

		if (f) {
			ck_assert_int_eq(fscanf(f, "%u", &number), 1);
			fclose(f);
		}
		nanosleep(&moment, NULL);
	}
	ck_assert_uint_ne(number, 0);
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", number);
}

static inline uint8_t *make_image(void)
{
	uint8_t *bytes = malloc(IMAGE_LEN);
	uint64_t state = 7;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < IMAGE_LEN; i++)
		bytes[i] = (uint8_t)(test_random(&state) >> 32);
	memset(bytes + 2 * MIB, 0, MIB);
	return bytes;
}

/* Write all of it, zeros as such: what finish() and confirm() say. */
static inline int write_image(
	struct avml_sink *sink, const uint8_t *bytes, struct avml_error *err)
{
	int ret = avml_sink_write(sink, bytes, 2 * MIB, err);

	if (ret == 0)
		ret = avml_sink_zeros(sink, MIB, err);
	if (ret == 0)
		ret = avml_sink_write(
			sink, bytes + 3 * MIB, IMAGE_LEN - 3 * MIB, err);
	if (ret == 0)
		ret = avml_sink_finish(sink, err);
	return ret == 0 ? avml_sink_confirm(sink, err) : ret;
}

static inline int store_upload(struct avml_remote remote,
	struct avml_error *err, struct avml_error *abort_err)
{
	struct avml_sink_options options = { .remote = &remote,
		.most = IMAGE_LEN };
	uint8_t *bytes = make_image();
	struct avml_sink *sink;
	int ret;

	remote.retries = 3;
	/* One after the other, for the log to be in order. */
	remote.concurrency = 1;
	remote.notice = on_notice;
	avml_error_init(err);
	avml_error_init(abort_err);
	ret = avml_sink_open(remote.to, &options, &sink, err);
	ck_assert_int_eq(ret, 0);
	ret = write_image(sink, bytes, err);
	if (ret < 0)
		(void)avml_sink_abort(sink, &store_left, abort_err);
	avml_sink_free(sink);
	free(bytes);
	return ret;
}

static inline void expect_log(const char *wanted)
{
	char path[TEST_PATH_MAX + 8], *log;
	size_t len;

	snprintf(path, sizeof(path), "%s/log", store_dir);
	log = test_load(path, &len);
	ck_assert_str_eq(log, wanted);
	free(log);
}

static inline void expect_object(const char *name)
{
	char path[2 * TEST_PATH_MAX], *object;
	uint8_t *bytes = make_image();
	size_t len;

	snprintf(path, sizeof(path), "%s/objects/%s", store_dir, name);
	object = test_load(path, &len);
	ck_assert_uint_eq(len, IMAGE_LEN);
	ck_assert(memcmp(object, bytes, len) == 0);
	free(object);
	free(bytes);
}

static inline void expect_no_object(const char *name)
{
	char path[2 * TEST_PATH_MAX];

	snprintf(path, sizeof(path), "%s/objects/%s", store_dir, name);
	ck_assert_int_ne(access(path, F_OK), 0);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The parts of an acquisition or conversion, each alone and on one thread, to
 * hold the whole against: prints seconds.
 *
 *   parts scan FILE      the zero test of all its bytes
 *   parts touch FILE     a plain read of the same memory
 *   parts compress FILE  libsnappy on its chunks of 64 KiB that are not zero
 *   parts crc FILE       CRC-32C of these (of all with `all` behind)
 *   parts expand IMAGE   libsnappy on the chunks of a v2 image, without those
 *                        of zeros (those alone with `zeros` behind)
 *   parts run COMMAND... a command: seconds, its CPU seconds, its peak in KiB
 *
 * What is read is in memory before the clock starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <snappy-c.h>

#include <avml/record.h>

#include "format/crc32c.h"
#include "format/framing.h"
#include "format/zero.h"

#define CHUNK ((size_t)64 << 10)

struct file {
	const uint8_t *bytes;
	size_t len;
};

static volatile uint64_t result;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "parts: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Copied, since a mapping of a file would fault in the middle of it. */
static struct file load(const char *path)
{
	struct file f;
	struct stat st;
	int fd = open(path, O_RDONLY);
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	f.len = (size_t)st.st_size;
	bytes = mmap(NULL, f.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		die(path);
	for (size_t at = 0; at < f.len;) {
		const ssize_t n = read(fd, bytes + at, f.len - at);

		if (n <= 0)
			die(path);
		at += (size_t)n;
	}
	close(fd);
	f.bytes = bytes;
	return f;
}

static double scan(struct file f)
{
	static uint8_t map[CHUNK * 4 / ZERO_UNIT];
	const double start = now();

	for (size_t i = 0; i + CHUNK * 4 <= f.len; i += CHUNK * 4)
		result += zero_map(f.bytes + i, CHUNK * 4, map);
	return now() - start;
}

/* Every byte is loaded, and nothing asked of it. */
static double touch(struct file f)
{
	const double start = now();

	for (size_t i = 0; i + CHUNK <= f.len; i += CHUNK) {
		const uint64_t *p = (const void *)(f.bytes + i);
		uint64_t a = 0, b = 0, c = 0, d = 0;

		for (size_t j = 0; j < CHUNK / 8; j += 4) {
			a |= p[j];
			b |= p[j + 1];
			c |= p[j + 2];
			d |= p[j + 3];
			__asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
		}
		result += a | b | c | d;
	}
	return now() - start;
}

static double compress(struct file f)
{
	static char out[CHUNK * 2];
	double total = 0;

	for (size_t i = 0; i + CHUNK <= f.len; i += CHUNK) {
		size_t len = sizeof(out);
		double start;

		if (zero_test(f.bytes + i, CHUNK))
			continue;
		start = now();
		snappy_compress((const char *)f.bytes + i, CHUNK, out, &len);
		total += now() - start;
		result += len;
	}
	return total;
}

static double crc_of(struct file f, bool all)
{
	double total = 0;

	for (size_t i = 0; i + CHUNK <= f.len; i += CHUNK) {
		double start;

		if (!all && zero_test(f.bytes + i, CHUNK))
			continue;
		start = now();
		result += crc32c(0, f.bytes + i, CHUNK);
		total += now() - start;
	}
	return total;
}

static double crc(struct file f)
{
	return crc_of(f, false);
}

/* A good image of ours: heads are followed, and nothing is checked. */
static double expand(struct file f, bool zeros)
{
	static char out[CHUNK];
	double total = 0;
	size_t i = 0;

	while (i + AVML_RECORD_HEADER_SIZE <= f.len) {
		struct avml_record_header record;
		struct avml_error err = AVML_ERROR_INIT;
		uint64_t left;

		if (avml_record_header_decode(f.bytes + i, &record, &err) < 0)
			die("no v2 image");
		i += AVML_RECORD_HEADER_SIZE;
		for (left = avml_range_len(record.range); left > 0;) {
			struct framing_chunk chunk;
			const uint8_t *body = f.bytes + i + FRAMING_HEAD_LEN;
			size_t len = 0;
			double start;

			if (framing_parse_head(f.bytes + i, &chunk, &err) < 0)
				die("no v2 image");
			i += FRAMING_HEAD_LEN + chunk.body_len;
			if (chunk.kind == FRAMING_STORED)
				len = chunk.body_len - FRAMING_CRC_LEN;
			if (chunk.kind == FRAMING_COMPRESSED) {
				len = sizeof(out);
				start = now();
				snappy_uncompress(
					(const char *)body + FRAMING_CRC_LEN,
					chunk.body_len - FRAMING_CRC_LEN, out,
					&len);
				start = now() - start;
				if (zero_test(out, len) == zeros)
					total += start;
			}
			left -= len;
		}
		i += 8; /* the length of the stream */
	}
	return total;
}

static int run(char **argv)
{
	const double start = now();
	struct rusage use;
	double took;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0)
		die(argv[0]);
	took = now() - start;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "parts: %s failed\n", argv[0]);
		return 1;
	}
	printf("%.6f %.6f %ld\n", took,
		(double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
			(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) /
				1e6,
		use.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*measure)(struct file);
	} parts[] = { { "scan", scan }, { "touch", touch },
		{ "compress", compress }, { "crc", crc } };

	if (argc >= 3 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	for (size_t i = 0; argc == 3 && i < sizeof(parts) / sizeof(parts[0]);
		i++) {
		if (strcmp(argv[1], parts[i].name) == 0) {
			printf("%.6f\n", parts[i].measure(load(argv[2])));
			return 0;
		}
	}
	if (argc == 4 && strcmp(argv[1], "crc") == 0) {
		printf("%.6f\n", crc_of(load(argv[2]), true));
		return 0;
	}
	if (argc >= 3 && strcmp(argv[1], "expand") == 0) {
		printf("%.6f\n", expand(load(argv[2]), argc > 3));
		return 0;
	}
	fprintf(stderr, "usage: see bench/parts.c\n");
	return 2;
}

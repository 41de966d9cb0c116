/* SPDX-License-Identifier: MIT */
/*
 * Makes calls of libc fail. Linked into avml-fault by -Wl,--wrap=CALL, so
 * that it works with the sanitizers; tests/fault/calls lists what is
 * wrapped. The environment says what happens:
 *
 *   AVML_FAULT=CALL:N:HOW:TIMES[,...]  the N-th call and those that follow
 *		it, TIMES in all (0: for ever), fail with the errno HOW, or
 *		are short: "half", "one" byte, "zero" bytes; or "kill" ends
 *		the program there, in the middle of what it writes
 *   AVML_FAULT_REPORT=FILE		one line for each of these, and at the
 *		end what was not given back
 *   AVML_FAULT_COUNT=1			a line for every call instead, with
 *		the addresses that it came from
 *   AVML_FAULT_SERVE=SOCKET		many runs, whose faults come from
 *		there: see serve.h
 */
#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <curl/curl.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "serve.h"

/* How a call fails: an errno, or one of these. */
#define HALF (-1)
#define ONE (-2)
#define ZERO (-3)
#define KILL (-4)

#define FAULTS_MAX 4
#define REPORTED_MAX 64
#define DESCRIPTORS 1024
#define VECTORS_MAX 1024
/* Far from the numbers that avml gets for its own. */
#define REPORT_FD 500
#define UNSAFE_STATUS 98

struct call {
	const char *name;
	atomic_ulong count;
};

struct fault {
	char name[32];
	unsigned long first, times;
	int how;
};

static struct fault faults[FAULTS_MAX];
static int fault_count;
static bool counting;
static int report = -1;
static atomic_int reported;
static bool open_before[DESCRIPTORS];
static atomic_int maps, threads;

/* What is in the program is told by its distance from here. */
extern const char __executable_start[], etext[];

/* For this file's own use: these must not be counted, nor fail. */
extern long __real_syscall(long number, ...);

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int len;

	if (report < 0)
		return;
	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len > 0 && (size_t)len < sizeof(line))
		(void)__real_syscall(SYS_write, report, line, (size_t)len);
}

static bool is_open(int fd)
{
	return __real_syscall(SYS_fcntl, fd, F_GETFD) >= 0;
}

/* Something that an image is written to: no message, and no source. */
static bool is_image(int fd)
{
	const long flags = __real_syscall(SYS_fcntl, fd, F_GETFL);
	struct stat st, messages;

	return fd > 2 && flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
	       __real_syscall(SYS_fstat, fd, &st) == 0 &&
	       (__real_syscall(SYS_fstat, 2, &messages) != 0 ||
		       st.st_dev != messages.st_dev ||
		       st.st_ino != messages.st_ino);
}

/* Where a call came from, outermost last, without this file's frames. */
static void tell_site(const char *name)
{
	char line[256];
	void *frames[16];
	const int n = backtrace(frames, 16);
	size_t len = (size_t)snprintf(line, sizeof(line), "call %s", name);

	for (int i = 3; i < n && i < 9; i++) {
		const char *at = frames[i];

		if (at >= __executable_start && at < etext)
			len += (size_t)snprintf(line + len, sizeof(line) - len,
				" %lx",
				(unsigned long)(at - __executable_start));
	}
	tell("%s\n", line);
}

/* 0: the call is to be made as it is; else how it fails. */
static __attribute__((noinline)) int hit(struct call *call, int fd)
{
	const unsigned long n = atomic_fetch_add(&call->count, 1) + 1;

	if (counting)
		tell_site(call->name);
	for (int i = 0; i < fault_count; i++) {
		const struct fault *f = &faults[i];

		if (strcmp(f->name, call->name) != 0 || n < f->first ||
			(f->times > 0 && n - f->first >= f->times))
			continue;
		if (atomic_fetch_add(&reported, 1) < REPORTED_MAX)
			tell("hit %s %lu%s\n", call->name, n,
				fd >= 0 && is_image(fd) ? " image" : "");
		return f->how;
	}
	return 0;
}

static void die(void)
{
	(void)__real_syscall(
		SYS_kill, (long)__real_syscall(SYS_getpid), SIGKILL);
}

/* The same for a call that can only fail, never be short. */
static __attribute__((noinline)) bool fails(struct call *call, int fd)
{
	const int how = hit(call, fd);

	if (how == KILL)
		die();
	if (how != 0)
		errno = how > 0 ? how : EIO;
	return how != 0;
}

/* How many of `len` bytes a call that is short may handle. */
static size_t shortened(size_t len, int how)
{
	if (how == ZERO || len == 0)
		return 0;
	return how == ONE || len == 1 ? 1 : len / 2;
}

static int parse_how(const char *text)
{
	if (strncmp(text, "half", 4) == 0)
		return HALF;
	if (strncmp(text, "one", 3) == 0)
		return ONE;
	if (strncmp(text, "zero", 4) == 0)
		return ZERO;
	if (strncmp(text, "kill", 4) == 0)
		return KILL;
	return atoi(text);
}

static void parse_faults(const char *text)
{
	while (text && *text && fault_count < FAULTS_MAX) {
		struct fault *f = &faults[fault_count++];
		char how[16];

		if (sscanf(text, "%31[^:]:%lu:%15[^:]:%lu", f->name, &f->first,
			    how, &f->times) != 4)
			_exit(UNSAFE_STATUS);
		f->how = parse_how(how);
		text = strchr(text, ',');
		text += text != NULL;
	}
}

static __attribute__((constructor)) void begin(void)
{
	const char *path = getenv("AVML_FAULT_REPORT");
	const char *socket = getenv("AVML_FAULT_SERVE");
	char served[256];
	void *frame;

	/* Its first call opens a library. */
	(void)backtrace(&frame, 1);
	if (socket)
		serve(atoi(socket), served, sizeof(served));
	if (path) {
		const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
		const long fd =
			__real_syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

		report = (int)__real_syscall(
			SYS_fcntl, fd, F_DUPFD_CLOEXEC, REPORT_FD);
		(void)__real_syscall(SYS_close, fd);
	}
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		open_before[fd] = is_open(fd);
	parse_faults(socket ? served : getenv("AVML_FAULT"));
	counting = getenv("AVML_FAULT_COUNT") != NULL;
}

static __attribute__((destructor)) void end(void)
{
	int fds = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		fds += is_open(fd) && !open_before[fd];
	tell("end %d %d %d\n", fds, maps, threads);
}

/*
 * Whatever a fault leads to, this machine's own memory and what tells of it
 * are never opened. /proc and /dev have few things that a test may read.
 */
static void refuse_host(const char *path)
{
	static const char *const dirs[] = { "/proc", "/dev", "/sys" };
	static const char *const good[] = { "/dev/null", "/dev/full",
		"/proc/self/cgroup", "/proc/self/uid_map",
		"/proc/sys/kernel/random/boot_id",
		"/sys/kernel/security/lockdown" };
	char *real = realpath(path, NULL);
	bool bad = false;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const size_t len = strlen(dirs[i]);

		bad = bad || (strncmp(path, dirs[i], len) == 0 &&
				     strchr("/", path[len]));
		bad = bad || (real && strncmp(real, dirs[i], len) == 0 &&
				     strchr("/", real[len]));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		bad = bad && strcmp(path, good[i]) != 0;
	if (strncmp(path, "/sys/fs/cgroup/", 15) == 0)
		bad = false;
	free(real);
	if (!bad)
		return;
	tell("unsafe %s\n", path);
	_exit(UNSAFE_STATUS);
}

/* clang-format off */
#define WRAP(ret, name, ...)						\
	static struct call call_##name = { #name, 0 };			\
	extern ret __real_##name(__VA_ARGS__);				\
	ret __wrap_##name(__VA_ARGS__);					\
	ret __wrap_##name(__VA_ARGS__)

/* -1 and errno. */
#define WRAP_INT(name, fd, args, ...)					\
	WRAP(int, name, __VA_ARGS__)					\
	{								\
		return fails(&call_##name, fd) ? -1 : __real_##name args; \
	}

#define WRAP_POINTER(type, name, args, ...)				\
	WRAP(type *, name, __VA_ARGS__)					\
	{								\
		return fails(&call_##name, -1) ? NULL : __real_##name args; \
	}

/* The error is what is returned. */
#define WRAP_CODE(name, args, ...)					\
	WRAP(int, name, __VA_ARGS__)					\
	{								\
		const int code = hit(&call_##name, -1);			\
									\
		return code ? code : __real_##name args;		\
	}
/* clang-format on */

/* --- files ---------------------------------------------------------------- */

WRAP(int, open64, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	refuse_host(path);
	return fails(&call_open64, -1) ? -1 : __real_open64(path, flags, mode);
}

/* Below a directory that was opened: by its name alone it is none of these. */
WRAP(int, openat64, int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	refuse_host(path);
	return fails(&call_openat64, -1)
		       ? -1
		       : __real_openat64(dir, path, flags, mode);
}

WRAP(ssize_t, read, int fd, void *buf, size_t len)
{
	const int how = hit(&call_read, fd);

	if (how > 0)
		errno = how;
	return how > 0 ? -1
		       : __real_read(fd, buf, how ? shortened(len, how) : len);
}

WRAP(ssize_t, pread64, int fd, void *buf, size_t len, off64_t offset)
{
	const int how = hit(&call_pread64, fd);

	if (how > 0) {
		/* What the failed call may have left there is no memory. */
		memset(buf, 0xee, len);
		errno = how;
		return -1;
	}
	return __real_pread64(fd, buf, how ? shortened(len, how) : len, offset);
}

WRAP(ssize_t, write, int fd, const void *buf, size_t len)
{
	const int how = hit(&call_write, fd);

	if (how > 0)
		errno = how;
	return how > 0 ? -1
		       : __real_write(fd, buf, how ? shortened(len, how) : len);
}

/* Only the first part of what the vectors hold. */
static int cut_vectors(
	struct iovec *out, const struct iovec *iov, int count, int how)
{
	size_t total = 0, left;
	int used = 0;

	for (int i = 0; i < count; i++)
		total += iov[i].iov_len;
	left = shortened(total, how);
	while (left > 0) {
		out[used] = iov[used];
		if (out[used].iov_len > left)
			out[used].iov_len = left;
		left -= out[used++].iov_len;
	}
	return used;
}

WRAP(ssize_t, writev, int fd, const struct iovec *iov, int count)
{
	const int how = hit(&call_writev, fd);
	struct iovec part[VECTORS_MAX];
	ssize_t n = -1;

	if (how == 0)
		return __real_writev(fd, iov, count);
	if (how < 0)
		n = __real_writev(fd, part, cut_vectors(part, iov, count, how));
	else
		errno = how;
	if (how == KILL)
		die();
	return n;
}

WRAP(ssize_t, pwritev64, int fd, const struct iovec *iov, int count,
	off64_t offset)
{
	const int how = hit(&call_pwritev64, fd);
	struct iovec part[VECTORS_MAX];
	ssize_t n = -1;

	if (how == 0)
		return __real_pwritev64(fd, iov, count, offset);
	if (how < 0)
		n = __real_pwritev64(
			fd, part, cut_vectors(part, iov, count, how), offset);
	else
		errno = how;
	if (how == KILL)
		die();
	return n;
}

/* The descriptor is gone whatever close says. */
WRAP(int, close, int fd)
{
	const bool failed = fails(&call_close, fd);
	const int code = errno;
	const int ret = __real_close(fd);

	if (!failed)
		return ret;
	errno = code;
	return -1;
}

WRAP(off64_t, lseek64, int fd, off64_t offset, int whence)
{
	return fails(&call_lseek64, fd) ? -1
					: __real_lseek64(fd, offset, whence);
}

WRAP(int, fcntl64, int fd, int command, ...)
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = command == F_GETFL || command == F_GETFD ? 0 : va_arg(ap, int);
	va_end(ap);
	return fails(&call_fcntl64, fd) ? -1 : __real_fcntl64(fd, command, arg);
}

WRAP_INT(fsync, fd, (fd), int fd)
WRAP_INT(sync_file_range, fd, (fd, at, len, how), int fd, off64_t at,
	off64_t len, unsigned int how)
WRAP_INT(ftruncate64, fd, (fd, len), int fd, off64_t len)
WRAP_INT(fchmod, fd, (fd, mode), int fd, mode_t mode)
WRAP_INT(fstat64, fd, (fd, st), int fd, struct stat64 *st)
WRAP_INT(stat64, -1, (path, st), const char *path, struct stat64 *st)
WRAP_INT(lstat64, -1, (path, st), const char *path, struct stat64 *st)
WRAP_INT(statvfs64, -1, (path, fs), const char *path, struct statvfs64 *fs)
WRAP_INT(fstatvfs64, fd, (fd, fs), int fd, struct statvfs64 *fs)
WRAP_INT(statfs64, -1, (path, fs), const char *path, struct statfs64 *fs)
WRAP_INT(fstatfs64, fd, (fd, fs), int fd, struct statfs64 *fs)
WRAP_INT(access, -1, (path, mode), const char *path, int mode)
WRAP_INT(rename, -1, (from, to), const char *from, const char *to)
WRAP_INT(unlink, -1, (path), const char *path)
WRAP_INT(unlinkat, -1, (dir, path, flags), int dir, const char *path, int flags)
WRAP_INT(mkdir, -1, (path, mode), const char *path, mode_t mode)
WRAP_INT(rmdir, -1, (path), const char *path)
WRAP_POINTER(DIR, fdopendir, (fd), int fd)
WRAP_POINTER(struct dirent64, readdir64, (dir), DIR *dir)
WRAP_INT(poll, -1, (fds, count, timeout), struct pollfd *fds, nfds_t count,
	int timeout)

WRAP_INT(uname, -1, (name), struct utsname *name)

WRAP(long, syscall, long number, ...)
{
	long args[3];
	va_list ap;

	va_start(ap, number);
	for (size_t i = 0; i < 3; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	/* Nor is anything put into its kernel. */
	if (number == SYS_bpf) {
		tell("unsafe bpf\n");
		_exit(UNSAFE_STATUS);
	}
	return fails(&call_syscall, -1)
		       ? -1
		       : __real_syscall(number, args[0], args[1], args[2]);
}

WRAP(int, prctl, int option, ...)
{
	unsigned long args[4];
	va_list ap;

	va_start(ap, option);
	for (size_t i = 0; i < 4; i++)
		args[i] = va_arg(ap, unsigned long);
	va_end(ap);
	return fails(&call_prctl, -1) ? -1
				      : __real_prctl(option, args[0], args[1],
						args[2], args[3]);
}

WRAP(int, fflush, FILE *file)
{
	return fails(&call_fflush, -1) ? EOF : __real_fflush(file);
}

/* --- memory --------------------------------------------------------------- */

WRAP_POINTER(void, malloc, (len), size_t len)
WRAP_POINTER(void, calloc, (count, len), size_t count, size_t len)
WRAP_POINTER(void, realloc, (old, len), void *old, size_t len)
WRAP_POINTER(void, reallocarray, (old, count, len), void *old, size_t count,
	size_t len)
WRAP_POINTER(char, strdup, (text), const char *text)
WRAP_POINTER(char, strndup, (text, len), const char *text, size_t len)

int __wrap_asprintf(char **text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
WRAP(int, asprintf, char **text, const char *fmt, ...)
{
	va_list ap;
	int n;

	/* It is undefined after a failure: nobody may use it. */
	*text = (char *)16;
	if (fails(&call_asprintf, -1))
		return -1;
	va_start(ap, fmt);
	n = vasprintf(text, fmt, ap);
	va_end(ap);
	return n;
}

WRAP(void *, mmap64, void *addr, size_t len, int prot, int flags, int fd,
	off64_t offset)
{
	void *map = MAP_FAILED;

	if (!fails(&call_mmap64, -1))
		map = __real_mmap64(addr, len, prot, flags, fd, offset);
	maps += map != MAP_FAILED;
	return map;
}

WRAP_INT(mlock, -1, (addr, len), const void *addr, size_t len)

WRAP(ssize_t, getrandom, void *buf, size_t len, unsigned int flags)
{
	const int how = hit(&call_getrandom, -1);

	if (how > 0)
		errno = how;
	return how > 0 ? -1
		       : __real_getrandom(
				 buf, how ? shortened(len, how) : len, flags);
}

/* Not made to fail: it does so for wrong arguments only. */
extern int __real_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len);

int __wrap_munmap(void *addr, size_t len)
{
	maps--;
	return __real_munmap(addr, len);
}

/* --- OpenSSL -------------------------------------------------------------- */

/* 0 is failure there. */
/* clang-format off */
#define WRAP_TRUTH(name, args, ...)					\
	WRAP(int, name, __VA_ARGS__)					\
	{								\
		return fails(&call_##name, -1) ? 0 : __real_##name args; \
	}
/* clang-format on */

WRAP_TRUTH(SSL_set_fd, (ssl, fd), SSL *ssl, int fd)
WRAP_TRUTH(OPENSSL_init_crypto, (options, settings), uint64_t options,
	const OPENSSL_INIT_SETTINGS *settings)
WRAP_POINTER(EVP_MD_CTX, EVP_MD_CTX_new, (), void)
WRAP_TRUTH(EVP_DigestInit_ex, (ctx, type, engine), EVP_MD_CTX *ctx,
	const EVP_MD *type, ENGINE *engine)
WRAP_TRUTH(EVP_DigestUpdate, (ctx, bytes, len), EVP_MD_CTX *ctx,
	const void *bytes, size_t len)
WRAP_TRUTH(EVP_DigestFinal_ex, (ctx, bytes, len), EVP_MD_CTX *ctx,
	unsigned char *bytes, unsigned int *len)
WRAP_TRUTH(
	EVP_MD_CTX_copy_ex, (to, from), EVP_MD_CTX *to, const EVP_MD_CTX *from)

/* --- what libcjson allocates ---------------------------------------------- */

WRAP_POINTER(cJSON, cJSON_CreateObject, (), void)
WRAP_POINTER(cJSON, cJSON_CreateArray, (), void)
WRAP_POINTER(cJSON, cJSON_AddObjectToObject, (object, key), cJSON *object,
	const char *key)
WRAP_POINTER(cJSON, cJSON_AddArrayToObject, (object, key), cJSON *object,
	const char *key)
WRAP_POINTER(cJSON, cJSON_AddNullToObject, (object, key), cJSON *object,
	const char *key)
WRAP_POINTER(cJSON, cJSON_AddRawToObject, (object, key, text), cJSON *object,
	const char *key, const char *text)
WRAP_POINTER(cJSON, cJSON_AddBoolToObject, (object, key, value), cJSON *object,
	const char *key, cJSON_bool value)
WRAP_POINTER(cJSON, cJSON_AddNumberToObject, (object, key, value),
	cJSON *object, const char *key, double value)
WRAP_POINTER(cJSON, cJSON_AddStringToObject, (object, key, text), cJSON *object,
	const char *key, const char *text)
WRAP_POINTER(char, cJSON_Print, (item), const cJSON *item)
WRAP_POINTER(char, cJSON_PrintUnformatted, (item), const cJSON *item)

WRAP(cJSON_bool, cJSON_AddItemToArray, cJSON *array, cJSON *item)
{
	return !fails(&call_cJSON_AddItemToArray, -1) &&
	       __real_cJSON_AddItemToArray(array, item);
}

WRAP(cJSON_bool, cJSON_AddItemToObject, cJSON *object, const char *key,
	cJSON *item)
{
	return !fails(&call_cJSON_AddItemToObject, -1) &&
	       __real_cJSON_AddItemToObject(object, key, item);
}

/* --- threads and signals -------------------------------------------------- */

WRAP(int, pthread_create, pthread_t *id, const pthread_attr_t *attr,
	void *(*run)(void *), void *arg)
{
	int ret = hit(&call_pthread_create, -1);

	if (ret == 0)
		ret = __real_pthread_create(id, attr, run, arg);
	threads += ret == 0;
	return ret;
}

extern int __real_pthread_join(pthread_t id, void **result);
int __wrap_pthread_join(pthread_t id, void **result);

int __wrap_pthread_join(pthread_t id, void **result)
{
	threads--;
	return __real_pthread_join(id, result);
}

/* Of libcurl: what it says when memory is out is a code of each kind's own. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#define WRAP_CURL(ret, name, code, args, ...)                               \
	WRAP(ret, name, __VA_ARGS__)                                        \
	{                                                                   \
		return fails(&call_##name, -1) ? code : __real_##name args; \
	}

WRAP_CURL(CURLcode, curl_global_init, CURLE_OUT_OF_MEMORY, (flags), long flags)
WRAP_CURL(CURLMcode, curl_multi_add_handle, CURLM_OUT_OF_MEMORY, (multi, easy),
	CURLM *multi, CURL *easy)
WRAP_CURL(CURLUcode, curl_url_set, CURLUE_OUT_OF_MEMORY,
	(parts, what, part, flags), CURLU *parts, CURLUPart what,
	const char *part, unsigned int flags)
WRAP_CURL(CURLUcode, curl_url_get, CURLUE_OUT_OF_MEMORY,
	(parts, what, part, flags), const CURLU *parts, CURLUPart what,
	char **part, unsigned int flags)
WRAP_POINTER(CURL, curl_easy_init, (), void)
WRAP_POINTER(CURLM, curl_multi_init, (), void)
WRAP_POINTER(CURLU, curl_url, (), void)
WRAP_POINTER(struct curl_slist, curl_slist_append, (list, line),
	struct curl_slist *list, const char *line)

/* Only EAGAIN has a code of its own. */
WRAP(CURLcode, curl_easy_send, CURL *easy, const void *buf, size_t len,
	size_t *sent)
{
	const int how = hit(&call_curl_easy_send, -1);

	if (how <= 0)
		return __real_curl_easy_send(
			easy, buf, how ? shortened(len, how) : len, sent);
	*sent = 0;
	return how == EAGAIN ? CURLE_AGAIN : CURLE_SEND_ERROR;
}

WRAP_CURL(CURLcode, curl_easy_recv, CURLE_RECV_ERROR, (easy, buf, len, got),
	CURL *easy, void *buf, size_t len, size_t *got)

WRAP(ssize_t, recv, int fd, void *buf, size_t len, int flags)
{
	return fails(&call_recv, -1) ? -1 : __real_recv(fd, buf, len, flags);
}

WRAP_INT(shutdown, -1, (fd, how), int fd, int how)

/* Whatever the one argument is: a word of this processor. */
WRAP(CURLcode, curl_easy_setopt, CURL *easy, CURLoption option, ...)
{
	void *value;
	va_list ap;

	va_start(ap, option);
	value = va_arg(ap, void *);
	va_end(ap);
	if (fails(&call_curl_easy_setopt, -1))
		return CURLE_OUT_OF_MEMORY;
	return __real_curl_easy_setopt(easy, option, value);
}

WRAP(CURLcode, curl_easy_getinfo, CURL *easy, CURLINFO info, ...)
{
	void *value;
	va_list ap;

	va_start(ap, info);
	value = va_arg(ap, void *);
	va_end(ap);
	if (fails(&call_curl_easy_getinfo, -1))
		return CURLE_OUT_OF_MEMORY;
	return __real_curl_easy_getinfo(easy, info, value);
}

WRAP_CODE(posix_fadvise64, (fd, at, len, how), int fd, off64_t at, off64_t len,
	int how)
WRAP_CODE(pthread_attr_init, (attr), pthread_attr_t *attr)
WRAP_CODE(pthread_attr_setstacksize, (attr, len), pthread_attr_t *attr,
	size_t len)
WRAP_CODE(pthread_condattr_init, (attr), pthread_condattr_t *attr)
WRAP_CODE(pthread_mutex_init, (mutex, attr), pthread_mutex_t *mutex,
	const pthread_mutexattr_t *attr)
WRAP_CODE(pthread_cond_init, (cond, attr), pthread_cond_t *cond,
	const pthread_condattr_t *attr)
WRAP_CODE(pthread_sigmask, (what, set, old), int what, const sigset_t *set,
	sigset_t *old)
WRAP_INT(sched_getaffinity, -1, (pid, len, set), pid_t pid, size_t len,
	cpu_set_t *set)
WRAP_INT(sigaction, -1, (number, new, old), int number,
	const struct sigaction *new, struct sigaction *old)

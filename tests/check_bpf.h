/* SPDX-License-Identifier: MIT */
/*
 * A made-up machine for the source "bpf": its memory at addresses of its
 * kernel's, its pagemap, and what else it is asked. Of the calls that could
 * reach the real one, each is this program's own while `machine.on`, and a
 * path that is not made up ends the test.
 */
#ifndef CHECK_BPF_H
#define CHECK_BPF_H

#include "check_bpf_kernel.h"
#include "check_faulty.h"
#include "check_paths.h"

#include <linux/magic.h>
#include <pthread.h>
#include <stdarg.h>

#define PAGE 4096u
#define GIB ((uint64_t)1 << 30)
#define PROOF_PAGES 8u /* whose places are asked for */
#define EVERYTHING (UINT64_C(1) << 63)

enum machine_pagemap { TOLD, HIDDEN, ENDED, ABSENT, BROKEN, SWAPPED };

static struct {
	bool on;

	/* Physical memory: where there is some, and where it faults. */
	uint64_t base, start, end, task;
	struct avml_range holes[4];
	/* Our own pages: where they are, one after the other or not. */
	uint64_t frames[PROOF_PAGES], frame_step;
	enum machine_pagemap pagemap;
	unsigned int away; /* looks still to come at which one is nowhere */
	unsigned int odd;  /* 1 + the page that reads back wrong, or ... */
	/* ... copies of all but that one lie so far below. */
	uint64_t decoy;

	/* What it is. */
	uid_t euid;
	uint64_t capabilities;
	const char *release, *lockdown, *uid_map; /* files; NULL: none */
	const char *flags, *meminfo, *cmdline, *proc;
	unsigned int flags_opens; /* the most; more fail; 0: any number */
	const char *kind;	  /* of processor; NULL: x86_64 */
	bool no_self, android;	  /* /proc/self/pagemap is missing */
	bool proc_is_real;
	int random_error, mlock_error, setrlimit_error;
	unsigned int random_most; /* bytes at once; 0: any */
	void *map_at; /* where a map is put, over what is there; NULL: any */
	unsigned int map_fails; /* 1 + the number of the mmap() that does */

	/* What was seen. */
	ino_t pagemap_ino;
	const uint8_t *pages; /* those that were looked up */
	unsigned int looks, limits, flags_opened;
	pthread_mutex_t lock; /* of the next six */
	uint64_t first_asked, last_asked;
	uint64_t asked[256]; /* the first ones, as physical addresses */
	size_t asked_count;
	const void *map_list[16];
	int maps;
	atomic_uint reads, map_calls;
} machine;

/* --- memory --------------------------------------------------------------- */

/* Bytes of one page at `addr`, or NULL for what is made of the address. */
static inline const uint8_t *machine_page(uint64_t addr, bool *odd)
{
	const uint64_t frame = addr / PAGE;

	for (size_t i = 0; i < PROOF_PAGES && machine.pages; i++) {
		const uint64_t copy = machine.frames[i] - machine.decoy / PAGE;

		*odd = machine.odd == i + 1;
		if (frame == machine.frames[i])
			return machine.pages + i * PAGE;
		if (machine.decoy && frame == copy)
			return machine.pages + i * PAGE;
	}
	*odd = false;
	return NULL;
}

static inline bool machine_faults(uint64_t addr)
{
	bool hole = addr < machine.start || addr >= machine.end;

	for (size_t i = 0; i < TEST_COUNT(machine.holes); i++)
		hole = hole || (addr >= machine.holes[i].start &&
				       addr < machine.holes[i].end);
	return hole;
}

static inline void machine_log(uint64_t addr, uint64_t len)
{
	pthread_mutex_lock(&machine.lock);
	if (addr < machine.first_asked)
		machine.first_asked = addr;
	if (addr + len > machine.last_asked)
		machine.last_asked = addr + len;
	if (machine.asked_count < TEST_COUNT(machine.asked))
		machine.asked[machine.asked_count++] = addr - machine.base;
	pthread_mutex_unlock(&machine.lock);
	atomic_fetch_add(&machine.reads, 1);
}

/* What of physical memory the kernel has at an address of its own. */
static inline int machine_read(void *to, uint64_t addr, uint64_t len)
{
	uint8_t *bytes = to;

	/* Nothing is asked for in order to see whether it runs. */
	if (len == 0)
		return -ERANGE;
	machine_log(addr, len);
	for (uint64_t done = 0; done < len; done++) {
		const uint64_t at = addr + done - machine.base;
		const uint8_t *page;
		bool odd = false;

		if (addr + done < machine.base || machine_faults(at)) {
			/* What it leaves is no memory, whatever it is. */
			memset(to, 0xee, len);
			page = machine_page(at, &odd);
			if (page && len == PAGE)
				memcpy(to, page, len);
			return -EFAULT;
		}
		page = machine_page(at, &odd);
		bytes[done] = page ? page[at % PAGE] : byte_at(at);
		/* A copy of a page is good but where it is the odd one. */
		if (odd && at % PAGE == PAGE - 1 &&
			(!machine.decoy ||
				at / PAGE != machine.frames[machine.odd - 1]))
			bytes[done] ^= 1;
	}
	return 0;
}

/* --- files ---------------------------------------------------------------- */

static inline bool machine_is_pagemap(const char *path)
{
	const size_t len = strlen(path), end = strlen("self/pagemap");

	return len > end && strcmp(path + len - end, "self/pagemap") == 0;
}

static inline const char *machine_flags(void)
{
	machine.flags_opened++;
	return machine.flags_opens > 0 &&
			       machine.flags_opened > machine.flags_opens
		       ? NULL
		       : machine.flags;
}

/* NULL: there is no such file. */
static inline const char *machine_place_of(const char *path)
{
	if (strcmp(path, "/sys/kernel/security/lockdown") == 0)
		return machine.lockdown;
	if (strcmp(path, "/proc/self/uid_map") == 0)
		return machine.uid_map;
	if (strcmp(path, "/proc/kpageflags") == 0)
		return machine_flags();
	if (strcmp(path, "/proc/meminfo") == 0)
		return machine.meminfo;
	if (strcmp(path, "/proc/cmdline") == 0)
		return machine.cmdline;
	if (strcmp(path, "/proc/self/pagemap") == 0 && machine.no_self)
		return NULL;
	if (strncmp(path, "/boot/config-", 13) == 0 ||
		strcmp(path, "/proc/kcore") == 0)
		return NULL;
	if (machine_is_pagemap(path))
		return machine.pagemap == ABSENT
			       ? NULL
			       : test_file("pagemap", "words", 5);
	ck_assert_msg(strncmp(path, test_root, strlen(test_root)) == 0,
		"%s is opened", path);
	return path;
}

int WRAP64(open)(const char *path, int flags, ...)
{
	const char *place;
	mode_t mode = 0;
	struct stat st;
	va_list ap;
	int fd;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = (mode_t)va_arg(ap, unsigned int);
		va_end(ap);
	}
	if (!machine.on || flags & O_CREAT)
		return REAL64(open)(path, flags, mode);
	place = machine_place_of(path);
	if (!place) {
		errno = ENOENT;
		return -1;
	}
	fd = REAL64(open)(place, flags);
	if (fd >= 0 && machine_is_pagemap(path) && fstat(fd, &st) == 0)
		machine.pagemap_ino = st.st_ino;
	return fd;
}

static inline ssize_t machine_look(void *buf, size_t len, uint64_t offset)
{
	uint64_t *words = buf;

	/* Eight words are a page each of the pages that come in a row. */
	ck_assert_uint_eq(len, PROOF_PAGES * sizeof(*words));
	machine.pages = kernel_pointer(offset / sizeof(*words) * PAGE);
	machine.looks++;
	if (machine.pagemap == BROKEN) {
		errno = EIO;
		return -1;
	}
	for (size_t i = 0; i < PROOF_PAGES; i++) {
		words[i] = machine.frames[i] | UINT64_C(1) << 63 |
			   UINT64_C(1) << 61 | UINT64_C(1) << 55;
		if (machine.pagemap == HIDDEN)
			words[i] = UINT64_C(1) << 63;
	}
	/* In the swap, or on its way: the rest of the word is where. */
	if (machine.pagemap == SWAPPED || machine.away > 0)
		words[PROOF_PAGES - 1] = UINT64_C(1) << 62 | 0x1234;
	machine.away -= machine.away > 0;
	return machine.pagemap == ENDED ? (ssize_t)len - 8 : (ssize_t)len;
}

ssize_t WRAP64(pread)(int fd, void *buf, size_t len, off_t offset)
{
	struct stat st;

	if (!machine.on || fstat(fd, &st) != 0 ||
		st.st_ino != machine.pagemap_ino)
		return REAL64(pread)(fd, buf, len, offset);
	/* Where it ends there is nothing, however often that is asked. */
	if (machine.pagemap == ENDED && len < PROOF_PAGES * 8)
		return 0;
	return machine_look(buf, len, (uint64_t)offset);
}

int WRAP64(statfs)(const char *path, struct statfs *fs)
{
	const int ret = REAL64(statfs)(path, fs);

	if (ret == 0 && machine.proc_is_real)
		fs->f_type = PROC_SUPER_MAGIC;
	return ret;
}

int WRAP(access)(const char *path, int mode)
{
	if (!machine.on || strcmp(path, "/dev/__properties__") != 0)
		return REAL(access)(path, mode);
	errno = ENOENT;
	return machine.android ? 0 : -1;
}

/* --- other calls ---------------------------------------------------------- */

uid_t WRAP(geteuid)(void)
{
	return machine.on ? machine.euid : REAL(geteuid)();
}

int WRAP(uname)(struct utsname *name)
{
	const int ret = REAL(uname)(name);

	if (machine.on) {
		snprintf(name->release, sizeof(name->release), "%s",
			machine.release);
		/* Whatever this is built for. */
		snprintf(name->machine, sizeof(name->machine), "%s",
			machine.kind ? machine.kind : "x86_64");
	}
	return ret;
}

ssize_t WRAP(getrandom)(void *buf, size_t len, unsigned int flags)
{
	static bool interrupted;

	if (!machine.on)
		return REAL(getrandom)(buf, len, flags);
	if (machine.random_most > 0) {
		interrupted = !interrupted;
		if (len > machine.random_most)
			len = machine.random_most;
	}
	errno = interrupted ? EINTR : machine.random_error;
	return errno ? -1 : REAL(getrandom)(buf, len, flags);
}

/* Nothing is locked: nor is it ever moved. */
int WRAP(mlock)(const void *addr, size_t len)
{
	(void)addr;
	ck_assert_uint_eq(len, PROOF_PAGES * PAGE);
	errno = machine.mlock_error;
	return errno ? -1 : 0;
}

#ifdef __GLIBC__
typedef __rlimit_resource_t rlimit_resource;
#else
typedef int rlimit_resource;
#endif

int WRAP64(setrlimit)(rlimit_resource what, const struct rlimit *limit)
{
	ck_assert_int_eq(what, RLIMIT_MEMLOCK);
	ck_assert(limit->rlim_cur == RLIM_INFINITY);
	ck_assert(limit->rlim_max == RLIM_INFINITY);
	machine.limits++;
	errno = machine.setrlimit_error;
	kernel.unlimited = errno == 0;
	return errno ? -1 : 0;
}

/* Of those that are this test's: a static C library's come here as well. */
static inline void machine_change_map(const void *was, const void *is)
{
	pthread_mutex_lock(&machine.lock);
	for (size_t i = 0; i < TEST_COUNT(machine.map_list); i++) {
		if (machine.map_list[i] != was)
			continue;
		machine.map_list[i] = is;
		machine.maps += is ? 1 : -1;
		break;
	}
	pthread_mutex_unlock(&machine.lock);
}

void *WRAP64(mmap)(
	void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *map = MAP_FAILED;

	if (machine.map_at && flags == MAP_SHARED) {
		addr = machine.map_at;
		flags |= MAP_FIXED;
	}
	errno = ENOMEM;
	if (!machine.on || atomic_fetch_add(&machine.map_calls, 1) + 1 !=
				   machine.map_fails)
		map = REAL64(mmap)(addr, len, prot, flags, fd, offset);
	if (machine.on && map != MAP_FAILED)
		machine_change_map(NULL, map);
	return map;
}

int WRAP(munmap)(void *addr, size_t len)
{
	if (machine.on)
		machine_change_map(addr, NULL);
	/* Then their frames are memory as any other. */
	if (addr == machine.pages)
		machine.pages = NULL;
	return REAL(munmap)(addr, len);
}

static inline long machine_capget(struct __user_cap_data_struct *data)
{
	data[0].effective = (uint32_t)machine.capabilities;
	data[1].effective = (uint32_t)(machine.capabilities >> 32);
	return 0;
}

long WRAP(syscall)(long number, ...)
{
	long args[3];
	va_list ap;
	int ret;

	/* No call here has more. */
	va_start(ap, number);
	for (size_t i = 0; i < 3; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf) {
		ck_assert(machine.on);
		ret = kernel_bpf((int)args[0], (union bpf_attr *)args[1],
			(size_t)args[2]);
		errno = ret < 0 ? -ret : 0;
		return ret < 0 ? -1 : ret;
	}
	if (number == SYS_capget && machine.on)
		return machine_capget((struct __user_cap_data_struct *)args[1]);
	return REAL(syscall)(number, args[0], args[1], args[2]);
}

/* --- what all tests begin with -------------------------------------------- */

/* Where nothing stands in the way: KASLR, 4 levels of page tables. */
static inline void machine_begin(void)
{
	const uint64_t none[4] = { 0 };

	machine.base = UINT64_C(0xffff9a8440000000);
	machine.end = 3 * GIB;
	machine.task = 2 * GIB + 0x123480;
	for (size_t i = 0; i < PROOF_PAGES; i++)
		machine.frames[i] = 0x70000 - i * 0x3007;
	machine.capabilities = EVERYTHING | (EVERYTHING - 1);
	machine.release = "6.12.0";
	machine.flags = test_text("%s", test_file("flags", none, 32));
	ck_assert_int_eq(
		truncate(machine.flags, (off_t)(machine.end / PAGE * 8)), 0);
	machine.meminfo =
		test_text("%s", test_file("meminfo", "MemTotal: 5 kB\n", 15));
	machine.first_asked = UINT64_MAX;
	pthread_mutex_init(&machine.lock, NULL);
	kernel.read = machine_read;
	kernel.task = machine.base + machine.task;
	machine.on = true;
}

/* The base and the task, which lies so far from it. */
static inline void machine_put(uint64_t base, uint64_t task)
{
	machine.base = base;
	machine.task = task;
	kernel.task = base + task;
}

/* Bits of a word of kpageflags. */
#define POISONED (UINT64_C(1) << 19)
#define NO_PAGE (UINT64_C(1) << 20)
#define OFFLINE (UINT64_C(1) << 23)

static inline void machine_mark(uint64_t frame, uint64_t bits)
{
	const int fd = open(machine.flags, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, &bits, 8, (off_t)(frame * 8)), 8);
	ck_assert_int_eq(close(fd), 0);
}

/* How many there are, of all that a test can have. */
static inline int machine_open_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#endif

/* SPDX-License-Identifier: MIT */
#include "source/host.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"
#define KERNEL_CONFIG_MAX (2u << 20)
/* With what a bootconfig adds: 32 KiB, and the keys' quotes. */
#define COMMAND_LINE_MAX (256u << 10)

/* A small file of the system's, or NULL. */
static char *read_text(const char *path, size_t max)
{
	struct avml_error ignored;
	char *text;
	size_t len;

	return io_read_system_text(path, max, &text, &len, &ignored) < 0 ? NULL
									 : text;
}

/* The file has all modes, and the one in force in brackets. */
bool host_lockdown(char *mode, size_t len)
{
	CLEANUP_FREE char *text = read_text(LOCKDOWN_FILE, 4096);
	const char *open = text ? strchr(text, '[') : NULL;
	const char *close = open ? strchr(open, ']') : NULL;

	if (!close || (size_t)(close - open) > len)
		return false;
	memcpy(mode, open + 1, (size_t)(close - open) - 1);
	mode[close - open - 1] = '\0';
	return true;
}

bool host_capable(unsigned int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = { { .effective = 0 } };

	if (syscall(SYS_capget, &header, data) != 0)
		return geteuid() == 0;
	return data[capability / 32].effective >> capability % 32 & 1;
}

/* The first namespace maps every number to itself. */
bool host_in_user_namespace(void)
{
	CLEANUP_FREE char *text = read_text("/proc/self/uid_map", 4096);
	unsigned long inside, outside, count;

	if (!text ||
		sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3)
		return false;
	return inside != 0 || outside != 0 || count != UINT32_MAX;
}

bool host_is_procfs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

bool host_is_android(void)
{
	struct utsname name;

	return (uname(&name) == 0 && strstr(name.release, "android")) ||
	       access("/dev/__properties__", F_OK) == 0;
}

/*
 * That it cannot be read is no word for either: hardly a kernel has such an
 * option, and where a proc is masked by a container, that says nothing of the
 * machine below.
 */
bool host_booted_with(const char *proc_dir, const char *word)
{
	CLEANUP_FREE char *path = host_proc_path(proc_dir, "cmdline");
	CLEANUP_FREE char *text =
		path ? read_text(path, COMMAND_LINE_MAX) : NULL;
	char *to = text, *rest = NULL;

	/* Quotes may be around all of it, or around what is behind the '='. */
	for (const char *c = text; c && *c; c++) {
		if (*c != '"')
			*to++ = *c == '_' ? '-' : *c;
	}
	if (to)
		*to = '\0';
	for (char *w = text ? strtok_r(text, " \t\n", &rest) : NULL; w;
		w = strtok_r(NULL, " \t\n", &rest)) {
		if (strcmp(w, word) == 0)
			return true;
	}
	return false;
}

size_t host_page_size(size_t configured)
{
	return configured ? configured : (size_t)sysconf(_SC_PAGESIZE);
}

char *host_proc_path(const char *proc_dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", proc_dir ? proc_dir : "/proc", name) < 0
		       ? NULL
		       : path;
}

char host_kernel_config(const char *option)
{
	CLEANUP_FREE char *text = NULL;
	struct utsname name;
	char path[512], line[128];
	const char *found;

	if (uname(&name) < 0)
		return '?';
	snprintf(path, sizeof(path), "/boot/config-%s", name.release);
	text = read_text(path, KERNEL_CONFIG_MAX);
	if (!text)
		return '?';
	snprintf(line, sizeof(line), "\nCONFIG_%s=", option);
	found = strstr(text, line);
	return found ? found[strlen(line)] : 'n';
}

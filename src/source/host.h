/* SPDX-License-Identifier: MIT */
/* What this host allows, as far as it explains why a source does not open. */
#ifndef SOURCE_HOST_H
#define SOURCE_HOST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The lockdown mode: "none", "integrity" or "confidentiality". False when
 * it cannot be told, as where securityfs is not mounted or the kernel has
 * no lockdown.
 */
bool host_lockdown(char *mode, size_t len);

/* Whether we have a capability, by its number in linux/capability.h. */
bool host_capable(unsigned int capability);

/* Whether we are root of a user namespace of our own, not of the machine. */
bool host_in_user_namespace(void);

/* Whether a proc is mounted at `path`: not a mere directory, or a copy. */
bool host_is_procfs(const char *path);

/* Whether this is Android, by its kernel's name or what its init leaves. */
bool host_is_android(void);

/*
 * Whether `word` is on the kernel's command line, which proc_dir (NULL: /proc)
 * has; as for the kernel, '_' is '-'. False where that cannot be read.
 */
bool host_booted_with(const char *proc_dir, const char *word);

/* `configured`, or where that is 0 the system's size of a page, in bytes. */
size_t host_page_size(size_t configured);

/*
 * The path of a file of proc, which is mounted at `proc_dir` (NULL: /proc).
 * The caller frees it; NULL when memory is out.
 */
char *host_proc_path(const char *proc_dir, const char *name);

/*
 * How the running kernel was built, by /boot/config-RELEASE: 'y', 'm', 'n',
 * or '?' where that cannot be told. `option` is without its CONFIG_.
 */
char host_kernel_config(const char *option);

#endif

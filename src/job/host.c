/* SPDX-License-Identifier: MIT */
#include <avml/host.h>

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "source/host.h"

static void read_boot_id(const char *proc_dir, struct avml_host *host)
{
	CLEANUP_FREE char *path =
		host_proc_path(proc_dir, "sys/kernel/random/boot_id");
	CLEANUP_FREE char *text = NULL;
	struct avml_error ignored;
	size_t len;

	if (!path || io_read_system_text(path, 4096, &text, &len, &ignored) < 0)
		return;
	snprintf(host->boot_id, sizeof(host->boot_id), "%.*s",
		(int)strcspn(text, "\n"), text);
}

void avml_host_look(const char *proc_dir, struct avml_host *host)
{
	struct utsname name;

	*host = (struct avml_host){ .root = geteuid() == 0 };
	if (uname(&name) == 0) {
		snprintf(host->name, sizeof(host->name), "%s", name.nodename);
		snprintf(host->machine, sizeof(host->machine), "%s",
			name.machine);
		snprintf(
			host->kernel, sizeof(host->kernel), "%s", name.release);
		snprintf(host->version, sizeof(host->version), "%s",
			name.version);
	}
	read_boot_id(proc_dir, host);
	if (!host_lockdown(host->lockdown, sizeof(host->lockdown)))
		host->lockdown[0] = '\0';
	host->cap_sys_rawio = host_capable(CAP_SYS_RAWIO);
	host->cap_sys_admin = host_capable(CAP_SYS_ADMIN);
}

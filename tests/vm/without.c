/* SPDX-License-Identifier: MIT */
/*
 * without: runs a command as root without some capabilities.
 *
 *   without sys_rawio[,sys_admin...] COMMAND...
 *
 * What is no longer in the bounding set, root does not get by exec().
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned long number;
} capabilities[] = {
	{ "bpf", 39 }, /* CAP_BPF and CAP_PERFMON, of Linux 5.8 */
	{ "perfmon", 38 },
	{ "sys_rawio", CAP_SYS_RAWIO },
	{ "sys_admin", CAP_SYS_ADMIN },
};

static int drop(const char *name)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]);
		i++) {
		if (strcmp(capabilities[i].name, name) == 0)
			return prctl(PR_CAPBSET_DROP, capabilities[i].number, 0,
				0, 0);
	}
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: without CAPABILITY,... COMMAND...\n");
		return 2;
	}
	for (char *name = strtok(argv[1], ","); name;
		name = strtok(NULL, ",")) {
		if (drop(name)) {
			fprintf(stderr, "without: %s: %s\n", name,
				strerror(errno));
			return 125;
		}
	}
	execvp(argv[2], argv + 2);
	fprintf(stderr, "without: %s: %s\n", argv[2], strerror(errno));
	return 127;
}

/* SPDX-License-Identifier: MIT */
/*
 * Which machine this is, and what it allows: what a report says of it.
 *
 * Threads: nothing is shared.
 */
#ifndef AVML_HOST_H
#define AVML_HOST_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Texts are "" where it cannot be told. */
struct avml_host {
	char name[65];	   /* of the machine in its network */
	char machine[65];  /* the kind of processor, as the kernel calls it */
	char kernel[65];   /* release of the running one, */
	char version[65];  /* and which build of it */
	char boot_id[37];  /* of /proc/sys/kernel/random, until a reboot */
	char lockdown[32]; /* its mode */
	bool root;	   /* by effective user */
	bool cap_sys_rawio;
	bool cap_sys_admin;
};

/*
 * `proc_dir` is where proc is mounted; NULL: /proc. The boot id is looked for
 * there; all else is of the machine that we run on.
 */
void avml_host_look(const char *proc_dir, struct avml_host *host);

#ifdef __cplusplus
}
#endif

#endif

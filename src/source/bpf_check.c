/* SPDX-License-Identifier: MIT */
#include "source/bpf_check.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "source/bpf_program.h"
#include "source/host.h"

/* The least mode that forbids it (LOCKDOWN_BPF_READ_KERNEL). */
#define LOCKDOWN_MODE "confidentiality"
#define PROTECTED_KVM "kvm-arm.mode=protected"

/* Of those headers that were installed where this is built. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static bool is_machine(const char *kind)
{
	struct utsname name;

	return uname(&name) == 0 && strcmp(name.machine, kind) == 0;
}

/* Where all of memory is in one piece of the kernel's addresses. */
static int check_machine(struct source_refusal *why, struct avml_error *err)
{
	if (is_machine("x86_64") || is_machine("aarch64"))
		return 0;
	return source_refuse(why, AVML_SOURCE_KERNEL, NULL,
		avml_error_set(err, ENOTSUP,
			"bpf: where this kind of machine has its memory is "
			"not known here, only for x86-64 and arm64"));
}

static int check_capabilities(
	struct source_refusal *why, struct avml_error *err)
{
	static const struct {
		unsigned int number;
		const char *text;
	} wanted[] = {
		{ CAP_BPF, "bpf: the capability CAP_BPF is missing" },
		{ CAP_PERFMON, "bpf: the capability CAP_PERFMON is missing" },
	};
	const bool admin = host_capable(CAP_SYS_ADMIN);

	if (geteuid() != 0 && !admin)
		return source_refuse(why, AVML_SOURCE_NOT_ROOT,
			"run as root (CAP_SYS_ADMIN)",
			avml_error_set(err, EPERM,
				"bpf: to load a program takes CAP_BPF and "
				"CAP_PERFMON"));
	if (host_in_user_namespace())
		return source_refuse(why, AVML_SOURCE_USER_NAMESPACE,
			"root of a user namespace is not root of the machine: "
			"run outside of the container",
			avml_error_set(err, EPERM,
				"bpf: a program cannot be loaded from a user "
				"namespace"));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!admin && !host_capable(wanted[i].number))
			return source_refuse(why, AVML_SOURCE_CAPABILITY,
				"run where root has it, or CAP_SYS_ADMIN",
				avml_error_set(
					err, EPERM, "%s", wanted[i].text));
	}
	if (!admin)
		return source_refuse(why, AVML_SOURCE_CAPABILITY,
			"run where root has it",
			avml_error_set(err, EPERM,
				"bpf: the capability CAP_SYS_ADMIN is missing, "
				"without which the kernel does not tell where "
				"our own pages are"));
	return 0;
}

static int check_lockdown(struct source_refusal *why, struct avml_error *err)
{
	char mode[32];

	if (!host_lockdown(mode, sizeof(mode)) ||
		strcmp(mode, LOCKDOWN_MODE) != 0)
		return 0;
	return source_refuse(why, AVML_SOURCE_LOCKDOWN,
		"only a boot without lockdown allows it",
		avml_error_set(err, EPERM,
			"bpf: kernel lockdown is '%s', which forbids it",
			mode));
}

/*
 * Hypervisors that keep memory to themselves without a mark in kpageflags, and
 * may end the machine that touches it: those of phones, and on arm64 KVM's
 * own, in the mode in which it does not trust the kernel either
 * (Documentation/admin-guide/kernel-parameters.txt, kvm-arm.mode).
 */
static int check_hypervisor(const struct source_place *place,
	struct source_refusal *why, struct avml_error *err)
{
	if (host_is_android())
		avml_error_set(err, EPERM,
			"bpf: this is Android, where a hypervisor may guard "
			"memory that no mark tells of, and end the machine "
			"when it is touched");
	else if (is_machine("aarch64") &&
		 host_booted_with(place->proc_dir, PROTECTED_KVM))
		avml_error_set(err, EPERM,
			"bpf: KVM is in protected mode (" PROTECTED_KVM
			"): its hypervisor has memory that no mark tells of, "
			"and may end the machine when that is touched");
	else
		return 0;
	return source_risk(place, why, err);
}

static int check_ram(const struct source_place *place,
	struct source_refusal *why, struct avml_error *err)
{
	if (place->ram && place->ram->count > 0)
		return 0;
	return source_refuse(why, AVML_SOURCE_NO_RAM,
		"root with CAP_SYS_ADMIN can read iomem; --iomem names "
		"another one",
		avml_error_set(err, ENODATA,
			"bpf: which addresses are RAM is not known"));
}

int bpf_check(const struct source_place *place, struct source_refusal *why,
	struct avml_error *err)
{
	int ret = check_machine(why, err);

	if (ret == 0)
		ret = check_capabilities(why, err);
	if (ret == 0)
		ret = check_lockdown(why, err);
	if (ret == 0)
		ret = check_ram(place, why, err);
	/* Last: what is forced is told of what goes on. */
	return ret == 0 ? check_hypervisor(place, why, err) : ret;
}

int bpf_explain(int ret, struct source_refusal *why, struct avml_error *err)
{
	struct utsname name = { .release = "?" };

	avml_error_wrap(err, "bpf");
	switch (-ret) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return ret;
	case EAGAIN:
		return source_refuse(
			why, AVML_SOURCE_OTHER, "try once more", ret);
	case ENOSYS:
		return source_refuse(why, AVML_SOURCE_KERNEL,
			"this kernel was built without CONFIG_BPF_SYSCALL",
			ret);
	case EPERM:
	case EACCES:
		return source_refuse(why, AVML_SOURCE_DENIED,
			"a security module or a filter of system calls, as "
			"containers have, forbids it",
			ret);
	case BPF_NOT_SUPPORTED:
		/* A load fails so without a JIT, a run before 5.10. */
		(void)uname(&name);
		avml_error_set(err, ENOTSUP,
			"bpf: kernel %s cannot run such a program",
			name.release);
		return source_refuse(why, AVML_SOURCE_KERNEL,
			"5.10 or later can, if its JIT compiler of BPF works "
			"or it has an interpreter",
			-ENOTSUP);
	default:
		return source_refuse(why, AVML_SOURCE_KERNEL,
			"5.10 or later with CONFIG_BPF_EVENTS, without "
			"lockdown, has all that it takes",
			ret);
	}
}

#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Part of run.sh: what differs between the processors that guests have.
#
# shellcheck disable=SC2034,SC2154 # what is set here run.sh and kernels.sh use

# machine_of PROGRAM: the processor that it is for, by its ELF header.
machine_of()
{
	case $(od -An --endian=little -tu2 -j18 -N2 "$1") in
	*' 62') echo x86_64 ;;
	*' 183') echo aarch64 ;;
	*) return 1 ;;
	esac
}

# machine_setup MACHINE: its boots, QEMU and compiler; where RAM begins; the
# name that Debian has for it, where this machine's programs do not run there,
# and the packages that others come from, with the release of these.
machine_setup()
{
	compiler=cc
	ram_base=0
	foreign=
	foreign_packages=()
	programs_suite=bookworm
	case $1 in
	x86_64)
		all_boots=(main sources newer older la57 la57_nokaslr bpf
			bpf_nokaslr)
		named_boots=(picture)
		qemu="qemu-system-x86_64"
		console=ttyS0
		;;
	aarch64)
		all_boots=(arm64 arm64_newer)
		named_boots=()
		qemu="qemu-system-aarch64"
		console=ttyAMA0
		compiler=aarch64-linux-gnu-gcc
		ram_base=$((1 << 30))
		foreign=arm64
		# bpftool, and what it is linked with.
		foreign_packages=(busybox-static bpftool libc6 libcap2 libelf1
			zlib1g)
		;;
	esac
}

# Sets $machine_options, of QEMU, for the boot that is set up.
machine_options()
{
	case $machine in
	x86_64)
		# With erms and fsrm the kernel copies by `rep movsb`, which QEMU
		# emulates byte by byte: twice as slow as words. With cx16 the
		# guest dies now and then: QEMU 7.2's cmpxchg16b leaves garbage
		# in the flags, and an interrupt right behind it saves that.
		machine_options=(-cpu "$cpu$slow_copies,-cx16" -M
			"q35,max-ram-below-4g=${below_4g_mib}M,memory-backend=ram")
		;;
	aarch64)
		machine_options=(-cpu "$cpu" -M
			"virt,gic-version=3,memory-backend=ram")
		;;
	esac
}

#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: which source is taken, and why not another.

# mask FILE: what container runtimes do to it.
mask()
{
	mount --bind /dev/null "$1" || die "mask $1"
}

# --- /dev/crash --------------------------------------------------------------

# crash_load [PARAMETER...]: the driver with its counts at 0 (crash.c).
crash_load()
{
	crash_unload
	insmod /modules/crash.ko "$@" || die "insmod crash"
	[ -c /dev/crash ] || die "no /dev/crash"
}

crash_unload()
{
	if [ -e /sys/module/crash ]; then
		rmmod crash || die "rmmod crash"
	fi
}

# What it counted, kept with a case.
crash_counts()
{
	for count in reads wrong touched; do
		echo "$count $(cat /sys/module/crash/parameters/$count)"
	done > "/mnt/$1/crash"
}

# Addresses of some planted pages on both sides of 4 GiB, some of them next to
# each other, with commas between them.
some_planted()
{
	awk 'NR == 2 || NR == 3 || NR == 1000 || NR == 2000 || NR == 4000 {
		printf "%s%s000", comma, $2; comma = "," }' /mnt/guest/before
}

case_crash()
{
	crash_load
	run crash avml /mnt/crash/out.lime
	crash_counts crash
}

# Pages that it refuses and kcore has.
case_crash_filled()
{
	crash_load "bad=$(some_planted)"
	run crash_filled avml /mnt/crash_filled/out.lime
	crash_counts crash_filled
	some_planted > /mnt/crash_filled/bad
}

case_crash_bad()
{
	crash_load "bad=$(some_planted)"
	run crash_bad avml --source crash /mnt/crash_bad/out.lime
	crash_counts crash_bad
	some_planted > /mnt/crash_bad/bad
}

# Nothing to fall back to.
case_crash_alone()
{
	crash_load
	mask /proc/kcore
	run crash_alone avml --compress /mnt/crash_alone/out.v2
	umount /proc/kcore
	crash_counts crash_alone
}

# --- /dev/mem ----------------------------------------------------------------

# With neither kcore nor /dev/crash the machine is read by BPF.
case_mem_alone()
{
	mask /proc/kcore
	run mem_alone avml /mnt/mem_alone/out.lime
	umount /proc/kcore
}

case_mem()
{
	run mem avml --source /dev/mem /mnt/mem/out.lime
}

# --- who may not -------------------------------------------------------------

case_not_root()
{
	mkdir -p /mnt/not_root
	chmod 1777 /mnt/not_root
	run not_root su user -c "avml /mnt/not_root/out.lime"
}

case_no_rawio()
{
	run no_rawio without sys_rawio avml /mnt/no_rawio/out.lime
}

# It then sees zeros in iomem.
case_no_admin()
{
	run no_admin without sys_admin avml /mnt/no_admin/out.lime
}

# --- where there is no kcore -------------------------------------------------

# No kcore at all, as where the kernel is built without it.
case_no_kcore()
{
	mkdir -p /tmp/proc
	cat /proc/iomem > /tmp/proc/iomem
	run no_kcore avml --proc /tmp/proc --source kcore \
		/mnt/no_kcore/out.lime
}

case_masked()
{
	mask /proc/kcore
	run masked avml --source /proc/kcore /mnt/masked/out.lime
	umount /proc/kcore
}

case_masked_empty()
{
	: > /tmp/empty
	mount --bind /tmp/empty /proc/kcore || die "mask kcore"
	run masked_empty avml --source kcore /mnt/masked_empty/out.lime
	umount /proc/kcore
}

# --- lockdown ----------------------------------------------------------------
# It cannot be undone, only made stricter: at the end of a boot.

lock_down()
{
	echo "$1" > /sys/kernel/security/lockdown
}

# lockdown_state CASE
lockdown_state()
{
	cat /sys/kernel/security/lockdown > "/mnt/$1/state"
}

case_integrity()
{
	lock_down integrity
	run integrity avml /mnt/integrity/out.lime
	lockdown_state integrity
}

case_integrity_mem()
{
	run integrity_mem avml --source mem /mnt/integrity_mem/out.lime
	lockdown_state integrity_mem
}

case_lockdown()
{
	lock_down confidentiality
	run lockdown avml /mnt/lockdown/out.lime
	lockdown_state lockdown
}

# --- avml sources ------------------------------------------------------------

# Everything that is a file, but for what is not avml's: the results.
list_files()
{
	find / /dev /tmp -xdev ! -path '/mnt*' ! -path '/proc*' \
		! -path '/sys*' ! -path '/tmp/script.sh' ! -type d \
		-print0 | sort -z | xargs -0 stat -c '%n %s %Y %Z %i'
}

# sources CASE [WORDS...]: what it says in words and as JSON, and which files
# it changed. The words are how to call avml.
sources()
{
	name=$1
	shift
	[ $# -gt 0 ] || set -- avml
	mkdir -p "/mnt/$name" "/mnt/${name}_json"
	list_files > "/mnt/$name/before"
	run "$name" "$@" sources
	run "${name}_json" "$@" sources --json
	list_files > "/mnt/$name/after"
}

case_sources_plain()
{
	sources sources_plain
}

case_sources_crash()
{
	crash_load
	sources sources_crash
	crash_counts sources_crash
}

case_sources_masked()
{
	mask /proc/kcore
	sources sources_masked
	umount /proc/kcore
}

case_sources_masked_empty()
{
	mount --bind /tmp/empty /proc/kcore || die "mask kcore"
	sources sources_masked_empty
	umount /proc/kcore
}

case_sources_no_rawio()
{
	sources sources_no_rawio without sys_rawio avml
}

case_sources_no_admin()
{
	sources sources_no_admin without sys_admin avml
}

# `su -c` takes its command as one word.
case_sources_user()
{
	cat > /bin/as_user <<-'END'
		#!/bin/sh
		exec su user -c "$*"
	END
	chmod 755 /bin/as_user
	sources sources_user as_user avml
}

# Root with all capabilities, but of a namespace only.
case_sources_user_namespace()
{
	sources sources_user_namespace as_user unshare -U -r avml
}

case_sources_unmarked()
{
	mask /proc/kpageflags
	sources sources_unmarked
	umount /proc/kpageflags
}

case_sources_integrity()
{
	sources sources_integrity
}

case_sources_lockdown()
{
	sources sources_lockdown
}

#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: memory by a program of BPF.

case_bpf_threads()
{
	run bpf_threads avml --source bpf --threads 2 \
		--report /mnt/bpf_threads/report /mnt/bpf_threads/out.lime
}

case_bpf_compressed()
{
	run bpf_compressed avml --source bpf --compress \
		/mnt/bpf_compressed/out.v2
}

# Symbols are hidden from root too: none is asked for.
case_bpf_kptr()
{
	echo 2 > /proc/sys/kernel/kptr_restrict
	run bpf_kptr avml --source bpf --threads 1 /mnt/bpf_kptr/out.lime
	echo 0 > /proc/sys/kernel/kptr_restrict
}

case_bpf_secret()
{
	run bpf_secret avml --source bpf /mnt/bpf_secret/out.lime
}

case_bpf_kfence()
{
	run bpf_kfence avml --source bpf /mnt/bpf_kfence/out.lime
}

# --- what is left of it -------------------------------------------------------

# Programs and maps that the kernel has.
bpf_list()
{
	bpftool --json prog show
	bpftool --json map show
}

# bpf_watched CASE SIGNAL: what there is before it, while it waits for a reader,
# and behind its end, which the signal brings about; 0: none.
bpf_watched()
{
	mkdir -p "/mnt/$1"
	bpf_list > "/mnt/$1/bpf.before"
	# Where aarch64 has RAM, it begins at 1 GiB.
	part=00100000-03ffffff
	[ "$(uname -m)" != aarch64 ] || part=40100000-43ffffff
	echo "$part : System RAM" > /tmp/iomem.part
	mkfifo /tmp/fifo
	# Before it reads, avml has tried the source and closed it again: the
	# kernel takes its time to free that, as it does behind the end.
	cat > /tmp/watched.sh <<-END
		avml --source bpf --iomem /tmp/iomem.part /tmp/fifo 2> /tmp/watched.stderr &
		pid=\$!
		exec 3< /tmp/fifo
		dd bs=4096 count=256 iflag=fullblock 2> /dev/null <&3 > /dev/null
		for _ in \$(seq 50); do
			{ bpftool --json prog show
			bpftool --json map show; } > /mnt/$1/bpf.while
			[ "\$(grep -o avml_read /mnt/$1/bpf.while | wc -l)" \
				-gt 2 ] || break
			sleep 0.1
		done
		[ $2 = 0 ] || kill -$2 \$pid
		dd bs=64k 2> /dev/null <&3 > /dev/null
		wait \$pid
	END
	run_script "$1" < /tmp/watched.sh
	rm /tmp/fifo
	for _ in $(seq 50); do
		bpf_list > "/mnt/$1/bpf.after"
		cmp -s "/mnt/$1/bpf.before" "/mnt/$1/bpf.after" && break
		sleep 0.1
	done
}

case_bpf_left()
{
	bpf_watched bpf_left 0
}

case_bpf_killed()
{
	bpf_watched bpf_killed KILL
}

# --- where it is the only one -------------------------------------------------

case_bpf()
{
	mask /proc/kcore
	run bpf avml /mnt/bpf/out.lime
	umount /proc/kcore
}

case_sources_bpf()
{
	mask /proc/kcore
	sources sources_bpf
	umount /proc/kcore
}

# --- who may, and who may not -------------------------------------------------

# Nobody but root loads programs, and root does.
case_bpf_root()
{
	echo 2 > /proc/sys/kernel/unprivileged_bpf_disabled
	run bpf_root avml --source bpf --threads 1 /mnt/bpf_root/out.lime
}

# With a list of RAM, which it may not see: it is not for want of that.
case_bpf_user()
{
	mkdir -p /mnt/bpf_user
	chmod 1777 /mnt/bpf_user
	cat /proc/iomem > /tmp/iomem
	run bpf_user su user -c \
		"avml --source bpf --iomem /tmp/iomem /mnt/bpf_user/out.lime"
}

# bpf_without CASE CAPABILITY,...
bpf_without()
{
	run "$1" without "$2" avml --source bpf --iomem /tmp/iomem \
		"/mnt/$1/out.lime"
}

case_bpf_no_admin()
{
	bpf_without bpf_no_admin sys_admin
}

case_bpf_no_bpf()
{
	bpf_without bpf_no_bpf bpf,sys_admin
}

case_bpf_no_perfmon()
{
	bpf_without bpf_no_perfmon perfmon,sys_admin
}

# Nothing else stands before pages that must not be touched.
case_bpf_unmarked()
{
	mask /proc/kpageflags
	run bpf_unmarked avml --source bpf /mnt/bpf_unmarked/out.lime
	umount /proc/kpageflags
}

case_bpf_forced()
{
	mask /proc/kpageflags
	run bpf_forced avml --source bpf --force /mnt/bpf_forced/out.lime
	umount /proc/kpageflags
}

case_bpf_lockdown()
{
	lock_down confidentiality
	run bpf_lockdown avml --source bpf /mnt/bpf_lockdown/out.lime
	lockdown_state bpf_lockdown
}

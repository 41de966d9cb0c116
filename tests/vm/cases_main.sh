#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: whole images, and what ends a run.

case_plain()
{
	run plain avml /mnt/plain/out.lime
}

case_threads1()
{
	run threads1 avml --threads 1 --source /proc/kcore /mnt/threads1/out.lime
}

# --proc: another mount of proc, as a container has of its host. With the
# usual one masked there is no doubt which was read.
case_proc_threads2()
{
	mkdir -p /host/proc
	mount -t proc proc /host/proc
	mount --bind /dev/null /proc/kcore
	run proc_threads2 avml --threads 2 --proc /host/proc \
		--source kcore /mnt/proc_threads2/out.lime
	umount /proc/kcore
	umount /host/proc
}

# The status is avml's, not the last command's of the pipe. (That is dd:
# busybox's cat takes its time.)
case_stream()
{
	run_script stream <<-'END'
		{ avml -; echo $? > /tmp/stream.status; } |
			dd bs=64k 2> /dev/null > /mnt/stream/out.lime
		exit "$(cat /tmp/stream.status)"
	END
}

case_compressed()
{
	run compressed avml --compress /mnt/compressed/out.v2
}

case_compressed_stream()
{
	run_script compressed_stream <<-'END'
		{ avml --compress -; echo $? > /tmp/stream.status; } |
			dd bs=64k 2> /dev/null > /mnt/compressed_stream/out.v2
		exit "$(cat /tmp/stream.status)"
	END
}

# Of the compressed images of the two cases above.
case_converted()
{
	run converted avml convert /mnt/compressed/out.v2 \
		/mnt/converted/out.lime
}

case_converted_by_name()
{
	run converted_by_name avml-convert /mnt/compressed_stream/out.v2 \
		/mnt/converted_by_name/out.lime
}

# --- what ends a run ---------------------------------------------------------

# What is left of an image, if anything, goes to the disk of results.
keep_image()
{
	if [ -e "$1" ]; then
		mv "$1" "$2"
	fi
}

# A second disk of a few MiB; what it holds is copied to the first.
case_enospc()
{
	mount -t ext4 /dev/vdb /small || die "no small disk"
	run enospc avml /small/out.lime
	df -k /small > /mnt/enospc/df
	keep_image /small/out.lime /mnt/enospc/out.lime
	umount /small
}

# The kibibytes that were free on /small, again and again, until stopped.
watch_free()
{
	while :; do
		stat -f -c '%a %S' /small
	done > "$1" &
	watch_pid=$!
}

case_min_free()
{
	mount -t ext4 /dev/vdb /small || die "no small disk"
	mkdir -p /mnt/min_free
	watch_free /mnt/min_free/free
	run min_free avml --min-free 10 /small/out.lime
	kill $watch_pid
	wait $watch_pid 2> /dev/null
	stat -f -c '%a %S' /small > /mnt/min_free/free_after
	keep_image /small/out.lime /mnt/min_free/out.lime
	umount /small
}

# refused_for_space CASE OPTION...
refused_for_space()
{
	name=$1
	shift
	mount -t ext4 /dev/vdb /small || die "no small disk"
	run "$name" avml "$@" "/small/out.lime"
	keep_image /small/out.lime "/mnt/$name/out.lime"
	umount /small
}

# More than is free already.
case_min_free_refused()
{
	refused_for_space min_free_refused --min-free 100
}

# What it leaves has no place for any image of this machine.
case_no_fit()
{
	refused_for_space no_fit --min-free 56
}

# The host's root as a container may see it: proc, dev and files in one place.
# The disk's own directory has names of its own, so that the bundle's get a
# prefix.
case_bundle()
{
	for name in proc sys dev etc boot; do
		mkdir -p "/host/$name"
		mount --bind "/$name" "/host/$name"
	done
	run bundle avml --root /host --bundle /mnt/bundle/dir \
		--report /mnt/bundle/report --digest /mnt/bundle/out.lime
	for name in boot etc dev sys proc; do
		umount "/host/$name"
	done
	for path in /mnt/bundle/dir/*; do
		mv "$path" "/mnt/bundle/bundle.${path##*/}"
	done
}

case_sigterm()
{
	run_script sigterm <<-'END'
		avml --threads 1 /mnt/sigterm/out.lime &
		pid=$!
		while [ "$(stat -c %s /mnt/sigterm/out.lime || echo 0)" -lt \
			100000000 ]; do
			kill -0 $pid || break
		done 2> /dev/null
		kill -TERM $pid
		wait $pid
	END
}

# --- where the memory that is read would be written over ---------------------

case_tmpfs()
{
	mkdir -p /tmpfs
	mount -t tmpfs -o size=40m tmpfs /tmpfs
	run tmpfs avml /tmpfs/out.lime
	keep_image /tmpfs/out.lime /mnt/tmpfs/out.lime
	umount /tmpfs
}

# What the initramfs lives in.
case_tmpfs_root()
{
	run tmpfs_root avml /out.lime
	keep_image /out.lime /mnt/tmpfs_root/out.lime
}

# The whole image has no place there: it ends as on any full disk.
case_tmpfs_force()
{
	mkdir -p /tmpfs
	mount -t tmpfs -o size=40m tmpfs /tmpfs
	run tmpfs_force avml --force /tmpfs/out.lime
	keep_image /tmpfs/out.lime /mnt/tmpfs_force/out.lime
	umount /tmpfs
}

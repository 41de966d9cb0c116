#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: memory that has to be handled with care, and
# memory that comes and goes.

# wait_for SECONDS COMMAND...
wait_for()
{
	tries=$(($1 * 10))
	shift
	while [ $tries -gt 0 ]; do
		"$@" && return 0
		sleep 0.1
		tries=$((tries - 1))
	done
	return 1
}

# --- pages that the kernel marks ---------------------------------------------

# odd_pages KIND COUNT: the process stays (odd.c).
odd_pages()
{
	odd "$1" "$2" "/mnt/guest/$1" 2> "/tmp/$1.stderr" &
	wait_for 20 [ -e "/mnt/guest/$1" ] ||
		die "odd: $(cat "/tmp/$1.stderr")"
	say "$2 $1 pages"
}

# From here on every image of the boot has holes.
poison()
{
	if [ ! -e /mnt/guest/poisoned ]; then
		odd_pages poisoned 4
		grep HardwareCorrupted /proc/meminfo > /mnt/guest/corrupted
	fi
}

case_poisoned()
{
	poison
	run poisoned avml --source kcore /mnt/poisoned/out.lime
}

# The driver would give these pages, and counts whether it was asked.
case_poisoned_crash()
{
	poison
	crash_load "watched=$(awk 'NR > 1 {
		printf "%s%s000", comma, $2; comma = "," }' \
		/mnt/guest/poisoned)"
	run poisoned_crash avml --source crash /mnt/poisoned_crash/out.lime
	crash_counts poisoned_crash
	crash_unload
}

# Pages that the host has taken (run.sh), all over the guest.
case_ballooned()
{
	load virtio_balloon
	total=$(awk '/MemTotal/ { print $2 }' /mnt/guest/meminfo)
	# shellcheck disable=SC2016 # awk's own
	wait_for 20 awk -v total="$total" \
		'/MemTotal/ { exit !($2 + 16000 < total) }' /proc/meminfo ||
		die "the balloon does not grow"
	mkdir -p /mnt/ballooned
	cat /proc/kpageflags > /mnt/ballooned/kpageflags
	run ballooned avml --max-unreadable 100 /mnt/ballooned/out.lime
	rmmod virtio_balloon
}

# Nothing tells which pages are poisoned, but that there are some.
case_unmarked()
{
	mask /proc/kpageflags
	run unmarked avml /mnt/unmarked/out.lime
	umount /proc/kpageflags
}

case_unmarked_said()
{
	mask /proc/kpageflags
	run unmarked_said avml --source kcore /mnt/unmarked_said/out.lime
	umount /proc/kpageflags
}

case_secret()
{
	[ -e /mnt/guest/secret ] || odd_pages secret 4
	run secret avml --source kcore /mnt/secret/out.lime
}

# The driver cannot read them, and what kcore has for them is no answer.
case_secret_crash()
{
	[ -e /mnt/guest/secret ] || odd_pages secret 4
	crash_load
	run secret_crash avml /mnt/secret_crash/out.lime
	crash_counts secret_crash
	crash_unload
}

# --- memory that comes and goes ----------------------------------------------
# A DIMM that is there from the start, offline, and one of virtio-mem that
# comes with its driver (run.sh).

# The driver would give it.
case_offline()
{
	facts offline
	crash_load
	run offline avml --source crash --max-unreadable 100 \
		/mnt/offline/out.lime
	crash_counts offline
	crash_unload
}

# The same, where kcore knows nothing of it.
case_offline_kcore()
{
	facts offline_kcore
	run offline_kcore avml --max-unreadable 100 \
		/mnt/offline_kcore/out.lime
}

# run_meanwhile CASE COMMAND: an image to a reader that waits, after the first
# MiB, until the command has ended.
run_meanwhile()
{
	cat > /tmp/meanwhile.sh <<-END
		{ avml --max-unreadable 100 -; echo \$? > /tmp/stream.status; } |
		{
			dd bs=4096 count=256 iflag=fullblock 2> /dev/null
			$2 > /mnt/$1/meanwhile 2>&1
			dd bs=64k 2> /dev/null
		} > /mnt/$1/out.lime
		exit "\$(cat /tmp/stream.status)"
	END
	run_script "$1" < /tmp/meanwhile.sh
}

# The DIMM is taken out. Its memory is in use before, as far as it is ever:
# movable, or it could not be taken out.
case_gone()
{
	state=$(grep -lx offline /sys/devices/system/memory/memory*/state |
		head -n 1)
	echo online_movable > "$state" || die "no DIMM"
	facts gone
	cat > /bin/unplug <<-'END'
		#!/bin/sh
		ram() { grep -c ': System RAM' /proc/iomem; }
		before=$(ram)
		for eject in /sys/bus/acpi/devices/PNP0C80:*/eject; do
			echo 1 > "$eject"
		done
		for _ in $(seq 100); do
			[ "$(ram)" -lt "$before" ] && break
			sleep 0.1
		done
		cat /proc/iomem
	END
	chmod 755 /bin/unplug
	run_meanwhile gone unplug
}

case_plugged()
{
	cat > /bin/plug <<-'END'
		#!/bin/sh
		while read -r module; do
			insmod "/modules/$module"
		done < /modules/virtio_mem.order
		for _ in $(seq 100); do
			grep -q 'System RAM (virtio_mem)' /proc/iomem && break
			sleep 0.1
		done
		cat /proc/iomem
	END
	chmod 755 /bin/plug
	run_meanwhile plugged plug
}

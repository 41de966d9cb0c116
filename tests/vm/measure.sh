#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: what is measured, and neither passes nor fails by
# its time.

# measured NAME COMMAND...: a line NAME SECONDS in /tmp/times.
measured()
{
	name=$1
	shift
	began=$(uptime_s)
	if ! "$@" > /dev/null 2>> /tmp/measured.log; then
		say "measuring: $name failed"
		return
	fi
	echo "$name $began $(uptime_s)" |
		awk '{ printf "%s %.2f\n", $1, $3 - $2 }' >> /tmp/times
}

dd_kcore()
{
	while read -r offset length; do
		dd if=/proc/kcore of=/dev/null bs="$1" skip="$offset" \
			count="$length" iflag=skip_bytes,count_bytes || return 1
	done < /tmp/ranges
}

# The same bytes by avml and by dd, in turn.
measure_kcore()
{
	coreranges > /tmp/ranges
	: > /tmp/times
	for round in 1 2 3 4 5; do
		measured avml avml --quiet --threads 1 --source kcore -
		measured dd_1M dd_kcore 1M
		[ "$round" -gt 3 ] || measured dd_4k dd_kcore 4k
	done
	{
		echo "bytes $(awk '{ n += $2 } END { print n }' /tmp/ranges)"
		cat /tmp/times
	} > /mnt/guest/kcore_times
}

# The same bytes by BPF and by kcore, in turn.
measure_bpf()
{
	: > /tmp/times
	for _ in 1 2 3 4 5; do
		measured bpf avml --quiet --threads 1 --source bpf -
		measured kcore avml --quiet --threads 1 --source kcore -
	done
	cp /tmp/times /mnt/guest/bpf_times
}

# The most that is seen of a file in the page cache, until it is told to stop.
watch_cached()
{
	most=0
	while [ ! -e /tmp/watched ]; do
		now=$(cached "$1" 2> /dev/null || echo 0)
		[ "$now" -le "$most" ] || most=$now
	done
	echo "$most" > /tmp/most
}

# What writing an image leaves of others' pages in the cache, and the most of
# its own that were there: a line BY PROBE_BEFORE PROBE_AFTER OWN for each.
measure_cache()
{
	dd if=/dev/urandom of=/mnt/probe bs=1M count=96 2> /dev/null
	for by in avml dd; do
		sync
		echo 3 > /proc/sys/vm/drop_caches
		cat /mnt/probe > /dev/null
		before=$(cached /mnt/probe)
		rm -f /tmp/watched
		watch_cached /mnt/measured &
		watching=$!
		if [ $by = avml ]; then
			avml --quiet --source kcore /mnt/measured
		else
			avml --quiet --source kcore - |
				dd of=/mnt/measured bs=256k 2> /dev/null
		fi
		: > /tmp/watched
		wait $watching
		echo "$by $before $(cached /mnt/probe) $(cat /tmp/most)"
		rm /mnt/measured
	done > /mnt/guest/cache
	rm /mnt/probe
}

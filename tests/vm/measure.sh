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
	"$@" > /dev/null 2>> /tmp/measured.log ||
		say "measuring: $name failed"
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

# What writing an image leaves of others' pages in the cache, and of its own:
# a line each, PROBE_BEFORE PROBE_AFTER OWN.
measure_cache()
{
	dd if=/dev/urandom of=/mnt/probe bs=1M count=96 2> /dev/null
	for by in avml dd; do
		cat /mnt/probe /mnt/probe > /dev/null
		before=$(cached /mnt/probe)
		if [ $by = avml ]; then
			avml --quiet --source kcore /mnt/measured
		else
			avml --quiet --source kcore - |
				dd of=/mnt/measured bs=256k 2> /dev/null
		fi
		echo "$by $before $(cached /mnt/probe) $(cached /mnt/measured)"
		rm /mnt/measured
	done > /mnt/guest/cache
	rm /mnt/probe
}

#!/bin/bash
# SPDX-License-Identifier: MIT
# The guard in front of conversions: the machine's own memory is never named.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

lime write "$T/v2" 0x1000-0x2000 --format v2
AVML=$T/never
printf '#!/bin/sh\ntouch %s\n' "$T/ran" >"$AVML"
chmod +x "$AVML"
refused()
{
	if avml "$@" 2>/dev/null; then
		fail "not refused: $*"
	fi
	[ -s "$T/failed" ] || fail "no reason: $*"
	rm "$T/failed"
	[ ! -e "$T/ran" ] || fail "ran: $*"
}
ln -s /proc "$T/link"
refused convert /proc/kcore "$T/out"
refused convert --source-format raw /dev/mem "$T/out"
refused convert --salvage /dev/crash "$T/out"
refused convert "$T/link/kcore" "$T/out"
refused convert "$T/../../proc/kcore" "$T/out"
refused convert --format=/proc/kcore "$T/v2" "$T/out"
refused convert "$T/v2" /dev/sda
refused convert - "$T/out" </proc/self/maps
cd /proc || exit
refused convert kcore "$T/out"
cd "$T" || exit
cp never avml-convert
AVML=$T/avml-convert
refused /proc/kcore "$T/out"
refused -- /dev/mem "$T/out"

allowed()
{
	avml "$@" || fail "not allowed: $*"
	[ -e "$T/ran" ] || fail "did not run: $*"
	rm "$T/ran"
}
allowed "$T/v2" "$T/out"
AVML=$T/never
allowed convert "$T/v2" "$T/out"
allowed convert --format=raw --salvage - - <"$T/v2"
allowed convert v2 /dev/fd/3
allowed convert --help

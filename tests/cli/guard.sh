#!/bin/bash
# SPDX-License-Identifier: MIT
# The guard in front of the binary: what is not plainly made up never runs.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 4
cp "$T/memory" "$T/m"
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
refused
refused "$T/out"
refused acquire "$T/out"
refused --source kcore "$T/out"
refused --source /proc/kcore "$T/out"
refused --source "$T/m" "$T/out"
refused --iomem "$T/iomem" "$T/out"
refused --proc "$T/proc" "$T/out"
refused --proc /proc --source kcore "$T/out"
refused --proc "$T/../../proc" --source kcore "$T/out"
refused --proc "$T/proc" --source /dev/mem "$T/out"
refused --proc "$T/proc" --source /proc/kcore "$T/out"
refused --proc "$T/proc" --source bpf "$T/out"
refused --source "$T/m" --iomem /proc/iomem "$T/out"
refused --source /dev/mem --iomem "$T/iomem" "$T/out"
refused --source /dev/mem "--iomem=$T/iomem" "$T/out"
refused --source "$T/m" "$T/out" --iomem "$T/iomem"
refused --source "$T/m" --iomem
refused --source "$T/m" --iomem= "$T/out"
refused "--source=$T/m" -- --iomem "$T/iomem"
refused --source "$T/m" --iomem "$T/iomem" --source /dev/mem "$T/out"
refused --source "$T/m" --iomem "$T/iomem" "$T/out" --proc /proc
refused --threads "--source" "$T/m" --iomem "$T/iomem" "$T/out"
refused --help "$T/out"
refused acquire --help "$T/out"
ln -s /proc "$T/link"
refused --proc "$T/link" --source kcore "$T/out"

allowed()
{
	avml "$@" || fail "not allowed: $*"
	[ -e "$T/ran" ] || fail "did not run: $*"
	rm "$T/ran"
}
allowed --help
allowed acquire --version
allowed --source "$T/m" --iomem "$T/iomem" "$T/out"
allowed acquire "--iomem=$T/iomem" "--source=$T/m" "$T/out" --bogus
allowed --proc "$T/proc" --source kcore "$T/out"
allowed --source "$T/proc/kcore" "--proc=$T/proc" "$T/out"

#!/bin/bash
# SPDX-License-Identifier: MIT
# --source means that source alone: no other is asked or even opened.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 16 --mark --cut crash=0x7ff000 \
	--kcore-without 0x905000-0x9fb000 --cut mem=0xa00000
end=$(lime_ranges "$T/iomem" | tail -n 1)
end=${end#*-}
alone()
{
	expect_status 3 avml "${from[@]}" --source "$1" --max-unreadable 100 \
		"$T/out"
	expect_err "bytes of RAM from $2;"
}
alone crash "$T/dev/crash"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" \
	--unreadable "0x7ff000-$end"
expect_unreadable 0x7ff000 0xc00000 .
alone mem "$T/dev/mem"
expect_image "$T/out" "$T/memory.mem" "$T/iomem" --unreadable "0xa00000-$end"
alone kcore "$T/proc/kcore"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem" \
	--left-out 0x905000-0x9fb000
expect_unreadable 0x905000 0x9fb000 .

# A path in the tree is that source too.
alone "$T/proc/kcore" "$T/proc/kcore"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem" \
	--left-out 0x905000-0x9fb000

# One that does not work is the whole error.
rm "$T/out" "$T/dev/crash"
expect_error 1 "$T/dev/crash" avml "${from[@]}" --source crash "$T/out"
expect_no_err "$T/dev/mem" kcore 'no source of memory works'
expect_absent "$T/out"
: >"$T/dev/mem"
expect_error 1 "$T/dev/mem" avml "${from[@]}" --source mem "$T/out"
expect_no_err crash kcore 'no source of memory works'
expect_absent "$T/out"
rm "$T/proc/kcore"
expect_error 1 "$T/proc/kcore" avml "${from[@]}" --source kcore "$T/out"
expect_no_err crash "$T/dev/mem"
expect_absent "$T/out"

make_sources --size 16 --mark --keep --cut crash=0x7ff000
trace_calls open,openat || exit 0
for name in crash kcore mem; do
	others=("$T/dev/crash" "$T/proc/kcore" "$T/dev/mem")
	case $name in
	crash) unset 'others[0]' ;;
	kcore) unset 'others[1]' ;;
	mem) unset 'others[2]' ;;
	esac
	avml "${from[@]}" --source $name --max-unreadable 100 "$T/out" \
		2>"$T/err" || [ $? = 3 ]
	traced closed "${others[@]}" >"$T/found" ||
		fail "--source $name: $(cat "$T/found")"
done

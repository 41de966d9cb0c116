#!/bin/bash
# SPDX-License-Identifier: MIT
# Pages that kpageflags marks are not touched: no read overlaps them, zeros
# are in their place, and each is named with its reason and counted.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# At the edges of ranges and in their middle, where sources are probed; at
# those of pieces (256 KiB from a range's start); runs, and a whole piece.
marks='
0x1000 0x2000 hwpoison
0x9e000 0x9f000 nopage
0x100000 0x101000 hwpoison
0x13f000 0x140000 offline
0x140000 0x141000 nopage
0x17f000 0x181000 hwpoison
0x200000 0x240000 offline
0x240000 0x241000 hwpoison
0x300000 0x3a1000 nopage
0x500000 0x501000 hwpoison
0x8ff000 0x900000 offline
0x9b0000 0x9b2000 offline
0xa3f000 0xa42000 nopage
'
flags=()
zeros=()
bad=()
bad_kcore=()
bytes=0
while read -r start end flag; do
	[ -n "$start" ] || continue
	flags+=(--page-flag "$start-$end=$flag")
	zeros+=(--unreadable "$start-$end")
	bad+=("$start-$end")
	bad_kcore+=("$((start + 0x4000))-$((end + 0x4000))")
	bytes=$((bytes + end - start))
done <<<"$marks"
make_sources --size 12 --mark "${flags[@]}"

told()
{
	local start end flag
	while read -r start end flag; do
		case $flag in
		hwpoison) expect_unreadable "$start" "$end" \
			'hardware poisoned \(kpageflags\)$' ;;
		offline) expect_unreadable "$start" "$end" \
			'offline \(kpageflags\)$' ;;
		nopage) expect_unreadable "$start" "$end" \
			'no page \(kpageflags\)$' ;;
		esac
	done <<<"$marks"
	[ "$(grep -c 'could not be read' "$T/err")" = 13 ] || fail "$(said)"
	expect_err " $bytes bytes unreadable"
}
expect_status 3 avml "${from[@]}" --max-unreadable 100 - >"$T/stream"
expect_image "$T/stream" "$T/memory.crash" "$T/iomem" "${zeros[@]}"
told
expect_status 3 avml "${from[@]}" --max-unreadable 100 --threads 1 "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" "${zeros[@]}"
told
expect_error 1 "^error: .*$bytes bytes" avml "${from[@]}" "$T/out"

# A mere file is no machine's memory, and has no such pages.
expect_status 0 avml --proc "$T/proc" --source "$T/memory" \
	--iomem "$T/iomem" "$T/plain"
expect_image "$T/plain" "$T/memory" "$T/iomem"

untouched()
{
	[ ${#before[@]} -gt 0 ] || return 0

	local path=$1
	shift
	traced avoids "$path" "$@" >"$T/found" ||
		fail "$path: $(cat "$T/found")"
}
trace_calls pread64,preadv,preadv2,read,readv,mmap || :
for name in crash kcore mem; do
	expect_status 3 avml "${from[@]}" --source $name --threads 5 \
		--max-unreadable 100 "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem" "${zeros[@]}"
	told
	case $name in
	kcore) untouched "$T/proc/kcore" "${bad_kcore[@]}" ;;
	*) untouched "$T/dev/$name" "${bad[@]}" ;;
	esac
done

# Where one source fills in for another, neither of them is asked.
make_sources --size 12 --mark --keep "${flags[@]}" --cut crash=0x9a0000 \
	--kcore-without 0xa01000-0xa7f000
expect_status 3 avml "${from[@]}" --max-unreadable 100 "$T/out"
untouched "$T/dev/crash" "${bad[@]}"
untouched "$T/proc/kcore" "${bad_kcore[@]}"
untouched "$T/dev/mem" "${bad[@]}"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" "${zeros[@]}" \
	--part "$T/memory.kcore:0x9a0000-0x10000000" \
	--part "$T/memory.mem:0xa01000-0xa7f000"
told
# Nor does looking at the sources touch them.
avml sources --proc "$T/proc" --dev "$T/dev" >"$T/list" 2>"$T/err" ||
	fail "$(said)"
untouched "$T/dev/crash" "${bad[@]}"
untouched "$T/proc/kcore" "${bad_kcore[@]}"
untouched "$T/dev/mem" "${bad[@]}"

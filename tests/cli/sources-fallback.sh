#!/bin/bash
# SPDX-License-Identifier: MIT
# Pages that the primary source cannot read are asked of the next ones, page
# by page, and nothing begins anew.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# crash ends within a range, kcore has a hole behind that, mem has it all.
# None of the borders is one of a piece.
parts=(--part "$T/memory.kcore:0x7ff000-0x10000000"
	--part "$T/memory.mem:0x905000-0x9fb000")
make_sources --size 16 --mark --cut crash=0x7ff000 \
	--kcore-without 0x905000-0x9fb000
filled=0
while IFS=- read -r start end; do
	[ $((start)) -ge $((0x7ff000)) ] || start=0x7ff000
	[ $((end)) -le $((start)) ] || filled=$((filled + end - start))
done < <(lime_ranges "$T/iomem")
for options in '' '--threads 1' '--threads 7'; do
	# shellcheck disable=SC2086
	expect_status 0 avml "${from[@]}" $options "$T/out"
	expect_image "$T/out" "$T/memory.crash" "$T/iomem" "${parts[@]}"
	expect_no_err 'could not be read'
	expect_err ' 0 bytes unreadable' "$T/proc/kcore" "$T/dev/mem" \
		"^warning: $filled bytes .*$T/dev/crash.* another source"
	rm "$T/out"
done
expect_status 0 avml "${from[@]}" - >"$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" "${parts[@]}"

# What none has is zeros, told and counted; the reason is of a source.
make_sources --size 16 --mark --keep --cut crash=0x7ff000 \
	--kcore-without 0x905000-0x9fb000 --cut mem=0x95d000
zeros=(--unreadable 0x95d000-0x9fb000)
bytes=$((0x9fb000 - 0x95d000))
for threads in 1 4; do
	expect_status 3 avml "${from[@]}" --threads $threads \
		--max-unreadable 100 "$T/out"
	expect_image "$T/out" "$T/memory.crash" "$T/iomem" "${parts[@]}" \
		"${zeros[@]}"
	expect_unreadable 0x95d000 0x9fb000 .
	[ "$(grep -c '^warning: 0x' "$T/err")" = 1 ] || fail "$(said)"
	expect_err " $bytes bytes unreadable"
done

# A source that does not work takes no part.
make_sources --size 16 --mark --keep --cut crash=0x7ff000 --lie phnum-zero
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" \
	--part "$T/memory.mem:0x7ff000-0x10000000"
make_sources --size 16 --mark --keep --cut crash=0x7ff000 --cut mem=4K
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" \
	--part "$T/memory.kcore:0x7ff000-0x10000000"

# Low memory too, from a mem that has shown to give what lies above.
make_sources --size 8 --mark --kcore-without 0x5000-0x7000
rm "$T/dev/crash"
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem" \
	--part "$T/memory.mem:0x5000-0x7000"
expect_err '^warning: 8192 bytes '

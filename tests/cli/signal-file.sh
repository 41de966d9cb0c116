#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal in mid-run: the file holds whole records, the status tells which.
# Nearly all of the source is holes, so it is long without taking the disk.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 12288 --layout flat --fill lonely
larger()
{
	[ "$(stat -c %s "$T/out" 2>/dev/null || echo 0)" -gt "$1" ]
}
for signal in TERM INT HUP; do
	rm -f "$T/out"
	# A script's background jobs inherit INT as ignored.
	before=(env "--default-signal=TERM,INT,HUP")
	avml_exec "${from[@]}" "$T/out" 2>"$T/err" &
	pid=$!
	before=()
	wait_until larger 50000000
	kill -"$signal" "$pid"
	expect_ended $((128 + $(kill -l "$signal"))) "$pid"
	check_sanitizer
	expect_error_form
	expect_err "$T/out"
	expect_prefix 2 "$T/out" "$T/memory" "$T/iomem"
	[ "$(cat "$T/cmp")" -lt 768 ] || fail "SIG$signal came too late"
done

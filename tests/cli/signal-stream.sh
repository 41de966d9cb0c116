#!/bin/bash
# SPDX-License-Identifier: MIT
# A first signal takes effect at the next record's border, a second at once.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 80
total=$(avml "${from[@]}" - 2>/dev/null | wc -c)
start()
{
	rm -f "$T/fifo" "$T/stream"
	mkfifo "$T/fifo"
	before=(env "--default-signal=TERM,INT,HUP")
	avml_exec "${from[@]}" - >"$T/fifo" 2>"$T/err" &
	pid=$!
	before=()
	exec 4<"$T/fifo"
	# Into the second record, and no further: the pipe holds 64 KiB.
	head -c 3000000 <&4 >"$T/stream"
}
for signal in TERM INT HUP; do
	start
	kill -"$signal" "$pid"
	sleep 0.2
	kill -0 "$pid" || fail "one SIG$signal broke a record off"
	cat <&4 >>"$T/stream"
	exec 4<&-
	expect_ended $((128 + $(kill -l "$signal"))) "$pid"
	check_sanitizer
	expect_prefix 2 "$T/stream" "$T/memory" "$T/iomem"
	[ "$(stat -c %s "$T/stream")" -lt "$total" ] || fail "it went on"
done

start
kill -TERM "$pid"
sleep 0.2
kill -TERM "$pid"
# Nobody reads, and still it ends.
expect_ended 143 "$pid"
check_sanitizer
exec 4<&-

#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal that was ignored from the start (nohup) stays ignored.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 40
avml "${from[@]}" "$T/want" 2>/dev/null
mkfifo "$T/fifo"
before=(env "--ignore-signal=HUP,INT")
avml_exec "${from[@]}" - >"$T/fifo" 2>"$T/err" &
pid=$!
exec 4<"$T/fifo"
head -c 1000000 <&4 >"$T/stream"
for signal in HUP INT HUP; do
	kill -"$signal" "$pid"
	sleep 0.05
done
cat <&4 >>"$T/stream"
expect_ended 0 "$pid"
check_sanitizer
expect_same "$T/want" "$T/stream"

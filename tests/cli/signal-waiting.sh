#!/bin/bash
# SPDX-License-Identifier: MIT
# A run that waits for a reader of its named pipe can be ended.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
mkfifo "$T/fifo"
before=(env --default-signal=TERM)
avml_exec "${from[@]}" "$T/fifo" 2>"$T/err" &
pid=$!
before=()
# What alignment trimmed is told before the target is opened.
wait_until test -s "$T/err"
sleep 0.3
kill -TERM "$pid"
gone()
{
	! kill -0 "$pid" 2>/dev/null
}
wait_until gone
expect_ended 143 "$pid"
check_sanitizer
[ -p "$T/fifo" ] || fail "the pipe is gone"

#!/bin/bash
# SPDX-License-Identifier: MIT
# A run that waits for a reader of its named pipe, be that for the image or for
# the report, can be ended.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
mkfifo "$T/fifo"

gone()
{
	! kill -0 "$pid" 2>/dev/null
}

# SIGTERM, number 15, is caught: who ends later ends by itself.
catches()
{
	local caught
	caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$pid/status")
	[ $((16#${caught: -8} & 0x4000)) != 0 ]
}

# ends ARGUMENT...: by the signal, and says so.
ends()
{
	before=(env --default-signal=TERM)
	avml_exec "${from[@]}" "$@" 2>"$T/err" &
	pid=$!
	before=()
	wait_until catches
	sleep 0.3
	kill -TERM "$pid"
	wait_until gone
	expect_ended 143 "$pid"
	check_sanitizer
	expect_error_form
	[ -p "$T/fifo" ] || fail "the pipe is gone"
}

ends "$T/fifo"
ends --report "$T/fifo" "$T/out"
expect_absent "$T/out"

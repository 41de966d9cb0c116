#!/bin/bash
# SPDX-License-Identifier: MIT
# More than one signal: the status tells of the first, and a file still holds
# whole records.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 40
mkfifo "$T/fifo"
# What nobody reads waits within a record; the second signal ends that.
for pair in 'INT TERM' 'HUP INT' 'TERM HUP'; do
	read -r first second <<<"$pair"
	before=(env "--default-signal=TERM,INT,HUP")
	avml_exec "${from[@]}" - >"$T/fifo" 2>"$T/err" &
	pid=$!
	before=()
	exec 4<"$T/fifo"
	head -c 3000000 <&4 >"$T/stream"
	kill -"$first" "$pid"
	wait_until grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$pid/status"
	kill -0 "$pid" || fail "one SIG$first broke a record off"
	kill -"$second" "$pid"
	kill -"$second" "$pid" 2>/dev/null || :
	expect_ended $((128 + $(kill -l "$first"))) "$pid"
	check_sanitizer
	expect_error_form
	expect_err "stopped by SIG$first"
	exec 4<&-
done

# A signal after the other, as an impatient user sends them.
make_image --size 12288 --layout flat --fill lonely
larger()
{
	[ "$(stat -c %s "$T/out" 2>/dev/null || echo 0)" -gt "$1" ]
}
before=(env "--default-signal=TERM,INT,HUP")
avml_exec "${from[@]}" "$T/out" 2>"$T/err" &
pid=$!
before=()
wait_until larger 50000000
for signal in INT TERM HUP INT INT; do
	kill -"$signal" "$pid" 2>/dev/null || break
done
status=0
wait "$pid" || status=$?
# Which of them is delivered first is the kernel's choice.
case $status in
129 | 130 | 143) ;;
*) fail "status $status: $(said)" ;;
esac
check_sanitizer
expect_error_form
expect_err "$T/out"
expect_prefix 2 "$T/out" "$T/memory" "$T/iomem"

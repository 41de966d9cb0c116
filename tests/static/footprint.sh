#!/bin/bash
# SPDX-License-Identifier: MIT
# What the kernel gives the program before it does anything: for its version
# alone, 1 MiB at most of static-minimal, 4 MiB of static.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

build=$(avml --version --verbose | sed -n 's/^build: //p')
case $build in
static-minimal) max=1024 ;;
static) max=4096 ;;
*) fail "build: $build" ;;
esac

# It is looked at while it waits to write into a pipe that is full.
mkfifo "$T/pipe"
exec 4<>"$T/pipe"
dd if=/dev/zero of="$T/pipe" bs=4096 oflag=nonblock status=none || :
avml_exec --version >"$T/pipe" &
pid=$!
waits()
{
	# A system call whose first argument is descriptor 1.
	[ "$(readlink "/proc/$pid/exe")" = "$(realpath "$AVML")" ] &&
		grep -q '^State:.S' "/proc/$pid/status" &&
		grep -qE '^[0-9]+ 0x1 ' "/proc/$pid/syscall"
}
wait_until waits
peak=$(sed -nE 's/^VmHWM:\s*([0-9]+) kB/\1/p' "/proc/$pid/status")
kill "$pid"
wait "$pid" || :
[ -n "$peak" ] || fail "no VmHWM"
[ "$peak" -le "$max" ] || fail "VmHWM $peak KiB, more than $max"

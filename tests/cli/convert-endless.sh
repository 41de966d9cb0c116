#!/bin/bash
# SPDX-License-Identifier: MIT
# Pipes that never end: an error where there is one to be found, and a signal
# is heeded wherever the reader is.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime write "$T/v2" --format v2 0x1000-0x41000
head -c 42 "$T/v2" >"$T/begun"
# feed FRONT BYTES: the file, and then the bytes over and over. The writer is
# another process that ends by SIGPIPE.
feed()
{
	cat "$1"
	printf '%b' "$2" >"$T/unit"
	# Blocks of many units are written at once.
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		cat "$T/unit" "$T/unit" >"$T/double"
		mv "$T/double" "$T/unit"
	done
	exec "${PYTHON:-python3}" -ISB -c '
import os, sys
data = open(sys.argv[1], "rb").read()
try:
    while True:
        os.write(1, data)
except BrokenPipeError:
    pass' "$T/unit"
}
ends()
{
	before=(timeout -k 1 20)
	feed "$T/$1" "$2" | expect_error 1 "$3" avml convert - "$T/out"
	before=()
	# The one record that was whole.
	if [ "$1" = begun ]; then
		expect_absent "$T/out"
	else
		[ "$(stat -c %s "$T/out")" = 262176 ] || fail "not cut back"
		rm "$T/out"
	fi
}
# Empty padding, long padding, identifiers, stored chunks of nothing.
ends begun '\0376\0\0\0' 'skippable'
ends begun '\0377\006\0\0sNaPpY' 'skippable'
ends begun '\001\004\0\0\0\0\0\0' 'too short'
ends begun '\001\0\0\0' 'too short'
ends v2 '\0\0\0\0' 'bad magic'
ends v2 'garbage' 'bad magic'

# With --salvage the next record is looked for until somebody says no more.
stops()
{
	mkfifo "$T/fifo"
	feed "$T/$1" "$2" >"$T/fifo" &
	before=(env --default-signal=TERM)
	avml_exec convert --salvage - "$T/out" <"$T/fifo" 2>"$T/err" &
	pid=$!
	before=()
	sleep 0.3
	kill -TERM "$pid"
	ended=
	for _ in {1..100}; do
		# The shell may have waited for it already.
		if [ ! -e "/proc/$pid" ] ||
			[ "$(cut -d ' ' -f 3 "/proc/$pid/stat")" = Z ]; then
			ended=yes
			break
		fi
		sleep 0.05
	done
	[ -n "$ended" ] || fail "$1 $2: a signal is not heeded"
	expect_ended 143 "$pid"
	check_sanitizer
	expect_err 'stopped by SIGTERM'
	rm "$T/fifo"
}
for unit in '\0376\0\0\0' '\0377\006\0\0sNaPpY' '\001\004\0\0\0\0\0\0'; do
	stops begun "$unit"
done
for unit in '\0\0\0\0' 'EMiL' 'garbage'; do
	stops v2 "$unit"
done

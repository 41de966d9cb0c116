#!/bin/bash
# SPDX-License-Identifier: MIT
# Progress: a line that is redrawn on a terminal, lines in a log, nothing where
# nobody wants it, and never in the way of messages, findings or the run itself.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# A page of each MiB is poisoned, each of them a warning.
poisoned=()
for ((at = 2; at < 20; at++)); do
	poisoned+=(--page-flag "0x$(printf %x $((at << 20)))=hwpoison")
done
make_sources --size 24 --layout flat "${poisoned[@]}"
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem"
expect_status 0 avml convert --format lime_compressed "$T/v1" "$T/v2"
# Two chunks with a flipped bit.
cp "$T/v2" "$T/bad"
for at in 200000 900000; do
	byte=$(od -An -tu1 -j $at -N 1 "$T/bad")
	printf '%b' "\\x$(printf %x $((byte ^ 1)))" |
		dd of="$T/bad" bs=1 seek=$at conv=notrunc
done
mkfifo "$T/fifo"

# slowly FILE PARTS: into a pipe, in that many parts over PARTS / 20 seconds.
slowly()
{
	"${PYTHON:-python3}" -ISc '
import sys, time
data = open(sys.argv[1], "rb").read()
step = len(data) // int(sys.argv[2]) + 1
out = open(sys.argv[3], "wb", buffering=0)
for at in range(0, len(data), step):
    out.write(data[at:at + step])
    time.sleep(0.05)' "$1" "$2" "$T/fifo"
}

# screen STATUS COLUMNS [MODE...] -- COMMAND...: on a terminal of that width.
# What stands on it goes to $T/screen, what was redrawn to $T/drawn.
screen()
{
	local status=$1 columns=$2 modes=()
	shift 2
	while [ "$1" != -- ]; do
		modes+=("$1")
		shift
	done
	before=(env "TERM=${term-xterm}" "${PYTHON:-python3}" -IS
		"$tests/lib/screen.py" ${modes[@]+"${modes[@]}"} "$columns"
		"$T/drawn" ${before_screen[@]+"${before_screen[@]}"})
	expect_status "$status" avml "${@:2}" >"$T/screen"
	before=()
	[ -n "${stuck-}" ] || [ -z "$(value left)" ] || fail "a line is left: $(value left)"
}

value()
{
	sed -n "s/^$1 //p" "$T/drawn"
}

# expect_drawn LEAST COLUMNS: at most ten a second (and one for when they came
# here), none as wide as the terminal, the numbers going up.
expect_drawn()
{
	[ "$(value redraws)" -ge "$1" ] ||
		fail "$(value redraws) redraws, at least $1 expected"
	[ "$(value busiest)" -le 11 ] || fail "$(value busiest) in a second"
	[ "$(value widest)" -lt "$2" ] || fail "$(value widest) of $2 columns"
	value drawn | sed -n 's/.* \([0-9]*\) %.*/\1/p' | sort -nc 2>"$T/order" ||
		fail "percent went back: $(cat "$T/order")"
}

# Of what was said, all but times.
plain()
{
	sed -E 's/[0-9.]+ s, [0-9.]+ MiB\/s/TIME/' "$@"
}

# expect_screen STATUS COMMAND...: with a line that comes and goes, the same
# lines stand there as without it.
expect_screen()
{
	plain "$T/screen" >"$T/with"
	expect_status "$@" >"$T/without"
	plain "$T/err" >>"$T/without"
	diff "$T/without" "$T/with" >"$T/diff" ||
		fail "with (>) and without (<): $(grep '^[<>]' "$T/diff")"
}

# An image is taken from the pipe in about a second.
taken_slowly()
{
	"${PYTHON:-python3}" -ISc '
import os, sys, time
taken = os.open(sys.argv[1], os.O_RDONLY)
while os.read(taken, 1 << 20):
    time.sleep(0.0025)' "$T/fifo"
}

# ---- A terminal ----

for columns in 80 40 20; do
	for run in convert verify; do
		words=(convert --format lime_compressed "$T/fifo" "$T/out")
		[ $run = convert ] || words=(verify "$T/fifo")
		slowly "$T/v1" 16 &
		screen 0 $columns -- "${words[@]}" >"$T/stdout"
		expect_drawn 5 $columns
		# How long a pipe is nobody knows.
		! value drawn | grep -q '%\|left' || fail "percent of a pipe"
		case $columns in
		80 | 40) want='^ +[0-9.]+ MiB   [ 0-9.]{4} MiB/s    0:0[0-9] elapsed$' ;;
		20) want='^ +[0-9.]+ MiB$' ;;
		esac
		value drawn | tail -n 1 | grep -qE "$want" ||
			fail "$run, $columns: $(value drawn | tail -n 1)"
		wait
	done
	taken_slowly &
	screen 3 $columns -- "${from[@]}" --max-unreadable 100 "$T/fifo"
	expect_drawn 3 $columns
	case $columns in
	80) want='^ +[0-9.]+ of [0-9.]+ MiB   [ 0-9]{3} %   .*/s   .* left   [0-9]+ bytes unr' ;;
	40) want='^ +[0-9.]+ of [0-9.]+ MiB   [ 0-9]{3} %   .*/s$' ;;
	20) want='^ +[0-9.]+ of [0-9.]+ MiB$' ;;
	esac
	value drawn | grep -qE "$want" ||
		fail "acquire, $columns: $(value drawn | tail -n 1)"
	wait
done

# Warnings and losses, in whole lines between the redraws.
to_fifo()
{
	cat "$T/fifo" >/dev/null &
	avml "$@"
}
words=("${from[@]}" --max-unreadable 100 "$T/fifo")
taken_slowly &
screen 3 80 -- "${words[@]}"
expect_drawn 8 80
[ "$(grep -c '^warning: 0x' "$T/screen")" = 18 ] || fail "not 18 warnings"
expect_screen 3 to_fifo "${words[@]}" --progress=never
wait
words=(convert --salvage "$T/fifo" "$T/out")
slowly "$T/bad" 20 &
screen 3 80 -- "${words[@]}"
expect_drawn 5 80
value drawn | grep -q ' 131072 bytes lost$' || fail "nothing is lost"
from_fifo()
{
	cat "$T/bad" >"$T/fifo" &
	avml "$@"
}
expect_screen 3 from_fifo "${words[@]}" --progress never
wait
# Findings, which go to stdout, on the same terminal.
words=(verify "$T/fifo")
slowly "$T/bad" 20 &
screen 1 80 --stdout -- "${words[@]}"
expect_drawn 5 80
value drawn | grep -q ' 131072 bytes damaged$' || fail "nothing is damaged"
expect_screen 1 from_fifo "${words[@]}" --progress=never
wait
# With a file the end is known.
screen 0 80 -- verify --threads 1 "$T/v1" >"$T/stdout"
value drawn | grep -qE '^ +0\.0 of 24\.0 MiB     0 %' ||
	fail "no percent: $(value drawn)"
# A run that fails, and one that a signal ends.
slowly "$T/v1" 20 &
screen 1 80 -- convert --max-disk-usage 4 --format lime_compressed \
	"$T/fifo" "$T/out"
expect_drawn 2 80
grep -q '^error: ' "$T/screen" || fail "no error: $(cat "$T/screen")"
wait
slowly "$T/v1" 30 &
before_screen=(timeout --preserve-status -s TERM 0.7)
screen 143 80 -- verify "$T/fifo"
before_screen=()
expect_drawn 2 80
grep -qx 'error: .*SIGTERM' "$T/screen" || fail "$(cat "$T/screen")"
wait

# ---- No terminal, or none for this ----

nothing_drawn()
{
	[ "$(value redraws)" = 0 ] || fail "$(value redraws) redraws: $*"
	! grep -q '^progress: ' "$T/screen" || fail "a log: $*"
}
for when in never quiet dumb; do
	words=(convert --format lime_compressed "$T/v1" "$T/out")
	case $when in
	never) words+=(--progress=never) ;;
	quiet) words+=(--quiet) ;;
	dumb) term=dumb ;;
	esac
	screen 0 80 -- "${words[@]}"
	nothing_drawn "$when"
	unset term
done
screen 0 80 --background -- convert --format lime_compressed "$T/v1" "$T/out"
nothing_drawn in the background
# But when it is said to be wanted.
screen 0 80 -- verify --quiet --progress always "$T/v1"
expect_drawn 1 80
[ ! -s "$T/screen" ] || fail "more than the line: $(cat "$T/screen")"
term=dumb
screen 0 80 -- verify --progress=always "$T/v1" >"$T/stdout"
unset term
expect_drawn 0 80
grep -qE '^progress: [0-9]+ of [0-9]+ bytes, 100 %, ' "$T/screen" ||
	fail "no log: $(cat "$T/screen")"

# logged N REGEX STATUS COMMAND...: that many lines in a log, all like this,
# where it is wanted, and else none.
logged()
{
	local count=$1 regex=$2 status=$3
	shift 3
	expect_status "$status" "$@"
	expect_no_err '^progress: '
	expect_status "$status" "$@" --progress=auto
	expect_no_err '^progress: '
	expect_status "$status" "$@" --progress=always
	[ "$(grep -c '^progress: ' "$T/err")" = "$count" ] || fail "$(said)"
	[ "$(grep -cE "^progress: $regex\$" "$T/err")" = "$count" ] ||
		fail "no /$regex/ in $(said)"
	! grep -q $'[\r\033]' "$T/err" || fail "controls in a log"
}
rate='[0-9.]+ MiB/s'
logged 1 "25165824 of 25165824 bytes, 100 %, $rate, 0 s left, 73728 bytes unreadable" \
	3 avml "${from[@]}" --max-unreadable 100 "$T/out"
size=$(stat -c %s "$T/v2")
logged 1 "$size of $size bytes, 100 %, $rate, 0 s left, 0 bytes lost" \
	0 avml convert "$T/v2" "$T/out"
logged 1 "$size of $size bytes, 100 %, $rate, 0 s left, 131072 bytes damaged" \
	1 avml verify "$T/bad" >"$T/stdout"
piped()
{
	avml "$@" < <(cat "$T/v2")
}
logged 1 "$size bytes, $rate, 0 s elapsed, 0 bytes lost" 0 piped convert - "$T/out"
# Every five seconds.
slowly "$T/v1" 110 &
expect_status 0 avml verify --progress=always "$T/fifo" >"$T/stdout"
[ "$(grep -c '^progress: ' "$T/err")" = 2 ] || fail "not 2 lines: $(said)"
# Of a run that does not begin there is nothing to say.
expect_error 1 'cannot open' avml convert --progress=always "$T/none" "$T/out"
expect_no_err '^progress: '
expect_error 2 'none of auto|always|never' avml verify --progress=yes "$T/v1"

# ---- Nothing waits for it ----

for mode in --stopped --full; do
	for run in acquire convert verify; do
		case $run in
		acquire) words=("${from[@]}" "$T/out" --max-unreadable 100) ;;
		convert) words=(convert "$T/v2" "$T/out") ;;
		verify) words=(verify "$T/v1") ;;
		esac
		before_screen=()
		status=0
		[ $run != acquire ] || status=3
		# Whatever stands there then: nobody looked.
		stuck=1
		screen $status 80 $mode -- "${words[@]}" --quiet --progress=always
		stuck=
	done
done
# A pipe that nobody reads.
mkfifo "$T/pipe"
exec 5<>"$T/pipe"
head -c 65536 /dev/zero >&5
(
	before=(timeout -k 1 10)
	avml_exec verify --quiet --progress=always "$T/v1" 2>&5
) || fail "status $? with a full pipe"
exec 5>&-

#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal in mid-conversion: whole records are left, the status tells which;
# and a disk that fills up.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 640 --layout flat --fill lonely
larger()
{
	[ "$(stat -c %s "$T/out" 2>/dev/null || echo 0)" -gt "$1" ]
}
# A fifo that gives no more: what waits for it is woken by a signal too.
expect_status 0 avml "${from[@]}" "$T/v1"
for signal in TERM INT HUP; do
	for format in lime lime_compressed; do
		rm -f "$T/out"
		mkfifo "$T/fifo"
		(
			head -c 200000000 "$T/v1"
			exec sleep 60
		) >"$T/fifo" &
		feeder=$!
		before=(env "--default-signal=TERM,INT,HUP")
		avml_exec convert --format $format - "$T/out" <"$T/fifo" \
			2>"$T/err" &
		pid=$!
		before=()
		[ $format = lime ] && least=150000000 || least=4000000
		wait_until larger "$least"
		kill -"$signal" "$pid"
		expect_ended $((128 + $(kill -l "$signal"))) "$pid"
		check_sanitizer
		expect_error_form
		expect_err "$T/out" "stopped by SIG$signal"
		if [ $format = lime ]; then
			cmp -n "$(stat -c %s "$T/out")" "$T/v1" "$T/out" \
				>"$T/cmp" || fail "$(cat "$T/cmp")"
		fi
		lime table "$T/out" >"$T/table" || fail "$(cat "$T/table")"
		[ "$(wc -l <"$T/table")" -ge 5 ] || fail "few records"
		kill "$feeder" 2>/dev/null || :
		rm "$T/fifo"
	done
	# The file it is given takes long too.
	[ $signal = TERM ] || continue
	rm -f "$T/out"
	before=(env --default-signal=TERM)
	avml_exec convert --no-sparse "$T/v1" "$T/out" 2>"$T/err" &
	pid=$!
	before=()
	wait_until larger 20000000
	kill -TERM "$pid"
	expect_ended 143 "$pid"
	size=$(stat -c %s "$T/out")
	[ $((size % 16777248)) = 0 ] || fail "$size bytes: no whole records"
done

# Also in the middle of a search through what makes no sense.
truncate -s 64G "$T/search"
printf bad | dd of="$T/search" conv=notrunc
for command in verify info 'convert --salvage'; do
	operands=("$T/search")
	[ "$command" != 'convert --salvage' ] || operands+=("$T/searched")
	# shellcheck disable=SC2086
	avml_exec $command "${operands[@]}" >"$T/out" 2>"$T/err" &
	pid=$!
	reading()
	{
		grep -q "$T/search\$" <(readlink "/proc/$pid/fd/"*)
	}
	wait_until reading
	sleep 0.2
	kill -TERM $pid
	expect_ended 143 $pid
	expect_err 'stopped by SIGTERM'
done

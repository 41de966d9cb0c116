#!/bin/bash
# SPDX-License-Identifier: MIT
# --compress: the image is that of the same memory, for any number of threads,
# and becomes the plain one when it is converted.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 12
printf '01000000-020fffff : System RAM\n' >>"$T/iomem"
truncate -s $((0x2100000)) "$T/memory"
head -c 2000000 "$T/memory" | tail -c 1000000 |
	dd of="$T/memory" bs=4096 seek=$((0x2000)) conv=notrunc status=none
expect_status 0 avml "${from[@]}" "$T/v1"
for threads in 1 2 7; do
	expect_status 0 avml "${from[@]}" --compress --threads $threads "$T/out"
	[ "$threads" = 1 ] || expect_same "$T/v2" "$T/out"
	cp "$T/out" "$T/v2"
done
[ "$(stat -c %a "$T/out")" = 600 ] || fail "mode $(stat -c %a "$T/out")"
expect_image "$T/v2" "$T/memory" "$T/iomem"
# A range may be small and random: nothing helps there.
lime check --allow-long "$T/v2" >"$T/found" || fail "$(head -n 1 "$T/found")"
lime table "$T/v2" | cut -d ' ' -f 4 >"$T/ranges2"
lime table "$T/v1" | cut -d ' ' -f 4 >"$T/ranges1"
expect_same "$T/ranges1" "$T/ranges2"
expect_status 0 avml convert "$T/v2" "$T/out"
expect_same "$T/v1" "$T/out"

# A pipe, the old way to say it, and blocks of zeros.
expect_status 0 avml "${from[@]}" --compress - | cat >"$T/out"
expect_same "$T/v2" "$T/out"
expect_status 0 avml acquire "${from[@]}" --compress "$T/out"
expect_same "$T/v2" "$T/out"
expect_status 0 avml "${from[@]}" --keep-zeros "$T/kept1"
expect_status 0 avml "${from[@]}" --keep-zeros --compress "$T/kept2"
expect_status 0 avml convert "$T/kept2" "$T/out"
expect_same "$T/kept1" "$T/out"
expect_status 0 avml "${from[@]}" --compress - |
	expect_status 0 avml convert - "$T/out"
expect_same "$T/v1" "$T/out"

# A kcore; and memory with pages that nobody can read.
make_proc --size 12 --keep
expect_status 0 avml "${from[@]}" --compress "$T/out"
expect_status 0 avml convert "$T/out" "$T/back"
expect_status 0 avml "${from[@]}" "$T/out"
expect_same "$T/out" "$T/back"
expect_error 2 compress avml "${from[@]}" --compress=yes "$T/new"
expect_absent "$T/new"

# A stream that a signal ends between records is whole.
mkfifo "$T/fifo"
make_image --size 2048 --layout flat --fill lonely
before=(env --default-signal=TERM)
avml_exec "${from[@]}" --compress - >"$T/fifo" 2>"$T/err" &
pid=$!
before=()
{
	head -c 3000000
	kill -TERM "$pid"
	cat
} <"$T/fifo" >"$T/out"
expect_ended 143 "$pid"
check_sanitizer
lime table "$T/out" >"$T/table" || fail "$(tail -n 1 "$T/table")"
[ "$(wc -l <"$T/table")" -ge 3 ] || fail "few records"
[ "$(wc -l <"$T/table")" -lt 128 ] || fail "the signal came too late"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Records of several GiB, and of 100 MiB: nothing is held but pieces.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


# le BYTES NUMBER: in hexadecimal, little-endian.
le()
{
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%02x' $((($2 >> (8 * i)) & 255))
	done
}
number()
{
	lime write "$T/number" "hex:$1"
	cat "$T/number"
}
# Where a sanitizer has its shadow, memory cannot be limited.
# shellcheck disable=SC2016 # the inner shell expands them
limited=(bash -c 'ulimit -v 400000 && exec "$0" "$@"')
if grep -qE '__asan_init|__tsan_init' "$AVML"; then
	limited=()
	skip_part 'a limit of memory: this is a sanitizer'
fi

# A record of more than 4 GiB, nearly all of it zeros. Through a pipe: a file
# of that size would have to go through the page cache.
len=$((0x100000000 + 0x3000))
image()
{
	number "454d694c01000000$(le 8 0x1000)$(le 8 \
		$((0x1000 + len - 1)))$(le 8 0)"
	printf '\0\0\0\0\0first'
	head -c $((0x80000000 - 3 - 10)) /dev/zero
	printf middle
	head -c $((len - 4 - 0x80000000 - 3)) /dev/zero
	printf last
}
before=(${limited[@]+"${limited[@]}"})
image | expect_status 0 avml convert --format lime_compressed --threads 2 \
	- "$T/v2"
before=()
expect_err '4 records' "$((len - 3 * 16777216 - 0x3000)) bytes of zero blocks"
lime table "$T/v2" >"$T/table"
cut -d ' ' -f 4 "$T/table" >"$T/found"
printf '%s\n' 0x1000-0x1001000 0x7f001000-0x80001000 0x80001000-0x81001000 \
	0x100001000-0x100004000 >"$T/want"
expect_same "$T/want" "$T/found"
expect_status 0 avml convert --format raw "$T/v2" "$T/raw"
[ "$(stat -c %s "$T/raw")" = $((len + 0x1000)) ] ||
	fail "raw has $(stat -c %s "$T/raw") bytes"
[ "$(stat -c %b "$T/raw")" -lt 4096 ] ||
	fail "raw takes $(stat -c %b "$T/raw") blocks"
for at in 5:first $((0x80000000 - 3)):middle $((len - 4)):last; do
	word=${at#*:}
	got=$(dd if="$T/raw" bs=1 skip=$((0x1000 + ${at%:*})) \
		count=${#word} status=none)
	[ "$got" = "$word" ] || fail "at ${at%:*}: '$got', not $word"
done

# AVML 0.2 made records of 100 MiB.
lime write "$T/one" 0x1000+64K --format v2
size=$(stat -c %s "$T/one")
tail -c +43 "$T/one" | head -c $((size - 50)) >"$T/chunk"
cat "$T"/chunk{,,,,,,,} >"$T/8"
cat "$T"/8{,,,,,,,} >"$T/64"
set -- "$T/64"
while [ $# -lt 25 ]; do
	set -- "$@" "$T/64"
done
len=$((1600 * 65536))
{
	number "41564d4c02000000$(le 8 \
		0x100000)$(le 8 $((0x100000 + len - 1)))$(le 8 0)"
	printf '\377\006\000\000sNaPpY'
	cat "$@"
	stream=$((10 + 1600 * (size - 50)))
	number "$(le 8 $stream)"
} >"$T/v2"
for options in '--threads 1' '--threads 2' '--threads 2 --format raw'; do
	before=(${limited[@]+"${limited[@]}"})
	# shellcheck disable=SC2086
	expect_status 0 avml convert $options "$T/v2" "$T/out"
	before=()
	expect_err "$len bytes of memory" '1 records'
	skip=32
	[ "$options" = "${options%raw}" ] || skip=$((0x100000))
	[ "$(stat -c %s "$T/out")" = $((skip + len)) ] || fail "size: $options"
	raw=$(tail -c +$((skip + 1)) "$T/out" | cksum)
	[ "$raw" = "${sum:=$raw}" ] || fail "other bytes: $options"
done
# Each of the chunks is the first.
expect_status 0 avml convert "$T/one" "$T/first"
tail -c +33 "$T/first" >"$T/chunk"
tail -c 65536 "$T/out" >"$T/last"
expect_same "$T/chunk" "$T/last"
expect_status 0 avml convert --salvage "$T/v2" "$T/out"
expect_err '7 records' '0 bytes lost'

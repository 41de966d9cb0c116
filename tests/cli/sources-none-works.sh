#!/bin/bash
# SPDX-License-Identifier: MIT
# When no source works there is one error, which names each with a reason of
# its own, and nothing is made or touched.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 4
echo precious >"$T/old"
# none NUMBERED...: the causes, in order.
none()
{
	local n=0 cause
	for cause in "${causes[@]}"; do
		expect_error 1 '^error: no source of memory works$' "$@"
		grep -qE "^ *$n: .*$cause" "$T/err" ||
			fail "no $n: $cause: $(said)"
		n=$((n + 1))
	done
	[ "$(grep -cE '^ *[0-9]+: ' "$T/err")" = "$n" ] || fail "$(said)"
	expect_no_err '^avml: '
}
all_ways()
{
	none avml "${from[@]}" "$T/out"
	expect_absent "$T/out"
	none avml "${from[@]}" "$T/old"
	[ "$(cat "$T/old")" = precious ] || fail "the old file is touched"
	none avml "${from[@]}" - >"$T/stream"
	[ ! -s "$T/stream" ] || fail "something came out"
}
rm "$T"/dev/* "$T/proc/kcore"
causes=("$T/dev/crash.*(not exist|No such)"
	"$T/proc/kcore.*(not exist|No such)"
	"$T/dev/mem.*(not exist|No such)")
all_ways

mkdir "$T/dev/crash"
: >"$T/proc/kcore"
: >"$T/dev/mem"
causes=("$T/dev/crash" "$T/proc/kcore.*(empty|masked)" "$T/dev/mem")
all_ways
reasons=$(grep -E '^ *[0-9]+: ' "$T/err" | sed "s|$T/[a-z]*/[a-z]*||g; s/.*: //")
[ "$(sort -u <<<"$reasons" | wc -l)" -ge 2 ] || fail "one reason: $(said)"

# Made-up proc alone: kcore is the only one there is, and its fault the error.
printf 'EMiL' >"$T/proc/kcore"
expect_error 1 "$T/proc/kcore.*ELF" avml --proc "$T/proc" "$T/out"
expect_no_err crash "/mem\\>"
expect_absent "$T/out"

# Which RAM to look at cannot be told: the fault is not the sources'.
make_sources --size 4
expect_error 1 "$T/none" avml "${from[@]}" --iomem "$T/none" "$T/out"
expect_no_err 'no source of memory works'
expect_absent "$T/out"

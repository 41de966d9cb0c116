#!/bin/bash
# SPDX-License-Identifier: MIT
# Forms of iomem that are all right: order, overlaps, no last newline, long.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 16 --layout flat
want()
{
	expect_status 0 avml --source "$T/memory" --iomem "$T/form" "$T/out"
	expect_image "$T/out" "$T/memory" "$T/form"
	lime check "$T/out" >"$T/check" || fail "$(cat "$T/check")"
}
# Out of order, touching, overlapping, and one within another.
cat >"$T/form" <<'END'
00800000-008fffff : System RAM
00100000-001fffff : System RAM
00200000-0020abcd : System RAM
0020abce-002fffff : System RAM
00280000-003fffff : System RAM
00850000-0085ffff : System RAM
END
want
[ "$(lime table "$T/out" | cut -d ' ' -f 4 | tr '\n' ' ')" = \
	'0x100000-0x400000 0x800000-0x900000 ' ] || fail "ranges not merged"

# Long hexadecimal numbers, capitals, and names with anything in them.
cat >"$T/form" <<'END'
0000000000100000-00000000001FFFFF : System RAM
00300000-003fffff : System RAM (with : and - 12-34 : System RAM)
00400000-004fffff : Ordinary System RAM
00500000-005fffff :  
END
want

# Hundreds of ranges, and a line of 10,000 characters.
for i in $(seq 256 4 4000); do
	printf '%08x-%08x : System RAM\n' $((i * 4096)) $((i * 4096 + 8191))
done >"$T/form"
printf '00f00000-00ffffff : %s\n' "$(printf 'x%.0s' {1..10000})" >>"$T/form"
want

# What trimming takes is told.
cat >"$T/form" <<'END'
00100800-00200fff : System RAM
00300000-00300ffe : System RAM
END
want
expect_err '^note: trimmed 0x0*100800-0x0*101000' \
	'^note: trimmed 0x0*300000-0x0*300fff'

# RAM of which no whole page is left.
echo '00300000-00300ffe : System RAM' >"$T/form"
expect_error 1 'no page of RAM' avml --source "$T/memory" --iomem "$T/form" \
	"$T/none"
expect_absent "$T/none"

#!/bin/bash
# SPDX-License-Identifier: MIT
# What a run says: ranges, trimmed rests and the summary; all on stderr.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 40
expect_status 0 avml "${from[@]}" "$T/out" >"$T/stdout"
[ ! -s "$T/stdout" ] || fail "something on stdout"
total=0
count=0
while IFS=- read -r start end; do
	len=$((end - start))
	printf -v line_wanted '^note: range 0x%016x-0x%016x %d bytes$' \
		"$start" "$end" "$len"
	expect_err "$line_wanted"
	total=$((total + len))
	count=$((count + 1))
done < <(lime_ranges "$T/iomem")
records=$(lime table "$T/out" | wc -l)
size=$(stat -c %s "$T/out")
left_out=$((total - (size - records * 32)))
expect_err "^avml: $T/out: $count ranges, $total bytes of RAM from $T/memory;\
 $records records, $size bytes written, $left_out bytes of zero blocks left\
 out, 0 bytes unreadable; [0-9.]+ s, [0-9.]+ MiB/s\$"
[ "$(grep -c '^avml: ' "$T/err")" = 1 ] || fail "more than one summary"
expect_err '^note: trimmed 0x000000000009f000-0x000000000009fc00'
! grep -qvE '^(note|avml): ' "$T/err" || fail "$(said)"

# The kcore's path is what is named.
make_proc --size 4
expect_status 0 avml "${from[@]}" "$T/out"
expect_err "bytes of RAM from $T/proc/kcore;"

# A name with control bytes cannot paint the terminal.
odd=$T/$'odd\e[31m\nname'
expect_status 0 avml "${from[@]}" "$odd"
expect_no_err $'\e' '^name'
rm "$odd"

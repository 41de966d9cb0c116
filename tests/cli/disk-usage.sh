#!/bin/bash
# SPDX-License-Identifier: MIT
# --max-disk-usage: refused before a byte is written, and nothing left behind.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 24
# The estimate: all ranges, and 100 KiB for each.
bytes=0
while IFS=- read -r start end; do
	bytes=$((bytes + end - start + 102400))
done < <(lime_ranges "$T/iomem")
mib=$(((bytes + 1048575) / 1048576))
expect_error 1 'limit' avml "${from[@]}" --max-disk-usage $((mib - 1)) "$T/out"
expect_err "$T/out"
expect_absent "$T/out"
expect_status 0 avml "${from[@]}" --max-disk-usage "$mib" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

# An old file stays as it was; a stream gets nothing.
echo precious >"$T/old"
chmod 644 "$T/old"
expect_error 1 'limit' avml "${from[@]}" --max-disk-usage 1 "$T/old"
[ "$(cat "$T/old")" = precious ] || fail "the old file is touched"
[ "$(stat -c %a "$T/old")" = 644 ] || fail "the old file's mode is changed"
expect_error 1 'limit' avml "${from[@]}" --max-disk-usage 1 - >"$T/stream"
[ ! -s "$T/stream" ] || fail "something was written"

for bad in 0 -1 abc 1x 1.5 '' 18446744073709551616 0x10 ' 1' +1; do
	expect_error 2 max-disk-usage \
		avml "${from[@]}" --max-disk-usage "$bad" "$T/new"
	expect_error 2 max-disk-usage \
		avml "${from[@]}" "--max-disk-usage=$bad" "$T/new"
	expect_absent "$T/new"
done

#!/bin/bash
# SPDX-License-Identifier: MIT
# A thousand unreadable ranges are named, the rest are counted.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# A memory file that ends behind the first of its ranges: of those that
# follow, each is a page by itself.
make_image --size 4 --layout flat
truncate -s 4M "$T/memory"
for ((i = 0; i < 1200; i++)); do
	printf '%08x-%08x : System RAM\n' $((0x500000 + i * 8192)) \
		$((0x500000 + i * 8192 + 4095))
done >>"$T/iomem"
expect_status 3 avml "${from[@]}" --max-unreadable 100 "$T/out"
named=$(grep -c '^warning: 0x' "$T/err") || :
[ "$named" = 1000 ] || fail "$named ranges are named, not 1000"
expect_err '^warning: 200 more'
expect_err "$((1200 * 4096)) bytes unreadable"

# What no source covers is told first; a page that is unreadable is below it.
make_proc --size 8 --page-flag 0x100000-0x101000=hwpoison
for ((i = 0; i < 1100; i++)); do
	printf '%09x-%09x : System RAM\n' $((0x500000000 + i * 8192)) \
		$((0x500000000 + i * 8192 + 4095))
done >>"$T/proc/iomem"
expect_status 3 avml "${from[@]}" --max-unreadable 100 "$T/out"
printf -v within '0x%016x-0x%016x' 0x100000 \
	$((0x500000000 + 1099 * 8192 + 4096))
expect_err "^warning: 101 more ranges, $((101 * 4096)) bytes within $within,"

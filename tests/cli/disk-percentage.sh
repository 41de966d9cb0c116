#!/bin/bash
# SPDX-License-Identifier: MIT
# --max-disk-usage-percentage: what is used and what may come, against the
# disk's size; the blocks of the file that is replaced do not count.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 24
expect_error 1 'limit' avml "${from[@]}" --max-disk-usage-percentage 0.01 \
	"$T/out"
expect_err "$T/out"
expect_absent "$T/out"
expect_status 0 avml "${from[@]}" --max-disk-usage-percentage 99.99 "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
for bad in 0 0.001 100 101 -1 abc 1x nan inf 1e1 '' 5% 0x10; do
	expect_error 2 max-disk-usage-percentage \
		avml "${from[@]}" --max-disk-usage-percentage "$bad" "$T/new"
	expect_absent "$T/new"
done

# 100 MiB, 50 of them the old image's; the new one may take 23.
if small_disk "$T/disk" 100m; then
	head -c 52428800 /dev/zero | tr '\0' x >"$T/disk/old"
	expect_error 1 'limit' avml "${from[@]}" \
		--max-disk-usage-percentage 60 "$T/disk/new"
	expect_absent "$T/disk/new"
	expect_status 0 avml "${from[@]}" \
		--max-disk-usage-percentage 90 "$T/disk/new"
	rm "$T/disk/new"
	expect_error 1 'limit' avml "${from[@]}" \
		--max-disk-usage-percentage 20 "$T/disk/old"
	[ "$(stat -c %s "$T/disk/old")" = 52428800 ] || fail "old one touched"
	expect_status 0 avml "${from[@]}" \
		--max-disk-usage-percentage 30 "$T/disk/old"
	expect_image "$T/disk/old" "$T/memory" "$T/iomem"
else
	skip_part "a small disk: may not mount"
fi

#!/bin/bash
# SPDX-License-Identifier: MIT
# A source that ends early: zeros in the image, the count, status 3 or 1.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 24
end=$(stat -c %s "$T/memory")
last=$(lime_ranges "$T/iomem" | tail -n 1)
stop=$((${last#*-}))
truncate -s $((stop - 16384)) "$T/memory"
[ "$end" -ge "$stop" ] || fail "the test's memory is too short"
expect_status 3 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_err ' 16384 bytes unreadable' "$(printf \
	'^warning: 0x%016x-0x%016x' $((stop - 16384)) "$stop")"
for threads in 1 5; do
	expect_status 3 avml "${from[@]}" --threads "$threads" "$T/again"
	expect_same "$T/out" "$T/again"
done
expect_error 1 '16384.*max-unreadable' \
	avml "${from[@]}" --max-unreadable 0 "$T/again"
expect_same "$T/out" "$T/again"
expect_error 1 '16384.*max-unreadable' \
	avml "${from[@]}" --max-unreadable 0.01 "$T/again"
expect_status 3 avml "${from[@]}" --max-unreadable 0.5 - >"$T/stream"
expect_same "$T/out" "$T/stream"

# Half of it gone is above 1 %.
truncate -s $((stop / 2)) "$T/memory"
expect_error 1 'max-unreadable' avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_status 3 avml "${from[@]}" --max-unreadable 60 "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_status 3 avml "${from[@]}" --max-unreadable 100 --keep-zeros "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem" --keep-zeros

for bad in -1 100.1 abc '' nan 1x; do
	expect_error 2 max-unreadable \
		avml "${from[@]}" --max-unreadable "$bad" "$T/new"
	expect_absent "$T/new"
done

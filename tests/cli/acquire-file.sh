#!/bin/bash
# SPDX-License-Identifier: MIT
# A file source is acquired as the ideal writer would.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

for layout in pc flat split4g nested; do
	make_image --size 40 --layout "$layout"
	expect_status 0 avml "${from[@]}" "$T/out"
	expect_image "$T/out" "$T/memory" "$T/iomem"
	lime check "$T/out" >"$T/check" || fail "$layout: $(cat "$T/check")"
	rm "$T/out"
done

# A range of nothing but zeros, and a whole memory of zeros.
make_image --size 20 --fill zero --layout flat
expect_status 0 avml "${from[@]}" "$T/out"
[ ! -s "$T/out" ] || fail "zeros were written"

# One byte in a block makes the whole block count.
make_image --size 70 --fill lonely --layout flat
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

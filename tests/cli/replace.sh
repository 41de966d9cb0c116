#!/bin/bash
# SPDX-License-Identifier: MIT
# An existing longer file is replaced wholly, holes and end.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 24
head -c 40000000 /dev/zero | tr '\0' 'x' >"$T/out"
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

# Also where the image is of no record at all.
make_image --size 4 --fill zero --layout flat
echo old >"$T/out"
expect_status 0 avml "${from[@]}" "$T/out"
[ ! -s "$T/out" ] || fail "old bytes are left"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Where segments overlap the larger one is read, and nothing twice.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 16 --lie text-differs
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
rm "$T/out"
make_proc --size 16 --lie overlapping
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
lime check "$T/out" >"$T/check" || fail "$(cat "$T/check")"

#!/bin/bash
# SPDX-License-Identifier: MIT
# An acquisition from a kcore, by its name and as a file.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 40
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
lime check "$T/out" >"$T/check" || fail "$(cat "$T/check")"
rm "$T/out"
expect_status 0 avml --source kcore --proc "$T/proc" --threads 1 "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

# RAM at 4 GiB and above.
make_proc --size 12 --layout split4g
expect_status 0 avml "${from[@]}" "$T/high"
expect_image "$T/high" "$T/memory" "$T/iomem"

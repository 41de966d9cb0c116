#!/bin/bash
# SPDX-License-Identifier: MIT
# --iomem goes before the iomem of --proc.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 16
echo garbage >"$T/proc/iomem"
cp "$T/iomem" "$T/other"
expect_status 0 avml "${from[@]}" --iomem "$T/other" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

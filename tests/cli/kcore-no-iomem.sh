#!/bin/bash
# SPDX-License-Identifier: MIT
# Without an iomem (WSL2, some containers) kcore's own ranges serve.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 16 --lie no-iomem --lie text-differs
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_err '^(note|warning): .*iomem'

#!/bin/bash
# SPDX-License-Identifier: MIT
# A kcore whose data end early: what is there is kept.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 16 --lie truncated-data
expect_error 1 'could not be read|unreadable' avml "${from[@]}" "$T/out"
cut=$(($(stat -c %s "$T/proc/kcore") - 0x4000))
truncate -s "$cut" "$T/memory"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_status 3 avml "${from[@]}" --max-unreadable 100 "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

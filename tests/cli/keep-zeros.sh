#!/bin/bash
# SPDX-License-Identifier: MIT
# --keep-zeros writes every block, even of nothing but zeros.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 72
expect_status 0 avml "${from[@]}" --keep-zeros "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem" --keep-zeros
lime check --keep-zeros "$T/out" >"$T/check" || fail "$(cat "$T/check")"
expect_err ' 0 bytes of zero blocks left out'
expect_status 0 avml "${from[@]}" --threads 1 --keep-zeros - >"$T/stream"
expect_same "$T/out" "$T/stream"

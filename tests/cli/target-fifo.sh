#!/bin/bash
# SPDX-License-Identifier: MIT
# A named pipe as target is a stream.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
avml "${from[@]}" "$T/want" 2>/dev/null
mkfifo "$T/fifo"
cat "$T/fifo" >"$T/out" &
expect_status 0 avml "${from[@]}" "$T/fifo"
wait
expect_same "$T/want" "$T/out"
[ -p "$T/fifo" ] || fail "the pipe is gone"

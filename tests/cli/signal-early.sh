#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal before the first record is whole leaves no file.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 12288 --layout flat --fill zero
printf 'x' | dd of="$T/memory" bs=1 seek=12884901887 conv=notrunc status=none
before=(env --default-signal=TERM)
avml_exec "${from[@]}" "$T/out" 2>"$T/err" &
pid=$!
before=()
wait_until test -e "$T/out"
kill -TERM "$pid"
expect_ended 143 "$pid"
check_sanitizer
expect_absent "$T/out"

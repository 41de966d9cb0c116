#!/bin/bash
# SPDX-License-Identifier: MIT
# A reader that goes away is an error of the write, not a death by SIGPIPE.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
set +e
avml "${from[@]}" - 2>"$T/err" | head -c 1000 >"$T/out"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]}" = 1 ] || fail "status ${status[0]}"
expect_error_form
expect_err 'Broken pipe|gone away'

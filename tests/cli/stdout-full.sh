#!/bin/bash
# SPDX-License-Identifier: MIT
# A full device is a failure that is told.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
expect_error 1 'No space left' avml "${from[@]}" - >/dev/full
expect_error 1 'No space left' avml "${from[@]}" /dev/stdout >/dev/full
expect_error 1 'No space left' avml "${from[@]}" /dev/fd/3 3>/dev/full

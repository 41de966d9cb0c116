#!/bin/bash
# SPDX-License-Identifier: MIT
# `avml acquire X` is `avml X`; only the word itself, first, is the command.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
avml "${from[@]}" "$T/want" 2>/dev/null
cd "$T"
expect_status 0 avml acquire "${from[@]}" out
expect_same want out
expect_status 0 avml "${from[@]}" acquire
expect_same want acquire
rm acquire
expect_status 0 avml acquire "${from[@]}" acquire
expect_same want acquire
rm acquire
expect_status 0 avml ./acquire "${from[@]}"
expect_same want acquire
rm acquire
expect_error 2 FILE avml acquire "${from[@]}"
expect_error 2 . avml "${from[@]}" acquire out2
expect_absent acquire out2

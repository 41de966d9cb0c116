#!/bin/bash
# SPDX-License-Identifier: MIT
# --no-clobber refuses an existing file, and makes a new one.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
echo precious >"$T/old"
expect_error 1 "$T/old" avml "${from[@]}" --no-clobber "$T/old"
[ "$(cat "$T/old")" = precious ] || fail "the old file is touched"
: >"$T/empty"
expect_error 1 "$T/empty" avml "${from[@]}" --no-clobber "$T/empty"
[ ! -s "$T/empty" ] || fail "the empty file is touched"
ln -s nowhere "$T/dangling"
expect_error 1 "$T/dangling" avml "${from[@]}" --no-clobber "$T/dangling"
expect_absent "$T/nowhere"
expect_status 0 avml "${from[@]}" --no-clobber "$T/new"
expect_image "$T/new" "$T/memory" "$T/iomem"

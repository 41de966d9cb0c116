#!/bin/bash
# SPDX-License-Identifier: MIT
# A symbolic link is refused as target; what it points to stays.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
echo precious >"$T/precious"
ln -s precious "$T/link"
expect_error 1 "$T/link" avml "${from[@]}" "$T/link"
expect_err 'symbolic link'
[ "$(cat "$T/precious")" = precious ] || fail "written through the link"
[ -L "$T/link" ] || fail "the link is gone"
ln -s nowhere "$T/dangling"
expect_error 1 'symbolic link' avml "${from[@]}" "$T/dangling"
expect_absent "$T/nowhere"
[ -L "$T/dangling" ] || fail "the dangling link is gone"

# In the path to it a link is nobody's business.
mkdir "$T/dir"
ln -s dir "$T/way"
expect_status 0 avml "${from[@]}" "$T/way/out"
expect_image "$T/dir/out" "$T/memory" "$T/iomem"

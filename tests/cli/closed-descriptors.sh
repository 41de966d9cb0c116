#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever of the standard descriptors is closed, no message gets into the
# image and the image is whole.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
run()
{
	local status=0
	"$@" || status=$?
	[ "$status" = 0 ] || fail "status $status"
	expect_image "$T/out" "$T/memory" "$T/iomem"
	rm "$T/out"
}
run avml "${from[@]}" "$T/out" <&- 2>"$T/err"
run avml "${from[@]}" "$T/out" >&- 2>"$T/err"
run avml "${from[@]}" "$T/out" 2>&-
run avml "${from[@]}" "$T/out" <&- >&- 2>&-
run avml "${from[@]}" --threads 4 "$T/out" <&- >&- 2>&-
run avml "${from[@]}" - <&- 2>&- >"$T/out"
# A stderr nobody can write to is no reason to lose an image.
run avml "${from[@]}" "$T/out" 2>/dev/full

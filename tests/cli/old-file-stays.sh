#!/bin/bash
# SPDX-License-Identifier: MIT
# What fails before the first byte leaves an old file as it was.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
echo precious >"$T/old"
chmod 644 "$T/old"
untouched()
{
	[ "$(cat "$T/old")" = precious ] || fail "the old file is touched"
	[ "$(stat -c %a "$T/old")" = 644 ] || fail "the old file's mode"
}
expect_error 1 "$T/none" avml --source "$T/none" --iomem "$T/iomem" "$T/old"
untouched
expect_error 1 "$T/none" avml --source "$T/memory" --iomem "$T/none" "$T/old"
untouched
expect_error 2 bogus avml "${from[@]}" "$T/old" --bogus
untouched
expect_error 2 threads avml "${from[@]}" --threads 0 "$T/old"
untouched
expect_error 1 limit avml "${from[@]}" --max-disk-usage 1 "$T/old"
untouched

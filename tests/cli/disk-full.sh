#!/bin/bash
# SPDX-License-Identifier: MIT
# A disk that fills up: whole records are left, and the error says where.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 48
if ! small_disk "$T/disk" 24m; then
	skip_part "a small disk: may not mount"
	exit 0
fi
expect_error 1 "$T/disk/out" avml "${from[@]}" "$T/disk/out"
expect_err 'No space left|space'
[ ! -e "$T/disk/out" ] || expect_prefix 1 "$T/disk/out" "$T/memory" "$T/iomem"
rm -f "$T/disk/out"

# Room for holes and all, but not for the bytes of the last block: what could
# not be foreseen.
head -c 9000000 /dev/zero >"$T/disk/filler"
expect_error 1 "$T/disk/out" avml "${from[@]}" "$T/disk/out"
[ ! -e "$T/disk/out" ] || expect_prefix 1 "$T/disk/out" "$T/memory" "$T/iomem"
rm -f "$T/disk/out"

# A stream into a file there is no business of ours to cut.
expect_error 1 'No space left|space' avml "${from[@]}" - >"$T/disk/out"

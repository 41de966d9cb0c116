#!/bin/bash
# SPDX-License-Identifier: MIT
# The image is its owner's alone, whatever the mask or the old file's mode.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
mode()
{
	[ "$(stat -c %a "$1")" = "$2" ] || fail "mode $(stat -c %a "$1") $3"
}
umask 0
expect_status 0 avml "${from[@]}" "$T/new"
mode "$T/new" 600 'with mask 0'
umask 022
touch "$T/old"
chmod 644 "$T/old"
expect_status 0 avml "${from[@]}" "$T/old"
mode "$T/old" 600 'for a file that was 644'
expect_image "$T/old" "$T/memory" "$T/iomem"

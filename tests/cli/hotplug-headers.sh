#!/bin/bash
# SPDX-License-Identifier: MIT
# Without an iomem the headers of kcore tell what is RAM, at the beginning and
# at the end of a run: what came is unreadable.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

again()
{
	make_proc --size 12 --keep --lie no-iomem \
		--kcore-without 0x400000-0x404000
}
headers()
{
	dd if="$T/after/kcore" of="$T/proc/kcore" bs=4096 count=4 \
		conv=notrunc status=none
}
nothing()
{
	:
}
make_proc --size 12
mkimage --keep --proc "$T/after" "$T/memory" "$T/iomem"
again
during 0 nothing --threads 2
expect_no_err 'plugged'
again
during 3 headers --max-unreadable 1
expect_unreadable 0x400000 0x404000 'it was plugged in'
expect_err ' 16384 bytes unreadable'
expect_image "$T/stream" "$T/memory" "$T/iomem" --left-out 0x400000-0x404000

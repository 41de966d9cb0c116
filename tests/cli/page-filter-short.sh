#!/bin/bash
# SPDX-License-Identifier: MIT
# A kpageflags that ends early: behind its end nothing is marked, which is
# believed only where no memory is known to be bad.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

bad=(--page-flag 0x200000=hwpoison --page-flag 0x380000=offline)
make_sources --size 8 --mark "${bad[@]}" --cut kpageflags=0x300000
# A part of a word tells nothing.
truncate -s +3 "$T/proc/kpageflags"
for threads in 1 4; do
	expect_status 3 avml "${from[@]}" --threads $threads "$T/out"
	expect_image "$T/out" "$T/memory.crash" "$T/iomem" \
		--unreadable 0x200000-0x201000
	expect_unreadable 0x200000 0x201000 'hardware poisoned'
	expect_err ' 4096 bytes unreadable'
done

make_sources --size 8 --mark --keep "${bad[@]}" --cut kpageflags=0x300000 \
	--meminfo HardwareCorrupted=4
end=$(lime_ranges "$T/iomem" | tail -n 1)
expect_status 3 avml "${from[@]}" --max-unreadable 100 "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem" \
	--unreadable 0x200000-0x201000 --unreadable "0x300000-${end#*-}"
expect_unreadable 0x200000 0x201000 'hardware poisoned'
expect_unreadable 0x300000 0x600000 '.*kpageflags'

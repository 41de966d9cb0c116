#!/bin/bash
# SPDX-License-Identifier: MIT
# RAM that comes or goes during a run, as iomem and the headers of kcore tell
# it at the end: what came is unreadable, what went is a warning.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

new_iomem()
{
	cat >"$T/proc/iomem.new"
	mv "$T/proc/iomem.new" "$T/proc/iomem"
}
again()
{
	make_proc --size 12 --keep
}
make_proc --size 12
end=$(lime_ranges "$T/iomem" | tail -n 1)
end=${end#*-}

nothing()
{
	:
}
during 0 nothing
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_no_err '^warning'
# The same in other words, or less than a page.
other_words()
{
	{
		echo '02000800-02001233 : System RAM'
		tac "$T/iomem" | sed 's/Kernel code/Kernel data/'
		echo '02001234-020017ff : System RAM'
	} | new_iomem
}
during 0 other_words
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_no_err '^warning'

again
plug()
{
	{
		cat "$T/iomem"
		echo '02000000-0200ffff : System RAM'
		echo '02800000-028fffff : Reserved'
	} | new_iomem
}
during 3 plug
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_unreadable 0x2000000 0x2010000 \
	'it was plugged in after the run had begun$'
[ "$(grep -c '^warning: ' "$T/err")" = 1 ] || fail "$(said)"
expect_err ' 65536 bytes unreadable'
again
during 3 plug --max-unreadable 0
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_err ' 65536 bytes unreadable'
# What was there grows.
again
grow()
{
	sed 's/-008fffff : System RAM/-00901fff : System RAM/' "$T/iomem" |
		new_iomem
	! cmp -s "$T/iomem" "$T/proc/iomem" || fail "the test changes nothing"
}
during 3 grow
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_unreadable 0x900000 0x902000 'it was plugged in'
# As a machine does it: iomem and kcore have it.
mkimage --layout flat --size 48 "$T/more" "$T/any"
again
plug_both()
{
	plug
	rm -rf "$T/after"
	mkimage --keep --proc "$T/after" "$T/more" "$T/proc/iomem"
	dd if="$T/after/kcore" of="$T/proc/kcore" bs=4096 count=4 \
		conv=notrunc status=none
}
during 3 plug_both
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_unreadable 0x2000000 0x2010000 'it was plugged in'
expect_err ' 65536 bytes unreadable'

again
unplug()
{
	grep -ve "$(printf -- '-%08x' $((end - 1)))" "$T/iomem" | new_iomem
	! cmp -s "$T/iomem" "$T/proc/iomem" || fail "the test changes nothing"
}
during 0 unplug
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_err "^warning: 0x[0-9a-f]*-$(printf '0x%016x' "$end") "
again
remove_iomem()
{
	rm "$T/proc/iomem"
}
during 0 remove_iomem
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_err '^warning: .*iomem'

# Headers of kcore that are gone.
headers()
{
	dd if="$T/after/kcore" of="$T/proc/kcore" bs=4096 count=4 \
		conv=notrunc status=none
}
again
rm -rf "$T/after"
mkimage --keep --proc "$T/after" --kcore-without 0x400000-0x480000 \
	"$T/memory" "$T/iomem"
during 0 headers
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_err '^warning: 0x0*400000-0x0*480000 '

# An iomem that was given is no fact of the machine, and not read again.
again
cp "$T/iomem" "$T/given"
from+=(--iomem "$T/given")
change_given()
{
	sed -i 's/System RAM/Reserved/' "$T/given"
}
during 0 change_given --threads 2
expect_image "$T/stream" "$T/memory" "$T/iomem"
expect_no_err '^warning'

#!/bin/bash
# SPDX-License-Identifier: MIT
# What is no memory is refused as --source: an ELF file, an image.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_proc --size 4
lime batch <<END
write $T/v1 0x0-0x400000
write $T/v2 0x0-0x400000 --format v2
END
cp "$T/proc/kcore" "$T/core"
for source in v1 v2 core; do
	expect_error 1 "$T/$source" avml --source "$T/$source" \
		--iomem "$T/iomem" "$T/out"
	expect_err 'image|ELF'
	expect_absent "$T/out"
	echo precious >"$T/old"
	expect_error 1 . avml --source "$T/$source" --iomem "$T/iomem" "$T/old"
	[ "$(cat "$T/old")" = precious ] || fail "the old file is gone"
done
# A path that ends in /kcore is a kcore, wherever it is.
mkdir "$T/else"
mv "$T/proc/kcore" "$T/else/kcore"
expect_status 0 avml --source "$T/else/kcore" --iomem "$T/iomem" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
cp "$T/memory" "$T/else/kcore"
expect_error 1 'ELF' avml --source "$T/else/kcore" --iomem "$T/iomem" "$T/new"
expect_absent "$T/new"

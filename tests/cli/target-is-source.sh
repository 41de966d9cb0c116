#!/bin/bash
# SPDX-License-Identifier: MIT
# What is read is never written to, under whatever name.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
cp "$T/memory" "$T/memory.was"
cp "$T/iomem" "$T/iomem.was"
ln "$T/memory" "$T/memory.hard"
ln "$T/iomem" "$T/iomem.hard"
mkdir "$T/dir"
for target in memory iomem memory.hard iomem.hard dir/../memory; do
	expect_error 1 "$T/$target" avml "${from[@]}" "$T/$target"
	expect_same "$T/memory.was" "$T/memory"
	expect_same "$T/iomem.was" "$T/iomem"
done
for target in memory iomem; do
	expect_error 1 . avml "${from[@]}" - >>"$T/$target"
	expect_same "$T/$target.was" "$T/$target"
	expect_error 1 . avml "${from[@]}" /dev/fd/3 3<>"$T/$target"
	expect_same "$T/$target.was" "$T/$target"
done

# The same for a kcore that is a file.
make_proc --size 4 --keep
cp "$T/proc/iomem" "$T/iomem.was"
sum=$(head -c 65536 "$T/proc/kcore" | cksum)
for target in kcore iomem; do
	expect_error 1 "$T/proc/$target" avml "${from[@]}" "$T/proc/$target"
done
expect_same "$T/iomem.was" "$T/proc/iomem"
[ "$(head -c 65536 "$T/proc/kcore" | cksum)" = "$sum" ] ||
	fail "kcore was written to"

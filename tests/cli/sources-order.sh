#!/bin/bash
# SPDX-License-Identifier: MIT
# Without --source: crash before kcore before mem, the first that works.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 4 --mark
for name in crash kcore mem; do
	expect_status 0 avml "${from[@]}" "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem"
	case $name in
	kcore) path=$T/proc/kcore ;;
	*) path=$T/dev/$name ;;
	esac
	expect_err "^avml: .* bytes of RAM from $path;"
	expect_no_err '^warning: 0x' 'could not be read'
	# The same to a stream.
	expect_status 0 avml "${from[@]}" - >"$T/stream"
	expect_same "$T/out" "$T/stream"
	rm "$path"
done

# The same compressed.
make_sources --size 4 --mark --keep
expect_status 0 avml "${from[@]}" --compress "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem"

# Without a DIR for devices, only what lies in the other one.
make_sources --size 4 --mark --keep
expect_status 0 avml --proc "$T/proc" "$T/out"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem"

# What opens but cannot be read, or makes no sense, is none.
truncate -s 1M "$T/dev/crash"
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem"
make_sources --size 4 --mark --keep --lie not-elf
rm "$T/dev/crash"
mkdir "$T/dev/crash"
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.mem" "$T/iomem"

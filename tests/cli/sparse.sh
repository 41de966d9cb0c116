#!/bin/bash
# SPDX-License-Identifier: MIT
# Zeros become holes in a regular file, not with --no-sparse; same bytes.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 48
expect_status 0 avml "${from[@]}" "$T/out"
expect_status 0 avml "${from[@]}" --no-sparse "$T/full"
expect_same "$T/out" "$T/full"
expect_image "$T/full" "$T/memory" "$T/iomem"
size=$(stat -c %s "$T/out")
# A little less than all may be there: blocks are counted by the file system.
[ $(($(stat -c %b "$T/full") * 512)) -ge $((size - 65536)) ] ||
	fail "--no-sparse made holes"
[ $(($(stat -c %b "$T/out") * 512)) -lt $((size * 95 / 100)) ] ||
	fail "no holes: $(stat -c '%b blocks of %s bytes' "$T/out")"

# A block that ends in zeros ends in a hole, and the file is as long.
make_image --size 20 --layout flat --fill lonely
expect_status 0 avml "${from[@]}" "$T/tail"
expect_image "$T/tail" "$T/memory" "$T/iomem"
[ "$(stat -c %b "$T/tail")" -lt 8192 ] || fail "no holes in nearly nothing"
make_image --size 20 --layout flat
truncate -s 19M "$T/memory"
truncate -s 20M "$T/memory"
expect_status 0 avml "${from[@]}" "$T/tail"
expect_image "$T/tail" "$T/memory" "$T/iomem"
expect_status 0 avml "${from[@]}" --no-sparse "$T/tail"
expect_image "$T/tail" "$T/memory" "$T/iomem"
expect_status 0 avml "${from[@]}" - >"$T/tail"
expect_image "$T/tail" "$T/memory" "$T/iomem"

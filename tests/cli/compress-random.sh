#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory that does not compress: no stream is longer than a reader can bear,
# unless nothing can be done about it, which is said.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


# The ranges of the records whose stream is too long.
too_long()
{
	lime table "$1" >"$T/table" || fail "$(tail -n 1 "$T/table")"
	awk '$6 > $5 - 1 { print $4 }' "$T/table"
}
# random, text FILE START LENGTH: into a sparse file, in MiB.
random()
{
	dd if=/dev/urandom of="$1" bs=1M seek="$2" count="$3" \
		conv=notrunc status=none
}
text()
{
	dd of="$1" bs=1M seek="$2" count="$3" conv=notrunc iflag=fullblock \
		status=none < <(yes 'the quick brown fox jumps over the dog')
}
# check NAME: every way to make it, and back.
check()
{
	local size
	size=$(stat -c %s "$T/memory")
	printf '00000000-%08x : System RAM\n' $((size - 1)) >"$T/iomem"
	from=(--source "$T/memory" --iomem "$T/iomem")
	expect_status 0 avml "${from[@]}" --compress --threads 2 "$T/v2"
	expect_no_err 'Volatility'
	[ -z "$(too_long "$T/v2")" ] || fail "$1: $(too_long "$T/v2")"
	expect_status 0 avml convert --source-format raw \
		--format lime_compressed "$T/memory" "$T/out"
	expect_no_err 'Volatility'
	expect_same "$T/v2" "$T/out"
	expect_status 0 avml convert --format raw "$T/v2" "$T/raw"
	truncate -s "$size" "$T/raw"
	expect_same "$T/memory" "$T/raw"
	expect_status 0 avml convert --source-format raw "$T/memory" "$T/v1"
	expect_status 0 avml convert --format lime_compressed "$T/v1" "$T/out"
	expect_no_err 'Volatility'
	# Blocks of zeros are not there to be joined: other records.
	[ -z "$(too_long "$T/out")" ] || fail "$1: $(too_long "$T/out")"
	expect_status 0 avml convert --format raw "$T/out" "$T/raw"
	truncate -s "$size" "$T/raw"
	expect_same "$T/memory" "$T/raw"
}
text "$T/memory" 0 4
random "$T/memory" 20 64
truncate -s 120M "$T/memory"
text "$T/memory" 90 2
check 'in the middle'
rm "$T/memory"
random "$T/memory" 0 20
text "$T/memory" 20 1
truncate -s 24M "$T/memory"
check 'at the start'

# Up to the end of the range: written, counted, said once, and no error.
said_once()
{
	expect_err 'Volatility 3 may hang'
	[ "$(grep -c Volatility "$T/err")" = 1 ] || fail "said more than once"
}
rm "$T/memory"
random "$T/memory" 0 20
printf '00000000-%08x : System RAM\n' $(((20 << 20) - 1)) >"$T/iomem"
expect_status 0 avml "${from[@]}" --compress "$T/v2"
said_once
expect_image "$T/v2" "$T/memory" "$T/iomem"
expect_status 0 avml convert --source-format raw --format lime_compressed \
	"$T/memory" "$T/out"
said_once
expect_same "$T/v2" "$T/out"
expect_status 0 avml "${from[@]}" --quiet --compress "$T/v2"
expect_no_err Volatility

# Small ranges by themselves: nothing can be joined to them.
cat >"$T/iomem" <<'END'
00001000-00001fff : System RAM
00010000-0001ffff : System RAM
00100000-0010ffff : System RAM
00200000-00210fff : System RAM
END
expect_status 0 avml "${from[@]}" --compress "$T/v2"
expect_err '4 records hold memory that does not'
said_once
lime table "$T/v2" | cut -d ' ' -f 4 >"$T/found"
printf '%s\n' 0x1000-0x2000 0x10000-0x20000 0x100000-0x110000 \
	0x200000-0x211000 >"$T/want"
expect_same "$T/want" "$T/found"
expect_image "$T/v2" "$T/memory" "$T/iomem"
expect_status 0 avml convert "$T/v2" "$T/out"
expect_no_err Volatility
expect_status 0 avml "${from[@]}" "$T/v1"
expect_same "$T/v1" "$T/out"

# v1 records that touch are joined too, where the file can be looked ahead in.
lime write "$T/v1" 0x1000+64K:fill=random 0x11000+64K:fill=random \
	0x21000+64K 0x41000+4K:fill=random
expect_status 0 avml convert --format lime_compressed "$T/v1" "$T/out"
lime table "$T/out" | cut -d ' ' -f 4 >"$T/found"
printf '%s\n' 0x1000-0x31000 0x41000-0x42000 >"$T/want"
expect_same "$T/want" "$T/found"
expect_err '1 records hold memory that does not'
lime lost "$T/out" "$T/v1" --expect ''

#!/bin/bash
# SPDX-License-Identifier: MIT
# The tools the other scripts trust: every fault they look for is found.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

"${PYTHON:-python3}" -ISB - "$tests/lib" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import snappy
snappy.self_test()
END
make_image --size 48
image="$T/memory $T/iomem"
good()
{
	# shellcheck disable=SC2086
	lime cmp "$T/image" $image >"$T/cmp" || fail "$* refused: $(cat "$T/cmp")"
}
# bad WORDS COMMAND: the tool must see it, and say so in these words.
bad()
{
	local regex=$1 status=0
	shift
	"$@" >"$T/found" 2>&1 || status=$?
	[ "$status" = 1 ] || fail "not seen (status $status): $*"
	grep -qE -e "$regex" "$T/found" || fail "not /$regex/: $(cat "$T/found")"
}
patch()
{
	printf '%b' "$2" | dd of="$T/image" bs=1 seek="$1" conv=notrunc status=none
}
make()
{
	lime write "$T/image" --memory "$T/memory" --iomem "$T/iomem" "$@"
}
check()
{
	lime check "$T/image"
}

# cmp: a byte, a header, an end too early, bytes too many, wrong blocks.
make
good an ideal image
# shellcheck disable=SC2086
set -- lime cmp "$T/image" $image
patch 700000 '\0377\0376\0375\0374'
bad 'address 0x10ce20 .*memory has' "$@"
make
patch 16 '\0376'
bad 'header' "$@"
make
truncate -s -1 "$T/image"
bad 'only' "$@"
bad 'only' "$@" --prefix
make
echo >>"$T/image"
bad 'too many' "$@"
make --lose-last
bad 'header' "$@"
make --block 8M
bad 'header' "$@"
make --keep-zeros
bad 'header|too many' "$@" --prefix
"$@" --keep-zeros >"$T/cmp" || fail "keep-zeros: $(cat "$T/cmp")"
make
bad 'header' "$@" --keep-zeros
bad 'header|differ|memory has' "$@" --unreadable 0x2000-0x8000
truncate -s 647200 "$T/image"
bad 'header missing' "$@"
"$@" --prefix >"$T/cmp" || fail "prefix: $(cat "$T/cmp")"
[ "$(cat "$T/cmp")" = 1 ] || fail "prefix: $(cat "$T/cmp") records, not 1"

# cmp of v2: what was decoded counts, and which blocks are there.
make_image --size 4
make --format v2
good a v2 image
make --how stored --format v2 --block 1M
good 'a v2 image of shorter records'
"$@" --prefix >"$T/cmp" || fail "v2 prefix: $(cat "$T/cmp")"
patch 1000000 '\0377\0376\0375\0374'
bad 'CRC|literal|copy|block|chunk' "$@"
make --how stored --format v2 --lose-last
bad 'lacks' "$@"
bad 'differ' "$@" --unreadable 0x2000-0x8000
make --how stored --format v2 --headers-for-zeros 0x40000000+4K:fill=zero
bad 'holds 0x40000000' "$@"
make --how stored --format v2 0x40000000+4K:data=none
bad 'no data' "$@"

# check: each rule of a producer broken by itself.
write()
{
	lime write "$T/image" "$@"
}
write 0x1000-0x3000 0x5000-0x6000
check >"$T/found" || fail "good v1 refused: $(cat "$T/found")"
write --format v2 0x1000-0x30000 0x50000-0x60000
check >"$T/found" || fail "good v2 refused: $(cat "$T/found")"
lime raw "$T/image" "$T/raw"
write 0x1000-0x30000 0x50000-0x60000
lime raw "$T/image" "$T/raw1"
expect_same "$T/raw" "$T/raw1"
rule()
{
	local regex=$1
	shift
	write "$@"
	bad "$regex" check
}
rule 'v2 after v1' 0x1000-0x2000 0x4000-0x8000:kind=v2
rule 'starts at' 0x4000-0x5000 0x1000-0x2000
rule 'starts at' 0x1000-0x3000 0x2000-0x4000
rule 'whole pages' 0x1000-0x1fff
rule 'whole pages' 0x1001-0x2000
rule 'reserved' 0x1000-0x2000:reserved=1
rule 'allowed' 0x1000+20M
rule 'all zero' 0x1000-0x2000:fill=zero
rule 'short record' 0x1000-0x2000 0x2000-0x3000
rule 'no header' 0x1000-0x2000 hex:00000000000000000000000000000000 \
	0x4000-0x5000:data=none
rule 'cut off' 0x1000-0x2000 hex:00
rule 'are there' 0x1000-0x2000:cut=1
rule 'before start' 0x1000-0x2000:last=0xff0
rule 'no header' 0x1000-0x2000:magic=1
rule 'no header' 0x1000-0x2000:version=2
rule2()
{
	local regex=$1
	shift
	rule "$regex" --format v2 "$@"
}
rule2 'without data' 0x1000-0x8000:data=none
rule2 'uncompressed length' 0x1000-0x8000:trailer=raw
rule2 'trailer says' 0x1000-0x8000:trailer=5
rule2 'trailer cut' 0x1000-0x8000:trailer=none
rule2 'trailer cut' 0x1000-0x8000:cut=3
rule2 'CRC' 0x1000-0x8000:badcrc=0
rule2 'saves less' 0x1000-0x8000:how=literal
rule2 'behind the identifier' 0x1000-0x8000:ident=2
rule2 'behind the identifier' 0x1000-0x40000:ident-every=1
rule2 'behind the identifier' 0x1000-0x8000:pad=7
rule2 'type 0x7f' 0x1000-0x8000:pad=7,padtype=0x7f
rule2 'stream of' 0x1000-0x8000:fill=random
rule2 'all zero' 0x1000-0x8000:fill=zero
rule2 'whole pages' 0x1000-0x7fff

# A flipped bit anywhere in compressed data is seen.
write --format v2 0x1000-0x8000
for at in 45 50 60 100; do
	cp "$T/image" "$T/was"
	patch "$at" '\0125'
	bad . check
	cp "$T/was" "$T/image"
done

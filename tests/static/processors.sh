#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever the processor and the C library: the same bytes in every format, of
# memory of many kinds, and each decodes what the other has encoded. (Where the
# order of bytes is wrong, snappy encodes garbage without an error.)
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

other=$AVML
native=${NATIVE:-$tests/../avml}
[ -x "$native" ] || fail "no $native (make)"

by()
{
	AVML=$1
	shift
	expect_status 0 avml "$@"
}
# both NAME ARGUMENT...: what each of them makes of it, in $T/NAME.
both()
{
	local name=$1
	shift
	by "$native" "$@" "$T/$name"
	by "$other" "$@" "$T/other"
	cmp "$T/$name" "$T/other" >"$T/cmp" 2>&1 || fail "$name: $(cat "$T/cmp")"
	rm "$T/other"
}

make_sources --size 24
both v1 "${from[@]}"
both v2 "${from[@]}" --compress
both v2-threads "${from[@]}" --compress --threads 4
both v2-zeros "${from[@]}" --compress --keep-zeros
expect_image "$T/v1" "$T/memory" "$T/iomem"
expect_image "$T/v2" "$T/memory" "$T/iomem"
both decoded convert "$T/v2"
both encoded convert --format lime_compressed "$T/v1"
both raw convert --format raw "$T/v2"
both from-raw convert --source-format raw "$T/raw"
both from-raw2 convert --source-format raw --format lime_compressed "$T/raw"
expect_image "$T/decoded" "$T/memory" "$T/iomem"
expect_same "$T/encoded" "$T/v2"

# A megabyte of each kind at least, through the encoder and back: text, code,
# tables of numbers, what does not compress, and runs of all lengths.
"${PYTHON:-python3}" -ISB - "$T/varied" "$AVML" <<'END'
import random, struct, sys
rng = random.Random(1)
words = [bytes(rng.choices(range(97, 123), k=rng.randint(2, 11)))
         for _ in range(2000)]
with open(sys.argv[1], "wb") as out:
    out.write(b" ".join(rng.choices(words, k=1 << 18))[: 1 << 20])
    with open(sys.argv[2], "rb") as program:
        code = program.read()
    out.write((code * (1 + (1 << 20) // len(code)))[: 1 << 20])
    out.write(b"".join(struct.pack("<Q", 0xFFFF888000000000 + 64 * i * i)
                       for i in range(1 << 17)))
    out.write(rng.randbytes(1 << 20))
    runs = bytearray()
    while len(runs) < 1 << 21:
        runs += rng.randbytes(rng.randint(1, 40))
        runs += bytes([rng.randint(0, 255)]) * rng.randint(1, 300)
        back = rng.randint(1, min(len(runs), 65535))
        runs += runs[-back:][: rng.randint(1, 100)]
    out.write(runs[: 1 << 21])
END
both varied2 convert --source-format raw --format lime_compressed "$T/varied"
both varied1 convert "$T/varied2"
both varied0 convert --format raw "$T/varied2"
expect_same "$T/varied0" "$T/varied"
lime check "$T/varied2" >"$T/cmp" || fail "$(cat "$T/cmp")"

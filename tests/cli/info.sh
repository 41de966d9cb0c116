#!/bin/bash
# SPDX-License-Identifier: MIT
# `avml info`: what it says of images of every kind is what another reader
# finds in them, in words, in JSON and as a map.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# described KIND IMAGE OUTPUT [COLUMNS]: is to be judged at the end.
described()
{
	printf '%q ' "$@" >>"$T/described"
	echo >>"$T/described"
}
# judge IMAGE [STATUS]: all that can be said of it.
judge()
{
	local image=$1 status=${2-0} threads
	# What it takes on the disk is settled then.
	sync "$image"
	expect_status 0 avml info "$image" >"$image.text"
	[ ! -s "$T/err" ] || fail "${image##*/}: $(said)"
	described text "$image" "$image.text"
	expect_status 0 avml info --json "$image" >"$image.json"
	[ ! -s "$T/err" ] || fail "${image##*/}: $(said)"
	described json "$image" "$image.json"
	for threads in 1 8; do
		expect_status "$status" avml info --json --map \
			--threads $threads "$image" >"$image.json.$threads"
	done
	described json "$image" "$image.json.1"
	expect_same "$image.json.1" "$image.json.8"
	expect_status "$status" avml info --map "$image" >"$image.map"
	described map "$image" "$image.map" 80
	! grep -q $'\033' "$image.map" || fail "${image##*/}: colours in a file"
}
image()
{
	local name=$1
	shift
	echo "write $(printf '%q ' "$T/$name" "$@")" >>"$T/batch"
	images+=("$T/$name")
}
images=()
image v1 0x1000-0x51000 0x80000-0xa2000:fill=zero 0x100000+3M:fill=random
image v1-runs 0x40000-0x80000 0x80000-0xc0000:fill=zero \
	0xc0000-0x100000:fill=random 0x140000-0x180000
image v2 --format v2 0x1000-0x51000 0x80000-0xa2000:fill=zero 0x200000+1M
image v2-aligned --format v2 0x40000-0x80000:fill=zero 0x80000-0x100000 \
	0x140000-0x180000:fill=0x41 0x1c0000-0x200000
image v2-odd --format v2 0x1000-0x51000:chunk=1000,ident=2 \
	0x80000-0xa2000:pad=9,ident-every=1 0xa2000-0xf2000:how=stored \
	0x100000-0x151000:chunk=33000,pad=70000
image literal --format v2 --how literal 0x1000-0x51000 0x100000+1M
image mixed 0x1000-0x51000 0x80000-0xa2000:kind=v2 0xa2000-0xb3000
image mixed-v2 --format v2 0x1000-0x51000 0x80000-0xa2000:kind=v1
image empty-record --format v2 0x1000-0x51000 0x80000-0xa2000:data=none \
	0x100000-0x110000 0x1000000+16M:data=none
image only-empty --format v2 0x1000000+16M:data=none
image avml-ends 0x1000-0x50fff 0x80000-0xa1fff 0x100000-0x100fff
image avml-ends-v2 --format v2 0x1000-0x50fff 0x80000-0xa1fff
image incompressible --format v2 0x1000-0x51000 0x80000-0xa2000:fill=random \
	0x100000-0x180000:fill=random
image overlap 0x80000-0xa2000 0x1000-0x51000 0x40000-0x60000 0x5f000-0x62000
image overlap-v2 --format v2 0x80000-0xa2000 0x1000-0x51000 0x40000-0x60000
image odd-places 0x1003-0x51001 0x80001-0x80002 0x80002-0x81010
# By gaps alone: whole blocks that lack behind whole blocks.
image left-out 0x1000000+16M:fill=0x11 0x3000000+16M:fill=0 0x4000000+4K \
	0x6001000+4K 0x9000000+4K:fill=zero
# Far apart, and no double could tell these addresses.
image far 0x20000000000001-0x20000000001fff \
	0x7ffffffffffff001-0x7ffffffffffff003 \
	0xffffffffffffe000-0xffffffffffffffff
# More cells than a map can have.
far=()
for ((i = 0; i < 16500; i++)); do
	far+=("$((i << 22 | (i % 7) << 18))+1:fill=0x5$((i % 2))")
done
image many "${far[@]}"
# As many lines as a map has at most, of 48 characters of 256 KiB; one more.
tall=()
for ((i = 0; i < 49; i++)); do
	[ $i != 48 ] || image tall "${tall[@]}"
	tall+=("$((i * 48 << 18))+4K")
done
image taller "${tall[@]}"
# Levels of compression, each in a character of its own.
"${PYTHON:-python3}" -ISBc '
import random, sys
made = random.Random(7)
for percent in 5, 20, 40, 60, 90:
    page = made.randbytes(4096 * percent // 100)
    for _ in range(64 * 4):
        page = made.randbytes(len(page))
        sys.stdout.buffer.write(page + bytes(4096 - len(page)))
for i in range(64):
    sys.stdout.buffer.write(bytes(4096 if i % 8 else 4095) + b"\1" * (not i % 8))
' >"$T/levels.mem"
truncate -s 6M "$T/levels.mem"
image levels.v1 --memory "$T/levels.mem" 0+6M
# On a terminal the memory of a record may reach over several lines.
image wide --format v2 0x1000-0x51000:fill=random 0x1000000+1M \
	0x10000000+1M 0x100000000+64K 0xff00000000000+64K
lime batch <"$T/batch" >"$T/found" || fail "$(cat "$T/found")"
expect_status 0 avml convert --format lime_compressed --keep-zeros \
	"$T/levels.v1" "$T/levels"
for image in "${images[@]}" "$T/levels"; do
	judge "$image"
done
for character in 0 - = + '#'; do
	sed -n '/^0x[0-9a-f]* [^ ]/p' "$T/levels.map" | cut -c 20- |
		grep -qF -e "$character" || fail "no $character in the map"
done

# On a terminal, as wide as that is, and with colours unless they are not
# wanted.
for columns in 1 60 80 133 400; do
	for colour in yes NO_COLOR=1 TERM=dumb; do
		# shellcheck disable=SC2054
		before=(env TERM=xterm NO_COLOR= "$colour=${colour#*=}"
			"${PYTHON:-python3}" -IS "$tests/lib/terminal.py" "$columns")
		[ $colour = yes ] || before[3]=$colour
		expect_status 0 avml info --map "$T/wide" >"$T/text"
		before=()
		cp "$T/text" "$T/text.$columns.$colour"
		described map "$T/wide" "$T/text.$columns.$colour" "$columns"
		if [ $colour = yes ]; then
			grep -q $'\033\\[' "$T/text" || fail "no colour"
		elif grep -q $'\033' "$T/text"; then
			fail "a colour in spite of $colour"
		fi
	done
done

# From a pipe and from where stdin stands it is the same.
for options in '' --map; do
	# shellcheck disable=SC2086
	expect_status 0 avml info --json $options - <"$T/v2-odd" \
		>"$T/stdin$options"
	described json "$T/v2-odd" "$T/stdin$options"
	# shellcheck disable=SC2086
	expect_status 0 avml info --json $options - >"$T/pipe$options" \
		< <(cat "$T/v1")
	described json "$T/v1" "$T/pipe$options"
	! grep -q allocated "$T/pipe$options" || fail "a pipe on a disk"
done
{ head -c 100 /dev/zero && cat "$T/v1"; } >"$T/behind"
{
	dd bs=100 count=1 of=/dev/null
	expect_status 0 avml info --json --map - >"$T/stdin.behind"
} <"$T/behind"
described json "$T/v1" "$T/stdin.behind"

# Holes of the file take no place.
lime write "$T/sparse" 0x1000000+1K
truncate -s 1K "$T/sparse"
expect_status 1 avml info --json "$T/sparse" >"$T/json"
lime write "$T/full" 0+32M:fill=zero
cp --sparse=always "$T/full" "$T/sparse"
sync "$T/full" "$T/sparse"
if [ "$(stat -c %b "$T/sparse")" -lt "$(stat -c %b "$T/full")" ]; then
	expect_status 0 avml info --json "$T/sparse" >"$T/json"
	grep -qE "\"allocated_bytes\":\s*$(($(stat -c %b "$T/sparse") * 512)),$" \
		"$T/json" || fail "not what it takes: $(grep alloc "$T/json")"
else
	skip_part "holes: none here"
fi

# Damage: said, with status 1, and the rest all the same.
member()
{
	"${PYTHON:-python3}" -ISBc '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    value = value[int(key) if isinstance(value, list) else key]
print(value)' "$T/json" "$@"
}
# damaged CHANGES NUMBERS... [-- OPTION...]: places, records, memory, ranges,
# holes, blocks left out.
damaged()
{
	local change=$1 want="$2 $3 $4 $5 $6 $7" got
	shift 7
	# shellcheck disable=SC2086
	lime patch "$base" "$T/damaged" $change
	expect_error 1 'damaged in [0-9]+ places.*avml verify' \
		avml info --json "$@" "$T/damaged" >"$T/json"
	got="$(member damage places) $(member records) $(member memory_bytes)"
	got+=" $(member ranges) $(member holes) $(member left_out_blocks)"
	[ "$got" = "$want" ] || fail "$change: $got, not $want"
	expect_status 1 avml info "$@" "$T/damaged" >"$T/text"
	grep -qE "^damage +in $(member damage places) places, the first at \
offset $(member damage first_offset): ." "$T/text" || fail "$change: no damage"
	# A record is counted in each range that it is in.
	! grep -qE '^0x.* 0$' "$T/text" || fail "$change: a range of no record"
}
lime write "$T/base" --format v2 0x100000-0x150000 0x200000-0x250000 \
	0x300000-0x350000
base=$T/base
damaged 1.2.head=80 1 3 983040 3 2 0
damaged '1.2.head=80 1.2.body+9=ffffff' 1 3 917504 4 3 0
damaged '1.2.head=80 1.2.body+9=ffffff' 1 3 917504 4 3 0 --map
damaged 1.head=00 1 2 655360 2 1 0
damaged 2.head+20! 1 2 655360 2 1 0
damaged 2.3.body! 1 3 786432 3 2 0
damaged 1.2.body^01 1 3 983040 3 2 0 --map
grep -q '^0x.*!' "$T/text" || fail "no damage in the map"
cp "$T/damaged" "$T/checksum"
cp "$T/json" "$T/checksum.json"
cp "$T/text" "$T/checksum.map"
described json "$T/checksum" "$T/checksum.json"
described map "$T/checksum" "$T/checksum.map" 80
# Without a map nothing is decoded.
expect_status 0 avml info "$T/damaged" >"$T/text"
lime write "$T/base" 0x1000000+16M:fill=1 0x2000000+16M:fill=1 \
	0x3000000+16M:fill=1
# What is damaged was not left out.
damaged 1.head=00 1 2 33554432 2 1 0
damaged 1.head+32! 1 2 16777216 1 0 0
damaged 2.head+100! 1 3 33554500 1 0 0
damaged 2.head+100! 1 3 33554500 1 0 0 --map

# What is no image.
: >"$T/nothing"
expect_error 1 'image is empty' avml info "$T/nothing" >"$T/stdout"
head -c 70000 "$tests/lib/lime.py" >"$T/other"
expect_error 1 'bad magic' avml info "$T/other" >"$T/stdout"
mkdir "$T/dir"
expect_error 1 'is a directory' avml info --json "$T/dir" >"$T/stdout"
expect_error 1 'No such file' avml info "$T/none" >"$T/stdout"
[ ! -s "$T/stdout" ] || fail "something on stdout"
expect_error 2 IMAGE avml info
expect_error 2 "$T/v2" avml info "$T/v1" "$T/v2"
expect_error 2 threads avml info --threads 0 "$T/v1"

# Any bytes in its name, and a stdout that takes nothing.
odd=$T/$'odd \xff\t"\xc3\xa9\033'
cp "$T/v1" "$odd"
expect_status 0 avml info --json "$odd" >"$T/json"
expect_status 0 avml info "$odd" >"$T/text"
! grep -qa $'[\xff\033]' "$T/json" "$T/text" || fail "odd bytes are shown"
for options in '' --json --map; do
	# shellcheck disable=SC2086
	expect_error 1 'stdout' avml info $options "$T/v1" >/dev/full
done

# A signal ends it.
for options in '' --map; do
	# shellcheck disable=SC2086
	expect_signalled "$T/v1" info $options
	[ ! -s "$T/stdout" ] || fail "something on stdout"
done

"${PYTHON:-python3}" -IS "$tests/lib/described.py" batch <"$T/described" \
	>"$T/found" 2>&1 ||
	fail "$(wc -l <"$T/found") wrong: $(head -n 3 "$T/found")"

#!/bin/bash
# SPDX-License-Identifier: MIT
# `avml verify`: whole images pass, each damage is named with its place in the
# image and its address, all of several are, and what is merely odd is noted.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# verify STATUS IMAGE ORIGINAL WANTED...: see verified.py.
n=0
verify()
{
	local status=$1 image=$2 threads
	shift 2
	n=$((n + 1))
	for threads in 1 8; do
		expect_status "$status" avml verify --threads $threads \
			"$image" >"$T/said.$threads"
		if [ "$status" = 0 ]; then
			[ ! -s "$T/err" ] || fail "${image##*/}: $(said)"
		else
			expect_error_form
			expect_err 'has [0-9]+ faults$'
		fi
	done
	expect_same "$T/said.1" "$T/said.8"
	mv "$T/said.1" "$T/$n.${image##*/}"
	printf '%q ' "$1" "$T/$n.${image##*/}" "${@:2}" >>"$T/verified"
	echo >>"$T/verified"
	expect_status "$status" avml verify --quiet "$image" >"$T/quiet"
	[ ! -s "$T/quiet" ] || fail "--quiet is not"
	[ "$(wc -l <"$T/err")" = "$status" ] || fail "--quiet: $(said)"
}

# Images that are whole.  NAME | WANTED | RECORDS
cat >"$T/good" <<'END'
v1||0x1000-0x51000 0x80000-0xa2000:fill=random 0x1000000+3M
v2||--format v2 0x1000-0x51000 0x80000-0xa2000:fill=zero 0x100000+1M
literal||--format v2 --how literal 0x1000-0x51000 0x80000-0xa2000
stored||--format v2 --how stored 0x1000-0x51000 0x80000-0xa2000
short||--format v2 0x1000-0x51000:chunk=1000 0x80000-0xa2000:chunk=65535
identifiers||--format v2 0x1000-0x51000:ident=3 0x80000-0xa2000:ident-every=1
padding||--format v2 0x1000-0x51000:pad=0 0x80000-0xa2000:pad=9999,padtype=0x80
long-padding||--format v2 0x1000-0x51000:pad=1000000 0x80000-0xa2000
incompressible||--format v2 0x1000-0x51000:fill=random 0x80000-0xa2000
high||--format v2 0x20000000001000-0x20000000011000 0xfffffffffffe0000+64K
empty|note,0.next+32,-,1.head,1.next note,2.next+32,-,3.head,3.next|--format v2 0x1000-0x51000 0x80000-0xa2000:data=none 0x100000-0x110000 0x1000000+16M:data=none
avml|note,0.head,-,0.head,0.next note,1.head,-,1.head,1.next|0x1000-0x50fff 0x80000-0xa1fff
avml-v2|note,0.head,-,0.head,0.next note,1.head,-,1.head,1.next|--format v2 0x1000-0x50fff 0x80000-0xa1fff
uncompressed|note,1.3,-,1.head,1.next|--format v2 0x1000-0x51000 0x80000-0xa0000:trailer=raw 0x100000+64K
END
while IFS='|' read -r name _ records; do
	echo "write $T/$name $records"
done <"$T/good" | lime batch
while IFS='|' read -r name wanted _; do
	# shellcheck disable=SC2086
	verify 0 "$T/$name" "$T/$name" $wanted
done <"$T/good"
for image in avml.lime avml.compressed; do
	cp "$tests/data/golden/$image" "$T/golden"
	expect_status 0 avml verify "$T/golden" >"$T/said"
done
# What avml itself writes, and how much of it was looked at.
make_image --size 40
expect_status 0 avml "${from[@]}" "$T/acquired"
verify 0 "$T/acquired" "$T/acquired"
grep -q 'only headers and lengths' "$T/said.8" || fail "$(cat "$T/said.8")"
expect_status 0 avml "${from[@]}" --compress "$T/compressed"
verify 0 "$T/compressed" "$T/compressed"
memory=$(lime table "$T/compressed" | awk '{ sum += $5 } END { print sum }')
grep -q " $memory bytes of memory in $(stat -c %s "$T/compressed"); $memory \
bytes in [0-9]* chunks agree with their checksums; 0 faults, 0 notes" "$T/said.8" ||
	fail "$(cat "$T/said.8")"

# Damage.  Four records of five chunks each, the last of them shorter.
# Where only a chunk's head is bad, what follows proves the chunk.
# NAME | IMAGE | CHANGES | WANTED
lime write "$T/v2" --format v2 0x100000-0x14f000 0x200000-0x24f000:fill=random \
	0x300000-0x34f000 0x400000-0x44f000
lime write "$T/v1" 0x100000-0x14f000 0x200000-0x24f000:fill=random \
	0x300000-0x34f000 0x400000-0x44f000
cat >"$T/damages" <<'END'
crc|v2|1.2.body^01|fault,1.2,1.3,1.2,1.3
crc-last|v2|3.5.body+3^80|fault,3.5,3.6,3.5,3.6
data|v2|1.2.body+900^10|fault,1.2,1.3,1.2,1.3
data-first|v2|0.1.body+5000^04|fault,0.1,0.2,0.1,0.2
data-last|v2|1.5.body+61443^80|fault,1.5,1.6,1.5,1.6
block|v2|0.3.body+7=ffffffffffff|fault,0.3,0.4,0.3,0.4
block-4gib|v2|0.2.body+4=ffffffff0f|fault,0.2,0.3,0.2,0.3
length-0|v2|1.2.head=01000000|fault,1.2,1.2+4,1.2,-
length-most|v2|1.2.head=00ffffff|fault,1.2,1.2+4,1.2,-
length-less|v2|0.2.head+1^10|fault,0.2,*,0.2,0.3
type-02|v2|1.2.head=02|fault,1.2,1.2+4,1.2,-
type-04|v2|1.4.head=04|fault,1.4,1.4+4,1.4,-
type-skipped|v2|0.2.head=80|fault,0.2,0.2+4,0.2,-
type-skipped-last|v2|1.5.head=80|fault,1.5,1.5+4,1.5,-
type-identifier|v2|1.2.head=ff|fault,1.2,1.2+4,1.2,-
identifier|v2|1.0.body+2^20|fault,1.0,2.head,1.0,1.next
magic|v2|1.head=00|fault,1.head,2.head,0.next,-
magic-v1|v1|1.head=00|fault,1.head,2.head,0.next,-
version|v2|2.head+4=01|fault,2.head,3.head,1.next,-
version-v1|v1|2.head+4=02|fault,2.head,3.head,1.next,-
reserved|v2|1.head+24=01|fault,1.head,2.head,0.next,-
reserved-v1|v1|1.head+31=80|fault,1.head,2.head,0.next,-
end-before|v2|1.head+16=0000100000000000|fault,1.head,2.head,0.next,-
end-before-v1|v1|1.head+16=0000100000000000|fault,1.head,2.head,0.next,-
end-all|v2|1.head+16=ffffffffffffffff|fault,1.head,2.head,0.next,-
end-higher|v2|1.head+21=01|fault,1.head,-,0x200000,0x24f000
end-higher-v1|v1|1.head+18=34|fault,1.head,-,1.head,*
end-lower-v1|v1|1.head+16=ffff20|fault,1.body+0x10000,2.head,0x210000,-
start-lower-v1|v1|1.head+8=0000100000000000 1.head+16=ffef140000000000|fault,1.head,-,0x100000,0x14f000
trailer|v2|1.trailer^01|fault,1.6,-,1.head,1.next
trailer-last|v2|3.trailer+7^80|fault,3.6,-,3.head,3.next
first-magic|v2|0.head=00|fault,0.head,1.head,0,-
first-magic-v1|v1|0.head=00|fault,0.head,1.head,0,-
trailer-more|v2|2.head<0102030405060708|fault,2.head,2.head+8,1.next,-
cut-data|v2|1.3.body+99!|fault,1.3,1.3+103,1.3,1.next
cut-head|v2|1.3.head+3!|fault,1.3,1.3+3,1.3,1.next
cut-trailer|v2|1.trailer+7!|fault,1.6,1.6+7,1.next,-
cut-header|v2|1.head+31!|fault,1.head,1.head+31,0.next,-
cut-header-v1|v1|1.head+31!|fault,1.head,1.head+31,0.next,-
cut-v1|v1|1.head+65568!|fault,1.head+65568,-,0x210000,1.next
cut-first-v1|v1|32!|fault,32,-,0.head,0.next
cut-first-chunk|v2|60!|fault,0.1,60,0.1,0.next
several|v2|0.1.body^01 1.4.head=04 2.head=00 3.5.body+9^10 3.trailer^02|fault,0.1,0.2,0.1,0.2 fault,1.4,1.4+4,1.4,- fault,2.head,3.head,1.next,- fault,3.5,3.6,3.5,3.6 fault,3.6,-,3.head,3.next
several-v1|v1|1.head=00 3.head+4128!|fault,1.head,2.head,0.next,- fault,3.body+4096,-,0x401000,3.next
two-in-one|v2|1.1.body^01 1.4.body^01|fault,1.1,1.2,1.1,1.2 fault,1.4,1.5,1.4,1.5
two-side-by-side|v2|1.2.body^01 1.3.body^80|fault,1.2,1.3,1.2,1.3 fault,1.3,1.4,1.3,1.4
head-with-body|v2|1.2.head=04 1.2.body^01|fault,1.2,1.3,1.2,1.3
two-with-bodies|v2|1.1.head=04 1.1.body^01 1.3.head=80 1.3.body^01|fault,1.1,2.head,1.1,1.next
two-heads-in-one|v2|1.1.head=04 1.3.head=80|fault,1.1,1.1+4,1.1,- fault,1.3,1.3+4,1.3,-
head-and-body|v2|1.2.body^01 1.4.head=05|fault,1.2,1.3,1.2,1.3 fault,1.4,1.4+4,1.4,-
END
while IFS='|' read -r name image changes _; do
	echo "patch $T/$image $T/in.$name $changes"
done <"$T/damages" | lime batch
while IFS='|' read -r name image _ wanted; do
	# shellcheck disable=SC2086
	verify 1 "$T/in.$name" "$T/$image" $wanted
done <"$T/damages"

# Order and mixed formats, which readers refuse.
lime write "$T/order" 0x80000-0xa2000 0x1000-0x51000 0x40000-0x60000
verify 1 "$T/order" "$T/order" fault,1.head,-,1.head,1.next \
	fault,2.head,-,2.head,2.next
lime write "$T/mixed" 0x1000-0x51000 0x80000-0xa2000:kind=v2 0x100000-0x101000
verify 1 "$T/mixed" "$T/mixed" fault,1.head,-,1.head,1.next

# What nothing covers: memory of version 1, what is in a padding, and a stream
# that is another and means the same.
lime patch "$T/v1" "$T/undetected" 1.head+5000^10
verify 0 "$T/undetected" "$T/v1"
lime patch "$T/padding" "$T/undetected" 1.1.body+77^10
verify 0 "$T/undetected" "$T/padding"
lime write "$T/zeros" --format v2 0x1000-0x5000:fill=zero
bit=$("${PYTHON:-python3}" -ISBc '
import sys
sys.path.insert(0, sys.argv[1])
import snappy
from image import MappedFile, records
image = MappedFile(sys.argv[2])
kind, at, size = next(records(image)).chunks[1]
whole = bytes(image[0:])
for bit in range(8 * 7, 8 * size):
    other = bytearray(whole)
    other[at + bit // 8] ^= 1 << bit % 8
    try:
        snappy.decode_chunk(memoryview(other), kind, at, size)
    except snappy.SnappyError:
        continue
    print("%d^%02x" % (bit // 8, 1 << bit % 8))
    break' "$tests/lib" "$T/zeros")
lime patch "$T/zeros" "$T/undetected" "0.1.body+$bit"
! cmp -s "$T/zeros" "$T/undetected" || fail "nothing was changed"
verify 0 "$T/undetected" "$T/zeros"

# From a pipe: the same where nothing has to be looked for ahead.
for name in v1 v2 in.crc in.magic in.two-side-by-side in.cut-data; do
	status=0
	[ "${name#in.}" = "$name" ] || status=1
	expect_status $status avml verify "$T/$name" | grep ^fault >"$T/want" || :
	expect_status $status avml verify - < <(cat "$T/$name") >"$T/said"
	grep -q '^stdin: ' "$T/said" || fail "no name for stdin in the summary"
	grep '^fault' "$T/said" >"$T/got" || :
	expect_same "$T/want" "$T/got"
	expect_status $status avml verify - <"$T/$name" >"$T/said"
	grep '^fault' "$T/said" >"$T/got" || :
	expect_same "$T/want" "$T/got"
done

# What is no image.
: >"$T/nothing"
mkdir "$T/dir"
head -c 70000 "$tests/lib/lime.py" >"$T/other"
for options in '' --quiet; do
	# shellcheck disable=SC2086
	{
		expect_error 1 'image is empty' avml verify $options "$T/nothing"
		expect_error 1 'bad magic' avml verify $options "$T/other"
		expect_error 1 'is a directory' avml verify $options "$T/dir"
		expect_error 1 'No such file' avml verify $options "$T/none"
	} >"$T/stdout"
	[ ! -s "$T/stdout" ] || fail "something on stdout"
done
expect_error 2 IMAGE avml verify
expect_error 2 "$T/v2" avml verify "$T/v1" "$T/v2"
expect_error 2 threads avml verify --threads 65 "$T/v1"
expect_error 1 stdout avml verify "$T/v2" >/dev/full
expect_error 1 stdout avml verify "$T/in.several" >/dev/full

# A signal ends it while it waits.
for threads in 1 2; do
	expect_signalled "$T/v2" verify --threads $threads
done

"${PYTHON:-python3}" -IS "$tests/lib/verified.py" batch <"$T/verified" \
	>"$T/found" 2>&1 ||
	fail "$(wc -l <"$T/found") wrong: $(head -n 5 "$T/found")"

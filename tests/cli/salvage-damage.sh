#!/bin/bash
# SPDX-License-Identifier: MIT
# Damage of every kind: a clear error without --salvage, and with it all that
# still decodes, told apart from what is lost.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


# Four records of five chunks each, the last chunk of each a short one. Where
# only a chunk's head is damaged, what follows proves it, and nothing is lost.
# R.N is chunk N of record R, counted from 1; chunk 0 is the identifier.
lime write "$T/v2" --format v2 0x100000-0x14f000 0x200000-0x24f000:fill=random \
	0x300000-0x34f000 0x400000-0x44f000
lime write "$T/v1" 0x100000-0x14f000 0x200000-0x24f000:fill=random \
	0x300000-0x34f000 0x400000-0x44f000
lime write "$T/mixed" --format v2 0x100000-0x14f000 0x200000-0x24f000:kind=v1 \
	0x300000-0x34f000 0x400000-0x44f000

# Where the header's range alone is wrong, the neighbours tell what it was.
# LOST is exactly that, or with < something in there; - is nothing at all.
# NAME | IMAGE | CHANGES | ERROR | LOST | SALVAGE STATUS
cat >"$T/cases" <<'END'
crc|v2|1.2.body^01|checksum|0x210000-0x220000|3
crc-last|v2|3.5.body^01|checksum|0x440000-0x44f000|3
data|v2|1.2.body+900^10|checksum|0x210000-0x220000|3
data-last|v2|1.5.body+61443^80|checksum|0x240000-0x24f000|3
block|v2|0.3.body+7=ffffffffffff|corrupt|0x120000-0x130000|3
block-short|v2|0.2.body+4=808003|.|<0x110000-0x14f000|3
block-4gib|v2|0.2.body+4=ffffffff0f|length|<0x110000-0x14f000|3
block-endless|v2|0.2.body+4=ffffffffffff|length|<0x110000-0x14f000|3
length-0|v2|1.2.head=01000000|too short|-|3
length-1|v2|1.2.head=00010000|too short|-|3
length-3|v2|1.2.head=01030000|too short|-|3
length-4|v2|1.2.head=01040000|too short|-|3
length-most|v2|1.2.head=00ffffff|longer than|-|3
length-64k1|v2|1.2.head=01050001|longer than|-|3
length-less|v2|0.2.head+1^10|.|-|3
length-more|v2|0.2.head+2^40|.|-|3
length-less-last|v2|0.5.head+1^10|.|-|3
length-more-last|v2|0.5.head+2^40|.|-|3
length-random|v2|1.2.head+1=0080|.|-|3
type-02|v2|1.2.head=02|without a checksum|-|3
type-03|v2|1.2.head=03|without a checksum|-|3
type-04|v2|1.2.head=04|type 0x04|-|3
type-7f|v2|1.2.head=7f|type 0x7f|-|3
type-stored|v2|0.2.head=01|.|-|3
type-skipped|v2|0.2.head=80|.|-|3
type-padding|v2|0.3.head=fe|.|-|3
type-skipped-last|v2|1.5.head=80|.|-|3
type-identifier|v2|1.2.head=ff|identifier|-|3
identifier|v2|1.0.body+2^20|identifier|<0x200000-0x24f000|3
identifier-gone|v2|1.0.head-10|identifier|<0x200000-0x24f000|3
identifier-again|v2|1.2.head<ff060000734e6150705a|sNaPpY|<0x210000-0x24f000|3
magic|v2|1.head=00|bad magic|0x200000-0x24f000|3
version|v2|1.head+4=01|AVML header of version 1|0x200000-0x24f000|3
lime-magic|v2|1.head=454d694c|LiME header of version 2|0x200000-0x24f000|3
version-v1|v1|1.head+4=02|LiME header of version 2|0x200000-0x24f000|3
avml-magic-v1|v1|1.head=41564d4c|AVML header of version 1|0x200000-0x24f000|3
magic-v1|v1|1.head=00|bad magic|0x200000-0x24f000|3
reserved|v2|1.head+24=01|reserved|0x200000-0x24f000|3
reserved-v1|v1|1.head+31=80|reserved|0x200000-0x24f000|3
end-before|v2|1.head+16=0000100000000000|before it begins|0x200000-0x24f000|3
end-before-v1|v1|1.head+16=0000100000000000|before it begins|0x200000-0x24f000|3
end-all|v2|1.head+16=ffffffffffffffff|64-bit|0x200000-0x24f000|3
end-far|v2|1.head+23=7f|.|-|0
end-higher|v2|1.head+21=01|.|-|0
end-next|v2|1.head+18=30|.|-|0
end-lower-v1|v1|1.head+16=ffff20|no record where|0x210000-0x24f000|3
first-magic|v2|0.head=00|bad magic|0x100000-0x14f000|3
first-magic-v1|v1|0.head=00|bad magic|0x100000-0x14f000|3
first-of-all|v2|0=00000000000000000000|bad magic|0x100000-0x14f000|3
trailer-gone|v2|1.trailer-8|bad magic|-|3
trailer-cut|v2|1.trailer-3|bad magic|-|3
trailer-more|v2|2.head<0102030405060708|bad magic|-|3
padding-behind|v2|1.trailer<fe03000000|bad magic|-|3
cut-data|v2|1.3.body+99!|ends within a chunk|0x220000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-head|v2|1.3.head+3!|ends within a chunk.s head|0x220000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-identifier|v2|1.0.head+9!|identifier|0x200000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-trailer|v2|1.trailer+7!|within the record.s trailer|0x300000-0x34f000,0x400000-0x44f000|3
cut-before-trailer|v2|1.trailer!|within the record.s trailer|0x300000-0x34f000,0x400000-0x44f000|3
cut-header|v2|1.head+31!|within a record header|0x200000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-header-1|v2|1.head+1!|within a record header|0x200000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-header-v1|v1|1.head+31!|within a record header|0x200000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-v1|v1|1.head+65568!|before the record does|0x210000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-empty-v1|v1|1.head+32!|before the record does|0x200000-0x24f000,0x300000-0x34f000,0x400000-0x44f000|3
cut-first|v2|31!|within a record header|-|1
cut-first-v1|v1|32!|before the record does|-|1
cut-first-chunk|v2|60!|ends within a chunk|-|1
page-gone|v2|1.2.body+100-4096|.|<0x210000-0x24f000|3
page-zero|v2|0=00|.|0x100000-0x14f000|3
mixed|mixed|1.head=00|bad magic|0x200000-0x24f000|3
END
while IFS='|' read -r name image changes _; do
	echo "patch $T/$image $T/in.$name $changes"
done <"$T/cases" | lime batch

# A run that hangs, or takes memory by what a header says, is ended.
guarded=(timeout -k 1 20)
# shellcheck disable=SC2016 # the inner shell expands them
grep -qE '__asan_init|__tsan_init' "$AVML" ||
	guarded+=(bash -c 'ulimit -v 400000 && exec "$0" "$@"')
loss='^warning: lost (0x[0-9a-f]+-0x[0-9a-f]+, offset [0-9]+ to [0-9]+|what '
loss+='offset [0-9]+ to [0-9]+ held): .'
while IFS='|' read -r name image changes regex lost status; do
	# To lime all of them, the rest in turns.
	n=$((${n:-0} + 1))
	formats=(lime)
	[ $((n % 4)) != 1 ] || formats+=(lime_compressed)
	[ $((n % 4)) != 3 ] || formats+=(raw)
	for format in "${formats[@]}"; do
		out=$T/$format.$name
		before=("${guarded[@]}")
		expect_error 1 "$regex" avml convert --format "$format" \
			"$T/in.$name" "$out"
		before=()
		expect_err 'offset [0-9]+'
		expect_absent "$T/core"
		# What is left is whole records of the image.
		if [ -e "$out" ] && [ "$format" != raw ]; then
			echo "lost $out $T/$image" >>"$T/prefixes"
			mv "$out" "$out.prefix"
			sed -i "\$s|$out|$out.prefix|" "$T/prefixes"
		fi
		before=("${guarded[@]}")
		expect_status "$status" avml convert --format "$format" \
			--salvage "$T/in.$name" "$out"
		before=()
		case $status in
		3) expect_err "$loss" ;;
		0) expect_err '^note: .*: 1 records have a range that' ;;
		*)
			expect_err 'could be salvaged|there is no record'
			expect_absent "$out"
			continue
			;;
		esac
		[ "$lost" != - ] || lost=
		echo "lost $out $T/$image --expect '$lost'" \
			"$([ "$format" != raw ] || echo --raw)" >>"$T/results"
	done
done <"$T/cases"
lime batch <"$T/prefixes" >"$T/found" ||
	fail "not cut back to whole records: $(head -n 2 "$T/found")"
lime batch <"$T/results" >"$T/found" ||
	fail "$(grep -c '^in: ' "$T/found") wrong: $(sed 's/^in: .*//' \
		"$T/found" | tr '\n' ' ')"

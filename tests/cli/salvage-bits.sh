#!/bin/bash
# SPDX-License-Identifier: MIT
# One flipped bit after another in what holds a v2 record together: nothing of
# other records is lost, and no byte comes out at another address.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime write "$T/v2" --format v2 0x100000-0x130000 0x200000-0x247000 \
	0x300000-0x330000 0x400000-0x430000
: >"$T/patches"
flip()
{
	local bit
	for bit in 01 02 04 08 10 20 40 80; do
		names+=("$1^$bit")
		echo "patch $T/v2 $T/$1^$bit $1^$bit" >>"$T/patches"
	done
}
names=()
for i in 0 4 8 10 12 15 16 18 20 23 24; do
	flip "1.head+$i"
done
for i in 0 1 2 3; do
	flip "1.2.head+$i"
	flip "1.5.head+$i"
	flip "1.5.body+$((i + 4))"
done
flip 1.0.head+0
flip 1.0.body+3
flip 1.trailer+0
flip 1.trailer+7
lime batch <"$T/patches"
for name in "${names[@]}"; do
	got=0
	avml convert --salvage --threads 1 "$T/$name" "$T/out.$name" \
		2>"$T/err" || got=$?
	check_sanitizer
	case $got,$name in
	3,* | 0,1.trailer* | 0,1.head+[89]* | 0,1.head+1* | 0,1.head+2[0-3]*) ;;
	*) fail "$name: status $got: $(said)" ;;
	esac
	expect=\<0x200000-0x247000
	case $name in
	1.trailer*) expect= ;;
	# A chunk whose head alone is damaged is made good.
	1.[25].head*) expect= ;;
	# Of a wrong range, the neighbours may tell where it was.
	1.head+[89]* | 1.head+1* | 1.head+2[0-3]*)
		[ "$got" = 3 ] || expect=
		;;
	esac
	echo "lost '$T/out.$name' $T/v2 --expect '$expect'"
done >"$T/results"
cp "$T/results" "$T/commands"
lime batch <"$T/commands" >"$T/found" ||
	fail "$(grep -c '^in: ' "$T/found") wrong: $(sed 's/^in: .*out\.//' \
		"$T/found" | tr '\n' ' ')"
# In those lines are all ranges that are lost: none but of that record.
! grep -E '^0x' "$T/found" | tr ',' '\n' | grep -vE '^0x2' >"$T/others" ||
	fail "other records are lost: $(sort "$T/others" | uniq -c | tr '\n' ' ')"

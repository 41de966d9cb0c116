#!/bin/bash
# SPDX-License-Identifier: MIT
# What the file is: static, hardened, stripped, of this size at most, and
# nothing that an old kernel or another host would refuse.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

# Where another program has to run it, that has its name.
binary=${BINARY:-$AVML}
build=$(avml --version --verbose | sed -n 's/^build: //p')
arch=$(readelf -hW "$binary" | sed -n 's/^ *Machine: *//p')
readelf -lW "$binary" >"$T/segments"
readelf -dW "$binary" >"$T/dynamic"
readelf -nW "$binary" >"$T/notes"
readelf -SW "$binary" >"$T/sections"

has()
{
	grep -qE "$2" "$T/$1" || fail "$1: no $2"
}
lacks()
{
	! grep -qE "$2" "$T/$1" || fail "$1: $(grep -E "$2" "$T/$1")"
}

lacks segments INTERP
lacks dynamic NEEDED
case $arch in
*S/390*)
	# No position independent program of this processor can be static.
	has segments 'Elf file type is EXEC'
	;;
*)
	has segments 'Elf file type is DYN'
	has dynamic 'FLAGS_1.*PIE'
	has dynamic 'BIND_NOW|FLAGS.*NOW'
	lacks dynamic TEXTREL
	;;
esac
has segments GNU_RELRO
has segments 'GNU_STACK.* RW '
# Nothing is both writable and executable.
lacks segments ' (RWE|WE) '
lacks sections '\.symtab|\.debug'

case $build in
static-minimal)
	max=$((400 << 10))
	# musl asks for no kernel; glibc does, and refuses an older one.
	lacks notes 'OS: Linux'
	# Its memmove is ours, and memcpy the same, as is seen in a program
	# with its symbols.
	unstripped=${binary%/*}/tests/check_memmove
	[ ! -e "$unstripped" ] ||
		[ "$(readelf -sW "$unstripped" | awk '$8 == "memmove" ||
			$8 == "memcpy" { print $2 }' | sort -u | wc -l)" = 1 ] ||
		fail "memmove is musl's"
	;;
static)
	max=$((6656 << 10)) # 6.5 MiB
	has notes 'OS: Linux, ABI: 3\.(2|7)\.0'
	for word in 'stack smashing detected' 'buffer overflow detected'; do
		grep -qa "$word" "$binary" || fail "no guard: $word"
	done
	;;
*) fail "build: $build" ;;
esac
size=$(stat -L -c %s "$binary")
[ "$size" -le "$max" ] || fail "$size bytes, more than $max"

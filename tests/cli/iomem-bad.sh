#!/bin/bash
# SPDX-License-Identifier: MIT
# An iomem that makes no sense: one clear error that names it, and no file.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
echo precious >"$T/old"
good='00100000-001fffff : System RAM'
try()
{
	printf '%b' "$1" >"$T/bad"
	expect_error 1 "$T/bad" avml --source "$T/memory" --iomem "$T/bad" \
		"$T/out"
	expect_absent "$T/out"
	expect_error 1 "$T/bad" avml --source "$T/memory" --iomem "$T/bad" \
		"$T/old"
	[ "$(cat "$T/old")" = precious ] || fail "the old file is touched"
}
try ''
try '\n\n'
try 'hello\n'
try 'hello\nworld\n00100000\n'
try '\0\0\0\0\0\0\0\0'
try '\001\002\377\376 : \n'
try '00000000-00000fff : Reserved\n'
try '00200000-00100000 : System RAM\n'
try "$good\\n00300000-002fffff : System RAM\\n"
try '0-10000000000000000 : System RAM\n'
try '10000000000000000-10000000000ffffff : System RAM\n'
try "$good\\n00300000-ffffffffffffffffffffffff : System RAM\\n"
try '00100000-01fzffff : System RAM\n'
try "$good\\n0030000g-003fffff : System RAM\\n"
try '00100000 01ffffff : System RAM\n'
try '00100000-01ffffff System RAM\n'
try '-01ffffff : System RAM\n'
try '00100000- : System RAM\n'
try '0x100000-0x1fffff : System RAM\n'
try "$good\\n00300000-003f"
try "$good\\n00300000-003fffff :"

# What is no file to read.
expect_error 1 "$T/none" avml --source "$T/memory" --iomem "$T/none" "$T/out"
expect_absent "$T/out"
mkdir "$T/dir"
expect_error 1 "$T/dir" avml --source "$T/memory" --iomem "$T/dir" "$T/out"
expect_absent "$T/out"
if modes_count; then
	cp "$T/iomem" "$T/shut"
	chmod 0 "$T/shut"
	expect_error 1 "$T/shut" avml --source "$T/memory" --iomem "$T/shut" \
		"$T/out"
	expect_absent "$T/out"
fi

#!/bin/bash
# SPDX-License-Identifier: MIT
# A machine that runs has memory that is not zero: a live source that gives
# nothing else is an error, a file of zeros is not.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_proc --size 4 --fill zero
rm "$T/proc/kcore"
# mkimage marks what lies between ranges; the made-up kcore has RAM alone.
mkimage --keep --proc "$T/proc" "$T/memory" "$T/iomem"
for options in '' --compress; do
	# shellcheck disable=SC2086
	expect_error 1 'every byte that was read is zero' \
		avml "${from[@]}" $options "$T/out"
	expect_absent "$T/out"
	# shellcheck disable=SC2086
	expect_status 0 avml --source "$T/memory" --iomem "$T/iomem" $options \
		"$T/out"
	expect_err '^(note|warning): all memory that was read is zero'
	[ ! -s "$T/out" ] || fail "records of zeros"
	rm "$T/out"
done

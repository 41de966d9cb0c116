#!/bin/bash
# SPDX-License-Identifier: MIT
# A kcore that makes no sense is refused with one clear error, and no file is
# made nor an old one touched.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
echo precious >"$T/old"
for lie in empty truncated-header truncated-table not-elf elf32 big-endian \
	phnum-zero phnum-xnum phentsize-zero phentsize-small \
	phentsize-huge phoff-huge phoff-wraps phoff-past-end offset-huge \
	offset-wraps filesz-huge paddr-wraps paddr-none type-null no-ram \
	directory absent; do
	make_proc --size 4 --keep --lie "$lie"
	expect_error 1 kcore avml "${from[@]}" "$T/out"
	expect_absent "$T/out"
	expect_error 1 kcore avml "${from[@]}" "$T/old"
	[ "$(cat "$T/old")" = precious ] || fail "$lie: the old file is gone"
	expect_error 1 kcore avml "${from[@]}" - >"$T/stream"
	[ ! -s "$T/stream" ] || fail "$lie: something came out"
done
rm -rf "$T/proc/kcore"
mkfifo "$T/proc/kcore"
expect_error 1 kcore timeout_avml "${from[@]}" "$T/out"

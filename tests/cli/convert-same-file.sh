#!/bin/bash
# SPDX-License-Identifier: MIT
# The source is never the destination, by whatever path.
# shellcheck disable=SC2094 # that is what is refused
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime write "$T/v2" 0x1000-0x41000 --format v2
cp "$T/v2" "$T/was"
ln "$T/v2" "$T/hard"
ln -s v2 "$T/soft"
mkdir "$T/dir"
ln -s .. "$T/dir/up"
unchanged()
{
	expect_same "$T/was" "$T/v2"
	[ "$(stat -c %h "$T/v2")" = 2 ] || fail "a link is gone"
}
for options in '' --salvage; do
	for source in v2 hard soft dir/../v2; do
		for target in v2 hard soft dir/up/v2; do
			# shellcheck disable=SC2086
			expect_error 1 'same file|symbolic link' avml convert \
				$options "$T/$source" "$T/$target"
			unchanged
		done
		expect_error 1 'same file' avml convert "$T/$source" - >>"$T/v2"
		unchanged
		expect_error 1 'same file' avml convert "$T/$source" - 1<>"$T/hard"
		unchanged
		expect_error 1 'same file' avml convert "$T/$source" /dev/fd/3 \
			3>>"$T/v2"
		unchanged
		expect_error 1 'same file' avml convert "$T/$source" \
			/proc/self/fd/3 3<>"$T/v2"
		unchanged
	done
	expect_error 1 'same file' avml convert - "$T/v2" <"$T/v2"
	unchanged
	expect_error 1 'same file' avml convert - - <"$T/hard" 1<>"$T/v2"
	unchanged
	expect_error 1 'same file|not open for writing' avml convert - - \
		0<>"$T/v2" >&0
	unchanged
	expect_error 1 'same file' avml convert /dev/fd/3 "$T/v2" 3<"$T/v2"
	unchanged
done
expect_error 1 'same file' avml convert --source-format raw "$T/v2" "$T/hard"
unchanged
# Messages into the image.
got=0
avml convert "$T/v2" "$T/out" 2>"$T/out" || got=$?
[ "$got" = 1 ] || fail "messages into the image: status $got"
grep -q 'messages go to the same place' "$T/out" || fail "no reason given"

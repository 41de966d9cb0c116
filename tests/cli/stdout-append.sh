#!/bin/bash
# SPDX-License-Identifier: MIT
# `>>` keeps what was there, and the image follows; so does an offset.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
avml "${from[@]}" "$T/want" 2>/dev/null
echo earlier >"$T/out"
expect_status 0 avml "${from[@]}" - >>"$T/out"
{
	echo earlier
	cat "$T/want"
} >"$T/both"
expect_same "$T/both" "$T/out"

# The descriptor stands at the end already, and whoever comes after goes on
# there; with O_APPEND no write can leave a hole.
echo later >>"$T/both"
three()
{
	echo earlier
	expect_status 0 avml "${from[@]}" -
	echo later
}
three >"$T/out"
expect_same "$T/both" "$T/out"
rm "$T/out"
three >>"$T/out"
expect_same "$T/both" "$T/out"
rm "$T/out"
expect_status 0 avml "${from[@]}" - >>"$T/out"
expect_same "$T/want" "$T/out"

# At the start of an older, longer file its rest is not ours to cut.
head -c 24000000 /dev/zero | tr '\0' x >"$T/out"
expect_status 0 avml "${from[@]}" - 1<>"$T/out"
head -c "$(stat -c %s "$T/want")" "$T/out" >"$T/front"
expect_same "$T/want" "$T/front"
[ "$(stat -c %s "$T/out")" = 24000000 ] || fail "the rest of the file is gone"

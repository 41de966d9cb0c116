#!/bin/bash
# SPDX-License-Identifier: MIT
# `-` and the names of descriptors write to that descriptor.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
avml "${from[@]}" "$T/want" 2>/dev/null
expect_image "$T/want" "$T/memory" "$T/iomem"

expect_status 0 avml "${from[@]}" - >"$T/out"
expect_same "$T/want" "$T/out"
expect_err '^avml: -: '
set +e
avml "${from[@]}" - 2>"$T/err" | cat >"$T/out"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]}" = 0 ] || fail "status ${status[0]} to a pipe"
expect_same "$T/want" "$T/out"
for name in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
	expect_status 0 avml "${from[@]}" "$name" >"$T/out"
	expect_same "$T/want" "$T/out"
	avml "${from[@]}" "$name" 2>"$T/err" | cat >"$T/out"
	expect_same "$T/want" "$T/out"
done
for name in /dev/fd/3 /proc/self/fd/3; do
	expect_status 0 avml "${from[@]}" "$name" 3>"$T/out" >"$T/stdout"
	expect_same "$T/want" "$T/out"
	[ ! -s "$T/stdout" ] || fail "$name: something on stdout"
done

# The file behind a descriptor keeps its own mode and its holes' bytes.
: >"$T/shared"
chmod 640 "$T/shared"
expect_status 0 avml "${from[@]}" - >"$T/shared"
[ "$(stat -c %a "$T/shared")" = 640 ] || fail "mode of stdout's file changed"

# A shell's process substitution.
expect_status 0 avml "${from[@]}" >(cat >"$T/sub"; echo >"$T/sub-done")
wait_until test -e "$T/sub-done"
expect_same "$T/want" "$T/sub"

# No such descriptor.
expect_error 1 '/dev/fd/42' avml "${from[@]}" /dev/fd/42

#!/bin/bash
# SPDX-License-Identifier: MIT
# Round and round: raw, v2, v1, v2, raw, and nothing has changed.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


mib=64
if [ -n "${AVML_TEST_SLOW-}" ]; then
	mib=1024
fi
make_image --size "$mib"
expect_status 0 avml "${from[@]}" "$T/v1"
expect_status 0 avml "${from[@]}" --compress "$T/v2"
expect_status 0 avml convert "$T/v2" "$T/back"
expect_same "$T/v1" "$T/back"

# What no range holds is no memory, and was zeros already.
expect_status 0 avml convert --format raw "$T/v2" "$T/raw"
step()
{
	expect_status 0 avml convert "$@"
}
step --source-format raw --format lime_compressed "$T/raw" "$T/a"
step "$T/a" "$T/b"
step --format lime_compressed "$T/b" "$T/c"
expect_same "$T/a" "$T/c"
step --format raw "$T/c" "$T/d"
# The image's end may be of zeros, which a record does not hold.
truncate -s "$(stat -c %s "$T/raw")" "$T/d"
expect_same "$T/raw" "$T/d"
lime check "$T/a" >"$T/found" || fail "$(head -n 1 "$T/found")"

# The same bytes for any number of threads.
for threads in 1 2 7; do
	step --threads $threads --format lime_compressed "$T/v1" "$T/e"
	expect_same "$T/v2" "$T/e"
	step --threads $threads "$T/v2" "$T/e"
	expect_same "$T/v1" "$T/e"
	step --threads $threads --format raw "$T/v2" "$T/e"
	expect_same "$T/raw" "$T/e"
	step --threads $threads --salvage --format lime_compressed \
		"$T/v1" "$T/e"
	expect_same "$T/v2" "$T/e"
done

#!/bin/bash
# SPDX-License-Identifier: MIT
# Any number of threads makes the same bytes.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 72
expect_status 0 avml "${from[@]}" --threads 1 "$T/out1"
expect_image "$T/out1" "$T/memory" "$T/iomem"
for threads in 2 7 64; do
	expect_status 0 avml "${from[@]}" --threads "$threads" "$T/out"
	expect_same "$T/out1" "$T/out"
	rm "$T/out"
done
expect_status 0 avml "${from[@]}" "$T/out"
expect_same "$T/out1" "$T/out"
expect_status 0 avml "${from[@]}" --threads 3 - >"$T/out"
expect_same "$T/out1" "$T/out"

# More threads than descriptors: fewer do the work.
few()
{
	(
		ulimit -n 20
		avml_exec "$@"
	)
}
expect_status 0 few "${from[@]}" --threads 64 - >"$T/out"
expect_same "$T/out1" "$T/out"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Heads of real kernels' kcores, with their own iomem; the memory is made up.
# Their offsets are so large that only a tmpfs takes such files.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

shm=/dev/shm
if ! big=$(mktemp -d "$shm/avml-cli.XXXXXX" 2>/dev/null) ||
	! truncate -s 200T "$big/try" 2>/dev/null; then
	skip_part "real heads: no tmpfs"
	exit 0
fi
rm "$big/try"
made_up+=("$big")
for head in "$tests"/data/*/kcore.head; do
	real=${head%/*}
	rm -rf "$big/proc"
	mkimage --fill lonely --iomem "$real/iomem" --kcore-head "$head" \
		--proc "$big/proc" "$T/memory" "$T/iomem"
	expect_same "$real/iomem" "$T/iomem"
	expect_status 0 avml --proc "$big/proc" --source kcore "$T/out"
	expect_image "$T/out" "$T/memory" "$T/iomem"
	expect_no_err 'unreadable.*warning' '^warning: .*could not be read'
	rm "$T/out"
done

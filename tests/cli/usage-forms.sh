#!/bin/bash
# SPDX-License-Identifier: MIT
# Forms that are all the same to the option parser.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
avml "${from[@]}" --keep-zeros "$T/want" 2>/dev/null
same()
{
	expect_status 0 avml "$@"
	expect_same "$T/want" "$T/out"
	rm "$T/out"
}
cd "$T"
same "${from[@]}" --keep-zeros out
same "${from[@]}" --keep_zeros out
same "${from[@]}" out --keep-zeros
same "--source=$T/memory" "--iomem=$T/iomem" --keep-zeros ./out
same --iomem "$T/iomem" --source memory --keep-zeros out
same "${from[@]}" --keep-zeros --threads=2 --max_disk_usage=100 -- out
same "${from[@]}" --keep-zeros --max_disk-usage_percentage 99.9 out
same "${from[@]}" --max_unreadable 1 --no_sparse --no_clobber --keep_zeros out
same "${from[@]}" --keep-zeros --min_free 1 --force out
same acquire "${from[@]}" --keep-zeros out
same acquire "${from[@]}" --keep-zeros --quiet -- out

# Behind -- all is a name.
for name in --keep-zeros --weird -x -- acquire --help; do
	expect_status 0 avml "${from[@]}" --keep-zeros -- "$name"
	expect_same "$T/want" "$T/$name"
	rm -- "$name"
done

#!/bin/bash
# SPDX-License-Identifier: MIT
# The crash device gives one page a read, and only where a page begins; what
# is read of it keeps to that, by whatever way it is read.  Of a regular file
# in its place the first bytes may be looked at: it might be an image.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 4 --mark
trace_calls pread64,preadv,preadv2,read,readv,mmap || exit 0
pages()
{
	expect_status 0 avml "${from[@]}" "$@" "$T/out"
	expect_image "$T/out" "$T/memory.crash" "$T/iomem"
	traced pages "$T/dev/crash" 16 >"$T/found" || fail "$(cat "$T/found")"
}
pages
pages --threads 1
pages --threads 5 --compress
pages --source crash
# By its path it is a file like others, or the same.
expect_status 0 avml --proc "$T/proc" --iomem "$T/iomem" \
	--source "$T/dev/crash" "$T/out"
expect_image "$T/out" "$T/memory.crash" "$T/iomem"

# Where it fills for another (it never does: it is the first), or ends.
make_sources --size 4 --mark --keep --cut crash=0x201000
expect_status 0 avml "${from[@]}" "$T/out"
traced pages "$T/dev/crash" 16 >"$T/found" || fail "$(cat "$T/found")"

# Looking at it is no exception.
avml sources --proc "$T/proc" --dev "$T/dev" >"$T/list" 2>"$T/err" ||
	fail "$(said)"
traced pages "$T/dev/crash" 16 >"$T/found" || fail "$(cat "$T/found")"

# A device is read in no other way than that.
make_sources --size 4 --keep
rm "$T/dev/crash"
if mknod "$T/dev/crash" c 1 5 2>/dev/null; then
	for source in '' '--source crash'; do
		# shellcheck disable=SC2086
		expect_error 1 zero avml "${from[@]}" $source "$T/new"
		traced pages "$T/dev/crash" >"$T/found" || fail "$(cat "$T/found")"
	done
else
	skip_part "devices: may not be made"
fi

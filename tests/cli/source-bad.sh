#!/bin/bash
# SPDX-License-Identifier: MIT
# Sources that are not there or not to be read; wanting --iomem.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
chmod 600 "$T/memory"
expect_error 1 "$T/none" avml --source "$T/none" --iomem "$T/iomem" "$T/out"
expect_err 'No such file|not exist'
expect_absent "$T/out"
mkdir "$T/dir"
expect_error 1 "$T/dir" avml --source "$T/dir" --iomem "$T/iomem" "$T/out"
expect_absent "$T/out"
: >"$T/empty"
status=0
avml --source "$T/empty" --iomem "$T/iomem" "$T/out" 2>"$T/err" || status=$?
check_sanitizer
[ "$status" = 1 ] || fail "status $status for an empty source"
expect_error_form
rm -f "$T/out"
if modes_count; then
	chmod 0 "$T/memory"
	expect_error 1 "$T/memory" avml "${from[@]}" "$T/out"
	expect_err 'Permission denied'
	expect_absent "$T/out"
	chmod 600 "$T/memory"
else
	skip_part "an unreadable source: modes do not count here"
fi

# A pipe cannot be read at an address.
mkfifo "$T/fifo"
expect_error 1 "$T/fifo" timeout_avml --source "$T/fifo" --iomem "$T/iomem" \
	"$T/out"
expect_absent "$T/out"

# A regular file says nothing of ranges: --iomem is needed.  The made-up proc
# has an iomem that must not be taken in its place.
make_proc --size 4 --keep
status=0
avml --proc "$T/proc" --source "$T/memory" "$T/out" 2>"$T/err" || status=$?
check_sanitizer
case $status in
1 | 2) ;;
*) fail "status $status without --iomem" ;;
esac
expect_err '^error: .*--iomem'
expect_absent "$T/out"

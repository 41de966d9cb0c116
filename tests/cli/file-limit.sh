#!/bin/bash
# SPDX-License-Identifier: MIT
# The file size limit of the shell (ulimit -f) is an error of the write.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 48
limited()
{
	(
		ulimit -f 20000 # KiB
		avml_exec "$@"
	)
}
expect_error 1 "$T/out" limited "${from[@]}" "$T/out"
expect_err 'File too large'
expect_prefix 2 "$T/out" "$T/memory" "$T/iomem"
[ "$(stat -c %s "$T/out")" -le 20480000 ] || fail "larger than the limit"

# So low that no record fits: the file goes again.
tiny()
{
	(
		ulimit -f 100
		avml_exec "$@"
	)
}
expect_error 1 "$T/none" tiny "${from[@]}" "$T/none"
expect_absent "$T/none"

# Not where it was there before: then it stays, without a half record.
echo old >"$T/old"
expect_error 1 "$T/old" tiny "${from[@]}" "$T/old"
[ -e "$T/old" ] || fail "a file that was there is removed"
[ ! -s "$T/old" ] || fail "a half record is left"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Targets that cannot be made.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
mkdir "$T/dir"
expect_error 1 "$T/dir.*" avml "${from[@]}" "$T/dir"
expect_err 'directory'
[ -d "$T/dir" ] || fail "the directory is gone"
expect_error 1 "$T/none/out" avml "${from[@]}" "$T/none/out"
expect_err 'No such file'
expect_absent "$T/none"
expect_error 1 "$T/iomem/out" avml "${from[@]}" "$T/iomem/out"
expect_err 'Not a directory'
chmod 555 "$T/dir"
if modes_count; then
	expect_error 1 "$T/dir/out" avml "${from[@]}" "$T/dir/out"
	expect_err 'Permission denied'
	touch "$T/theirs"
	chmod 400 "$T/theirs"
	expect_error 1 "$T/theirs" avml "${from[@]}" "$T/theirs"
	expect_err 'Permission denied'
else
	skip_part "an unwritable directory: modes do not count here"
fi
expect_absent "$T/dir/out"

#!/bin/bash
# SPDX-License-Identifier: MIT
# The file size limit of the shell where the image goes to standard output,
# and of conversions: an error of the write, never a death by SIGXFSZ.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 40
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem"
limited()
{
	(
		ulimit -f 20000 # KiB
		avml_exec "$@"
	)
}
for action in default ignore; do
	before=(env "--$action-signal=XFSZ")
	expect_error 1 'File too large' limited "${from[@]}" - >"$T/stdout"
	[ "$(stat -c %s "$T/stdout")" -le 20480000 ] || fail "above the limit"
	expect_error 1 'File too large' limited "${from[@]}" "$T/out"
	expect_prefix 2 "$T/out" "$T/memory" "$T/iomem"
	rm "$T/out"
	expect_error 1 'File too large' limited convert --source-format raw \
		"$T/memory" "$T/out"
	lime table "$T/out" >"$T/table" || fail "half a record: $(cat "$T/table")"
	rm "$T/out"
	expect_error 1 'File too large' limited convert --format raw "$T/v1" \
		"$T/out"
	expect_error 1 'File too large' limited convert --source-format raw \
		"$T/memory" - >"$T/stdout"
done
before=()
# What is there already counts: the limit is of the file, not of what is new.
head -c 18000000 "$T/memory" >"$T/stdout"
expect_error 1 'File too large' limited "${from[@]}" - >>"$T/stdout"
cmp -n 18000000 "$T/memory" "$T/stdout" >"$T/cmp" || fail "$(cat "$T/cmp")"
# Messages in a file that is full are lost, not the image.
lost()
{
	(
		head -c 20480000 /dev/zero >"$T/log"
		exec 2>>"$T/log"
		before=(env --default-signal=XFSZ)
		limited "$@"
	)
}
mkimage --size 4 "$T/small" "$T/small.iomem"
lost --source "$T/small" --iomem "$T/small.iomem" "$T/out" ||
	fail "status $? with a full log"
expect_image "$T/out" "$T/small" "$T/small.iomem"

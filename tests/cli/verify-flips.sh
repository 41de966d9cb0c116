#!/bin/bash
# SPDX-License-Identifier: MIT
# A flipped bit anywhere in a version 2 image is found, and where it is: with
# AVML_TEST_SLOW a thousand of them in an image of 64 MiB and more.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

mib=16 count=100
if [ -n "${AVML_TEST_SLOW-}" ]; then
	mib=160 count=1000
fi
make_image --size "$mib"
expect_status 0 avml "${from[@]}" --compress "$T/v2"
expect_status 0 avml verify "$T/v2" >"$T/said"
refuse_unsafe verify "$T/v2"
"${PYTHON:-python3}" -IS "$tests/lib/flips.py" "$T/v2" "$count" 2022 -- \
	${drop[@]+"${drop[@]}"} "$AVML" verify "$T/v2" \
	>"$T/found" 2>"$T/missed" ||
	fail "$(cat "$T/found"): $(head -n 5 "$T/missed" | tr '\n' ' ')"
expect_status 0 avml verify "$T/v2" >"$T/said"
cat "$T/found" >>"$T/skipped"

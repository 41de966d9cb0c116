#!/bin/bash
# SPDX-License-Identifier: MIT
# Addresses that no machine has are refused, with their line.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 1 --layout flat
for last in 100000000000fff fffffffffffffffe; do
	cp "$T/iomem" "$T/high"
	echo "100000000000000-$last : System RAM" >>"$T/high"
	expect_error 1 "$T/high" avml --source "$T/memory" --iomem "$T/high" \
		"$T/out"
	expect_absent "$T/out"
done

#!/bin/bash
# SPDX-License-Identifier: MIT
# RAM that no program header covers is left out, named, and counted.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 24 --lie missing-range
last=$(lime_ranges "$T/iomem" | tail -n 1)
bytes=$((${last#*-} - ${last%-*}))
expect_status 3 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem" --left-out "$last"

printf -v named '0x%016x-0x%016x' "${last%-*}" "${last#*-}"
expect_err "^warning: $named" \
	" $bytes bytes unreadable"
expect_error 1 unreadable avml "${from[@]}" --max-unreadable 0 "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem" --left-out "$last"

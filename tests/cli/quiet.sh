#!/bin/bash
# SPDX-License-Identifier: MIT
# --quiet: not a byte on stderr but errors.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 24
expect_status 0 avml "${from[@]}" --quiet "$T/out"
[ ! -s "$T/err" ] || fail "$(cat "$T/err")"
expect_image "$T/out" "$T/memory" "$T/iomem"
last=$(lime_ranges "$T/iomem" | tail -n 1)
truncate -s $((${last#*-} - 16384)) "$T/memory"
expect_status 3 avml --iomem "$T/iomem" --source "$T/memory" --quiet "$T/out"
[ ! -s "$T/err" ] || fail "$(cat "$T/err")"
expect_error 1 "$T/none" avml "${from[@]}" --quiet "$T/none/out"
expect_no_err '^note' '^warning' '^avml:'
expect_error 1 max-unreadable avml "${from[@]}" --quiet --max-unreadable 0 \
	"$T/out"
expect_no_err '^note' '^warning' '^avml:'

#!/bin/bash
# SPDX-License-Identifier: MIT
# What fish completes is what avml takes.
# shellcheck source=tests/completions/lib.sh
. "${0%/*}/lib.sh"

HOME=$T XDG_CONFIG_HOME=$T XDG_DATA_HOME=$T fish --no-config \
	"${0%/*}/driver.fish" "$completions" "$T/place" \
	<"$T/asked" >"$T/offered" || fail "$(tail -n 1 "$T/noise")"
expect_offers

#!/bin/bash
# SPDX-License-Identifier: MIT
# What zsh completes is what avml takes.
# shellcheck source=tests/completions/lib.sh
. "${0%/*}/lib.sh"

HOME=$T zsh -f "${0%/*}/driver.zsh" "$completions" "$T/place" \
	<"$T/asked" >"$T/offered" || fail "$(tail -n 1 "$T/noise")"
expect_offers

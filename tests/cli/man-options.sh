#!/bin/bash
# SPDX-License-Identifier: MIT
# Every option of --help is in the man page, and the reverse.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

page=$tests/../man/avml.8
if ! [ -e "$page" ]; then
	skip_part "a man page: there is none yet"
	exit 0
fi
expect_status 0 avml --help >"$T/help"
grep -oE -e '--[a-z][a-z-]+' "$T/help" | sort -u >"$T/said"
# Fl in mdoc: `Fl -quiet`, an argument after it or not.
grep -oE -e '\<Fl (\\)?-[a-z][a-z-]+' "$page" | sed -E 's/.*Fl \\?/-/' |
	sort -u >"$T/written"
[ "$(wc -l <"$T/said")" -ge 12 ] || fail "--help tells of too few options"
diff "$T/said" "$T/written" >"$T/diff" ||
	fail "--help (<) and avml.8 (>): $(grep '^[<>]' "$T/diff" | tr '\n' ' ')"

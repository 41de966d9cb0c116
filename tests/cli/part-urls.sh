#!/bin/bash
# SPDX-License-Identifier: MIT
# URLs of parts for hosts without a key: contrib/avml-part-urls, and what judges
# signatures.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

"${PYTHON:-python3}" -ISB "$tests/lib/sigv4.py" selftest >"$T/selftest" ||
	fail "$(cat "$T/selftest")"
[ "$(grep -c '^ok ' "$T/selftest")" = 4 ] || fail "$(cat "$T/selftest")"

#!/bin/bash
# SPDX-License-Identifier: MIT
# A made-up source means that nothing of this machine's own is opened.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

if ! strace -o "$T/trace" true 2>/dev/null; then
	skip_part "strace: not here or not allowed"
	exit 0
fi
if grep -qaE '__(a|t)san_init' "$AVML"; then
	skip_part "strace: not with sanitizers"
	exit 0
fi
traced()
{
	before=(strace -f -e "trace=openat,open,openat2,bpf" -o "$T/trace")
	expect_status 0 avml "$@" "$T/out"
	before=()
	grep -q "\"$T/out\"" "$T/trace" || fail "nothing was traced"
	grep -E '"/(proc|dev)/|bpf\(' "$T/trace" |
		grep -vE '"/dev/null"|"/proc/self/' >"$T/host" || :
	[ ! -s "$T/host" ] || fail "$(head -n 1 "$T/host")"
}
make_image --size 4
traced "${from[@]}"
make_proc --size 4
traced "${from[@]}"

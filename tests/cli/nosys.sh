#!/bin/bash
# SPDX-License-Identifier: MIT
# On an old kernel, and in a sandbox, system calls are missing: whatever came
# after Linux 2.6.32, and some that sandboxes do without, answers ENOSYS, each
# in turn and all at once, and every command does the same as ever.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# 2.6.32 ended at 298 on x86-64; what is to come is in the range too. Below it
# fadvise64, splice, tee, sync_file_range, vmsplice, fallocate, and prctl, with
# which a conversion is confined.
newer=299-520
others=(157 221 275-278 285)
if [ "$(uname -m)" != x86_64 ] || grep -qaE '__(a|t)san_init' "$AVML"; then
	skip_part "what follows: only on x86-64, and not with sanitizers"
	exit 0
fi
make_sources --size 4
lime write "$T/v2.avml" --memory "$T/memory" --iomem "$T/iomem" --format v2

without()
{
	# shellcheck disable=SC2034
	before=("${PYTHON:-python3}" -IS "$tests/lib/nosys.py" --result "$T/out"
		"${denied[@]}" --)
	avml "$@" >"$T/runs" || fail "$*: $(head -n 3 "$T/runs")"
	[ "$(tail -n 1 "$T/runs")" = "$runs runs" ] ||
		fail "$*: $(tail -n 1 "$T/runs"), not $runs"
}
every_command()
{
	without "${from[@]}" "$T/out"
	without "${from[@]}" --threads 3 --compress "$T/out"
	without convert "$T/v2.avml" "$T/out"
	without sources "${from[@]}" --json
}
denied=("$newer" "${others[@]}")
runs=$((520 - 299 + 1 + 2 + 4 + 1))
every_command
denied=(--all "$newer" "${others[@]}")
runs=1
every_command
# As a conversion, but that nothing is written.
without verify --threads 3 "$T/v2.avml"
without info --map --json "$T/v2.avml"

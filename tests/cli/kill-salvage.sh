#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 at a hundred random moments: what is in the file is the beginning of
# the image, and --salvage has back all of it, and of the record that was cut
# short every byte (version 1) or every whole chunk (version 2).
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 48
expect_status 0 avml "${from[@]}" "$T/v1"
expect_status 0 avml "${from[@]}" --compress "$T/v2"
expect_image "$T/v1" "$T/memory" "$T/iomem"
expect_image "$T/v2" "$T/memory" "$T/iomem"

# It begins the binary itself, with nothing but these files.
"${PYTHON:-python3}" -B "$tests/fault/kill.py" \
	${KILL_SEED:+--seed "$KILL_SEED"} --moments "${KILL_MOMENTS:-100}" \
	"$T" -- ${drop[@]+"${drop[@]}"} "$AVML" >"$T/kills" ||
	fail "$(tail -n 1 "$T/kills") (KILL_SEED)"
